"""Cases run in other processes, and come to what they come to in one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from fixture_types import FindTool
from harness.waiting import ends_within

from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.reports import json_report

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        len(os.sched_getaffinity(0)) == 1, reason="one processor: all runs in one process there"
    ),
]

NOTING = """
import functools, os, time, pytest

MAIN = os.getpid()

def noted(item):
    function = item.obj

    @functools.wraps(function)
    def noting(*arguments, **named):
        with open("where.txt", "a") as file:
            where = "here" if os.getpid() == MAIN else "beside"
            file.write(f"{{item.nodeid}} {{item.originalname}} {{where}}\\n")
        act(item)
        return function(*arguments, **named)

    return noting

def wait_for_those_beside(count):
    until = time.monotonic() + 60
    while time.monotonic() < until and open("where.txt").read().count(" beside") < count:
        time.sleep(0.01)

def act(item):
    {act}

def pytest_collection_modifyitems(items):
    for item in items:
        item.obj = noted(item)
"""
"""Notes where the functions of tests run, and acts before they do."""

RESTORES = "test_restore_point_in_time"

MINE = """
import sys
from pathlib import Path

from reedbase_backup.adapter.loading import load

class Mine:
    capabilities = ("clock",)

    def __init__(self):
        self.__dict__.update(load("python").functions)
        original = self.{function}

        def {function}(base_path, **others):
            print("printed by", Path(base_path).name)
            print("printed to stderr", file=sys.stderr)
            answer = original(base_path, **others)
            {act}
            return answer

        self.{function} = {function}
"""
"""An implementation of which one function prints, and acts before it answers."""

CASES = (
    "--reedbackup-case=ticket/bounds/create-10k",
    "--reedbackup-case=ticket/create/durable",
    "--reedbackup-case=ticket/create/info",
)
PLAIN = "test_create_returns_what_list_shows_first"
SWEEP = "test_a_created_backup_is_durable"
WAITS = "test_a_lock_that_stays_taken_ends_in_an_error"
WAITED = "test_a_writer_is_waited_for"
AMIDST = "--reedbackup-case=ticket/create/hot/amidst/last"

MOUNTS = "/proc/self/mounts"
IN_MOUNTS_OF_ITS_OWN = (
    *("unshare", "--mount", "--propagation", "private", "sh", "-c"),
    f'trap : INT; cat {MOUNTS} >first; >begun; "$@"; status=$?; cat {MOUNTS} >last; exit $status',
    "sh",
)
"""What is mounted before a command and after it is in files; what others mount is not seen."""


REMOVING = """
from pytest_reedbackup.databases.clones import Clones

begin = Clones.begin_to_remove

def noted(self):
    done = len(list(self._done.iterdir()))
    with open("where.txt", "a") as file:
        file.write(f"removal-begun-with-{done} removal here\\n")
    begin(self)

Clones.begin_to_remove = noted
"""
"""A plugin that notes when databases begin to be removed, and how many."""

THREAD = """
import threading

threading.Thread(target=threading.Event().wait, daemon=True).start()
"""
"""A plugin that keeps a run in one process: no thread may be lost."""

# What is last in the order of rules is what another process begins with.
_WAITING_FOR_FIVE = f"wait_for_those_beside(5) if item.originalname == {PLAIN!r} else None"

_RESTORE_AND_CREATE = (
    "--reedbackup-case=ticket/create/info",
    "--reedbackup-case=ticket/restore/exact-tree",
    "--reedbackup-case=ticket/restore/pick",
    "--reedbackup-case=ticket/restore/none*",
)

OF_A_RUN = re.compile(r"(/[\w.-]+)+/reedbackup[^ '\"]*|\b\d+(\.\d+)? ?(s|ms)\b|\b\d{5,}\b")
"""Where a run had its files, when, and how long it took."""


class Ran:
    """A run of some of the suite's cases in a folder of its own."""

    def __init__(
        self, folder: Path, *arguments: str, act: str = "pass", within: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        (folder / "noting.py").write_text(NOTING.format(act=act))
        self.process = subprocess.Popen(
            [
                *(*within, sys.executable, "-m", "pytest", "-p", "noting", "-v"),
                *("--reedbackup-report=report.json", *arguments),
            ],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder)},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def ended(self) -> int:
        self.output, _ = self.process.communicate(timeout=120)
        return self.process.returncode

    def mounted(self, now: Path) -> set[str]:
        """Return what is mounted that was not when it began; another's may be gone since."""
        first = (self.folder / "first").read_text().splitlines()
        return set(now.read_text().splitlines()).difference(first)

    @property
    def calls(self) -> list[str]:
        """Each test that ran, in order: its node id, its function, and where."""
        return (self.folder / "where.txt").read_text().splitlines()

    @property
    def where(self) -> set[str]:
        return {line.partition(" ")[2] for line in self.calls}

    @property
    def outcomes(self) -> dict[str, CaseOutcome]:
        return {o.case_id: o for o in json_report.read(self.folder / "report.json").cases}


