"""A data set from the pictures in a folder or an archive, whatever they are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from pgan_tf.data.creation_report import Report
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder
from pgan_tf.data.label_rows import vector_notes
from pgan_tf.data.pictures.formats import EXTENSIONS
from pgan_tf.data.sources.archives import find_archives, list_members
from pgan_tf.data.sources.fitting import MAX_FILE_BYTES, Files, Options, write_files
from pgan_tf.data.sources.labels import check_kind, find_labels
from pgan_tf.data.sources.listing import Listing, list_folder
from pgan_tf.data.sources.members import member_bytes, member_name, open_member
from pgan_tf.data.sources.packing import Scratch
from pgan_tf.data.sources.sides import DATASET_JSON, Sides
from pgan_tf.text import shown


def create_from_images(
    out: str | os.PathLike, folder: str | os.PathLike, options: Options, labels: str = "none"
) -> Report:
    """Makes the data set `out` of all pictures in `folder` and below it, or in archives.

    folder: a folder; a .zip, or a .tar, packed or not; webdataset shards as a pattern shards-{00000..00009}.tar or a
    folder of .tar files. Pictures are sorted by relative path, in shards shard by shard, then put in the order of
    `writer.order`: a folder and an archive of it give the same files.
    labels: a row of `labels.LABELS`; labels are one-hot, names of classes go to `<name>-labels.txt`. Raises DataError.
    """
    check_new_folder(out)
    check_kind(labels)
    with open_listing(folder, out, Sides(labels, options.max_side_bytes)) as listing:
        if not listing.paths:
            why = "; ".join(["", *listing.notes()])
            raise DataError(f"{folder}: holds no pictures ({' '.join(sorted(EXTENSIONS))}){why}")
        report = Report(source=f"{folder} ({len(listing.paths)} picture files)", besides=listing.besides)
        report.notes += listing.notes() + _unused(labels, listing)
        rows = find_labels(labels, listing.paths, listing.sides, folder)
        report.notes += vector_notes(rows.labels)
        files = as_files(listing, folder, options.max_file_bytes)
        return write_files(out, files._replace(labels=rows.labels, label_names=rows.names), options, report)


@contextmanager
def open_listing(path: str | os.PathLike, out: str | os.PathLike, sides: Sides | None = None) -> Iterator[Listing]:
    """The pictures that `path` means, a folder or archives: see `create_from_images`; while the block runs.

    `out`: what is made of them; archives that must be unpacked are, beside it. Raises DataError.
    """
    archives = find_archives(path)
    if not archives and not Path(path).is_dir():
        raise DataError(f"{path}: no such folder or archive")
    with Scratch(out) as scratch:
        yield list_members(archives, scratch, sides) if archives else list_folder(path, sides)


def as_files(listing: Listing, folder: str | os.PathLike, max_file_bytes: int = MAX_FILE_BYTES) -> Files:
    """The pictures of a listing, of `folder` where it is one of a folder, to be opened by workers."""
    if listing.pictures is listing.paths:
        return Files(listing.paths, partial(os.path.join, os.fspath(folder)), shown)
    opening = partial(open_member, max_bytes=max_file_bytes)
    return Files(listing.pictures, opening, member_name, in_memory=member_bytes)


def _unused(labels: str, listing: Listing) -> list[str]:
    """A note where there are labels that nobody has asked for."""
    if labels == "none" and listing.has_index:
        return [f"labels in {DATASET_JSON} are not taken; --labels=json takes them"]
    return []
