"""A data set from the pictures in a folder or an archive, whatever they are."""

from __future__ import annotations

import os
from collections import Counter
from functools import partial
from pathlib import Path

from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder
from pgan_tf.data.sources.archives import find_archives, list_members
from pgan_tf.data.sources.fitting import MAX_FILE_BYTES, Files, Options, write_files
from pgan_tf.data.sources.labels import SideFiles, find_labels, side_suffix
from pgan_tf.data.sources.members import member_name, open_member
from pgan_tf.data.sources.picture import EXTENSIONS
from pgan_tf.data.sources.report import Report


def create_from_images(
    out: str | os.PathLike, folder: str | os.PathLike, options: Options, labels: str = "none"
) -> Report:
    """Makes the data set `out` of all pictures in `folder` and below it, or in archives, which are not unpacked.

    folder: a folder; a .zip, .tar, .tar.gz or .tgz; webdataset shards as a pattern shards-{00000..00009}.tar or a
    folder of .tar files. Pictures are sorted by relative path, in shards shard by shard, then put in the order of
    `writer.order`: a folder and an archive of it give the same files.
    labels: a row of `labels.LABELS`; labels are one-hot, names of classes go to `<name>-labels.txt`. Raises DataError.
    """
    check_new_folder(out)
    files, others = find_files(folder, labels, options.max_file_bytes)
    if not files.items:
        raise DataError(f"{folder}: holds no pictures ({' '.join(sorted(EXTENSIONS))})")
    report = Report(source=f"{folder} ({len(files.items)} picture files)")
    if others:
        kinds = ", ".join(f"{kind or 'no extension'} ({n})" for kind, n in others.most_common(5))
        report.notes.append(f"left alone {others.total()} files that are no pictures: {kinds}")
    return write_files(out, files, options, report)


def list_pictures(folder: str | os.PathLike) -> tuple[list[str], Counter]:
    """Relative paths (with slashes) of the picture files in and below `folder`, sorted; the others, by extension.

    Told by extension; hidden files and folders are left out of both (macOS leaves `._name.jpg` beside every file).
    Links to folders are followed, but not those to a folder that they lie in.
    """
    pictures, others = [], Counter()
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".") and not _leads_back(Path(parent, name))]
        for name in names:
            extension = Path(name).suffix.lower()
            if name.startswith("."):
                continue
            if extension in EXTENSIONS:
                pictures.append(Path(parent, name).relative_to(folder).as_posix())
            else:
                others[extension] += 1
    return sorted(pictures), others


def _leads_back(folder: Path) -> bool:
    """Whether a folder is a link to one of those around it: all pictures there would come over and over."""
    return folder.is_symlink() and folder.resolve() in [around.resolve() for around in folder.absolute().parents]


def find_files(
    path: str | os.PathLike, labels: str = "none", max_file_bytes: int = MAX_FILE_BYTES
) -> tuple[Files, Counter]:
    """The pictures that `path` of `create_from_images` means, sorted, and the other files by extension."""
    archives = find_archives(path)
    return _files_in_archives(archives, max_file_bytes, labels) if archives else _files_in_folder(path, labels)


def _files_in_folder(folder: str | os.PathLike, labels: str) -> tuple[Files, Counter]:
    if not Path(folder).is_dir():
        raise DataError(f"{folder}: no such folder or archive")
    pictures, others = list_pictures(folder)
    found = find_labels(labels, pictures, SideFiles(folder), folder)
    return Files(pictures, partial(os.path.join, os.fspath(folder)), str, *found), others


def _files_in_archives(archives: list[str], max_bytes: int, labels: str) -> tuple[Files, Counter]:
    members, texts, others = list_members(archives, side_suffix(labels))
    where = archives[0] if len(archives) == 1 else f"{archives[0]} ... {archives[-1]}"
    found = find_labels(labels, members.paths(), texts, where)
    return Files(members, partial(open_member, max_bytes=max_bytes), member_name, *found), others
