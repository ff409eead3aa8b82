"""Tools that the suite needs: there is more to one than that a program has its name."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fixture_types import FindTool
from harness.sources import MINE

from pytest_reedbackup.implementations.clocks import faketime
from pytest_reedbackup.injection.traced.strace import tracing
from pytest_reedbackup.model.failures import MissingCapability
from pytest_reedbackup.model.outcome import Outcome
from pytest_reedbackup.reports import json_report

pytest_plugins = ["pytester"]

pytestmark = pytest.mark.slow

CALLS = "--reedbackup-case=ticket/restore/atomic/calls"
TOOLS = "--reedbackup-case=ticket/create/archive/tools"
REPORT = "--reedbackup-report=out.json"
# Takes strace's options away and runs the rest: {found} decides which of them count.
PRETENDER = """#!{python}
import os, sys
options, rest = sys.argv[1:], []
kept = ["strace"]
while options and options[0].startswith("-"):
    option = options.pop(0)
    word = [options.pop(0)] if option in ("-s", "-o", "-e") else []
    if not (word and word[0].startswith("inject")):
        kept += [option, *word]
if {traces}:
    os.execv({strace!r}, [*kept, *options])
os.execvp(options[0], options)
"""
# Passes every line on to a process that was there before.
FORWARDER = """
import socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect(sys.argv[1])
    stream = server.makefile("rwb")
    for line in sys.stdin.buffer:
        stream.write(line), stream.flush()
        sys.stdout.buffer.write(stream.readline()), sys.stdout.buffer.flush()
        if b'"shutdown"' in line:
            break
"""
ODD = """
import os

class Shy(Conforming):
    '''Ends where it is traced.'''
    def __init__(self):
        super().__init__()
        original = self.restore_point_in_time
        def restore_point_in_time(base_path, target_timestamp):
            with open("/proc/self/status") as status:
                if "TracerPid:\\t0\\n" not in status.read():
                    os._exit(5)
            return original(base_path, target_timestamp)
        self.restore_point_in_time = restore_point_in_time
"""


@pytest.fixture
def strace(tool: FindTool) -> str:
    return tool("strace")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Puts a program before all others of its name."""
    folder = tmp_path / "programs"
    folder.mkdir()

    def put(name: str, script: str) -> Path:
        path = folder / name
        path.write_text(script)
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        return path

    return put


def skipped(pytester: pytest.Pytester) -> list[str]:
    """Of the run with REPORT in `pytester`'s folder: cases, what each needs, and why it has not."""
    return [
        f"{case.case_id}: {case.missing}: {case.missing_sentence}"
        for case in json_report.read(pytester.path / "out.json").cases
        if case.outcome is Outcome.SKIP and case.missing_tool
    ]


SCRIPTS = {
    "refuses": "#!/bin/sh\nexit 1\n",
    "forbidden": "#!/bin/sh\necho 'PTRACE_TRACEME: Operation not permitted' >&2\nexit 1\n",
    "not-a-program": "neither a script nor a program",
    "runs-the-command-untraced": PRETENDER.format(python=sys.executable, traces=False, strace=""),
    "injects-nothing": PRETENDER.format(
        python=sys.executable, traces=True, strace=shutil.which("strace")
    ),
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_a_strace_that_does_not_work_is_a_missing_tool_not_a_kept_promise(
    pytester: pytest.Pytester, programs: Callable[[str, str], Path], script: str, strace: str
) -> None:
    programs("strace", script)
    ended = pytester.runpytest_inprocess("--reedbackup-impl=python", CALLS, REPORT)
    ended.assert_outcomes(skipped=1, deselected=ended.parseoutcomes()["deselected"])
    assert skipped(pytester)[0].startswith("ticket/restore/atomic/calls: strace: it ")
    assert ended.ret == pytest.ExitCode.TESTS_FAILED


def test_what_strace_says_of_itself_is_shown(
    programs: Callable[[str, str], Path], tmp_path: Path
) -> None:
    programs("strace", SCRIPTS["forbidden"])
    with pytest.raises(MissingCapability, match="PTRACE_TRACEME: Operation not perm") as caught:
        tracing(["rename"], tmp_path / "trace")
    assert caught.value.tool


def test_a_missing_strace_is_a_missing_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingCapability, match="it is not installed") as caught:
        tracing(["rename"], tmp_path / "trace")
    assert caught.value.tool


