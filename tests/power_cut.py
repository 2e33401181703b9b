"""What a disk may hold after a power cut at any moment of some work.

A cut leaves what was settled by fsync: contents of files, names in folders. What came later may be there or not, and
a disk that has carried out a renaming need not have the content of what was renamed. Two disks stand for all of them:
one that has done only what it was asked to settle, and one that has done every change of names and no other content.
"""

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

WATCHED = ("fsync", "rename", "replace", "unlink", "rmdir")


class PowerCut:
    """`with PowerCut(folder, tmp_path / "disk", law): work()` calls law(disk) for every disk at every cut.

    law: gets a folder that holds what `folder` would hold after the cut. What is there at the start is settled.
    """

    def __init__(self, folder: Path, disk: Path, law: Callable[[Path], None]):
        self.folder, self.disk, self.law = folder, disk, law
        self.contents: dict[int, bytes] = {}  # by the number of the file
        self.names: dict[int, dict[str, int]] = {}  # by the number of the folder: which number each name in it means
        self.kept: list[int] = []  # open files, so that no number is given to another file
        self.patch, self.lock, self.looking, self.cuts = pytest.MonkeyPatch(), threading.RLock(), False, 0

    def __enter__(self):
        for path in [self.folder, *self.folder.rglob("*")]:
            self._settle(os.open(path, os.O_RDONLY))
        for name in WATCHED:
            self.patch.setattr(os, name, self._watched(name, getattr(os, name)))
        return self

    def __exit__(self, *error):
        self.patch.undo()
        for descriptor in self.kept:
            os.close(descriptor)

    def _watched(self, name: str, call: Callable) -> Callable:
        def watched(*arguments, **options):
            with self.lock:
                if self.looking:
                    return call(*arguments, **options)
                self._cut()
                found = call(*arguments, **options)
                if name == "fsync":
                    self._settle(os.dup(arguments[0]))
                self._cut()
                return found

        return watched

    def _settle(self, descriptor: int) -> None:
        self.kept.append(descriptor)
        path, number = Path(os.readlink(f"/proc/self/fd/{descriptor}")), os.fstat(descriptor).st_ino
        if path.is_dir():
            self.names[number] = names_in(path)
        else:
            self.contents[number] = path.read_bytes()

    def _cut(self) -> None:
        folders = [path for path in [self.folder, *self.folder.rglob("*")] if path.is_dir()]
        now = {path.stat().st_ino: names_in(path) for path in folders}
        self.looking = True
        for names in (self.names, now):
            shutil.rmtree(self.disk, ignore_errors=True)
            self._write(self.disk, self.folder.stat().st_ino, names, now.keys() | self.names.keys())
            self.law(self.disk)
            self.cuts += 1
        self.looking = False

    def _write(self, path: Path, number: int, names: dict, folders) -> None:
        if number not in folders:
            path.write_bytes(self.contents.get(number, b""))
            return
        path.mkdir()
        for name, below in names.get(number, {}).items():
            self._write(path / name, below, names, folders)


def names_in(folder: Path) -> dict[str, int]:
    return {entry.name: entry.stat(follow_symlinks=False).st_ino for entry in folder.iterdir()}
