"""Adapters in child processes that end or hang: one fault each, and nothing is left."""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from harness.fixture_types import StartClient, WriteAdapter
from harness.implementations.calls import list_backups
from harness.waiting import ends_within, is_dead

from pytest_reedbackup.implementations import child
from pytest_reedbackup.implementations.answers import Answered, value_of
from pytest_reedbackup.implementations.child import ChildProcess
from pytest_reedbackup.model.adapter_faults import (
    Crashed,
    TimedOut,
    Unusable,
)

pytestmark = pytest.mark.usefixtures("nothing_is_left")


def test_an_adapter_is_greeted_called_and_shut_down(connect: StartClient) -> None:
    client = connect("serve(lambda r: ended(r) if r['method'] == 'shutdown' else called(r, []))")
    assert client.hello(10.0).name == "tiny"
    answer = list_backups(client)
    assert isinstance(answer, Answered)
    assert answer.value == []
    client.shutdown(10.0)


ENDS = {
    "at-once": ("sys.exit(3)", "ended with exit status 3"),
    "instead-of-a-reply": ("read(); sys.exit(0)", "ended with exit status 0"),
    "by-a-signal": ("read(); os.kill(os.getpid(), signal.SIGSEGV)", "was ended by SIGSEGV"),
    "by-a-real-time-signal": ("read(); os.kill(os.getpid(), 35)", "was ended by signal 35"),
    "in-the-midst-of-a-line": (
        "read(); write('{\"jsonrpc\": '); os._exit(9)",
        'ended with exit status 9 in the midst of a line: {"jsonrpc": ',
    ),
    "by-an-exception": ("read(); raise ValueError('a bug')", "ended with exit status 1"),
}


@pytest.mark.parametrize(("body", "words"), ENDS.values(), ids=ENDS)
def test_the_end_of_the_process_is_a_crash_with_its_cause(
    connect: StartClient, body: str, words: str
) -> None:
    client = connect(body)
    with pytest.raises(Crashed) as caught:
        list_backups(client)
    assert caught.value.message.endswith(words)
    assert caught.value.call == "list_backups(base_path='/somewhere/.reed')"


def test_a_crash_between_two_calls_is_the_next_ones_fault(connect: StartClient) -> None:
    client = connect("write(called(read(), [])); os._exit(4)")
    assert value_of(list_backups(client), "the list") == []
    with pytest.raises(Crashed, match="ended with exit status 4"):
        list_backups(client)


def test_a_crash_is_noticed_though_a_grandchild_holds_stdout(connect: StartClient) -> None:
    client = connect("""
read()
subprocess.Popen(["sleep", "60"])
os._exit(5)
""")
    started = time.monotonic()
    with pytest.raises(Crashed, match="ended with exit status 5"):
        list_backups(client, 30.0)
    assert time.monotonic() - started < 5


def test_closing_stdout_without_ending_is_a_crash_too(
    connect: StartClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "_GRACE_SECS", 0.1)
    client = connect("read(); os.close(1); time.sleep(60)")
    with pytest.raises(Crashed, match="closed its stdout and had to be killed"):
        list_backups(client)


def test_the_last_lines_of_stderr_are_shown(connect: StartClient) -> None:
    client = connect("""
read()
for number in range(100):
    print("line", number, file=sys.stderr)
sys.stderr.buffer.write(b"\\xff is no UTF-8\\n")
sys.exit(1)
""")
    with pytest.raises(Crashed) as caught:
        list_backups(client)
    lines = str(caught.value).splitlines()
    assert lines[1] == "  its stderr ends:"
    assert lines[2:] == [f"    line {n}" for n in range(81, 100)] + ["    \\xff is no UTF-8"]


def test_a_hang_ends_in_time_and_with_its_grandchildren(
    connect: StartClient, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    client = connect(f"""
r = read()
child = subprocess.Popen(["sh", "-c", "sleep 60 & echo $! $$ > {pids}; wait"])
print("asleep", file=sys.stderr, flush=True)
while not os.path.exists({str(pids)!r}) or not open({str(pids)!r}).read().endswith("\\n"):
    time.sleep(0.01)
open({str(pids) + ".done"!r}, "w").close()
time.sleep(60)
""")
    started = time.monotonic()
    with pytest.raises(TimedOut) as caught:
        list_backups(client, 1.0)
    assert 0.9 < time.monotonic() - started < 3
    assert "within 1 s" in caught.value.message
    assert caught.value.log == "    asleep"
    assert (tmp_path / "pids.done").exists()
    for pid in pids.read_text().split():
        assert ends_within(2.0, partial(is_dead, int(pid)))


def test_an_adapter_that_does_not_read_is_left_in_time(connect: StartClient) -> None:
    client = connect("time.sleep(60)")
    with pytest.raises(TimedOut):
        client.call("list_backups", "ticket", Path("/" + "x" * 200_000), 0.3)


def test_closing_stdin_ends_an_adapter_by_itself(adapter: WriteAdapter, tmp_path: Path) -> None:
    process = ChildProcess(
        adapter(f"""
sys.stdin.read()
open({str(tmp_path / "ended")!r}, "w").close()
""")
    )
    process.close()
    assert (tmp_path / "ended").exists()
    process.close()


def test_an_adapter_that_outlives_its_stdin_is_killed(
    adapter: WriteAdapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "_GRACE_SECS", 0.1)
    pid = tmp_path / "pid"
    process = ChildProcess(
        adapter(f"""
open({str(pid)!r}, "w").write(f"{{os.getpid()}}\\n")
time.sleep(60)
""")
    )
    assert ends_within(5.0, lambda: pid.exists() and pid.read_text().endswith("\n"))
    process.close()
    assert is_dead(int(pid.read_text()))


def test_what_an_adapter_started_ends_with_it(connect: StartClient, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    client = connect(f"""
r = read()
child = subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
open({str(pid)!r}, "w").write(str(child.pid))
write(ended(r))
""")
    client.shutdown(10.0)
    assert ends_within(2.0, lambda: is_dead(int(pid.read_text())))


@pytest.mark.parametrize(
    ("end", "fault", "words"),
    [
        ("sys.exit(7)", Crashed, "ended with exit status 7"),
        ("os.kill(os.getpid(), signal.SIGTERM)", Crashed, "was ended by SIGTERM"),
        ("time.sleep(60)", TimedOut, "still ran 0.3 s after its reply; it was killed"),
    ],
)
def test_an_adapter_that_does_not_end_well_after_shutdown_is_a_fault(
    connect: StartClient, end: str, fault: type[Crashed] | type[TimedOut], words: str
) -> None:
    client = connect(f"write(ended(read())); {end}")
    with pytest.raises(fault, match=f"^shutdown: .*{words}"):
        client.shutdown(0.3)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["/no/such/adapter"], "cannot start '/no/such/adapter'"),
        (["no-such-adapter", "--flag"], "cannot start 'no-such-adapter --flag'"),
        ([os.path.dirname(sys.executable)], "Permission denied"),
    ],
)
def test_what_cannot_be_started_is_unusable(command: list[str], words: str) -> None:
    with pytest.raises(Unusable) as caught:
        ChildProcess(command)
    assert words in str(caught.value)


def test_a_child_inherits_the_environment_and_leads_a_group_of_its_own(
    connect: StartClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_OF_OURS", "inherited")
    client = connect("""
write(called(read(), []) if os.environ["SOME_OF_OURS"] == "inherited" else "")
write(called(read(), []) if os.getpgid(0) == os.getsid(0) == os.getpid() else "")
""")
    assert value_of(list_backups(client), "the list") == []
    assert value_of(list_backups(client), "the list") == []
