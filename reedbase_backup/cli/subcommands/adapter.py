"""`reedbackup adapter`."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from reedbase_backup.cli.printing import print_line

EXAMPLES = ("reedbackup adapter rust --crate ./my-crate --contract ticket --out ./my-adapter",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a language, and what that needs."""
    languages = parser.add_subparsers(dest="language", metavar="LANGUAGE", required=True)
    rust = languages.add_parser(
        "rust",
        help="write a Cargo project that serves a Rust crate",
        description="Write a Cargo project that puts a Rust crate behind the adapter protocol.",
    )
    rust.add_argument("--crate", type=Path, required=True, help="the crate's folder")
    rust.add_argument("--contract", choices=("ticket", "last"), required=True)
    rust.add_argument("--out", type=Path, required=True, help="the folder to write")
    rust.add_argument("--name", help="the implementation's name in reports")
    rust.add_argument("--module", metavar="PATH", help="the functions' module, as ops::backup")
    rust.add_argument("--registry", metavar="PATH", help="contract last: the registry's module")
    rust.add_argument("--binary", metavar="NAME", help="the executable's name")
    rust.set_defaults(run=_rust)


def run(options: argparse.Namespace) -> int:
    """Do what the language's own function does: none is chosen without one."""
    raise NotImplementedError(options.language)


def _rust(options: argparse.Namespace) -> int:
    from reedbase_backup.adapter.rust.crate import CrateError
    from reedbase_backup.adapter.rust.generator import generate
    from reedbase_backup.cli.failures import Failed

    try:
        executable = generate(
            options.crate,
            options.contract,
            options.out,
            options.name,
            options.module,
            binary=options.binary,
            registry=options.registry,
        )
    except (CrateError, OSError) as error:
        raise Failed("CrateError", str(error), status=2) from error
    manifest = shlex.quote(str(options.out / "Cargo.toml"))
    print_line(f"Build it:  cargo build --release --manifest-path {manifest}")
    print_line(f"Use it:    pytest --reedbackup-impl={shlex.quote(str(executable))}")
    return 0