@pytest.fixture(autouse=True)
def _strace(tool: FindTool) -> None:
    tool("strace")


def test_a_sweep_runs_beside_and_ends_here_before_what_measures(tmp_path: Path) -> None:
    ran = Ran(tmp_path, "--reedbackup-impl=python", *CASES)
    assert ran.ended() == pytest.ExitCode.OK, ran.output
    assert ran.where == {
        f"{PLAIN} here",
        f"{SWEEP} beside",
        "test_create_10k_rows_within_100_ms here",
    }
    lines = [line for line in ran.output.splitlines() if "PASSED" in line]
    assert lines[-2].startswith("ticket/create/durable ")
    assert lines[-1].startswith("ticket/bounds/create-10k ")
    swept = ran.outcomes["ticket/create/durable"]
    assert swept.outcome is Outcome.PASS
    assert swept.sweep is not None
    assert swept.sweep.results
    assert swept.duration_secs > 0.05


def test_what_often_waits_runs_beside_and_ends_here_before_what_measures(tmp_path: Path) -> None:
    often = ("--reedbackup-case=ticket/create/concurrent", "--reedbackup-faults=off")
    ran = Ran(tmp_path, "--reedbackup-impl=python", *often, CASES[0], CASES[-1])
    assert ran.ended() == pytest.ExitCode.OK, ran.output
    assert ran.where == {
        f"{PLAIN} here",
        "test_several_processes_work_on_one_base beside",
        "test_create_10k_rows_within_100_ms here",
    }
    lines = [line for line in ran.output.splitlines() if "PASSED" in line]
    assert lines[-2].startswith("ticket/create/concurrent ")
    assert lines[-1].startswith("ticket/bounds/create-10k ")


def test_databases_are_removed_when_nothing_is_left_but_to_wait(tmp_path: Path) -> None:
    tmp_path.joinpath("removing.py").write_text(REMOVING)
    cases = ("--reedbackup-case=ticket/create/hot/lock-stays", CASES[0], CASES[-1])
    ran = Ran(
        tmp_path, *("-p", "removing", "--reedbackup-impl=python", "--reedbackup-faults=off"), *cases
    )
    assert ran.ended() == pytest.ExitCode.OK, ran.output
    here = [line.split()[0] for line in ran.calls if line.endswith(" here")]
    assert len(here) == 3
    assert here[-1] == "removal-begun-with-2"


def test_what_waits_runs_beside_without_sweeps_too(tmp_path: Path) -> None:
    waits = ("--reedbackup-case=ticket/create/hot/lock-stays", "--reedbackup-faults=off")
    ran = Ran(tmp_path, "--reedbackup-impl=python", *waits, CASES[-1])
    assert ran.ended() == pytest.ExitCode.OK, ran.output
    assert ran.where == {f"{PLAIN} here", f"{WAITS} beside"}


def test_what_waits_runs_beside_after_a_target_for_which_nothing_does(tmp_path: Path) -> None:
    ran = Ran(
        tmp_path,
        *("--reedbackup-impl=python-last", "--reedbackup-impl=python", "--reedbackup-faults=off"),
        *("--reedbackup-case=last/list/order", "--reedbackup-case=ticket/create/hot/lock-stays"),
        CASES[-1],
    )
    assert ran.ended() == pytest.ExitCode.OK, ran.output
    assert {line for line in ran.where if line.startswith(WAITS)} == {f"{WAITS} beside"}


