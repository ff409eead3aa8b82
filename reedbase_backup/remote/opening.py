"""From a URL to the Store that it means; what is needed for it is loaded here, and not before."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import Any

from reedbase_backup.remote.errors import MissingExtra
from reedbase_backup.remote.folders import Folder
from reedbase_backup.remote.local_files import LocalFiles
from reedbase_backup.remote.stores import Store
from reedbase_backup.remote.translating import far_errors
from reedbase_backup.remote.urls import Place

# A server that does not answer is given up after 20 s, also in the midst of a transfer. asyncssh
# checks the server's key by ~/.ssh/known_hosts, which sshfs would turn off.
_SETTINGS: dict[str, dict[str, Any]] = {
    # What another copy does meanwhile is to be seen.
    "s3": {"use_listings_cache": False},
    "gcs": {"use_listings_cache": False},
    "sftp": {
        "known_hosts": (),
        "connect_timeout": 20,
        "login_timeout": 20,
        "keepalive_interval": 10,
        "keepalive_count_max": 2,
    },
}
_PASSWORD = "FSSPEC_SFTP_PASSWORD"
_EXTRAS = {"gcs": "gcs"}


def open_store(place: Place) -> Store:
    """Return the far end at `place`. Raise RemoteError."""

    def guard() -> AbstractContextManager[None]:
        return far_errors(place)

    if place.kind == "file":
        return Folder(LocalFiles(place.url), guard)
    file_system, path = _file_system(place)
    if place.kind == "sftp":
        from reedbase_backup.remote.sftp_files import SftpFiles

        with guard():
            return Folder(SftpFiles(file_system, path), guard)
    from reedbase_backup.remote.objects import Objects

    return Objects(place, file_system, path)


def _file_system(place: Place) -> tuple[Any, str]:
    try:
        from fsspec import config
        from fsspec.core import url_to_fs

        own = _SETTINGS.get(place.kind, {})
        # What users have set in the environment, or in ~/.config/fsspec, comes before ours.
        settings = {name: own[name] for name in own.keys() - config.conf.get(place.kind, {}).keys()}
        if place.kind == "sftp":
            # fsspec's own class for it, by paramiko, takes any server's key.
            import sshfs
            from fsspec import register_implementation

            register_implementation("sftp", sshfs.SSHFileSystem, clobber=True)
            # fsspec makes a number of one that looks like one.
            if _PASSWORD in os.environ:
                settings["password"] = os.environ[_PASSWORD]
        if place.kind != "memory":
            settings["skip_instance_cache"] = True
        with far_errors(place):
            file_system, path = url_to_fs(place.url, **settings)
    except ImportError as error:
        extra = _EXTRAS.get(place.kind, "remote")
        raise MissingExtra(
            f"{place} needs a package that is not installed ({error.name or error})",
            f"pip install 'pytest-reedbackup[{extra}]'",
        ) from error
    return file_system, str(path)
