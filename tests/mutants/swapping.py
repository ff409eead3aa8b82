"""How the conforming implementation puts restored trees in their place.

    {base}/.staging/   being filled; the next call throws it away
    {base}/.swap/      the same folder when it is whole: from then on every call finishes it
        journal        says that it is ours
        undo           says that the call failed: it is taken back, rather than finished;
                       beside the journal, or that file itself where no other can be made
        new/, old/     what comes, and what was there; old/ROOT.none where nothing was
        kept/          copies of what was there where it cannot be renamed, ROOT.whole when whole
    {base}/.swapped/   done, to be thrown away

A tree that cannot be renamed (a mount point, a lower layer of an overlay, a folder that
its owner may not write to) is written anew where it is, as often as calls are killed.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from mutants.in_place import is_folder, is_there, overwrite, remove
from mutants.model import Entry
from mutants.mounts import has_mounts_below, refuse_read_only
from mutants.syncing import copy, mark, settle, settle_folder, sync
from mutants.tar_gz import ROOTS, TarGz

_NOT_TO_BE_RENAMED = (errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM)


class Swapping(TarGz):
    """All of the old trees or all of the new ones."""

    # Forwards ----------------------------------------------------------------

    def install(self, base: Path, entries: list[Entry]) -> None:
        """Writes the new trees beside the live ones, then puts them in their place."""
        refuse_read_only(base)
        try:
            self.stage(base / ".staging", entries)
            self.begin_swap(base)
        except BaseException:
            with suppress(OSError):
                self.throw_away(base)
            raise
        try:
            self.sync(base)
            self.finish_swap(base)
        except BaseException:
            self.undo_swap(base)
            raise

    def stage(self, staging: Path, entries: list[Entry]) -> None:
        remove(staging)
        staging.mkdir(0o700)
        for name in ("old", "kept"):
            (staging / name).mkdir()
        self.write_entries(staging / "new", entries)
        self.sync(staging / "new")
        self.plan(staging)
        mark(staging / "journal")

    def plan(self, staging: Path) -> None:
        """What is to be known of the swap is in its folder's own layout."""

    def begin_swap(self, base: Path) -> None:
        (base / ".staging").rename(base / ".swap")

    def write_entries(self, target: Path, entries: list[Entry]) -> None:
        target.mkdir()
        for entry in entries:
            path = target / entry.name
            (path if entry.is_folder else path.parent).mkdir(parents=True, exist_ok=True)
            if not entry.is_folder:
                self.write_file(path, entry)
        named = {entry.name for entry in entries if entry.is_folder}
        for folder in {above for entry in entries for above in Path(entry.name).parents}:
            if str(folder) not in named | {"."}:
                self.sync(target / folder)
        for entry in reversed(entries):
            if entry.is_folder:
                self.settle_folder(target / entry.name, entry)

    def write_file(self, path: Path, entry: Entry) -> None:
        with path.open("xb") as file:
            file.write(entry.content)
            file.flush()
            settle(file.fileno(), entry.mode, (entry.mtime, entry.mtime))

    def settle_folder(self, path: Path, entry: Entry) -> None:
        settle_folder(path, entry.mode, (entry.mtime, entry.mtime))

    def sync(self, path: Path) -> None:
        sync(path)

    def finish_swap(self, base: Path) -> None:
        """Does what is left of a swap; a kill leaves it to the next call."""
        swap, done = base / ".swap", base / ".swapped"
        remove(done)
        if self.is_own(swap):
            if is_there(swap / "undo"):
                self.take_roots_back(base, swap)
            else:
                self.swap_roots(base, swap)
            swap.rename(done)
            try:
                self.sync(base)
            except OSError:
                done.rename(swap)  # whole, as nothing of it was thrown away
                raise
        with suppress(OSError):  # it is done, and what is left is the next call's to throw away
            self.throw_away(base)

    def swap_roots(self, base: Path, swap: Path) -> None:
        for root in ROOTS:
            self.swap_root(base / root, swap / "new" / root, swap / "old" / root)
        self.sync_swap(base, swap)

    def sync_swap(self, base: Path, swap: Path) -> None:
        for folder in (swap / "new", swap / "old", base):
            self.sync(folder)

    def throw_away(self, base: Path) -> None:
        for name in (".staging", ".swap", ".swapped"):
            remove(base / name)

    def is_own(self, swap: Path) -> bool:
        """Whether it is this module's: others may plant anything under that name."""
        return (
            is_folder(swap)
            and is_folder(swap / "new")
            and is_folder(swap / "old")
            and is_folder(swap / "kept")
            and any(_is_file(swap / name) for name in ("journal", "undo"))
        )

    def swap_root(self, live: Path, new: Path, old: Path) -> None:
        try:
            if self.has_mounts_below(live):
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(live))
            if not _is_retired(old):
                self.retire(live, old)
            if is_there(new):
                new.rename(live)
        except OSError as error:
            if error.errno not in _NOT_TO_BE_RENAMED:
                raise
            if not _is_retired(old):
                self.keep(live, _kept(old))
            self.overwrite(live, new)

    def retire(self, live: Path, old: Path) -> None:
        if is_there(live):
            live.rename(old)
        else:
            mark(_none(old))

    def has_mounts_below(self, live: Path) -> bool:
        return has_mounts_below(live)

    def keep(self, live: Path, kept: Path) -> None:
        """Copies a tree that is to be written anew, for the case that this fails."""
        if not is_there(_whole(kept)):
            remove(kept)
            copy(live, kept)
            mark(_whole(kept))

    def overwrite(self, live: Path, new: Path) -> None:
        overwrite(live, new)

    # Backwards ---------------------------------------------------------------

    def undo_swap(self, base: Path) -> None:
        """Leaves all as it was before a call that fails, or to the next call to do so."""
        swap = base / ".swap"  # this call's own: nobody else's has been asked about
        self.turn_round(swap)
        try:
            self.take_roots_back(base, swap)
            self.disown(swap)
        except OSError:
            return
        with suppress(OSError):
            self.throw_away(base)

    def turn_round(self, swap: Path) -> None:
        """Has the next call take it back, should this one come to nothing: it failed."""
        try:
            mark(swap / "undo")
        except OSError:
            with suppress(OSError):
                (swap / "journal").rename(swap / "undo")

    def take_roots_back(self, base: Path, swap: Path) -> None:
        for root in ROOTS:
            self.take_back_root(base / root, swap / "new" / root, swap / "old" / root)
        self.sync_swap(base, swap)

    def take_back_root(self, live: Path, new: Path, old: Path) -> None:
        if _is_retired(old):
            try:
                if is_there(live):
                    remove(live) if is_there(new) else live.rename(new)
                if is_there(old):
                    old.rename(live)
            except OSError:
                if is_there(old):
                    overwrite(live, old)
                else:
                    remove(live)
        elif is_there(_whole(_kept(old))):
            overwrite(live, _kept(old))

    def disown(self, swap: Path) -> None:
        """Nobody is to go on with it, once what it holds is not whole any more."""
        try:
            swap.rename(swap.with_name(".swapped"))
        except OSError:
            for name in ("journal", "undo"):
                (swap / name).unlink(missing_ok=True)


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _is_retired(old: Path) -> bool:
    return is_there(old) or is_there(_none(old))


def _none(old: Path) -> Path:
    return old.with_name(f"{old.name}.none")


def _kept(old: Path) -> Path:
    return old.parents[1] / "kept" / old.name


def _whole(kept: Path) -> Path:
    return kept.with_name(f"{kept.name}.whole")
