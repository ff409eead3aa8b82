"""Names that others may have taken before an implementation comes to them, and what is there.

Which names it uses for its temporary files is seen by strace: what it creates, opens to write,
renames or removes. What it comes to by the same name a second time, on another copy of the
database and in another process, can be foreseen by others; what holds its process id, too.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.implementations.clocks.clock import Clock
from pytest_reedbackup.injection.traced.strace import OPENS, RENAMES
from pytest_reedbackup.injection.traced.system_calls import (
    LINKING,
    MAKING_FOLDERS,
    REMOVING,
    SystemCall,
)

_CHANGING = frozenset({"O_CREAT", "O_WRONLY", "O_RDWR", "O_TRUNC"})
NAMING = (*OPENS, *MAKING_FOLDERS, *RENAMES, *LINKING, *REMOVING)
"""The system calls by which a name is used."""

_PID = "{pid}"
_SECOND = "{second}"
_SOON_SECS = 3
"""Within how many seconds a call comes to a name with a second in it."""
_SECRET = b"not part of the database\n"


@dataclass(frozen=True)
class Name:
    """A name that an implementation uses, relative to the folder around the base.

    `children` are the names in it, where it is a folder; of those, `folders` are folders too.
    """

    path: str
    children: frozenset[str]
    folders: frozenset[str]

    def places(self, base: Path, pid: int, clock: Clock) -> list[Path]:
        """Return where a call of the process `pid` on `base` comes to it: now, or soon."""
        path = str(base.parent / self.path.replace(_PID, str(pid)))
        now = clock.seconds()
        seconds = range(now, now + _SOON_SECS) if _SECOND in path else [now]
        return [Path(path.replace(_SECOND, str(second))) for second in seconds]


def names_used(
    clock: Clock, bases: Iterable[Path], trace: Callable[[Path], Sequence[SystemCall]]
) -> list[Name]:
    """Return the names that a call uses in each of `bases`, which are alike but for their place.

    `trace` makes the call, each time in another process, and returns what it did of `NAMING`. What
    was there before is left out, as are names that only one of them saw. Raise what `trace` does.
    """
    seen = [_paths(clock, base, trace) for base in bases]
    common = set.intersection(*(set(paths) for paths in seen))
    return list(_outermost({path: any(p[path] for p in seen) for path in common}))


def names_left(left: Path, before: Path) -> list[Name]:
    """Return the names in the folder `left` that are not in the folder `before`."""
    paths = set(_all_in(left)) - set(_all_in(before))
    return list(_outermost({path: _is_folder(left / path) for path in paths}))


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _paths(
    clock: Clock, base: Path, trace: Callable[[Path], Sequence[SystemCall]]
) -> dict[str, bool]:
    """Return the names, and whether each is that of a folder."""
    around = base.parent.resolve()
    before = set(_all_in(around))
    began = clock.seconds()
    calls = trace(base)
    # Where it can be set, it stands still.
    seconds = [] if clock.is_settable else range(began, clock.seconds() + 1)
    parts = {str(call.pid): _PID for call in calls} | {str(each): _SECOND for each in seconds}
    uses: dict[str, bool] = {}
    for call in calls:
        for path in changed_by(call):
            relative = _relative(path, around)
            if relative is not None and relative not in before:
                name = _foreseen(relative, parts)
                is_folder = call.name in MAKING_FOLDERS or call.name == "rmdir"
                uses[name] = uses.get(name, False) or is_folder
    return uses


def changed_by(call: SystemCall) -> Iterable[str]:
    """Return the names that a call makes, opens to write, renames, renames to or removes."""
    if call.name in OPENS:
        return call.paths[:1] if call.flags & _CHANGING else ()
    if call.name.startswith(("link", "symlink")):
        return call.paths[-1:]
    return call.paths


def _all_in(around: Path) -> Iterator[str]:
    return (str(path.relative_to(around)) for path in around.rglob("*"))


def _relative(path: str, around: Path) -> str | None:
    """Return the name relative to the folder around the base, or to that of all temporary files."""
    if path.startswith(f"{around}/"):
        return path.removeprefix(f"{around}/")
    temporary = os.path.realpath(tempfile.gettempdir())
    is_beside = path.startswith(f"{temporary}/") and not os.path.lexists(path)
    return os.path.relpath(path, around) if is_beside and "reedbackup-" not in path else None


def _foreseen(name: str, parts: Mapping[str, str]) -> str:
    """Return the name with what others can foresee of it in each run, by its own word."""
    for part, word in parts.items():
        name = re.sub(rf"(?<!\d){part}(?!\d)", word, name)
    return name


def _outermost(paths: Mapping[str, bool]) -> Iterator[Name]:
    """Return the names that are in no other, with what is in them."""
    for path in sorted(paths):
        if any(path.startswith(f"{other}/") for other in paths):
            continue
        below = {other.removeprefix(f"{path}/") for other in paths if other.startswith(f"{path}/")}
        folders = {name for name in below if paths[f"{path}/{name}"]}
        folders |= {name.rpartition("/")[0] for name in below if "/" in name}
        yield Name(path, frozenset(name.split("/")[0] for name in below), frozenset(folders))


class Outside:
    """A folder outside the base that nothing may change, for what is planted to lead to."""

    def __init__(self, folder: Path, children: Iterable[str]) -> None:
        self.folder = folder
        self.file = folder / "file"
        self.inner = folder / "folder"
        self.inner.mkdir(parents=True)
        for path in (self.file, self.inner / "current.csv"):
            path.write_bytes(_SECRET)
            path.chmod(0o640)
        for folder in (self.inner / child for child in children):
            # One that works where it is may use the name of the file above.
            if not folder.is_file():
                folder.mkdir(exist_ok=True)
                (folder / "file").write_bytes(_SECRET)


def _link_to_file(path: Path, name: Name, outside: Outside) -> None:
    path.symlink_to(outside.file)


def _link_to_folder(path: Path, name: Name, outside: Outside) -> None:
    path.symlink_to(outside.inner, target_is_directory=True)


def _dangling(path: Path, name: Name, outside: Outside) -> None:
    path.symlink_to(outside.folder / "nothing yet")


def _hard_link(path: Path, name: Name, outside: Outside) -> None:
    os.link(outside.file, path)


def _fifo(path: Path, name: Name, outside: Outside) -> None:
    os.mkfifo(path)


def _empty_folder(path: Path, name: Name, outside: Outside) -> None:
    path.mkdir()


def _folder_of_links(path: Path, name: Name, outside: Outside) -> None:
    """Make the folder as the implementation does, with symlinks for what it puts there."""
    path.mkdir()
    (path / "theirs").write_bytes(_SECRET)
    for child in name.children:
        target = outside.inner if child in name.folders else outside.file
        (path / child).symlink_to(target)


def _one_child_elsewhere(child: str) -> Plant:
    """Make the folder with those that the implementation makes in it, one of them a symlink."""

    def plant(path: Path, name: Name, outside: Outside) -> None:
        path.mkdir()
        for folder in sorted(name.folders):
            is_elsewhere = folder.split("/")[0] == child
            (outside.inner if is_elsewhere else path).joinpath(folder).mkdir(
                parents=True, exist_ok=True
            )
        (path / child).symlink_to(outside.inner / child, target_is_directory=True)

    return plant


Plant = Callable[[Path, Name, Outside], None]

ANYWHERE: Mapping[str, Plant] = {
    "a symlink to a file": _link_to_file,
    "a symlink to a folder": _link_to_folder,
    "a dangling symlink": _dangling,
    "a hard link": _hard_link,
    "a FIFO": _fifo,
    "an empty folder": _empty_folder,
    "a folder of symlinks": _folder_of_links,
}
"""What others may put under any name."""


def plants_for(name: Name) -> Mapping[str, Plant]:
    """Return what others may put under a name; what leads somewhere leads outside the base."""
    elsewhere = {
        f"a folder whose {child} is a symlink": _one_child_elsewhere(child)
        for child in sorted(name.children & name.folders)
    }
    return {**ANYWHERE, **elsewhere}
