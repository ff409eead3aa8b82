"""`reedbackup adapter`."""

from __future__ import annotations

import argparse
import json
import shlex
from pathlib import Path

from reedbase_backup.cli.printing import print_line, print_sentence

EXAMPLES = (
    "reedbackup adapter python --out ./my-adapter",
    "reedbackup adapter rust --crate ./my-crate --contract ticket --out ./my-adapter",
    "reedbackup adapter schema replies/error",
)


_SKELETONS = {
    "python": "in Python",
    "go": "in Go",
    "javascript": "in JavaScript",
    "stdio": "of an adapter that calls any command",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a language, and what that needs."""
    languages = parser.add_subparsers(dest="language", metavar="LANGUAGE", required=True)
    for name, words in _SKELETONS.items():
        skeleton = languages.add_parser(
            name,
            help=f"write a skeleton {words}",
            description=f"Write a skeleton {words}, with a test, a README and a file for CI.",
        )
        skeleton.add_argument("--out", type=Path, required=True, help="the folder to write")
        skeleton.set_defaults(act=_skeleton)
    rust = languages.add_parser(
        "rust",
        help="write a skeleton in Rust, or a Cargo project that serves a crate",
        description="Write a skeleton in Rust; with --crate, a Cargo project that puts that crate"
        " behind the adapter protocol, the crate unchanged.",
    )
    rust.add_argument("--out", type=Path, required=True, help="the folder to write")
    rust.add_argument("--crate", type=Path, help="the crate's folder; the options below go with it")
    rust.add_argument("--contract", choices=("ticket", "last"))
    rust.add_argument("--name", help="the implementation's name in reports")
    rust.add_argument("--module", metavar="PATH", help="the functions' module, as ops::backup")
    rust.add_argument("--registry", metavar="PATH", help="contract last: the registry's module")
    rust.add_argument("--binary", metavar="NAME", help="the executable's name")
    rust.set_defaults(act=_rust)
    schema = languages.add_parser(
        "schema",
        help="print the JSON Schemas of the adapter protocol's messages",
        description="Print the JSON Schemas of the adapter protocol's messages, as one JSON"
        " object by name, or the one with a name.",
    )
    schema.add_argument("name", metavar="NAME", nargs="?", help="only this one: replies/error")
    schema.set_defaults(act=_schema)


def run(options: argparse.Namespace) -> int:
    """Do what the language is for."""
    status: int = options.act(options)
    return status


def _rust(options: argparse.Namespace) -> int:
    from reedbase_backup.adapter.rust.crate import CrateError
    from reedbase_backup.adapter.rust.generator import generate
    from reedbase_backup.cli.failures import Failed

    if options.crate is None:
        return _skeleton(options)
    if options.contract is None:
        raise Failed("Usage", "adapter rust: --crate needs --contract, ticket or last", status=2)
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


def _skeleton(options: argparse.Namespace) -> int:
    from reedbase_backup.adapter.skeletons import NotEmpty, commands, write
    from reedbase_backup.cli.failures import Failed

    try:
        skeleton = write(options.language, options.out)
    except NotEmpty as error:
        raise Failed("NotEmpty", str(error), "give --out another folder", status=2) from error
    except OSError as error:
        raise Failed("IoError", str(error), status=2) from error
    print_sentence(f"Written to {options.out}: the functions are to be written in {skeleton.code}.")
    print_line(f"cd {shlex.quote(str(options.out))}")
    for command in commands(skeleton):
        print_line(command)
    return 0


def _schema(options: argparse.Namespace) -> int:
    from reedbase_backup.adapter import schemas
    from reedbase_backup.cli.failures import Failed

    known, name = schemas.names(), options.name
    if name is None:
        printed = {each: schemas.schema(each) for each in known}
    elif name in known:
        printed = schemas.schema(name)
    else:
        there_are = f"there are {', '.join(known)}"
        raise Failed("UnknownSchema", f"there is no schema {name}", there_are, status=2)
    print(json.dumps(printed, indent=2))
    return 0
