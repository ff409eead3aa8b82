"""Adapters that do not see the harness's folders, and broken implementations that do."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from fixture_types import FindTool
from harness.fixture_types import RunPytest, WriteAdapter
from harness.sources import MINE

pytest_plugins = ["pytester"]

pytestmark = pytest.mark.slow

SERVED = f"{shlex.quote(sys.executable)} -m reedbase_backup serve"
CASE = "--reedbackup-case=ticket/list/order"
LAST_CASE = "--reedbackup-case=last/list/order"
BROKEN = """
import itertools

class AsIfNothing(Conforming):
    '''Create says what it says where there is no database; list shows what there is.'''
    def __init__(self):
        super().__init__()
        made = self.create_backup
        self.create_backup = lambda base_path, now_ns=None: made(base_path + "/nowhere", now_ns)

class NotWritten(Conforming):
    '''Every function is still to be written.'''
    def __init__(self):
        super().__init__()
        self.create_backup = self.list_backups = self.restore_point_in_time = self.nothing
    def nothing(self, *_, **__): raise NotImplementedError("to be written")

class Vanishing(Conforming):
    '''Reports a backup and takes its archive away.'''
    def __init__(self):
        super().__init__()
        made = self.create_backup
        def create_backup(base_path, now_ns=None):
            info = made(base_path, now_ns)
            os.unlink(f"{base_path}/backups/{info.id}.tar.gz")
            return info
        self.create_backup = create_backup

class Unfit(Conforming):
    '''Returns nothing at all.'''
    def __init__(self):
        super().__init__()
        self.create_backup = self.list_backups = lambda *_, **__: None
