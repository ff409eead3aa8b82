"""What says that an archive at a far end is right: a file beside it, as sha256sum writes them.

`1795338000.tar.gz.sha256` is written once the archive was read back there and had this SHA-256.
`sha256sum -c *.sha256` in a copy of the folder checks them all, without this program.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from reedbase_backup.catalogue import BackupName
from reedbase_backup.remote.stores import Store

SUFFIX = ".sha256"

_LINE = re.compile(rb"([0-9a-f]{64}) [ *](\S+)\n?")


def file_name(name: BackupName) -> str:
    """Return the name of the file with the checksum of the archive `name`."""
    return name.file_name + SUFFIX


def write(store: Store, name: BackupName, sha256: str) -> None:
    """Note that the archive `name` was read back, and has this SHA-256."""
    store.put(file_name(name), f"{sha256}  {name.file_name}\n".encode())


def read(
    store: Store, names: Iterable[BackupName], held: Mapping[str, int]
) -> dict[BackupName, str]:
    """Return the SHA-256 of each archive that has one beside it, of what is `held` there."""
    noted = {file_name(name): name for name in names if file_name(name) in held}
    found = {}
    for own, content in store.contents(noted).items():
        line, name = _LINE.fullmatch(content), noted[own]
        # A torn one is none: the archive is read again.
        if line is not None and line[2] == name.file_name.encode():
            found[name] = line[1].decode()
    return found
