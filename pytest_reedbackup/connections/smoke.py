"""Whether an adapter sees the folders that the harness makes, before anything is judged.

An adapter in a container or on another host may see nothing of them, or another
folder at the same path. That is no result of the implementation. What tells such
an adapter from an implementation that is broken:

- it sees the folder where it says or does what nobody else could: it shows an
  archive that was put there, counts the tables, or leaves something that is there
  on our side too;
- it does not where it answers all the while as if nothing were there;
- it has another folder where it shows a backup that is not there on our side.

Whatever else goes wrong is for the suite to judge.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pytest_reedbackup.databases.archives import pack
from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.implementations.answers import Answer, Answered, Refused
from pytest_reedbackup.model.adapter_faults import AdapterFault, ProtocolViolation, Unusable
from pytest_reedbackup.model.failures import BrokenPromise
from pytest_reedbackup.views.tree import Tree
from reedbase_backup.adapter.protocol import Contract

# What nobody guesses.
_TABLES = 7
_PLANTED_SECOND = 1_234_567_891
_AS_IF_NOTHING_WERE_THERE = ("NoTablesFound", "IoError", "PermissionDenied")
_WHAT_TO_DO = (
    "it runs in a container, on another host, or without the rights to read it;"
    " give a folder that both sides see under the same path: --basetemp=FOLDER"
)


class Callee(Protocol):
    """What calls an implementation."""

    def call(self, method: str, contract: Contract, base: Path, **params: int) -> Answer:
        """Call a function; raise AdapterFault."""
        ...


def first_misfits(
    implementation: Callee, contract: Contract, databases: Path
) -> list[ProtocolViolation]:
    """Have a small database in the folder `databases` backed up, listed and restored.

    Return the replies that do not fit the protocol, at most one a function. Raise
    Unusable where the adapter does not see the folder.
    """
    try:
        databases.mkdir(parents=True, exist_ok=True)
        # As pytest's own folders are: closed to other users.
        made = tempfile.TemporaryDirectory(prefix="reedbackup-smoke-", dir=databases)
    except OSError as error:
        raise Unusable(
            f"no databases can be made in {databases}: {error.strerror};"
            " give another folder: --basetemp=FOLDER"
        ) from error
    with made as folder:
        base = Path(folder) / ".reed"
        build(DatabaseSpec(tables=_TABLES, rows=1), base)
        planted = pack(base, base / "backups" / f"{_PLANTED_SECOND}.tar.gz")
        before = Tree.read(Path(folder))
        calls = _Calls(implementation, contract, base)
        try:
            created, listed = calls.answer("create_backup"), calls.answer("list_backups")
            seen = _Seen(base, planted, before, Tree.read(Path(folder)))
            reason = "" if calls.misfits else seen.why_not(created, listed)
            if reason:
                raise Unusable(f"it does not see the folder {databases}: {reason}; {_WHAT_TO_DO}")
            calls.answer("restore_point_in_time", target_timestamp=_PLANTED_SECOND)
        except Unusable:
            raise
        except AdapterFault:
            pass  # what the suite says of it is to be read
        return calls.misfits


@dataclass
class _Calls:
    """Calls on one database, and the replies to them that did not fit."""

    implementation: Callee
    contract: Contract
    base: Path
    misfits: list[ProtocolViolation] = field(default_factory=list)

    def answer(self, method: str, **params: int) -> Answer | None:
        """Return the answer; None where it is none, or its value none of the contract's."""
        try:
            return self.implementation.call(method, self.contract, self.base, **params)
        except BrokenPromise:
            return None
        except ProtocolViolation as misfit:
            self.misfits.append(misfit)
            return None


@dataclass(frozen=True)
class _Seen:
    """What came of the smoke check, on our side."""

    base: Path
    planted: Path
    before: Tree
    after: Tree

    def why_not(self, created: Answer | None, listed: Answer | None) -> str:
        """Return why the adapter cannot have seen the base; nothing where it may well have."""
        entries = listed.value if isinstance(listed, Answered) else []
        if self.after.differences(self.before):
            return self._why_unreadable()
        if isinstance(created, Answered) and _name(created.value) in map(_name, entries):
            archive = f"backups/{_name(created.value)}"
            return f"it made and shows {archive} of a database there, which is not there for us"
        is_counted = getattr(getattr(created, "value", None), "table_count", None) == _TABLES
        if is_counted or self.planted.name in map(_name, entries):
            return ""
        if isinstance(created, Refused) and created.kind in _AS_IF_NOTHING_WERE_THERE:
            return f"create_backup of a database there answered {created}"
        return ""

    def _why_unreadable(self) -> str:
        for path in (self.base / "backups").glob("*"):
            owner = path.lstat().st_uid
            if not os.access(path, os.R_OK) and owner != os.geteuid():
                return f"it leaves files there that only user {owner} can read"
        return ""


def _name(info: Any) -> str:
    """Return the file name of the archive, in either contract."""
    return Path(info.path).name if hasattr(info, "path") else f"{info.id}.tar.gz"
