"""What fails at a far end is of a kind, says what to do, and shows no password."""

from __future__ import annotations

import errno
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from fixture_types import BackupAt
from reference.cli.fixture_types import RunCommand
from reference.remote import servers
from reference.remote.fixture_types import MakeFar

from reedbase_backup.remote import copy_backups, errors, local_files
from reedbase_backup.remote.translating import far_errors
from reedbase_backup.remote.urls import place, redacted

SECRET = "hush-4711"


def failing(run: RunCommand, *arguments: object, status: int = 1) -> tuple[str, str]:
    """Run a command twice; return the kind of error that JSON has, and both lines of stderr."""
    said, out, err = run(*arguments)
    assert (said, out) == (status, "")
    happened, to_do = err.splitlines()
    assert happened.startswith("reedbackup: ")
    assert to_do.startswith("hint: ")
    _, out, _ = run(*arguments, "--json")
    assert SECRET not in out + err
    return json.loads(out)["error"]["kind"], err


@pytest.mark.parametrize(
    "url",
    [
        f"sftp://me:{SECRET}@host/x",
        f"sftp://:{SECRET}@host/x",
        f"sftp://me:{SECRET}/and@more@host:22/x",
        f"ftp://me:{SECRET}@host/x",
        f"s3://key:{SECRET}@bucket/x",
        f"SFTP://me:{SECRET}@host/x",
    ],
)
def test_a_url_with_a_password_is_refused_and_not_shown(
    base: Path, run: RunCommand, url: str
) -> None:
    for command in (
        ("copy", base, url),
        ("list", "--from", url),
        ("restore", base, "--from", url, "--to", "latest"),
    ):
        assert failing(run, *command, status=2)[0] == "BadUrl"


@pytest.mark.parametrize(
    ("url", "kind", "where"),
    [
        ("/a/b", "file", "/a/b"),
        ("file:///a/b", "file", "/a/b"),
        ("sftp://me@host:2222/a@b/", "sftp", "sftp://me@host:2222/a@b"),
        ("ssh://host/a", "sftp", "sftp://host/a"),
        ("s3a://bucket", "s3", "s3://bucket"),
        ("s3://bucket/a:b@c", "s3", "s3://bucket/a:b@c"),
        ("gs://bucket/a", "gcs", "gcs://bucket/a"),
    ],
)
def test_a_url_means_a_place(url: str, kind: str, where: str) -> None:
    assert (place(url).kind, place(url).url) == (kind, where)


@pytest.mark.parametrize("url", ["", "s3://", "https://host/x", "sftp:///"])
def test_what_is_no_place_is_refused(run: RunCommand, url: str) -> None:
    assert failing(run, "list", "--from", url, status=2)[0] == "BadUrl"


def test_servers_that_refuse_are_told_apart(
    base: Path,
    backup_at: BackupAt,
    make_far: MakeFar,
    run: RunCommand,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backup_at(base, 1000)
    far = make_far("sftp")
    assert failing(run, "copy", base, f"{far.url}/not/there")[0] == "NoSuchPlace"
    monkeypatch.setenv("FSSPEC_SFTP_PASSWORD", SECRET)
    assert failing(run, "copy", base, far.url)[0] == "AccessRefused"
    monkeypatch.setenv("HOME", str(base))
    kind, said = failing(run, "copy", base, far.url)
    assert (kind, "ssh" in said) == ("UnknownHostKey", True)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"sftp://{servers.USER}@127.0.0.1:{unused.getsockname()[1]}/far"
        assert failing(run, "list", "--from", url)[0] == "Unreachable"


def test_a_bucket_that_is_not_there_and_credentials_that_are_not_are_told_apart(
    base: Path,
    backup_at: BackupAt,
    make_far: MakeFar,
    run: RunCommand,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backup_at(base, 1000)
    far = make_far("s3")
    assert failing(run, "copy", base, "s3://no-such-bucket/x")[0] == "NoSuchPlace"
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("HOME", str(base))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    kind, said = failing(run, "copy", base, far.url)
    assert (kind, "AWS_ACCESS_KEY_ID" in said) == ("AccessRefused", True)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), errors.NoSpace),
        (OSError(errno.EDQUOT, "Quota exceeded"), errors.NoSpace),
        (PermissionError(errno.EACCES, "Permission denied"), errors.AccessRefused),
        (FileNotFoundError(errno.ENOENT, "No such file"), errors.NoSuchPlace),
        (ConnectionResetError(errno.ECONNRESET, "reset"), errors.Unreachable),
        (OSError(errno.EHOSTUNREACH, "No route to host"), errors.Unreachable),
        (TimeoutError(), errors.Unreachable),
        (socket.gaierror(-2, "Name or service not known"), errors.Unreachable),
        (OSError(errno.EIO, "Input/output error"), errors.RemoteFailed),
        (ValueError(f"no endpoint: //me:{SECRET}@host"), errors.RemoteFailed),
    ],
)
def test_an_error_of_the_system_is_of_its_kind(error: Exception, kind: type) -> None:
    with pytest.raises(errors.RemoteError) as raised, far_errors(place("s3://bucket/x")):
        raise error
    assert type(raised.value) is kind
    assert raised.value.advice
    assert SECRET not in str(raised.value)


