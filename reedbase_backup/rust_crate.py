"""What a Rust crate's Cargo.toml says: names, version, and where its library begins."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class CrateError(Exception):
    """A crate does not show what an adapter needs. The message says what to do."""


@dataclass(frozen=True)
class RustCrate:
    """A crate with a library, in a workspace or not."""

    root: Path
    """The folder of its Cargo.toml, absolute."""
    package: str
    """The package's name, such as `reedbase-last`."""
    version: str
    """The package's version; `0.0.0`, as for Cargo, where none is given."""
    library: str
    """The library's name in Rust code, such as `reedbase_last`."""
    source: Path
    """The library's first source file, usually src/lib.rs."""

    def lock_file(self) -> Path | None:
        """The Cargo.lock of the crate or of its workspace, if there is one."""
        locks = (folder / "Cargo.lock" for folder, _ in _manifests(self.root))
        return next((lock for lock in locks if lock.is_file()), None)


def read_crate(path: Path) -> RustCrate:
    """The crate in the folder `path`, which may also be its Cargo.toml itself.

    Raises CrateError where there is no crate, no library, or a whole workspace.
    """
    root = (path.parent if path.name == "Cargo.toml" else path).resolve()
    manifest = _read_manifest(root / "Cargo.toml")
    package = _table(manifest, "package")
    name = package.get("name")
    if not isinstance(name, str):
        raise CrateError(_no_package(root, manifest))
    library = _table(manifest, "lib")
    source = root / str(library.get("path", "src/lib.rs"))
    if not source.is_file():
        raise CrateError(
            f"{root}: the crate has no library ({source} is missing); "
            "an adapter needs one to depend on"
        )
    return RustCrate(
        root=root,
        package=name,
        version=_version(root, package),
        library=str(library.get("name", name.replace("-", "_"))),
        source=source,
    )


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise CrateError(f"{path} is missing: give --crate the folder of a Rust crate") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CrateError(f"{path} cannot be read: {error}") from error


def _no_package(root: Path, manifest: dict[str, Any]) -> str:
    members = [str(member) for member in _table(manifest, "workspace").get("members", [])]
    if not members:
        return f"{root / 'Cargo.toml'} has no [package] with a name: give --crate a crate's folder"
    return f"{root} is a workspace: give --crate one of its members ({', '.join(members)})"


def _version(root: Path, package: dict[str, Any]) -> str:
    version = package.get("version", "0.0.0")
    if isinstance(version, str):
        return version
    # `version.workspace = true`
    for _, manifest in _manifests(root):
        inherited = _table(_table(manifest, "workspace"), "package").get("version")
        if isinstance(inherited, str):
            return inherited
    return "0.0.0"


def _manifests(root: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The Cargo.toml of the crate and those above it, up to its workspace's."""
    for folder in (root, *root.parents):
        if (folder / "Cargo.toml").is_file():
            manifest = _read_manifest(folder / "Cargo.toml")
            yield folder, manifest
            if "workspace" in manifest:
                return


def _table(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    table = manifest.get(name, {})
    return table if isinstance(table, dict) else {}
