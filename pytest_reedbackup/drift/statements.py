"""What the ticket states of the source code, against what a module's source has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_reedbackup.contracts import source
from pytest_reedbackup.drift.rows import Row, SourceDrift
from pytest_reedbackup.drift.source import SourceFile
from pytest_reedbackup.model.outcome import Outcome

_DOCUMENT = 'BASELINE.md, "API"'

Files = Mapping[str, SourceFile]


def source_drift(folder: str, files: Files) -> SourceDrift:
    """Return a row for each statement of the ticket, about the module's files in `folder`."""
    rows = [
        *_lines(files),
        _struct_count(files),
        *_structs(files),
        _function_count(files),
        *_functions(files),
        _tests(files),
        _crates(files),
    ]
    return SourceDrift(folder, rows)


def _lines(files: Files) -> Iterator[Row]:
    for name, lines in source.LINES.items():
        file = files.get(name)
        unparsed = "" if file is None or file.is_whole else "; not all of it could be parsed"
        yield _statement(
            name,
            (f"{lines} lines", "Files in this ticket"),
            f"{lines} lines",
            "no such file" if file is None else f"{file.lines} lines{unparsed}",
            holds=file is not None and file.lines == lines,
        )


def _struct_count(files: Files) -> Row:
    names = list(files["types.rs"].structs) if "types.rs" in files else []
    return _statement(
        "public types",
        (f"{len(source.STRUCTS)} `pub struct` in types.rs", "Verification Commands"),
        f"{len(source.BASELINE_STRUCTS)}",
        _counted(names),
        holds=len(names) == len(source.STRUCTS),
    )


def _structs(files: Files) -> Iterator[Row]:
    defined = {name: fields for file in files.values() for name, fields in file.structs.items()}
    for name, fields in source.STRUCTS.items():
        own = defined.get(name)
        yield _statement(
            name,
            (", ".join(fields), "Public Types"),
            ", ".join(source.BASELINE_STRUCTS[name]),
            "no such `pub struct`" if own is None else _fields(own, fields),
            holds=own is not None and set(own) == set(fields),
        )


def _fields(own: Sequence[str], stated: Sequence[str]) -> str:
    lines = [", ".join(own) or "no fields"]
    if missing := [field for field in stated if field not in own]:
        lines.append(f"missing: {', '.join(missing)}")
    return "\n".join(lines)


def _function_count(files: Files) -> Row:
    places = list(dict.fromkeys(file for file, _ in source.FUNCTIONS.values()))
    names = [name for place in places if place in files for name in files[place].functions]
    return _statement(
        "public functions",
        (f"{len(source.FUNCTIONS)} `pub fn` in {', '.join(places)}", "Verification Commands"),
        f"{len(source.FUNCTIONS)}",
        _counted(names),
        holds=len(names) == len(source.FUNCTIONS),
    )


def _functions(files: Files) -> Iterator[Row]:
    for name, (file_name, signature) in source.FUNCTIONS.items():
        places = {
            file.name: file.functions[name] for file in files.values() if name in file.functions
        }
        elsewhere = "; ".join(f"in {place}: {other}" for place, other in places.items())
        yield _statement(
            name,
            (f"in {file_name}: {signature}", "Public Functions"),
            source.BASELINE_FUNCTIONS[name],
            elsewhere or "no such `pub fn`",
            holds=places.get(file_name) == signature,
        )


def _tests(files: Files) -> Row:
    tests = [test for file in files.values() for test in file.tests]
    missing = [test for test in source.TESTS if test not in tests]
    others = [test for test in tests if test not in source.TESTS]
    stated = len(source.TESTS) - len(missing)
    lines = [f"{len(tests)} tests, {stated or 'none'} of the {len(source.TESTS)} stated"]
    if missing and stated:
        lines.append(f"missing: {', '.join(missing)}")
    if others:
        lines.append(f"others: {', '.join(others)}")
    return _statement(
        "tests",
        (", ".join(source.TESTS), "Step 5"),
        f"{source.BASELINE_TESTS} tests, of other names",
        "\n".join(lines),
        holds=not missing,
    )


def _crates(files: Files) -> Row:
    used = sorted({crate for file in files.values() for crate in file.crates})
    commands = list(dict.fromkeys(c for file in files.values() for c in file.commands))
    parts = [", ".join(used) or f"neither {' nor '.join(source.CRATES)}"]
    parts += [f"runs the command {', '.join(commands)}"] if commands else []
    return _statement(
        "crates",
        (" and ".join(source.CRATES), "Dependencies"),
        "runs the command tar",
        "; ".join(parts),
        holds=set(used) == set(source.CRATES),
    )


def _counted(names: Sequence[str]) -> str:
    return f"{len(names)}: {', '.join(names)}" if names else "none"


def _statement(
    subject: str, ticket: tuple[str, str], baseline: str, evidence: str, *, holds: bool
) -> Row:
    words, place = ticket
    return Row(
        subject=subject,
        ticket=words,
        place=place,
        baseline=baseline,
        source=_DOCUMENT,
        outcome=Outcome.PASS if holds else Outcome.FAIL,
        found=evidence,
    )