def test_strace_is_tried_once(
    strace: str, programs: Callable[[str, str], Path], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    programs("strace", f'#!/bin/sh\necho run >> {log}\nexec {strace} "$@"\n')
    for _ in range(3):
        tracing(["rename"], tmp_path / "trace")
    assert len(log.read_text().splitlines()) == 2  # once to trace, once to kill


def test_a_strace_of_old_stops_what_it_starts_at_each_call(
    pytester: pytest.Pytester,
    strace: str,
    programs: Callable[[str, str], Path],
    tmp_path: Path,
) -> None:
    """One that knows no filter of calls (from 5.3 on) is as good, and slower."""
    quick = tracing(["rename"], tmp_path / "trace", starts=True)
    assert "--seccomp-bpf" in quick
    assert "--seccomp-bpf" not in tracing(["rename"], tmp_path / "trace")
    old = f'case "$*" in *seccomp*) echo unrecognized option >&2; exit 1;; esac; exec {strace} "$@"'
    programs("strace", f"#!/bin/sh\n{old}\n")
    assert "--seccomp-bpf" not in tracing(["rename"], tmp_path / "trace", starts=True)
    ended = pytester.runpytest_inprocess(
        "--reedbackup-impl=python", "--reedbackup-case=ticket/create/private/while-it-runs"
    )
    ended.assert_outcomes(passed=1, deselected=ended.parseoutcomes()["deselected"])


@pytest.fixture
def forwarded(tmp_path: Path) -> Iterator[str]:
    """An adapter whose work is done by a process that nobody here has started."""
    address = str(tmp_path / "socket")
    (tmp_path / "forwarder.py").write_text(FORWARDER)
    serve = shlex.join([sys.executable, "-m", "reedbase_backup", "serve", "python"])
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        script = (
            "import os, socket, subprocess, sys\n"
            f"server = socket.socket(fileno={server.fileno()})\n"
            "while True:\n"
            "    one, _ = server.accept()\n"
            f"    subprocess.Popen({serve!r}.split(), stdin=one, stdout=one); one.close()\n"
        )
        process = subprocess.Popen([sys.executable, "-c", script], pass_fds=[server.fileno()])
    yield shlex.join([sys.executable, str(tmp_path / "forwarder.py"), address])
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    "case", ["ticket/restore/atomic/calls", "ticket/create/private/while-it-runs"]
)
def test_a_process_that_strace_does_not_reach_keeps_no_promise(
    pytester: pytest.Pytester, strace: str, forwarded: str, case: str
) -> None:
    ended = pytester.runpytest_inprocess(
        f"--reedbackup-impl={forwarded}", f"--reedbackup-case={case}", REPORT
    )
    assert skipped(pytester)[0].startswith(f"{case}: strace: it saw no file")
    assert ended.ret == pytest.ExitCode.TESTS_FAILED


def test_an_adapter_that_ends_when_it_is_traced_is_an_error(
    pytester: pytest.Pytester, strace: str
) -> None:
    pytester.makepyfile(mine=MINE + ODD)
    ended = pytester.runpytest_inprocess("--reedbackup-impl=mine:Shy", CALLS)
    assert "ended with exit status 5" in "\n".join(ended.outlines)
    assert " 0 kept, 0 broken, 1 errors" in "\n".join(ended.outlines)


JUDGES = {
    "gzip-accepts-everything": ("gzip", "#!/bin/sh\nexit 0\n", "it accepts a damaged archive"),
    "gzip-refuses-everything": ("gzip", "#!/bin/sh\nexit 1\n", "it refuses a sound archive"),
    "tar-accepts-everything": ("tar", "#!/bin/sh\nexit 0\n", "it accepts a damaged archive"),
    "tar-refuses-everything": ("tar", "#!/bin/sh\nexit 1\n", "it refuses a sound archive"),
}


@pytest.mark.parametrize(("name", "script", "reason"), JUDGES.values(), ids=JUDGES)
def test_a_tool_judges_archives_only_where_it_can(
    pytester: pytest.Pytester,
    programs: Callable[[str, str], Path],
    name: str,
    script: str,
    reason: str,
) -> None:
    programs(name, script)
    ended = pytester.runpytest_inprocess("--reedbackup-impl=python", TOOLS, REPORT)
    assert skipped(pytester) == [f"ticket/create/archive/tools: {name}: {reason}"]
    assert ended.ret == pytest.ExitCode.TESTS_FAILED


def test_a_missing_tool_keeps_no_promise(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    pytester.runpytest_inprocess("--reedbackup-impl=python", TOOLS, REPORT)
    assert skipped(pytester) == ["ticket/create/archive/tools: gzip: it is not installed"]


def test_a_libfaketime_that_moves_no_clock_is_not_taken_for_one_that_does(tmp_path: Path) -> None:
    assert not faketime.moves_a_clock(tmp_path / "no-such-library.so")
    if (library := faketime.find_libfaketime()) is not None:
        assert faketime.moves_a_clock(library)
