"""Whose fault it is: values that cannot be sent, and archives that are not there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from fixture_types import RunSuite
from harness.sources import MINE

from pytest_reedbackup.connections.left_behind import blamed_on_implementation
from pytest_reedbackup.implementations.answers import Answer, Answered, Refused, value_of
from pytest_reedbackup.implementations.child import ChildProcess
from pytest_reedbackup.implementations.client import Client
from pytest_reedbackup.implementations.in_process import InProcess
from pytest_reedbackup.model.failures import UnfitValue
from pytest_reedbackup.model.outcome import Outcome
from reedbase_backup.adapter.loading import load

pytestmark = pytest.mark.slow

# `list_backups` answers with what is named by the folder that it is to list.
ODD = """
import dataclasses, decimal, enum, fractions, os, pathlib, typing

class Colour(enum.Enum):
    RED = "gzip"

class Text(enum.StrEnum):
    GZIP = "gzip"

class Number(enum.IntEnum):
    FIVE = 5

class MyInt(int):
    def __repr__(self): return "five"
    def __index__(self): return 9

class MyStr(str):
    def __str__(self): return "other"
    def encode(self, *_): return b"other"

class Numpy:
    def __index__(self): return 5

class Info(typing.NamedTuple):
    id: str = "5"
    timestamp: int = 5
    size_bytes: int = 5
    table_count: int = 5
    compression: str = "gzip"

@dataclasses.dataclass
class Data:
    id: str = "5"
    timestamp: int = 5
    size_bytes: int = 5
    table_count: int = 5
    compression: str = "gzip"

class Properties(Data):
    __dataclass_fields__ = dict.fromkeys(Info._fields)
    @property
    def compression(self): raise LookupError("no such thing")
    @compression.setter
    def compression(self, value): pass

class Unprintable:
    __slots__ = ()
    def __repr__(self): raise LookupError("no repr")

class BadIndex:
    def __index__(self): raise LookupError("no index")

class BadPath:
    def __fspath__(self): raise LookupError("no path")

class BadFields(Exception):
    @property
    def fields(self): raise LookupError("no fields")

class BadKind(Exception):
    @property
    def kind(self): raise LookupError("no kind")

class BadText(Exception):
    def __str__(self): raise LookupError("no text")

def info(**fields):
    return [Info()._replace(**fields)]

def circle():
    found = []
    found.append(found)
    return found

def deep():
    found = []
    for _ in range(100_000):
        found = [found]
    return found

def raises(error):
    raise error

def recurse():
    return recurse()

VALUES = {
    "namedtuple": lambda: info(),
    "dataclass": lambda: [Data()],
    "tuple": lambda: tuple(info()),
    "int-subclass": lambda: info(timestamp=MyInt(5)),
    "int-enum": lambda: info(timestamp=Number.FIVE),
    "str-subclass": lambda: info(compression=MyStr("gzip")),
    "str-enum": lambda: info(compression=Text.GZIP),
    "numpy": lambda: info(timestamp=Numpy()),
    "path": lambda: info(id=pathlib.PurePath("5")),
    "enum": lambda: info(compression=Colour.RED),
    "decimal": lambda: info(timestamp=decimal.Decimal(5)),
    "fraction": lambda: info(timestamp=fractions.Fraction(5)),
    "complex": lambda: info(timestamp=5j),
    "huge": lambda: info(timestamp=10**10_000),
    "nan": lambda: info(timestamp=float("nan")),
    "infinite": lambda: info(timestamp=float("inf")),
    "bytes": lambda: info(compression=b"gzip"),
    "bool": lambda: info(timestamp=True),
    "none": lambda: info(timestamp=None),
    "property": lambda: [Properties()],
    "bad-index": lambda: info(timestamp=BadIndex()),
    "bad-path": lambda: info(id=BadPath()),
    "unprintable": lambda: info(id=Unprintable()),
    "circle": circle,
    "deep": deep,
    "generator": lambda: (one for one in info()),
    "set": lambda: set(info()),
    "class": lambda: Info,
    "keys": lambda: [{5: 5}],
    "bad-fields": lambda: raises(BadFields("refused")),
    "bad-kind": lambda: raises(BadKind("refused")),
    "bad-text": lambda: raises(BadText()),
    "circle-in-error": lambda: raises(type("Odd", (Exception,), {"fields": {"it": circle()}})()),
    "own-recursion": recurse,
}

class Odd:
    name = "odd"
    def create_backup(self, base_path): return info()[0]
    def restore_point_in_time(self, base_path, target_timestamp): raise OSError("no")
    def list_backups(self, base_path): return VALUES[os.path.basename(base_path)]()
