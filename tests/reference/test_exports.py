"""The public surface of reedbase_backup (ticket 060-OPS-01: 2 types, 3 functions; the errors)."""

from __future__ import annotations

import dataclasses
import inspect

import reedbase_backup


def test_the_surface_is_three_functions_two_types_and_the_errors() -> None:
    functions = {"create_backup", "list_backups", "restore_point_in_time"}
    types = {"BackupInfo", "RestoreReport"}
    raised = {
        "BackupCorrupted",
        "BackupNotFound",
        "BackupUnsafe",
        "IoError",
        "LockTimeout",
        "NoTablesFound",
        "PermissionDenied",
        "ReedError",
    }
    assert set(reedbase_backup.__all__) == functions | types | raised
    assert reedbase_backup.__all__ == sorted(reedbase_backup.__all__)
    for name in functions:
        assert inspect.isfunction(getattr(reedbase_backup, name))
    for name in raised:
        assert issubclass(getattr(reedbase_backup, name), reedbase_backup.ReedError)


def test_the_types_have_the_tickets_fields_and_cannot_be_changed() -> None:
    fields = {
        reedbase_backup.BackupInfo: {
            "id": "str",
            "timestamp": "int",
            "size_bytes": "int",
            "table_count": "int",
            "compression": "str",
        },
        reedbase_backup.RestoreReport: {
            "tables_restored": "int",
            "total_bytes": "int",
            "duration_ms": "int",
        },
    }
    for public, expected in fields.items():
        assert {field.name: field.type for field in dataclasses.fields(public)} == expected
        assert vars(public)["__dataclass_params__"].frozen


def test_the_functions_take_the_tickets_arguments() -> None:
    for name, arguments in {
        "create_backup": ["base_path"],
        "list_backups": ["base_path"],
        "restore_point_in_time": ["base_path", "target_timestamp"],
    }.items():
        function = getattr(reedbase_backup, name)
        assert list(inspect.signature(function).parameters) == arguments
        assert "contract `ticket`" in function.__doc__
