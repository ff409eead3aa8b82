"""What the libraries for far ends raise, told as one of our errors.

Each library has errors of its own, and is only asked for them where it is loaded:
s3fs makes most of S3's an OSError, whose cause has the service's own code.
"""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from reedbase_backup.remote import errors
from reedbase_backup.remote.errors import RemoteError
from reedbase_backup.remote.urls import Place, redacted

# ValueError: settings that a library cannot read, such as an endpoint that is no URL.
_ALWAYS = (OSError, ValueError)
_LIBRARIES = (
    ("asyncssh", "Error"),
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("aiohttp", "ClientError"),
    ("google.auth.exceptions", "GoogleAuthError"),
    ("gcsfs.retry", "HttpError"),
)
_REFUSED = (
    ("asyncssh", "PermissionDenied"),
    ("asyncssh", "SFTPPermissionDenied"),
    ("botocore.exceptions", "NoCredentialsError"),
    ("botocore.exceptions", "PartialCredentialsError"),
    ("botocore.exceptions", "CredentialRetrievalError"),
    ("botocore.exceptions", "ProfileNotFound"),
    ("google.auth.exceptions", "GoogleAuthError"),
)
_UNREACHABLE = (
    ("asyncssh", "ConnectionLost"),
    ("asyncssh", "SFTPConnectionLost"),
    ("asyncssh", "SFTPNoConnection"),
    ("asyncssh", "ServiceNotAvailable"),
    ("botocore.exceptions", "HTTPClientError"),
    ("botocore.exceptions", "ConnectionError"),
    ("aiohttp", "ClientConnectionError"),
)
_NO_SPACE = (
    ("asyncssh", "SFTPNoSpaceOnFilesystem"),
    ("asyncssh", "SFTPQuotaExceeded"),
)
_BY_STATUS = (("gcsfs.retry", "HttpError"),)
_HOST_KEY = (("asyncssh", "HostKeyNotVerifiable"),)

# Of stores that speak S3: MinIO, Ceph, and others with a limit.
_FULL_CODES = ("XMinioStorageFull", "QuotaExceeded", "XMinioAdminBucketQuotaExceeded")
_CREDENTIALS = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "sftp": "load a key into ssh-agent, or set FSSPEC_SFTP_PASSWORD",
    "gcs": "set GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login",
}


@contextmanager
def far_errors(place: Place) -> Iterator[None]:
    """Raise RemoteError for what goes wrong at `place`; a FileExistsError stays what it is."""
    try:
        yield
    except FileExistsError:
        raise
    except _known() as error:
        raise _translated(error, place) from error


def service_code(error: BaseException) -> str:
    """Return the code by which S3 says why, such as NoSuchBucket; empty where there is none."""
    for one in (error, error.__cause__):
        response = getattr(one, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
    return ""


def _known() -> tuple[type[BaseException], ...]:
    return (*_ALWAYS, *_loaded(_LIBRARIES))


def _loaded(names: tuple[tuple[str, str], ...]) -> tuple[type[BaseException], ...]:
    """Return the classes of these modules and names, as far as the modules are loaded."""
    found = (getattr(sys.modules.get(module), name, None) for module, name in names)
    return tuple(each for each in found if isinstance(each, type))


def _translated(error: BaseException, place: Place) -> RemoteError:
    why = redacted(_words(error))
    number = getattr(error, "errno", None)
    if isinstance(error, _loaded(_HOST_KEY)):
        return errors.UnknownHostKey(
            f"{place}: the server's key is none that this machine knows: {why}",
            "connect once by ssh, compare the fingerprint, and have ssh keep the key",
        )
    if isinstance(error, (PermissionError, *_loaded(_REFUSED))) or (
        isinstance(error, _loaded(_BY_STATUS)) and getattr(error, "code", 0) in (401, 403)
    ):
        advice = _CREDENTIALS.get(place.kind, "call it as a user who may write there")
        return errors.AccessRefused(f"{place} refuses access: {why}", advice)
    if number in (errno.ENOSPC, errno.EDQUOT) or (
        isinstance(error, _loaded(_NO_SPACE)) or service_code(error) in _FULL_CODES
    ):
        return errors.NoSpace(f"{place} is full: {why}", "make room there, and call it again")
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        advice = "check the URL; a bucket, or the folder above, must be there already"
        return errors.NoSuchPlace(f"{place} is not there: {why}", advice)
    if number in (errno.EHOSTUNREACH, errno.ENETUNREACH) or isinstance(
        error, (ConnectionError, TimeoutError, socket.gaierror, *_loaded(_UNREACHABLE))
    ):
        advice = "check the name and the network; what was sent is not sent again"
        return errors.Unreachable(f"{place} does not answer: {why}", advice)
    advice = "--debug shows what the library for it says"
    return errors.RemoteFailed(f"{place} failed: {why}", advice)


def _words(error: BaseException) -> str:
    """Return what an error says in one line."""
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror
    else:
        text = str(getattr(error, "reason", "") or error)
    return " ".join(text.split()) or type(error).__name__
