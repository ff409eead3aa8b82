"""What --reedbackup-impl names: connected to, kept running, started afresh after a fault."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from harness.fixture_types import WriteAdapter
from harness.implementations.calls import BASE

from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.implementations.answers import value_of
from pytest_reedbackup.implementations.clocks.capability import CapabilityClock
from pytest_reedbackup.model.adapter_faults import AdapterFault, TimedOut, Unusable
from pytest_reedbackup.model.target import TimeLimits
from reedbase_backup.types import BackupInfo

PATIENT = TimeLimits(hello=10.0, call=10.0)
# Calls number 2 and 4 of all processes together misbehave, each in another way.
COUNTING = """
import pathlib
HELLO["capabilities"] = ["clock"]
COUNT = pathlib.Path(__file__).with_suffix(".count")
greet()
while True:
    request = read()
    COUNT.write_text(f"{int(COUNT.read_text()) + 1 if COUNT.exists() else 1}")
    number = int(COUNT.read_text())
    if number == 2:
        os._exit(3)
    if number == 4:
        time.sleep(60)
    write(ended(request) if request["method"] == "shutdown" else called(request, []))
    if request["method"] == "shutdown":
        break
"""


class ConnectTo(Protocol):
    def __call__(self, option: str, limits: TimeLimits = PATIENT) -> Connection: ...


@pytest.fixture
def connect_to(tmp_path: Path) -> Iterator[ConnectTo]:
    """Connects to an implementation, with a scratch folder of its own."""
    connections: list[Connection] = []

    def make(option: str, limits: TimeLimits = PATIENT) -> Connection:
        scratch = tmp_path / f"scratch {len(connections)}"
        scratch.mkdir()
        connections.append(Connection(option, scratch, limits))
        return connections[-1]

    yield make
    for implementation in connections:
        implementation.close()


def listed(implementation: Connection) -> list[BackupInfo]:
    backups: list[BackupInfo] = value_of(
        implementation.call("list_backups", "ticket", BASE), "the list"
    )
    return backups


def test_a_fault_costs_one_call_and_the_next_gets_a_fresh_process(
    connect_to: ConnectTo, adapter: WriteAdapter, nothing_is_left: None
) -> None:
    option = shlex.join(adapter(COUNTING))
    implementation = connect_to(option, TimeLimits(hello=10.0, call=3.0))
    outcomes: list[object] = []
    for _ in range(5):
        try:
            outcomes.append(listed(implementation))
        except AdapterFault as fault:
            outcomes.append(type(fault).__name__)
    assert outcomes == [[], "Crashed", [], "TimedOut", []]
    implementation.shutdown()


def test_a_call_that_takes_too_long_says_which_option_sets_the_limit(
    connect_to: ConnectTo, adapter: WriteAdapter
) -> None:
    body = "HELLO['capabilities'] = ['clock']; greet(); read(); time.sleep(60)"
    implementation = connect_to(shlex.join(adapter(body)), TimeLimits(hello=10.0, call=0.3))
    with pytest.raises(TimedOut) as caught:
        listed(implementation)
    shown = str(caught.value)
    assert shown.startswith("list_backups(base_path='/somewhere/.reed'): no reply from ")
    assert shown.endswith(
        "within 0.3 s; its process group was killed; --reedbackup-timeout sets another limit"
    )


def test_a_shutdown_is_asked_for_and_held_to_the_protocol(
    connect_to: ConnectTo, adapter: WriteAdapter, nothing_is_left: None
) -> None:
    body = "HELLO['capabilities'] = ['clock']; greet(); write(ended(read())); sys.exit(7)"
    implementation = connect_to(shlex.join(adapter(body)))
    assert implementation.hello.name == "tiny"
    with pytest.raises(AdapterFault, match=r"shutdown: .* ended with exit status 7"):
        implementation.shutdown()
    implementation.shutdown()


def test_closing_starts_nothing(connect_to: ConnectTo) -> None:
    implementation = connect_to("/no/such/adapter")
    implementation.close()
    implementation.shutdown()


UNUSABLE = {
    "no-such-command": ("no-such-adapter --flag", "cannot start 'no-such-adapter --flag'"),
    "ends-at-once": ("false", "hello: 'false' ended with exit status 1"),
    "talks-otherwise": ("echo hello", "the reply was: hello;"),
    "talks-and-stays": ("yes", "protocol violation: "),
    "repeats-the-request": ("cat", "unknown field `method`"),
    "a-quote-that-stays-open": ("adapter 'x", "is no command line: No closing quotation"),
    "empty": ("  ", "it is empty"),
    "no-such-module": ("no_such_module:Thing", "ModuleNotFoundError: No module named"),
    "no-such-object": ("json:Thing", "AttributeError: module 'json' has no attribute 'Thing'"),
    "no-such-attribute": ("json:JSONDecoder.thing", "AttributeError: type object 'JSONDecoder'"),
    "cannot-be-made": ("fractions:Fraction.from_float.x", "AttributeError"),
    "lacks-functions": (
        "json:JSONDecoder",
        "'json:JSONDecoder' has no function create_backup and no list_backups and no restore",
    ),
}


@pytest.mark.parametrize(("option", "words"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_cannot_be_used_says_so_in_a_line_or_two_with_a_hint(
    connect_to: ConnectTo, nothing_is_left: None, option: str, words: str
) -> None:
    with pytest.raises(Unusable) as caught:
        _ = connect_to(option, TimeLimits(hello=5.0)).hello
    said = str(caught.value)
    assert words in said
    assert said.count("\n") <= 1  # what is wrong, and the reply that it was found in
    hints = ("give python", "try it by hand: echo '{", "an implementation has", "are sought in")
    assert any(hint in said for hint in hints)


MODULES = {
    "raises": ("raise ValueError('a bug')", "ValueError: a bug"),
    "exits": ("import sys; sys.exit(5)", "SystemExit: 5"),
    "is-no-python": ("def (", "SyntaxError"),
    "cannot-be-made": (
        "class Thing:\n def __init__(self, x): pass",
        "TypeError: Thing.__init__() missing",
    ),
}


@pytest.mark.parametrize(("source", "words"), MODULES.values(), ids=MODULES)
def test_a_module_that_fails_is_unusable_whatever_it_raises(
    connect_to: ConnectTo,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    name = f"failing_{abs(hash(source))}"
    (tmp_path / f"{name}.py").write_text(source)
    with pytest.raises(Unusable) as caught:
        _ = connect_to(f"{name}:Thing").hello
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"contracts": "ticket"}, "attribute `contracts` must be a tuple of names, not 'ticket'"),
        ({"contracts": ()}, "claims the contracts ()"),
        ({"contracts": ("first",)}, "claims the contracts ('first',)"),
        ({"capabilities": "clock"}, "attribute `capabilities` must be a tuple of names"),
        ({"capabilities": None}, "attribute `capabilities` must be a tuple of names"),
    ],
    ids=str,
)
def test_what_an_object_says_of_itself_is_checked(
    connect_to: ConnectTo,
    monkeypatch: pytest.MonkeyPatch,
    attributes: dict[str, object],
    words: str,
) -> None:
    functions = ("create_backup", "list_backups", "restore_point_in_time")
    thing = type("Thing", (), {**dict.fromkeys(functions, print), **attributes})
    monkeypatch.setattr(sys.modules["shlex"], "Thing", thing, raising=False)
    with pytest.raises(Unusable) as caught:
        _ = connect_to("shlex:Thing").hello
    assert words in str(caught.value)


def test_a_hello_that_does_not_come_says_which_option_sets_the_limit(
    connect_to: ConnectTo,
) -> None:
    with pytest.raises(Unusable) as caught:
        _ = connect_to("sleep 60", TimeLimits(hello=0.2)).hello
    assert str(caught.value) == (
        "'sleep 60' does not speak the adapter protocol: hello: no reply from 'sleep 60' within"
        " 0.2 s; its process group was killed; --reedbackup-hello-timeout sets another limit"
    )


def test_a_hello_with_unknown_fields_shows_the_line(
    connect_to: ConnectTo, adapter: WriteAdapter
) -> None:
    option = shlex.join(adapter("HELLO['extra'] = 1; greet()"))
    words = r"(?s)`result.extra`: unknown field.*the reply was: .*\"extra\": 1"
    with pytest.raises(Unusable, match=words):
        _ = connect_to(option).hello


def test_the_log_follows_where_the_adapter_wrote_one(
    connect_to: ConnectTo, adapter: WriteAdapter
) -> None:
    option = shlex.join(adapter("print('no licence', file=sys.stderr); sys.exit(1)"))
    with pytest.raises(Unusable) as caught:
        _ = connect_to(option).hello
    first, *log = str(caught.value).splitlines()
    assert "try it by hand" in first
    assert log == ["  its stderr ends:", "    no licence"]


def test_the_reference_is_in_process_and_gets_the_time(connect_to: ConnectTo) -> None:
    implementation = connect_to("python")
    assert implementation.is_in_process
    assert isinstance(implementation.clock, CapabilityClock)
    assert implementation.functions is not None
    assert set(implementation.functions) == {
        "create_backup",
        "list_backups",
        "restore_point_in_time",
    }


def test_a_command_line_is_split_as_a_shell_does(connect_to: ConnectTo) -> None:
    implementation = connect_to("'./my adapter' --flag \"two words\"")
    assert not implementation.is_in_process
    assert implementation.functions is None
    assert implementation.command == ["./my adapter", "--flag", "two words"]


def test_an_implementation_in_process_can_be_started_as_a_process_too(
    connect_to: ConnectTo,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    nothing_is_left: None,
) -> None:
    """Even where only pytest's own sys.path has its module, as with the setting `pythonpath`."""
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "elsewhere_only.py").write_text(
        "class Empty:\n"
        "    def create_backup(self, base_path): ...\n"
        "    def list_backups(self, base_path): return []\n"
        "    def restore_point_in_time(self, base_path, target_timestamp): ...\n"
    )
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    inside = connect_to("elsewhere_only:Empty")
    assert listed(inside) == []
    assert str(folder) in inside.environment["PYTHONPATH"].split(os.pathsep)
    for name, value in inside.environment.items():
        monkeypatch.setenv(name, value)
    outside = connect_to(shlex.join(inside.command))
    assert listed(outside) == []
    outside.shutdown()


def test_a_method_that_is_called_name_is_not_what_an_object_is_called(
    connect_to: ConnectTo, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions = ("create_backup", "list_backups", "restore_point_in_time", "name")
    thing = type("Thing", (), {**dict.fromkeys(functions, print), "name": lambda self, n: n})
    monkeypatch.setattr(sys.modules["shlex"], "Thing", thing, raising=False)
    assert connect_to("shlex:Thing").hello.name == "shlex:Thing"
