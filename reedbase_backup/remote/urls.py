"""Where a far end is: its URL, without a password at any time."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from reedbase_backup.remote.errors import BadUrl

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/{0,2}")
_PASSWORD = re.compile(r"(?<=//)([^/@:\s]*):(?!\d*/)\S*@")
_KNOWN = {
    "file": "file",
    "memory": "memory",
    "s3": "s3",
    "s3a": "s3",
    "sftp": "sftp",
    "ssh": "sftp",
    "gs": "gcs",
    "gcs": "gcs",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A far end: what kind it is, and its URL; for `file`, the path of the folder."""

    kind: str
    url: str

    def __str__(self) -> str:
        return redacted(self.url)


def redacted(text: str) -> str:
    """Return `text` with stars for every password in a URL in it."""
    return _PASSWORD.sub(r"\1:***@", text)


def place(url: str) -> Place:
    """Return the far end that `url`, or the path of a folder, means. Raise BadUrl."""
    if not url:
        raise BadUrl("the URL of the far end is empty", _EXAMPLES)
    scheme = _SCHEME.match(url)
    if scheme is None or ("://" not in url and scheme[1] not in _KNOWN):
        return Place("file", os.path.abspath(url))
    kind, rest = _KNOWN.get(scheme[1].lower()), url[scheme.end() :]
    if kind is None:
        raise BadUrl(f"no backups can be copied to {scheme[1]}:// ({redacted(url)})", _EXAMPLES)
    if _PASSWORD.search(url):
        raise BadUrl(
            f"there is a password in {redacted(url)}, which others could read",
            f"take it out, and give it in the environment: FSSPEC_{kind.upper()}_PASSWORD",
        )
    if kind == "file":
        return Place("file", os.path.abspath(url.partition(":")[2].removeprefix("//")))
    if not rest.strip("/"):
        raise BadUrl(f"{redacted(url)} names no host or bucket", _EXAMPLES)
    return Place(kind, f"{kind}://{rest.rstrip('/')}")


_EXAMPLES = "give a folder, s3://BUCKET/FOLDER, sftp://USER@HOST/FOLDER or gs://BUCKET/FOLDER"
