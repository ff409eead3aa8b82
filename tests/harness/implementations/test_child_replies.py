"""What an adapter in a child process writes is one reply a request, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.fixture_types import StartClient
from harness.implementations.calls import list_backups
from harness.waiting import ends_within

from pytest_reedbackup.implementations import child
from pytest_reedbackup.implementations.answers import value_of
from pytest_reedbackup.model.adapter_faults import (
    ProtocolViolation,
    excerpt,
)
from reedbase_backup.adapter.protocol import MAX_LINE_BYTES

pytestmark = pytest.mark.usefixtures("nothing_is_left")

NOISE = {
    "before-the-reply": ("write('Compiling\\n' + called(read(), []))", "malformed"),
    "a-banner-at-start": ("greet(); write('ready\\n' + called(read(), []))", "malformed"),
    "another-id": ("r = read(); r['id'] = 77; write(called(r, []))", "its id is 77"),
    "not-utf-8": (
        "r = read(); sys.stdout.buffer.write(b'\\xff\\xfe\\n'); sys.stdout.flush()",
        "malformed",
    ),
    "an-empty-line": ("read(); write('\\n')", "truncated"),
    "a-carriage-return": ("read(); write('\\r\\n')", "truncated"),
}


@pytest.mark.parametrize(("body", "reason"), NOISE.values(), ids=NOISE)
def test_what_is_no_reply_is_a_violation(connect: StartClient, body: str, reason: str) -> None:
    client = connect(body)
    if body.startswith("greet"):
        client.hello(10.0)
    with pytest.raises(ProtocolViolation) as caught:
        list_backups(client)
    assert reason in caught.value.reason


@pytest.mark.parametrize("noise", ["done\\n", "done", '{"id": 2}\\n'])
def test_output_after_a_reply_is_noticed_at_the_next_request(
    connect: StartClient, noise: str
) -> None:
    client = connect(f"""
write(called(read(), []) + {noise!r}.replace("\\\\n", chr(10)))
read()
""")
    assert value_of(list_backups(client), "the list") == []
    with pytest.raises(ProtocolViolation) as caught:
        list_backups(client)
    assert caught.value.reason == "output that no request asked for"
    assert noise.removesuffix("\\n") in str(caught.value)


def test_output_that_comes_some_time_after_a_reply_is_noticed_too(
    connect: StartClient, tmp_path: Path
) -> None:
    client = connect(f"""
write(called(read(), []))
write("late\\n")
open({str(tmp_path / "written")!r}, "w").close()
read()
""")
    list_backups(client)
    assert ends_within(5.0, (tmp_path / "written").exists)
    with pytest.raises(ProtocolViolation, match="output that no request asked for"):
        list_backups(client)


def test_output_after_the_last_reply_is_noticed(connect: StartClient) -> None:
    client = connect("write(ended(read()) + 'bye\\n')")
    with pytest.raises(ProtocolViolation, match=r"(?s)^shutdown: .*no request asked for.*bye"):
        client.shutdown(10.0)


def test_several_lines_of_noise_are_shown_in_one() -> None:
    assert excerpt(b"one\ntwo\n") == "one\\ntwo"


def test_two_replies_to_one_request_are_one_too_many(connect: StartClient) -> None:
    client = connect("r = read(); write(called(r, []) * 2); read()")
    list_backups(client)
    with pytest.raises(ProtocolViolation, match="no request asked for"):
        list_backups(client)


def test_a_reply_may_come_in_pieces(connect: StartClient) -> None:
    client = connect("""
reply = called(read(), [])
for piece in (reply[:1], reply[1:30], reply[30:-1], reply[-1:]):
    write(piece)
    time.sleep(0.01)
read()
""")
    assert value_of(list_backups(client), "the list") == []


def test_the_longest_line_is_64_mib(connect: StartClient, monkeypatch: pytest.MonkeyPatch) -> None:
    # The protocol's own bound is read where it is used; a small one costs no gigabyte.
    monkeypatch.setattr(child, "MAX_LINE_BYTES", 100_000)
    client = connect("""
for length in (100_000, 100_001):
    reply = called(read(), [])
    write(" " * (length - len(reply) + 1) + reply)
read()
""")
    assert value_of(list_backups(client), "the list") == []
    with pytest.raises(ProtocolViolation, match="a line of more than 64 MiB"):
        list_backups(client)


def test_a_line_without_end_is_not_read_to_its_end(connect: StartClient) -> None:
    client = connect("""
read()
while True:
    sys.stdout.write("x" * (1 << 20))
""")
    with pytest.raises(ProtocolViolation) as caught:
        list_backups(client, 60.0)
    length = int(str(caught.value).split(" … (")[1].split()[0])
    assert MAX_LINE_BYTES == 64 * 2**20
    assert MAX_LINE_BYTES < length <= MAX_LINE_BYTES + (1 << 16)
