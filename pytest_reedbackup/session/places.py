"""Files and folders that options name: found at the start of a run, and fit to be written to."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_reedbackup.databases.clones import Clones
    from pytest_reedbackup.databases.templates import Templates

_TEMPLATES = "reedbackup-templates"
_TEMPLATES_OF = pytest.StashKey["Templates"]()
_CLONES_OF = pytest.StashKey["Clones"]()


def places(config: pytest.Config, option: str) -> list[Path]:
    """Return the paths that `option` gives, once or several times, a leading `~` expanded.

    Raise UsageError for the home of a user that there is not.
    """
    given: str | list[str] | None = config.getoption(option)
    paths = given if isinstance(given, list) else [given]
    return list(dict.fromkeys(_expanded(config, option, path) for path in paths if path))


def _expanded(config: pytest.Config, option: str, path: str) -> Path:
    try:
        return config.invocation_params.dir / Path(path).expanduser()
    except RuntimeError as error:
        raise pytest.UsageError(f"{option}={path}: {error}; give the path in full") from error


def place(config: pytest.Config, option: str) -> Path | None:
    """Return the only path that `option` gives; None where it is not given. Raise UsageError."""
    return next(iter(places(config, option)), None)


def files_to_write(config: pytest.Config, option: str) -> list[Path]:
    """Return the paths that `option` gives of files that a run is to write at its end.

    Make their folders. Raise UsageError where a file could not be written:
    nobody wants to know only after the run.
    """
    paths = places(config, option)
    for path in () if hasattr(config, "workerinput") else paths:
        try:
            _try_to_write(path)
        except OSError as error:
            raise pytest.UsageError(
                f"{option}: cannot write {path}: {error.strerror}; give a file in a folder that you"
                " may write to"
            ) from error
    return paths


def refuse_one_file_for_two(files: Iterable[tuple[str, Path]]) -> None:
    """Raise UsageError where two of these options name one file: one would undo the other."""
    seen: dict[Path, str] = {}
    for option, path in files:
        other = seen.setdefault(path.resolve(), option)
        if other != option:
            raise pytest.UsageError(f"{other} and {option} both name {path}; give two files")


def kept_folder(config: pytest.Config, tmp_path_factory: pytest.TempPathFactory, name: str) -> Path:
    """Return a folder that outlives the run, or where none can be had, one that does not."""
    return _in_cache(config, name) or tmp_path_factory.mktemp(name)


def templates_of(config: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Return the databases that were built for this run, to be cloned for each test."""
    # Windows, where a run is refused in words, cannot import it.
    from pytest_reedbackup.databases.templates import Templates

    if _TEMPLATES_OF not in config.stash:
        folder = kept_folder(config, tmp_path_factory, _TEMPLATES)
        config.stash[_TEMPLATES_OF] = Templates(folder)
    return config.stash[_TEMPLATES_OF]


def clones_of(config: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Clones:
    """Return the folders of this run's databases, which are removed after its summary."""
    from pytest_reedbackup.databases.clones import Clones

    if _CLONES_OF not in config.stash:
        config.stash[_CLONES_OF] = clones = Clones(
            tmp_path_factory.mktemp("reedbackup", numbered=False)
        )
        config.add_cleanup(clones.remove)
    return config.stash[_CLONES_OF]


def fit_for_a_cache(folder: Path) -> bool:
    """Return whether pytest's cache can be in `folder`, and what this plugin keeps there."""
    existing = folder
    while not existing.exists():
        existing = existing.parent
    within = (folder / name for name in ("v", "v/cache", "d", f"d/{_TEMPLATES}"))
    return all(
        os.access(each, os.R_OK | os.W_OK | os.X_OK)
        for each in (existing, *(each for each in within if each.exists()))
    )


def cache_elsewhere() -> Path:
    """Return a folder in the system's temporary one for what is to outlive a run."""
    own = Path(tempfile.gettempdir()) / f"reedbackup-of-{os.getuid()}"
    try:
        own.mkdir(mode=0o700, exist_ok=True)
        status = own.lstat()
    except OSError:
        status = None
    # Others write to that place too, and may have planted what they want to have used.
    is_own = status and stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    if status and is_own and not status.st_mode & 0o077:
        return own
    return Path(tempfile.mkdtemp(prefix="reedbackup-"))


def _in_cache(config: pytest.Config, name: str) -> Path | None:
    """Return a folder in pytest's cache; None where there is none that this user may write to."""
    cache: pytest.Cache | None = getattr(config, "cache", None)
    if cache is None:  # -p no:cacheprovider
        return None
    try:
        folder: Path = cache.mkdir(name)
    except OSError:  # the project is another user's, or on a medium that is read only
        return None
    return folder if os.access(folder, os.R_OK | os.W_OK | os.X_OK) else None


def _try_to_write(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from error
    if path.is_dir():
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if path.exists():
        if not path.is_file():
            raise OSError(errno.EINVAL, "it is no regular file")
        if not os.access(path, os.W_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    # It is written under another name first, beside it.
    with tempfile.TemporaryFile(dir=path.parent):
        pass