def test_errors_of_the_libraries_are_of_their_kind() -> None:
    asyncssh = pytest.importorskip("asyncssh")
    botocore = pytest.importorskip("botocore.exceptions")
    full = botocore.ClientError({"Error": {"Code": "XMinioStorageFull"}}, "PutObject")
    for error, kind in (
        (asyncssh.SFTPNoSpaceOnFilesystem("full"), errors.NoSpace),
        (asyncssh.SFTPQuotaExceeded("full"), errors.NoSpace),
        (asyncssh.SFTPPermissionDenied("no"), errors.AccessRefused),
        (asyncssh.ConnectionLost("gone"), errors.Unreachable),
        (asyncssh.SFTPFailure("Failure"), errors.RemoteFailed),
        (full, errors.NoSpace),
        (botocore.EndpointConnectionError(endpoint_url="x"), errors.Unreachable),
        (botocore.NoCredentialsError(), errors.AccessRefused),
        (botocore.ParamValidationError(report="bad name"), errors.RemoteFailed),
    ):
        with pytest.raises(errors.RemoteError) as raised, far_errors(place("s3://bucket/x")):
            raise error
        assert type(raised.value) is kind, error


def test_a_fault_of_ours_is_no_error_of_the_far_end() -> None:
    with pytest.raises(TypeError), far_errors(place("s3://bucket/x")):
        raise TypeError


def test_a_full_disk_at_the_far_end_is_said_and_the_next_copy_goes_on(
    base: Path,
    backup_at: BackupAt,
    make_far: MakeFar,
    run: RunCommand,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    far = make_far("file")
    backup_at(base, 1000)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(local_files, "write_all", full)
        kind, said = failing(run, "copy", base, far.url)
    assert (kind, "make room there" in said) == ("NoSpace", True)
    assert not copy_backups(base, far.url).has_failed
    assert far.names() == ["1000.tar.gz", "1000.tar.gz.sha256"]


@pytest.mark.parametrize(
    ("url", "module", "extra"),
    [
        ("s3://bucket/x", "s3fs", "remote"),
        ("sftp://host/x", "sshfs", "remote"),
        ("gs://bucket/x", "gcsfs", "gcs"),
        ("memory://x", "fsspec", "remote"),
    ],
)
def test_an_extra_that_is_missing_is_named_with_the_command_that_installs_it(
    run: RunCommand, monkeypatch: pytest.MonkeyPatch, url: str, module: str, extra: str
) -> None:
    # What other tests have loaded is as in a process of its own.
    for loaded in [name for name in sys.modules if name.partition(".")[0] == "fsspec"]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, module, None)
    kind, said = failing(run, "list", "--from", url)
    assert kind == "MissingExtra"
    assert said.splitlines()[1] == f"hint: pip install 'pytest-reedbackup[{extra}]'"


def test_a_copy_to_a_folder_needs_no_extra(base: Path, tmp_path: Path, backup_at: BackupAt) -> None:
    backup_at(base, 1000)
    code = (
        "import sys\n"
        "sys.modules['fsspec'] = None\n"
        "from reedbase_backup.remote import copy_backups, list_remote\n"
        "assert not copy_backups(*sys.argv[1:]).has_failed\n"
        "assert len(list_remote(sys.argv[2])) == 1\n"
        "assert not {'asyncio', 'botocore', 'asyncssh'} & sys.modules.keys()\n"
    )
    command = [sys.executable, "-c", code, str(base), str(tmp_path / "far")]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_a_slip_is_no_base_without_backups(tmp_path: Path, run: RunCommand) -> None:
    (tmp_path / "empty").mkdir()
    for name, words in (("slip", "is not a folder"), ("empty", "has no tables/ folder")):
        status, _, err = run("copy", tmp_path / name, tmp_path / "far", "--keep", "1")
        assert (status, words in err, (tmp_path / "far").exists()) == (1, True, False)


def test_stars_are_in_the_place_of_passwords_anywhere_in_a_text() -> None:
    text = f"cannot reach sftp://me:{SECRET}@host/x now"
    assert redacted(text) == "cannot reach sftp://me:***@host/x now"
