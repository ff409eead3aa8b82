"""Values and exceptions of Python that are odd: sent as what they are, or said not to fit."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pytest_reedbackup.implementations.answers import Answer, Answered, Refused, value_of
from pytest_reedbackup.implementations.child import ChildProcess
from pytest_reedbackup.implementations.client import Client
from pytest_reedbackup.implementations.in_process import InProcess
from pytest_reedbackup.model.failures import UnfitValue
from reedbase_backup.adapter.loading import load

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
    "fraction": '[0].timestamp is wrong: `value[0].timestamp`: {"',
    "complex": "[0].timestamp is a complex, of no type that JSON has",
    "huge": "[0].timestamp is an integer of 33220 bits, more than a u64 has",
    "nan": "[0].timestamp is the float nan, which JSON does not have",
    "infinite": "[0].timestamp is the float inf, which JSON does not have",
    "bytes": "[0].compression is a bytes, of no type that JSON has",
    "bool": "[0].timestamp is wrong: `value[0].timestamp`: true in place of an integer",
    "none": "[0].timestamp is wrong: `value[0].timestamp`: null in place of an integer",
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
def test_an_exception_is_an_answer_however_little_it_says(
    client: Client, what: str, answer: tuple[str, str]
) -> None:
    refused = listed(client, what)
    assert isinstance(refused, Refused)
    assert refused.kind == answer[0]
    assert refused.message.startswith(answer[1])
