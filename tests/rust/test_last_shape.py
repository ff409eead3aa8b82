"""Contract `last` through a generated adapter: its types, and the adapter's duty."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from documents.results import check_published
from fixture_types import RunSuite
from rust.adapters import Adapter, Start

pytestmark = pytest.mark.slow


@pytest.fixture
def adapter(start: Start, last_adapter: Path) -> Adapter:
    return start(last_adapter)


def restore(adapter: Adapter, base: Path, target: int) -> Any:
    return adapter.value(
        "restore_point_in_time", contract="last", base_path=base, target_timestamp=target
    )


def last_log_line(base: Path) -> list[str]:
    return (base / "tables/text/version.log").read_text().splitlines()[-1].split("|")


def test_a_backup_has_timestamp_path_and_size(adapter: Adapter, base: Path) -> None:
    archive = base / "backups" / "18446744073709551615.tar.gz"
    archive.parent.mkdir()
    archive.write_bytes(b"x" * 3 * 2**19)
    assert adapter.value("list_backups", contract="last", base_path=base) == [
        {
            "timestamp": 2**64 - 1,
            "path": str(archive),
            "size_bytes": 3 * 2**19,
            "size_mb": 1.5,
        }
    ]


def test_create_archives_the_base(adapter: Adapter, base: Path) -> None:
    (base / "backups").mkdir()
    # tar archives its own output and fails now and then (contract last, D1).
    for _ in range(8):
        reply = adapter.call("create_backup", {"contract": "last", "base_path": str(base)})
        if "result" in reply:
            break
        assert reply["error"]["data"]["kind"] == "CommandFailed"
        assert reply["error"]["data"]["fields"]["command"] == "tar"
    made = reply["result"]["value"]
    assert Path(made["path"]).stat().st_size == made["size_bytes"]
    assert made["size_mb"] == made["size_bytes"] / 1048576


def test_a_restore_reports_restored_skipped_and_failed_tables(adapter: Adapter, base: Path) -> None:
    (base / "tables/none").mkdir()
    late = base / "tables/late"
    late.mkdir()
    (late / "current.csv").write_text("")
    (late / "version.log").write_text("900|5|1|0\n")
    report = restore(adapter, base, 500)
    assert report == {
        "target_timestamp": 500,
        "tables_restored": [["text", 100]],
        "tables_skipped": ["late"],
        "errors": [["none", {"kind": "TableNotFound", "name": "none"}]],
    }
    assert (base / "tables/text/current.csv").read_text() == "key|value\n"


def test_the_registry_follows_the_base(adapter: Adapter, base: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for name in ("tables", "registry"):
        (base / name).rename(other / name)
    (base / "tables").mkdir()
    (other / "registry/users.dict").write_text("code|username|created_at\n7|system|0\n")
    restore(adapter, base, 500)
    restore(adapter, other, 500)
    assert last_log_line(other)[1:3] == ["2", "7"]


def test_a_base_replaced_under_its_path_is_another_base(adapter: Adapter, base: Path) -> None:
    restore(adapter, base, 500)
    assert last_log_line(base)[2] == "0"
    base.rename(base.with_name("before"))
    base.mkdir()
    (base.with_name("before") / "tables").rename(base / "tables")
    (base / "registry").mkdir()
    (base / "registry/users.dict").write_text("code|username|created_at\n9|system|0\n")
    restore(adapter, base, 500)
    assert last_log_line(base)[2] == "9"


def test_the_registry_is_set_up_where_a_database_has_none(adapter: Adapter, base: Path) -> None:
    (base / "registry/users.dict").unlink()
    (base / "registry").rmdir()
    assert restore(adapter, base, 500)["errors"] == []
    assert (base / "registry/users.dict").is_file()


@pytest.mark.parametrize("method", ["list_backups", "create_backup", "restore_point_in_time"])
def test_the_adapter_makes_nothing_where_there_is_no_database(
    adapter: Adapter, tmp_path: Path, method: str
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    params: dict[str, Any] = {"contract": "last", "base_path": str(folder)}
    if method == "restore_point_in_time":
        params["target_timestamp"] = 1
    adapter.call(method, params)
    assert not (folder / "registry").exists()


def test_a_registry_that_cannot_be_set_up_is_logged_and_the_call_is_made(
    adapter: Adapter, base: Path
) -> None:
    (base / "registry/users.dict").unlink()
    (base / "registry").rmdir()
    (base / "registry").write_text("in the way")
    assert restore(adapter, base, 500)["errors"] == [
        [
            "text",
            {
                "kind": "IoError",
                "operation": "append_users_dict",
                "reason": "Not a directory (os error 20)",
            },
        ]
    ]
    status, log = adapter.close()
    assert status == 0
    assert 'init_registry: Err(IoError { operation: "create_registry_dir"' in log


OTHERWISE = {
    # Another xz decoder has other words, and no SHA-256.
    "last/delta/undecodable/*",
    "last/restore/leftovers/*",
    "last/restore/pick/fuzz",
    "last/delta/accepted/checksum/sha256",
    # Its own order of looking at a damaged stream.
    "last/delta/unfit/negative-mix",
}


def test_the_example_restores_as_the_baseline_but_for_its_xz_decoder(
    last_adapter: Path, run_suite: RunSuite
) -> None:
    ended, report = run_suite(str(last_adapter), options=["--reedbackup-faults=off"])
    groups = ("restore", "log", "delta", "registry")
    cases = [case for case in report.cases if case.rule.split("/")[0] in groups]
    kept = {case.case_id for case in cases if case.outcome == "pass"}
    others = {case.case_id for case in cases} - kept
    assert {case for case in others if not any(fnmatch(case, each) for each in OTHERWISE)} == set()
    assert len(kept) > 180, ended.stdout
    check_published(report)


def test_the_example_loses_in_an_interrupted_restore_what_the_baseline_loses(
    last_adapter: Path, run_suite: RunSuite
) -> None:
    swept = ("interrupted/*", "power-cut", "failing-call")
    options = [f"--reedbackup-case=last/restore/{each}" for each in swept]
    ended, report = run_suite(str(last_adapter), options=options)
    kept = {case.case_id for case in report.cases if case.outcome == "pass"}
    assert len(report.cases) == 5
    # Which of its system calls a sample has fail is its own: one that looks for actions.dict and
    # may not is taken for there being none.
    others = {case.case_id for case in report.cases} - kept
    assert others <= {"last/restore/interrupted/failing-call"}, ended.stdout
