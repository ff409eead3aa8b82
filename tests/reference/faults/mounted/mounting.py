"""Databases with mount points and overlays in them, and what a restore is to undo there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

needs_mounts = pytest.mark.skipif(
    os.geteuid() != 0 or sys.platform != "linux", reason="only root on Linux can mount"
)


LAYERS = {"lowerdir": "layer", "upperdir": "upper", "workdir": "work"}


def mounts_of(folder: Path) -> list[str]:
    """The mount points below, in the order in which they were mounted."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [place for line in lines if (place := _place(line)).startswith(f"{folder}/")]


def _place(line: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), line.split()[4])


def change(base: Path) -> None:
    """What a restore has to undo, of each kind."""
    text = base / "tables" / "text"
    (text / "current.csv").write_text("changed")
    (text / "made since").mkdir(mode=0o500)
    (text / "made since" / "file").touch()
    (text / "empty").rmdir()
    (text / "version.log").unlink()
    (base / "indices" / "metadata.json").write_text("changed")
    (text / "deep" / "er" / "leaf").write_text("changed")


def layered(base: Path, mount: Callable[..., None], tmp_path: Path) -> Path:
    """The base, as the lower layer of an overlay."""
    for name in ("layer", "upper", "work", "merged"):
        (tmp_path / name).mkdir()
    shutil.move(base, tmp_path / "layer")
    layers = [f"{name}={tmp_path / folder}" for name, folder in LAYERS.items()]
    mount("-t", "overlay", "-o", ",".join(layers), "none", tmp_path / "merged")
    return tmp_path / "merged" / base.name


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Mounts until the test ends; skips where the machine does not let it."""

    def run(*arguments: object) -> None:
        tried = subprocess.run(
            ["mount", *map(str, arguments)], capture_output=True, text=True, check=False
        )
        if tried.returncode != 0:
            pytest.skip(f"mount does not work here: {tried.stderr.strip()}")

    yield run
    # Wherever a broken restore may have taken them.
    for place in reversed(mounts_of(tmp_path)):
        subprocess.run(["umount", place], check=True)
