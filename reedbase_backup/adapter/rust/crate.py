"""What Cargo says of a Rust crate: names, version, and where its library begins."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import Struct

_QUERY = ("cargo", "metadata", "--no-deps", "--offline", "--format-version", "1")
# Kinds of a library target that Rust code can depend on ("proc-macro" and "cdylib" are not).
_LIBRARY_KINDS = frozenset({"lib", "rlib", "dylib"})


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
    workspace: Path
    """The folder of the workspace that it belongs to; `root` where it stands alone."""

    def lock_file(self) -> Path | None:
        """Return the Cargo.lock of the crate's workspace, if there is one."""
        lock = self.workspace / "Cargo.lock"
        return lock if lock.is_file() else None


class _Target(Struct):
    kind: list[str]
    name: str
    src_path: Path


class _Package(Struct):
    name: str
    version: str
    manifest_path: Path
    targets: list[_Target]


class _Metadata(Struct):
    packages: list[_Package]
    workspace_root: Path


def read_crate(path: Path) -> RustCrate:
    """Return the crate in the folder `path`, which may also be its Cargo.toml itself.

    Raise CrateError where there is no crate, no library, or a whole workspace, and
    where `cargo` is not installed.
    """
    manifest = (path if path.name == "Cargo.toml" else path / "Cargo.toml").resolve()
    if not manifest.is_file():
        raise CrateError(f"{manifest} is missing: give --crate the folder of a Rust crate")
    metadata = _metadata(manifest)
    matches = [package for package in metadata.packages if package.manifest_path == manifest]
    if not matches:
        members = ", ".join(sorted(str(p.manifest_path.parent) for p in metadata.packages))
        raise CrateError(
            f"{manifest.parent} is a workspace: give --crate one of its members ({members})"
        )
    package = matches[0]
    libraries = [target for target in package.targets if _LIBRARY_KINDS.intersection(target.kind)]
    if not libraries:
        raise CrateError(
            f"{manifest.parent}: the crate has no library; an adapter needs one to depend on"
        )
    return RustCrate(
        root=manifest.parent,
        package=package.name,
        version=package.version,
        # The target may have a dash, which Rust code writes as an underscore.
        library=libraries[0].name.replace("-", "_"),
        source=libraries[0].src_path,
        workspace=metadata.workspace_root,
    )


def _metadata(manifest: Path) -> _Metadata:
    try:
        answer = subprocess.run(
            [*_QUERY, "--manifest-path", manifest], capture_output=True, check=True
        )
    except FileNotFoundError:
        raise CrateError("cargo is not installed: it is needed to read and build a crate") from None
    except subprocess.CalledProcessError as error:
        reason = error.stderr.decode("utf-8", "replace").strip()
        raise CrateError(f"{manifest} cannot be read: {reason}") from None
    return msgspec.json.decode(
        answer.stdout, type=_Metadata, dec_hook=lambda kind, value: kind(value)
    )
