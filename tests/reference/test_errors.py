"""The errors: ReedError's variants, over pickle and protocol, as sentences for people."""

from __future__ import annotations

import copy
import errno
import pickle
from collections.abc import Callable

import pytest

from reedbase_backup import errors
from reedbase_backup.errors import IoError, PermissionDenied, ReedError, from_os_error, translated

EXAMPLES = [
    errors.IoError("read_source", "tables/a: Input/output error (os error 5)"),
    errors.CommandFailed("tar", "file changed as we read it"),
    errors.NoTablesFound(),
    errors.TableNotFound("text"),
    errors.TableAlreadyExists("text"),
    errors.VersionNotFound(5),
    errors.LogCorrupted("Invalid format at line 1"),
    errors.DecompressionFailed("XZ read error: premature eof"),
    errors.DeltaApplicationFailed("bspatch error: Kind(UnexpectedEof)"),
    errors.DeltaGenerationFailed("no memory"),
    errors.PermissionDenied("tables/a"),
    errors.LockTimeout("text", 5),
    errors.BackupNotFound(5, 1000),
    errors.BackupNotFound(5, None),
    errors.BackupCorrupted("5.tar.gz", "it is empty"),
    errors.BackupUnsafe("tables/x", "the name leads out of the database"),
]

# Contract `last` (BASELINE.md, "API") and, for the last three, contract `ticket`.
FIELDS = {
    "IoError": ["operation", "reason"],
    "CommandFailed": ["command", "error"],
    "NoTablesFound": [],
    "TableNotFound": ["name"],
    "TableAlreadyExists": ["name"],
    "VersionNotFound": ["timestamp"],
    "LogCorrupted": ["reason"],
    "DecompressionFailed": ["reason"],
    "DeltaApplicationFailed": ["reason"],
    "DeltaGenerationFailed": ["reason"],
    "PermissionDenied": ["path"],
    "LockTimeout": ["table", "timeout_secs"],
    "BackupNotFound": ["target", "oldest"],
    "BackupCorrupted": ["archive", "reason"],
    "BackupUnsafe": ["path", "reason"],
}


def test_every_error_has_an_example_here() -> None:
    assert {type(error) for error in EXAMPLES} == set(ReedError.__subclasses__())


@pytest.mark.parametrize("error", EXAMPLES, ids=repr)
def test_kind_and_fields_are_the_variants(error: ReedError) -> None:
    assert error.kind == type(error).__name__
    assert list(error.fields) == FIELDS[error.kind]
    assert error.fields == {name: getattr(error, name) for name in error.fields}


@pytest.mark.parametrize("error", EXAMPLES, ids=repr)
@pytest.mark.parametrize("way", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy])
def test_an_error_survives_pickling_and_copying(
    error: ReedError, way: Callable[[ReedError], ReedError]
) -> None:
    again = way(error)
    assert (type(again), again.fields, str(again)) == (type(error), error.fields, str(error))


@pytest.mark.parametrize("error", EXAMPLES, ids=repr)
def test_a_message_is_one_sentence_that_holds_every_field(error: ReedError) -> None:
    text = str(error)
    assert text[0].isupper()
    assert "\n" not in text
    assert not text.endswith((".", " ", ":"))
    for value in error.fields.values():
        assert value is None or str(value) in text


def test_an_error_of_the_system_keeps_its_cause_and_names_its_file() -> None:
    with pytest.raises(IoError) as caught, translated("restore"):
        open("/nonexistent/file")  # noqa: SIM115 - it never opens
    assert caught.value.fields == {
        "operation": "restore",
        "reason": "/nonexistent/file: No such file or directory (os error 2)",
    }
    assert isinstance(caught.value.__cause__, FileNotFoundError)


def test_a_denied_access_names_the_path_that_is_known_best() -> None:
    error = PermissionError(errno.EACCES, "Permission denied", "file")
    assert from_os_error(error, "restore").fields == {"path": "file"}
    named = from_os_error(error, "restore", "tables/text/file")
    assert isinstance(named, PermissionDenied)
    assert named.path == "tables/text/file"


@pytest.mark.parametrize("filename", [None, 7, b"f\xff", "f"])
def test_a_failed_call_on_a_descriptor_is_an_error_of_ours_too(
    filename: bytes | int | str | None,
) -> None:
    """Where the system call had a number for a name."""
    error = from_os_error(OSError(errno.EIO, "Input/output error", filename), "read")
    assert isinstance(error, IoError)
    assert error.reason.endswith("Input/output error (os error 5)")


def test_other_exceptions_pass_as_they_are() -> None:
    with pytest.raises(KeyError), translated("restore"):
        raise KeyError("bug")