def test_what_is_broken_beside_reads_as_if_it_broke_here(tmp_path: Path) -> None:
    """Exit status, message, sweep and lines of the summary: all but figures and places."""
    runs = {}
    for name, more in (("beside", ()), ("one", ("--pdbcls=pdb:Pdb", "-n1"))):
        (tmp_path / name).mkdir()
        unsynced = "answer.path.write_bytes(answer.path.read_bytes())"
        mine = MINE.format(function="create_backup", act=unsynced)
        (tmp_path / name / "mine.py").write_text(mine)
        runs[name] = Ran(tmp_path / name, "--reedbackup-impl=mine:Mine", *CASES, *more)
        assert runs[name].ended() == pytest.ExitCode.TESTS_FAILED, runs[name].output
    beside, one = runs["beside"].outcomes, runs["one"].outcomes
    assert f"{SWEEP} beside" in runs["beside"].where
    assert f"{SWEEP} beside" not in runs["one"].where
    assert list(beside) == list(one)
    for case_id, outcome in beside.items():
        for field in ("outcome", "cause", "expected", "found", "detail", "repeat"):
            assert getattr(outcome, field) == getattr(one[case_id], field)
        assert _points(outcome) == _points(one[case_id])
    assert beside["ticket/create/durable"].outcome is Outcome.FAIL


def test_what_another_process_did_not_get_to_runs_here(tmp_path: Path) -> None:
    act = f"if os.getpid() != MAIN and item.originalname == {SWEEP!r}: os.kill(os.getpid(), 9)"
    ran = Ran(tmp_path, "--reedbackup-impl=python", *CASES, act=act)
    assert ran.ended() == pytest.ExitCode.OK, ran.output
    assert {f"{SWEEP} beside", f"{SWEEP} here"} <= ran.where


def test_an_error_that_is_no_promise_shows_its_traceback_here(tmp_path: Path) -> None:
    act = f"if item.originalname == {SWEEP!r}: raise LookupError('a bug of the kit')"
    ran = Ran(tmp_path, "--reedbackup-impl=python", *CASES, act=act)
    assert ran.ended() == pytest.ExitCode.TESTS_FAILED, ran.output
    assert "LookupError: a bug of the kit" in ran.output
    assert {f"{SWEEP} beside", f"{SWEEP} here"} <= ran.where


def test_the_first_failure_ends_all_processes(tmp_path: Path) -> None:
    act = f"time.sleep(60) if item.originalname == {SWEEP!r} else 1 / 0"
    ran = Ran(tmp_path, "--reedbackup-impl=python", "-x", *CASES, act=act)
    assert ran.ended() == pytest.ExitCode.TESTS_FAILED, ran.output
    assert _of_the_session(ran.process.pid) == []


@pytest.mark.parametrize("moment_secs", [0.0, 0.02, 0.05, 0.1])
def test_ctrl_c_leaves_no_process_and_no_mount(tmp_path: Path, moment_secs: float) -> None:
    """Wherever it comes: while a disk is mounted, used or unmounted."""
    if os.geteuid():
        pytest.skip("only root can mount")
    case = "--reedbackup-case=ticket/create/power-cut"
    ran = Ran(
        tmp_path,
        *("--reedbackup-impl=python", case, CASES[-1]),
        act=f"time.sleep(60) if item.originalname == {PLAIN!r} else None",
        within=IN_MOUNTS_OF_ITS_OWN,
    )
    now = Path(f"/proc/{ran.process.pid}/mounts")
    assert ends_within(30, (tmp_path / "begun").exists)
    assert ends_within(30, lambda: ran.mounted(now) != set())
    time.sleep(moment_secs)
    os.killpg(ran.process.pid, signal.SIGINT)
    assert ran.ended() == pytest.ExitCode.INTERRUPTED, ran.output
    assert _of_the_session(ran.process.pid) == []
    assert ran.mounted(tmp_path / "last") == set()


def test_two_processes_share_what_does_not_wait_and_each_test_is_of_one(tmp_path: Path) -> None:
    ran = Ran(
        tmp_path,
        *("--reedbackup-impl=python", "--reedbackup-faults=off"),
        "--reedbackup-case=ticket/list/*",
        act="time.sleep(0.05)",
    )
    assert ran.ended() == pytest.ExitCode.OK, ran.output
    run = [line.split()[0] for line in ran.calls]
    assert len(set(run)) == len(run) == ran.output.count(" PASSED")
    beside = sum(line.endswith(" beside") for line in ran.calls)
    assert 0.1 < beside / len(run) < 0.9


