"""A trace of system calls, read back: names of any bytes, folders of descriptors, modes, sizes."""

from __future__ import annotations

import pytest

from pytest_reedbackup.injection.planting import changed_by
from pytest_reedbackup.injection.traced.points import changes
from pytest_reedbackup.injection.traced.seen_files import _Seen
from pytest_reedbackup.injection.traced.system_calls import SystemCall, parsed


def _hex(text: str | bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in (text.encode() if isinstance(text, str) else text))


def _parse(*lines: str) -> list[SystemCall]:
    return list(parsed("\n".join(lines), "/work"))


def test_a_name_is_joined_to_the_folder_of_its_descriptor() -> None:
    arguments = f'3<{_hex("/base")}>, "{_hex("ü<,>")}", O_WRONLY|O_CREAT|O_EXCL, 0600'
    (call,) = _parse(f"7 openat({arguments}) = 4<{_hex('/base/ü<,>')}>")
    assert call.paths == ("/base/ü<,>",)
    assert call.opened == "/base/ü<,>"
    assert call.flags == {"O_WRONLY", "O_CREAT", "O_EXCL"}
    assert (call.pid, call.mode, call.result) == (7, 0o600, 4)


def test_a_name_without_a_folder_is_joined_to_the_working_folder() -> None:
    (call,) = _parse(f'7 mkdir("{_hex("new")}", 0777) = 0')
    assert call.paths == ("/work/new",)


def test_creat_is_an_open_that_makes_a_file_and_empties_it() -> None:
    (call,) = _parse(f'7 creat("{_hex("/base/new")}", 0644) = 3<{_hex("/base/new")}>')
    assert changes(call)
    assert list(changed_by(call)) == ["/base/new"]
    assert call.flags >= {"O_CREAT", "O_TRUNC"}


@pytest.mark.parametrize("name", [b"\xff\xfe", b"a b\nc", b'"'])
def test_a_name_may_hold_any_bytes(name: bytes) -> None:
    (call,) = _parse(f'7 unlink("{_hex(b"/base/" + name)}") = -1 ENOENT (No such file)')
    assert [path.encode("utf-8", "surrogateescape") for path in call.paths] == [b"/base/" + name]
    assert call.result == -1


def test_a_call_that_another_thread_interrupts_is_put_together() -> None:
    (other, call) = _parse(
        f'7 rename("{_hex("/a")}", <unfinished ...>',
        f'8 rmdir("{_hex("/c")}") = 0',
        f'7 <... rename resumed>"{_hex("/b")}") = 0',
    )
    assert (other.name, call.paths) == ("rmdir", ("/a", "/b"))


def test_a_write_is_to_its_descriptor_and_a_copy_to_its_second() -> None:
    lines = (
        f'7 write(4<{_hex("/base/x")}>, "{_hex("abc")}", 3) = 3',
        f"7 copy_file_range(3<{_hex('/a')}>, NULL, 4<{_hex('/b')}>, NULL, 9, 0) = 9",
        "7 sendfile(5<{}>, 3<{}>, NULL, 8) = 8".format(_hex("/c"), _hex("/a")),
    )
    assert [call.paths for call in _parse(*lines)] == [("/base/x",), ("/b",), ("/c",)]


def test_what_is_no_whole_call_is_passed_over() -> None:
    assert _parse("7 --- SIGCHLD {si_signo=SIGCHLD} ---", "7 +++ exited with 0 +++", "") == []


def _seen(*lines: str, umask: int = 0) -> dict[str, tuple[int, int]]:
    seen = _Seen(umask)
    for call in _parse(*lines):
        seen.add(call)
    return {file.path: (file.open_to, file.written) for file in seen.files}


def _made(pid: int, path: str, mode: str) -> str:
    arguments = f'AT_FDCWD<{_hex("/")}>, "{_hex(path)}", O_WRONLY|O_CREAT, {mode}'
    return f"{pid} openat({arguments}) = 4<{_hex(path)}>"


def test_a_file_is_open_to_whom_any_of_its_modes_lets_in() -> None:
    lines = (_made(7, "/b/x", "0640"), f'7 chmod("{_hex("/b/x")}", 0604) = 0')
    assert _seen(*lines) == {"/b/x": (0o644, 0)}


def test_the_umask_counts_that_the_process_or_the_one_that_started_it_has_set() -> None:
    lines = ("7 umask(077) = 022", "7 clone(child_stack=NULL) = 8", _made(8, "/b/x", "0666"))
    assert _seen(*lines) == {"/b/x": (0o600, 0)}
    assert _seen(_made(7, "/b/x", "0666"), umask=0o027) == {"/b/x": (0o640, 0)}


def test_a_folder_that_the_call_made_for_itself_keeps_others_out_until_the_file_leaves_it() -> None:
    inside = (f'7 mkdir("{_hex("/b/t")}", 0700) = 0', _made(7, "/b/t/x", "0644"))
    assert _seen(*inside) == {"/b/t/x": (0, 0)}
    left = f'7 rename("{_hex("/b/t/x")}", "{_hex("/b/y")}") = 0'
    assert _seen(*inside, left) == {"/b/y": (0o644, 0)}
