"""What other programs pack is listed, verified and restored."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import FindTool, ReadDatabase, Tree

from reedbase_backup import (
    list_backups,
    restore_point_in_time,
)
from reedbase_backup.verify import verify

GO = """
package main

import ("archive/tar"; "compress/gzip"; "io"; "io/fs"; "os"; "path/filepath")

func main() {
    out, _ := os.Create(os.Args[2])
    packed := gzip.NewWriter(out)
    archive := tar.NewWriter(packed)
    os.Chdir(os.Args[1])
    for _, root := range []string{"tables", "indices"} {
        filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
            if err != nil { panic(err) }
            info, _ := entry.Info()
            header, _ := tar.FileInfoHeader(info, "")
            header.Name = path
            archive.WriteHeader(header)
            if !entry.IsDir() {
                file, _ := os.Open(path)
                io.Copy(archive, file)
                file.Close()
            }
            return nil
        })
    }
    archive.Close()
    packed.Close()
    out.Close()
}
"""


def python_in_pieces(base: Path, archive: Path) -> None:
    """tarfile's stream, whose gzip members are made one a piece."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as packed:
        for root in ("tables", "indices"):
            packed.add(base / root, root)
    content = tar.getvalue()
    with archive.open("wb") as file:
        for at in range(0, len(content), 5000):
            file.write(gzip.compress(content[at : at + 5000]))


SHELL = {
    "tar czf": "tar czf {archive} tables indices",
    "tar -b1": "tar -b1 -czf {archive} tables indices",
    "tar with a label": "tar -V label -czf {archive} tables indices",
    "tar of all of ./": "tar czf {archive} ./tables ./indices",
    "tar | split | gzip | cat": "tar cf - tables indices | split -b 3000 --filter='gzip -n'"
    " - > {archive}",
    "tar | gzip | dd": "tar cf - tables indices | gzip | dd bs=4096 conv=sync 2>/dev/null"
    " > {archive}",
    "bsdtar": "bsdtar czf {archive} tables indices",
    "pigz": "tar cf - tables indices | pigz > {archive}",
    "cpio": "find tables indices | cpio --quiet -o -H ustar | gzip > {archive}",
    "busybox": "busybox tar czf {archive} tables indices",
}


@pytest.mark.parametrize("program", SHELL)
def test_what_a_program_packs_comes_back(
    base: Path, database: ReadDatabase, tool: FindTool, program: str
) -> None:
    command = SHELL[program]
    for name in {"bsdtar", "pigz", "cpio", "busybox"} & set(command.split()):
        tool(name)
    _comes_back(
        base,
        database,
        lambda archive: subprocess.run(
            ["sh", "-c", command.format(archive=archive)], cwd=base, check=True, capture_output=True
        ),
    )


def test_what_python_packs_in_pieces_comes_back(base: Path, database: ReadDatabase) -> None:
    _comes_back(base, database, lambda archive: python_in_pieces(base, archive))


@pytest.mark.campaign
def test_what_go_packs_comes_back(base: Path, database: ReadDatabase, tmp_path: Path) -> None:
    if shutil.which("go") is None:
        pytest.skip("Go is not installed")
    (tmp_path / "pack.go").write_text(GO)
    environment = os.environ | {"GOFLAGS": "-mod=mod", "GOCACHE": str(tmp_path / "cache")}
    _comes_back(
        base,
        database,
        lambda archive: subprocess.run(
            ["go", "run", tmp_path / "pack.go", base, archive],
            check=True,
            capture_output=True,
            env=environment,
        ),
    )


def _comes_back(base: Path, database: ReadDatabase, pack: Callable[[Path], object]) -> None:
    def seen() -> Tree:
        return {name: (*entry[:2], *entry[3:]) for name, entry in database(base).items()}

    before = seen()
    (base / "backups").mkdir()
    pack(base / "backups" / "1000.tar.gz")
    shutil.rmtree(base / "tables")
    assert list_backups(base)[0].table_count == 2
    assert verify(base)[0].is_sound
    restore_point_in_time(base, 1000)
    assert seen() == before