def test_the_other_process_begins_at_the_end(tmp_path: Path) -> None:
    ran = Ran(tmp_path, "--reedbackup-impl=python", *_RESTORE_AND_CREATE, act=_WAITING_FOR_FIVE)
    assert ran.ended() == pytest.ExitCode.OK, ran.output
    beside = [line.split()[1] for line in ran.calls if line.endswith(" beside")]
    assert beside[0] == "test_restore_without_a_base"
    assert {line for line in ran.where if line.endswith(" here")} == {f"{PLAIN} here"}
    passed = [line for line in ran.output.splitlines() if "PASSED" in line]
    assert passed[0].startswith("ticket/create/info")
    assert passed[-1].startswith("ticket/restore/none")


@pytest.mark.parametrize(("dies_at", "as_the"), [(RESTORES, 5), ("test_restore_missing_backup", 3)])
def test_what_the_other_process_had_taken_as_it_died_runs_here(
    tmp_path: Path, dies_at: str, as_the: int
) -> None:
    dies = f"os.kill(os.getpid(), 9) if os.getpid() != MAIN and item.originalname == {dies_at!r}"
    ran = Ran(
        tmp_path,
        *("--reedbackup-impl=python", *_RESTORE_AND_CREATE),
        act=f"{dies} else wait_for_those_beside({as_the}) if item.originalname == {PLAIN!r} else 0",
    )
    assert ran.ended() == pytest.ExitCode.OK, ran.output
    assert {f"{dies_at} beside", f"{dies_at} here"} <= ran.where
    assert len(ran.outcomes) == 6


@pytest.mark.parametrize(
    "act",
    [
        "(Path(base_path) / 'tables' / 'junk').write_text('x')",
        "answer = None",
        "import os; os._exit(3)",
        "raise ValueError('of no kind that is documented')",
    ],
    ids=["broken", "misfit", "crash", "raises"],
)
def test_whatever_restore_does_beside_reads_as_if_it_did_it_here(tmp_path: Path, act: str) -> None:
    """All that pytest prints, too: what was captured, errors, the summary."""
    outputs = {}
    for name, options, noting in (
        ("beside", (), _WAITING_FOR_FIVE),
        ("one", ("-p", "thread"), "pass"),
    ):
        (tmp_path / name).mkdir()
        mine = MINE.format(function="restore_point_in_time", act=act)
        (tmp_path / name / "mine.py").write_text(mine)
        (tmp_path / name / "thread.py").write_text(THREAD)
        command = f"{sys.executable} -m reedbase_backup serve mine:Mine"
        implementation = "mine:Mine" if "_exit" not in act else command
        ran = Ran(
            tmp_path / name,
            *(f"--reedbackup-impl={implementation}", "--reedbackup-misfits=run-on"),
            *_RESTORE_AND_CREATE,
            *options,
            act=noting,
        )
        assert ran.ended() == pytest.ExitCode.TESTS_FAILED, ran.output
        there = {line.rpartition(" ")[2] for line in ran.where if "restore" in line}
        assert there == {"beside" if name == "beside" else "here"}
        outputs[name] = OF_A_RUN.sub("…", ran.output.replace(f"{tmp_path / name}", "…"))
    assert "printed" in outputs["beside"]
    assert outputs["beside"] == outputs["one"]


@pytest.mark.parametrize(
    ("option", "order"),
    [
        ("-v", ["restore/pick/fuzz", "bounds/create-10k", "create/hot/amidst/last"]),
        ("-x", ["create/hot/amidst/last", "bounds/create-10k", "restore/pick/fuzz"]),
    ],
)
def test_what_runs_here_comes_first_but_for_who_ends_with_the_first_failure(
    tmp_path: Path, option: str, order: list[str]
) -> None:
    cases = [f"--reedbackup-case=ticket/{case}" for case in order]
    ran = Ran(tmp_path, "--reedbackup-impl=python", option, *cases)
    assert ran.ended() == pytest.ExitCode.OK, ran.output
    assert "test_a_writer_is_waited_for beside" in ran.where
    passed = [line for line in ran.output.splitlines() if "PASSED" in line]
    assert [line.split()[0] for line in passed] == [f"ticket/{case}" for case in order]
    in_any_case = ["create/hot/amidst/last", "bounds/create-10k", "restore/pick/fuzz"]
    assert list(ran.outcomes) == [f"ticket/{case}" for case in in_any_case]