"""
SENT = [
    "namedtuple",
    "dataclass",
    "tuple",
    "int-subclass",
    "int-enum",
    "str-subclass",
    "str-enum",
    "numpy",
    "path",
]
UNSENT = {
    "enum": "[0].compression is a odd.Colour, an Enum that is neither an int nor a str",
    "decimal": "[0].timestamp is a decimal.Decimal, of no type that JSON has",
    "fraction": "[0].timestamp is wrong: Expected `int`, got `object`",
    "complex": "[0].timestamp is a complex, of no type that JSON has",
    "huge": "[0].timestamp is an integer of 33220 bits, more than a u64 has",
    "nan": "[0].timestamp is the float nan, which JSON does not have",
    "infinite": "[0].timestamp is the float inf, which JSON does not have",
    "bytes": "[0].compression is a bytes, of no type that JSON has",
    "bool": "[0].timestamp is wrong: Expected `int`, got `bool`",
    "none": "[0].timestamp is wrong: Expected `int`, got `null`",
    "property": "[0].compression is unreadable in a odd.Properties: LookupError('no such thing')",
    "bad-index": "[0].timestamp is unreadable in a odd.BadIndex: LookupError('no index')",
    "bad-path": "[0].id is unreadable in a odd.BadPath: LookupError('no path')",
    "unprintable": "[0].id is a odd.Unprintable, of no type that JSON has",
    "circle": f"{'[0]' * 17} is more than 16 levels deep",
    "deep": f"{'[0]' * 17} is more than 16 levels deep",
    "generator": "the value is a generator, of no type that JSON has",
    "set": "the value is a set, of no type that JSON has",
    "class": "the value is the class Info itself",
    "keys": "[0] is a mapping with a key that is a int",
}
REFUSED = {
    "bad-fields": ("BadFields", "refused"),
    "bad-kind": ("BadKind", "refused"),
    "bad-text": ("BadText", "BadText, whose text cannot be read: LookupError('no text')"),
    "circle-in-error": ("Odd", "Odd"),
    "own-recursion": ("RecursionError", "maximum recursion depth exceeded"),
}


@pytest.fixture(scope="module", params=["in-process", "served"])
def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("odd")
    (folder / "odd.py").write_text(ODD)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        if request.param == "in-process":
            connected = Client(InProcess(load("odd:Odd")))
        else:
            command = [sys.executable, "-m", "reedbase_backup", "serve", "odd:Odd"]
            connected = Client(
                ChildProcess(command, {"PYTHONPATH": ":".join(filter(None, sys.path))})
            )
        yield connected
    connected.close()


def listed(client: Client, what: str) -> Answer:
    return client.call("list_backups", "ticket", Path("/") / what, 20.0)


@pytest.mark.parametrize("what", SENT)
def test_what_is_a_number_or_a_text_for_python_is_sent_as_one(client: Client, what: str) -> None:
    (info,) = value_of(listed(client, what), what)
    assert msgspec.structs.astuple(info) == ("5", 5, 5, 5, "gzip")


@pytest.mark.parametrize(("what", "words"), UNSENT.items(), ids=UNSENT)
def test_what_cannot_be_sent_is_a_broken_promise_with_field_and_type(
    client: Client, what: str, words: str
) -> None:
    with pytest.raises(UnfitValue) as caught:
        listed(client, what)
    assert caught.value.what == "the value of list_backups"
    assert words in caught.value.found
    assert isinstance(listed(client, "namedtuple"), Answered)


@pytest.mark.parametrize(("what", "answer"), REFUSED.items(), ids=REFUSED)
def test_an_exception_is_an_answer_however_little_it_tells(
    client: Client, what: str, answer: tuple[str, str]
) -> None:
    refused = listed(client, what)
    assert isinstance(refused, Refused)
    assert refused.kind == answer[0]
    assert refused.message.startswith(answer[1])


MISDEEDS = """
import gzip, pathlib, shutil

class Meddling(Conforming):
    def __init__(self):
        super().__init__()
        self.create, self.restore = self.create_backup, self.restore_point_in_time
        del self.create_backup, self.restore_point_in_time

    def create_backup(self, base_path, now_ns=None):
        made = self.create(base_path, now_ns)
        return self.meddle(pathlib.Path(base_path, "backups", made.id + ".tar.gz"), made) or made

    def restore_point_in_time(self, base_path, target_timestamp):
        return self.restore(base_path, target_timestamp)

def said(made, **changed):
    names = ("id", "timestamp", "size_bytes", "table_count", "compression")
    return {name: getattr(made, name) for name in names} | changed

class NoArchive(Meddling):
    def meddle(self, archive, made): archive.unlink()

class Folder(Meddling):
    def meddle(self, archive, made):
        archive.unlink()
        archive.mkdir()

class Loop(Meddling):
    def meddle(self, archive, made):
        archive.unlink()
        archive.symlink_to(archive.name)

class Nothing(Meddling):
    def meddle(self, archive, made): archive.write_bytes(b"")

class NoTar(Meddling):
    def meddle(self, archive, made): archive.write_bytes(gzip.compress(bytes(range(256)) * 40))

class NoBackups(Meddling):
    def meddle(self, archive, made):
        shutil.rmtree(archive.parent)
        archive.parent.write_text("a file")

