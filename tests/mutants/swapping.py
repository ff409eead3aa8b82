"""How the conforming implementation puts restored trees in their place.

    {base}/.staging/   being filled; the next call throws it away
    {base}/.swap/      the same folder when it is whole: from then on every call finishes it
        journal        says that it is ours
        new/, old/     what comes, and what was there
    {base}/.swapped/   done, to be thrown away

A tree that cannot be renamed (a mount point, a lower layer of an overlay, a folder that
its owner may not write to) is written anew where it is, as often as calls are killed.
"""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

from mutants.model import Entry
from mutants.tar_gz import ROOTS, TarGz

_NOT_TO_BE_RENAMED = (errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM)
_MOUNTS = Path("/proc/self/mountinfo")


class Swapping(TarGz):
    """All of the old trees or all of the new ones."""

    def install(self, base: Path, entries: list[Entry]) -> None:
        """Writes the new trees beside the live ones, then puts them in their place."""
        staging = base / ".staging"
        remove(staging)
        staging.mkdir(0o700)
        (staging / "old").mkdir()
        try:
            self.write_entries(staging / "new", entries)
            (staging / "journal").touch()
            staging.rename(base / ".swap")
        except BaseException:
            remove(staging)
            raise
        self.finish_swap(base)

    def write_entries(self, target: Path, entries: list[Entry]) -> None:
        target.mkdir()
        for entry in entries:
            path = target / entry.name
            (path if entry.is_folder else path.parent).mkdir(parents=True, exist_ok=True)
            if not entry.is_folder:
                self.write_file(path, entry)
        for entry in reversed(entries):
            (target / entry.name).chmod(entry.mode)
            os.utime(target / entry.name, (entry.mtime, entry.mtime))

    def write_file(self, path: Path, entry: Entry) -> None:
        with path.open("xb") as file:
            file.write(entry.content)

    def finish_swap(self, base: Path) -> None:
        """Does what is left of a swap; a kill leaves it to the next call."""
        swap, done = base / ".swap", base / ".swapped"
        remove(done)
        if self.is_own(swap):
            for root in ROOTS:
                self.swap_root(base / root, swap / "new" / root, swap / "old" / root)
            swap.rename(done)
        remove(swap)
        remove(done)

    def is_own(self, swap: Path) -> bool:
        """Whether it is this module's: others may plant anything under that name."""
        return (
            is_folder(swap)
            and is_folder(swap / "new")
            and is_folder(swap / "old")
            and (swap / "journal").is_file()
            and not (swap / "journal").is_symlink()
        )

    def swap_root(self, live: Path, new: Path, old: Path) -> None:
        try:
            if self.has_mounts_below(live):
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(live))
            if not os.path.lexists(old):
                self.retire(live, old)
            if os.path.lexists(new):
                new.rename(live)
        except OSError as error:
            if error.errno not in _NOT_TO_BE_RENAMED:
                raise
            self.overwrite(live, new)

    def retire(self, live: Path, old: Path) -> None:
        if os.path.lexists(live):
            live.rename(old)
        else:
            old.mkdir()  # says that this step is done

    def has_mounts_below(self, live: Path) -> bool:
        """Whether something is mounted in it, which a rename would take away with it."""
        below = f"{live.resolve()}/"
        try:
            mounts = _MOUNTS.read_text(errors="surrogateescape").splitlines()
        except OSError:
            return False
        return any(_unescaped(mount.split(" ")[4]).startswith(below) for mount in mounts)

    def overwrite(self, live: Path, new: Path) -> None:
        """Makes the folder `live` what `new` is, without a rename; where `new` is none, empty."""
        if not is_folder(live):
            remove(live)
            live.mkdir(0o700)
        live.chmod(0o700)
        wanted = {child.name: child for child in new.iterdir()} if is_folder(new) else {}
        for child in list(live.iterdir()):
            if child.name not in wanted or not (is_folder(child) and is_folder(wanted[child.name])):
                remove(child)
        for name, child in wanted.items():
            if is_folder(child):
                self.overwrite(live / name, child)
            else:
                shutil.copy2(child, live / name)
        if wanted or is_folder(new):
            shutil.copystat(new, live)


def is_folder(path: Path) -> bool:
    """Whether it is a folder itself, and no symlink to one."""
    return path.is_dir() and not path.is_symlink()


def remove(path: Path) -> None:
    """Removes what is there, with folders that may not be written to; follows no symlink."""
    if not is_folder(path):
        path.unlink(missing_ok=True)
        return
    with suppress(FileNotFoundError):
        for folder, _, _ in os.walk(path):
            Path(folder).chmod(0o700)
        shutil.rmtree(path)


def _unescaped(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("unicode_escape", "replace")