def test_workers_begin_with_what_waits_and_go_on(tmp_path: Path) -> None:
    ran = Ran(tmp_path, "--reedbackup-impl=python", "-n2", AMIDST, *_RESTORE_AND_CREATE)
    assert ran.ended() == pytest.ExitCode.OK, ran.output
    began = [line.split()[1:] for line in ran.calls]
    assert [WAITED, "beside"] in began[:2]
    assert len(began) == len(ran.outcomes) == 7
    passed = [line for line in ran.output.splitlines() if "PASSED" in line]
    assert len(passed) == 7


@pytest.mark.parametrize("act", ["answer = None", "raise ValueError('of no documented kind')"])
def test_what_a_worker_put_off_reads_as_if_it_had_not(tmp_path: Path, act: str) -> None:
    ran = {}
    for name, option in (("worker", "-n1"), ("one", "-x")):
        (tmp_path / name).mkdir()
        mine = MINE.format(function="create_backup", act=act)
        (tmp_path / name / "mine.py").write_text(mine)
        ran[name] = Ran(tmp_path / name, "--reedbackup-impl=mine:Mine", option, AMIDST)
        assert ran[name].ended() == pytest.ExitCode.TESTS_FAILED, ran[name].output
    assert f"{WAITED} beside" in ran["worker"].where
    assert ran["one"].where == {f"{WAITED} here"}
    outcomes = [one.outcomes["ticket/create/hot/amidst/last"] for one in ran.values()]
    for field in ("outcome", "cause", "expected", "found", "detail", "repeat"):
        assert getattr(outcomes[0], field) == getattr(outcomes[1], field)
    assert "printed by" in ran["worker"].output


def test_what_a_worker_put_off_runs_there_if_it_did_not_beside(tmp_path: Path) -> None:
    dies = f"os.kill(os.getpid(), 9) if os.getpid() != MAIN and item.originalname == {WAITED!r}"
    ran = Ran(tmp_path, "--reedbackup-impl=python", "-n1", AMIDST, CASES[-1], act=f"{dies} else 0")
    assert ran.ended() == pytest.ExitCode.OK, ran.output
    assert ran.where == {f"{WAITED} beside", f"{WAITED} here", f"{PLAIN} here"}


@pytest.mark.parametrize("option", ["-x", "-s", "--cov=.", "--reedbackup-record=calls.json"])
def test_a_worker_that_is_watched_or_recorded_or_ends_early_puts_nothing_off(
    tmp_path: Path, option: str
) -> None:
    ran = Ran(tmp_path, "--reedbackup-impl=python", "-n1", option, AMIDST, CASES[-1])
    assert ran.ended() == pytest.ExitCode.OK, ran.output
    assert ran.where == {f"{WAITED} here", f"{PLAIN} here"}


def test_a_debugger_is_met_at_the_terminal(tmp_path: Path) -> None:
    mine = MINE.format(function="restore_point_in_time", act="breakpoint()")
    (tmp_path / "mine.py").write_text(mine)
    ran = Ran(tmp_path, "--reedbackup-impl=mine:Mine", *_RESTORE_AND_CREATE)
    ran.ended()
    assert f"{RESTORES} here" in ran.where
    assert "(Pdb)" in ran.output


@pytest.mark.parametrize("option", ["-n2", "--pdb", "--reedbackup-faults=full", "-s", "--cov=."])
def test_a_run_that_is_shared_or_watched_or_whole_keeps_to_itself(
    tmp_path: Path, option: str
) -> None:
    ran = Ran(tmp_path, "--reedbackup-impl=python", option, *CASES[1:])
    assert ran.ended() == pytest.ExitCode.OK, ran.output
    assert not [line for line in ran.where if line.endswith("beside")]


def test_a_run_with_a_thread_of_anothers_keeps_to_itself(tmp_path: Path) -> None:
    (tmp_path / "thread.py").write_text(THREAD)
    ran = Ran(tmp_path, "--reedbackup-impl=python", "-p", "thread", *CASES[1:])
    assert ran.ended() == pytest.ExitCode.OK, ran.output
    assert not [line for line in ran.where if line.endswith("beside")]


def _points(outcome: CaseOutcome) -> list[tuple[str, str]]:
    results = outcome.sweep.results if outcome.sweep is not None else ()
    return [(result.point, result.outcome) for result in results]


def _of_the_session(session: int) -> list[str]:
    """Return the processes of a session that still run: what has ended may wait for init."""
    listed = ("ps", "-o", "stat=,args=", "-s", str(session))
    found = subprocess.run(listed, capture_output=True, text=True, check=False)
    return [line for line in found.stdout.splitlines() if not line.startswith("Z")]
