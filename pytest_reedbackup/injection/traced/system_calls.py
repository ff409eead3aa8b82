"""What a call of an implementation does to files, seen by strace: every name, mode and byte.

strace writes every string in hexadecimal (-xx) and beside each descriptor the path that it
leads to (-y), so that any name can be read back.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path

from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.injection.traced.served import Served, served
from pytest_reedbackup.injection.traced.strace import NOT_REACHED, OPENS, tracing
from pytest_reedbackup.model.failures import MissingCapability

MAKING_FOLDERS = ("mkdir", "mkdirat")
LINKING = ("link", "linkat", "symlink", "symlinkat", "mknod", "mknodat")
REMOVING = ("unlink", "unlinkat", "rmdir")
CHANGING_MODES = ("chmod", "fchmod", "fchmodat", "fchmodat2", "umask")
WRITING = ("write", "pwrite64", "writev", "pwritev", "pwritev2", "sendfile", "copy_file_range")
READING_CONTENT = ("read", "pread64", "readv", "preadv", "preadv2", "getdents", "getdents64")
READING = (*READING_CONTENT, "fstat", "fstatfs", "flock")
LOOKING = (
    *("stat", "lstat", "newfstatat", "fstatat64", "statx", "statfs"),
    *("access", "faccessat", "faccessat2", "readlink", "readlinkat"),
)
STARTING = ("fork", "vfork", "clone", "clone3")

_SHOWN_CALLS = 6
"""How many system calls before and after something are shown."""

_LINE = re.compile(r"(\d+) +(?:<\.\.\. )?(\w+)(?: resumed>|\()(.*)")
_UNFINISHED = " <unfinished ...>"
_INJECTED = "(INJECTED)"
_SIGNAL = re.compile(r"^\d+ +(?:--- (SIG\w+) |\+\+\+ killed by (SIG\w+))", re.MULTILINE)
_RESULT = re.compile(r"\) += (-?\d+)(?:<((?:\\x..)*)>)?")
_HEX = r"((?:\\x..)*)"
_ARGUMENT = re.compile(rf'(?:AT_FDCWD|\b\d+)<{_HEX}>(?:\(deleted\))?|"{_HEX}"')
_MODE = re.compile(r"(?:, |mode=|\()(0[0-7]*)\b(?!x)")
_FLAG = re.compile(r"\bO_[A-Z]+\b")
_FLAGS_OF_CREAT = ("O_CREAT", "O_WRONLY", "O_TRUNC")
"""What it stands for in the words of open, by its manual page."""


@dataclass(frozen=True, slots=True)
class SystemCall:
    """One call to the system by a process of the implementation.

    `paths` are the files that it names, absolute and in order; of a descriptor alone, what it
    leads to. `mode` is the one that is asked for. `result` is the number that came back, below
    0 after an error, and `opened` the path of a descriptor that did.
    """

    pid: int
    name: str
    paths: tuple[str, ...]
    flags: frozenset[str]
    mode: int | None
    result: int
    opened: str
    is_injected: bool = False
    """Whether strace had it fail."""

    def shown(self, folder: str) -> str:
        """Return it as one line, with paths relative to `folder` where they are in it."""
        mode = "" if self.mode is None else f", {self.mode:04o}"
        paths = ", ".join(path.removeprefix(f"{folder}/") for path in self.paths)
        failed = ", made to fail" if self.is_injected else ""
        return f"{self.name}({paths}{mode}) = {self.result}{failed}"


def around(
    before: Sequence[SystemCall], what: str, after: Sequence[SystemCall], folder: Path
) -> list[str]:
    """Return the last calls before something and the first after it, a line each.

    Paths are relative to `folder`, the one around the base.
    """
    inside = str(folder.resolve())
    return [
        *(call.shown(inside) for call in before[-_SHOWN_CALLS:]),
        f"--- {what} ---",
        *(call.shown(inside) for call in after[:_SHOWN_CALLS]),
    ]


def traced(
    implementation: Implementation, names: Sequence[str], base: Path, act: Callable[[Served], None]
) -> list[SystemCall]:
    """Return the calls of these `names` that a new process makes from its start through `act`.

    Raise MissingCapability where nothing can be traced, or strace saw nobody open anything of
    the database at `base`; and AdapterFault.
    """
    with tempfile.TemporaryDirectory(prefix="reedbackup-") as folder:
        trace = Path(folder) / "trace"
        program, *options = tracing([*OPENS, *names], trace, starts=True)
        with served(implementation, tracer=[program, "-xx", *options]) as process:
            act(process)
        calls = list(parsed(trace.read_text(errors="replace"), os.getcwd()))
    real = os.path.realpath(base)
    if not any(call.name in OPENS and _is_in(real, call) for call in calls):
        raise MissingCapability("strace", NOT_REACHED, tool=True)
    return calls


def _is_in(base: str, call: SystemCall) -> bool:
    return any(os.path.realpath(path).startswith(f"{base}/") for path in call.paths)


def parsed(trace: str, working_folder: str) -> Iterator[SystemCall]:
    """Read a trace of `-y -xx`, in the order in which the calls ended."""
    begun: dict[tuple[str, str], str] = {}
    for line in trace.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue  # a signal, an exit
        pid, name, rest = match.groups()
        if " resumed>" in line[: match.start(3)]:
            rest = begun.pop((pid, name), "") + rest
        if rest.endswith(_UNFINISHED):
            begun[pid, name] = rest.removesuffix(_UNFINISHED)
            continue
        ended = _RESULT.search(rest)
        if ended is not None:
            call = _call(int(pid), name, rest[: ended.start()], ended, working_folder)
            is_injected = _INJECTED in rest[ended.end() :]
            yield replace(call, is_injected=True) if is_injected else call


def signals_in(trace: str) -> frozenset[str]:
    """Return the names of the signals that came to a process of this trace, as in `SIGKILL`."""
    return frozenset(match[1] or match[2] for match in _SIGNAL.finditer(trace))


def _call(
    pid: int, name: str, arguments: str, ended: re.Match[str], working_folder: str
) -> SystemCall:
    mode = _MODE.findall(f"({arguments}")
    flags = _FLAGS_OF_CREAT if name == "creat" else _FLAG.findall(arguments)
    return SystemCall(
        pid,
        name,
        tuple(_paths(name, arguments, working_folder)),
        frozenset(flags),
        int(mode[-1], 8) if mode else None,
        int(ended[1]),
        _text(ended[2] or ""),
    )


def _paths(name: str, arguments: str, working_folder: str) -> Iterator[str]:
    """Yield what the call is about, whatever else stands between quotes."""
    if name in WRITING or name in READING:
        # What else looks like a name is content.
        descriptors = [_text(m[1]) for m in _ARGUMENT.finditer(arguments) if m[1] is not None]
        # Only copy_file_range names the source first.
        yield from descriptors[1:] if name == "copy_file_range" else descriptors[:1]
        return
    named = _named(arguments, working_folder)
    # What a symlink leads to comes after its own name.
    yield from islice(named, 1) if name in LOOKING else named


def _named(arguments: str, working_folder: str) -> Iterator[str]:
    """Yield each name joined to the folder whose descriptor stands before it."""
    folder: str | None = None
    for match in _ARGUMENT.finditer(arguments):
        if match[1] is not None:
            if folder is not None:
                yield folder
            folder = _text(match[1])
        else:
            yield os.path.normpath(os.path.join(folder or working_folder, _text(match[2])))
            folder = None
    if folder is not None:
        yield folder


@lru_cache  # who tries for ever names one file in half a million calls
def _text(hexadecimal: str) -> str:
    return os.fsdecode(bytes.fromhex(hexadecimal.replace("\\x", "")))