class Slashes(Meddling):
    def meddle(self, archive, made): return said(made, id="../" * 3 + made.id)

class Nul(Meddling):
    def meddle(self, archive, made): return said(made, id="5\\\\0")

class Long(Meddling):
    def meddle(self, archive, made): return said(made, id="5" * 5000)

class Unset(Meddling):
    def meddle(self, archive, made): return said(made, id="")

class NoBase(Meddling):
    def meddle(self, archive, made): return None
    def restore_point_in_time(self, base_path, target_timestamp):
        report = self.restore(base_path, target_timestamp)
        shutil.rmtree(base_path)
        return report

class NoTables(NoBase):
    def restore_point_in_time(self, base_path, target_timestamp):
        report = self.restore(base_path, target_timestamp)
        shutil.rmtree(pathlib.Path(base_path, "tables"))
        pathlib.Path(base_path, "tables").touch()
        return report
"""
CHOSEN = (
    "ticket/create/archive*",
    "ticket/create/content/small",
    "ticket/create/info*",
    "ticket/create/same-second*",
    "ticket/create/failure*",
    "ticket/restore/exact-tree",
    "ticket/restore/corrupt/missing*",
)
DEEDS = [
    *("NoArchive", "Folder", "Loop", "Nothing", "NoTar", "NoBackups"),
    *("Slashes", "Nul", "Long", "Unset", "NoBase", "NoTables"),
]


SAMPLED = ("NoArchive", "Nul", "NoBase")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in SAMPLED else pytest.mark.campaign) for name in DEEDS],
)
def test_what_an_implementation_leaves_behind_is_never_the_harnesss_fault(
    run_suite: RunSuite, tmp_path: Path, name: str
) -> None:
    (tmp_path / "mine.py").write_text(MINE + MISDEEDS)
    options = [f"--reedbackup-case={pattern}" for pattern in CHOSEN]
    _, report = run_suite(f"mine:{name}", options=options)
    errors = {case.case_id: case.detail for case in report.cases if case.outcome is Outcome.ERROR}
    assert errors == {}
    broken = [case for case in report.cases if case.outcome is Outcome.FAIL]
    assert broken
    if name == "NoArchive":
        assert any(".tar.gz" in case.detail + case.found for case in broken)


LAST = """
import os, pathlib
from reedbase_backup.adapter.loading import load

class Gone:
    contracts = ("last",)
    def __init__(self):
        self.__dict__.update(load("python-last").functions)
        made = self.create_backup
        def create_backup(base_path):
            info = made(base_path)
            os.unlink(info.path)
            return info
        self.create_backup = create_backup

class Elsewhere(Gone):
    def __init__(self):
        self.__dict__.update(load("python-last").functions)
        made = self.create_backup
        def create_backup(base_path):
            info = made(base_path)
            elsewhere = "/no/such/folder/" + os.path.basename(info.path)
            return dict(path=elsewhere, timestamp=info.timestamp,
                        size_bytes=info.size_bytes, size_mb=info.size_mb)
        self.create_backup = create_backup
"""


@pytest.mark.parametrize("name", ["Gone", "Elsewhere"])
def test_nor_is_it_under_contract_last(run_suite: RunSuite, tmp_path: Path, name: str) -> None:
    (tmp_path / "mine.py").write_text(LAST)
    options = ["--reedbackup-case=last/create/*", "--reedbackup-case=last/list/*"]
    _, report = run_suite(f"mine:{name}", options=options)
    errors = {case.case_id: case.detail for case in report.cases if case.outcome is Outcome.ERROR}
    assert errors == {}
    assert any(case.outcome is Outcome.FAIL for case in report.cases)


@pytest.fixture
def failing(tmp_path: Path) -> Callable[[Path], OSError]:
    def fail(path: Path) -> OSError:
        with pytest.raises(OSError) as caught:
            path.read_bytes()
        return caught.value

    return fail


def test_only_names_in_a_database_that_the_implementation_was_called_on_are_its_doing(
    tmp_path: Path, failing: Callable[[Path], OSError]
) -> None:
    base, other = tmp_path / "1" / ".reed", tmp_path / "2" / ".reed"
    for folder in (base, other):
        folder.mkdir(parents=True)
    broken = blamed_on_implementation(failing(base / "backups" / "5.tar.gz"), {base}, ())
    assert broken is not None
    assert broken.what == "'backups/5.tar.gz' in the database, after the calls before"
    assert blamed_on_implementation(failing(other / "5.tar.gz"), {base}, ()) is None
    assert blamed_on_implementation(OSError(28, "No space left", str(base)), {base}, ()) is None
    assert blamed_on_implementation(OSError("no errno"), {base}, ()) is None


def test_a_folder_of_the_kits_own_that_somebody_removed_is_not_its_doing(
    tmp_path: Path, failing: Callable[[Path], OSError]
) -> None:
    base = tmp_path / "removed" / ".reed"
    assert blamed_on_implementation(failing(base / "tables"), {base}, ()) is None