"""


@pytest.fixture
def namespaces(tool: FindTool) -> str:
    """`unshare -m`, where this process may use it."""
    unshare = tool("unshare")
    tried = subprocess.run([unshare, "-m", "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"no mount namespaces here: {tried.stderr.strip()}")
    return unshare


@pytest.fixture
def base_temp(tmp_path: Path) -> Path:
    """Folders of runs, outside which adapters find all that they need."""
    folder = tmp_path / "both"
    folder.mkdir()
    return folder


def unseeing(unshare: str, mounts: str, served: str) -> str:
    return shlex.join([unshare, "-m", "sh", "-c", f"{mounts} && exec {served}"])


def run(
    pytester: pytest.Pytester, option: str, base_temp: Path, case: str = CASE
) -> pytest.RunResult:
    return pytester.runpytest_subprocess(
        f"--reedbackup-impl={option}", case, f"--basetemp={base_temp / 'run'}"
    )


def expect_one_error(ended: pytest.RunResult, base_temp: Path) -> str:
    shown = "\n".join([*ended.outlines, *ended.errlines])
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    assert shown.count("does not see the folder") == 1
    assert f"it does not see the folder {base_temp / 'run'}: " in shown
    assert "--basetemp=FOLDER" in shown
    assert "under contract" not in shown
    assert "Traceback" not in shown
    return shown


@pytest.mark.parametrize(
    ("name", "case"), [("python", CASE), ("python-last", LAST_CASE)], ids=["ticket", "last"]
)
def test_an_adapter_with_an_empty_folder_in_its_place_is_one_error_that_says_so(
    pytester: pytest.Pytester, namespaces: str, base_temp: Path, name: str, case: str
) -> None:
    option = unseeing(namespaces, f"mount -t tmpfs none {base_temp}", f"{SERVED} {name}")
    expect_one_error(run(pytester, option, base_temp, case), base_temp)


@pytest.mark.parametrize(
    ("name", "case"), [("python", CASE), ("python-last", LAST_CASE)], ids=["ticket", "last"]
)
def test_an_adapter_that_writes_to_a_copy_is_one_error_that_says_so(
    pytester: pytest.Pytester,
    namespaces: str,
    base_temp: Path,
    tmp_path: Path,
    name: str,
    case: str,
) -> None:
    """It sees what we make, and we see nothing of what it makes: an overlay over the folder."""
    upper = tmp_path / "upper"
    upper.mkdir()
    mounts = (
        f"mount -t tmpfs none {upper} && mkdir {upper}/u {upper}/w && mount -t overlay none"
        f" -o lowerdir={base_temp},upperdir={upper}/u,workdir={upper}/w {base_temp}"
    )
    ended = run(pytester, unseeing(namespaces, mounts, f"{SERVED} {name}"), base_temp, case)
    shown = expect_one_error(ended, base_temp)
    assert "which is not there for us" in shown


def test_an_adapter_that_sees_the_folder_in_a_namespace_of_its_own_is_judged(
    pytester: pytest.Pytester, namespaces: str, base_temp: Path
) -> None:
    ended = run(pytester, unseeing(namespaces, "true", f"{SERVED} python"), base_temp)
    assert ended.ret == pytest.ExitCode.OK
    assert "1 kept, 0 broken, 0 errors" in "\n".join(ended.outlines)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_adapter_without_the_rights_to_the_folder_is_one_error_that_says_so(
    pytester: pytest.Pytester, tool: FindTool, base_temp: Path
) -> None:
    setpriv = tool("setpriv")
    served = f"{setpriv} --reuid=65534 --regid=65534 --clear-groups {SERVED} python"
    tried = subprocess.run(shlex.split(served), input="", capture_output=True, text=True)
    if tried.returncode:
        pytest.skip("another user cannot start this Python")
    expect_one_error(run(pytester, served, base_temp), base_temp)


@pytest.mark.parametrize("name", ["AsIfNothing", "NotWritten", "Vanishing", "Unfit"])
def test_a_broken_implementation_is_judged_by_the_suite(
    pytester: pytest.Pytester, base_temp: Path, name: str
) -> None:
    pytester.makepyfile(mine=MINE + BROKEN)
    ended = run(pytester, f"{SERVED} mine:{name}", base_temp)
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    assert "0 kept, 1 broken, 0 errors" in "\n".join(ended.outlines)


def test_the_smoke_check_leaves_nothing(pytester: pytest.Pytester, base_temp: Path) -> None:
    ended = run(pytester, f"{SERVED} python", base_temp)
    assert ended.ret == pytest.ExitCode.OK
    assert list(base_temp.rglob("reedbackup-smoke*")) == []


def test_the_folder_is_pytests_own_where_no_other_is_named(
    run_pytest: RunPytest, namespaces: str, tmp_path: Path
) -> None:
    option = unseeing(namespaces, f"mount -t tmpfs none {tmp_path}", f"{SERVED} python")
    ended = run_pytest(
        tmp_path, f"--reedbackup-impl={option}", CASE, PYTEST_DEBUG_TEMPROOT=str(tmp_path)
    )
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"it does not see the folder {tmp_path}: " in ended.stderr


MISFIT = """
def answer(request):
    if request["method"] == "shutdown":
        return ended(request)
    return called(request, {"ident": "5", "timestamp": 5})

serve(answer)
"""


@pytest.fixture
def misfit(adapter: WriteAdapter) -> str:
    """The command of an adapter none of whose values has its contract's fields."""
    return shlex.join(adapter(MISFIT))


def test_first_replies_that_do_not_fit_end_the_run_at_once_with_all_that_is_wrong(
    pytester: pytest.Pytester, base_temp: Path, misfit: str
) -> None:
    ended = run(pytester, misfit, base_temp)
    shown = "\n".join([*ended.outlines, *ended.errlines])
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    assert "`result.value.ident`: unknown field; did you mean `id`?" in shown
    assert "`result.value.duration_ms`: missing" in shown
    assert "list_backups(" in shown
    assert "--reedbackup-misfits=run-on" in shown
    assert "under contract" not in shown
    assert len(shown.splitlines()) < 40


def test_a_run_goes_on_with_them_where_it_is_told_to(
    pytester: pytest.Pytester, base_temp: Path, misfit: str
) -> None:
    ended = pytester.runpytest_subprocess(
        f"--reedbackup-impl={misfit}",
        CASE,
        "--reedbackup-misfits=run-on",
        f"--basetemp={base_temp / 'run'}",
    )
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    assert "0 kept, 0 broken, 1 errors" in "\n".join(ended.outlines)
