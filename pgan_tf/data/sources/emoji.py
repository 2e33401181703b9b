"""A data set from the emoji of an npm package emoji-datasource-<vendor>, fetched by `npm pack` and unpacked."""

from __future__ import annotations

import json
import os
from collections import Counter
from functools import partial
from pathlib import Path

from pgan_tf.data.creation_report import Report
from pgan_tf.data.errors import DataError
from pgan_tf.data.files import check_new_folder
from pgan_tf.data.sources.fitting import Files, Options, write_files
from pgan_tf.text import read_text

DEFAULT_CATEGORY = "People & Body"


def create_emoji(
    out: str | os.PathLike, package_folder: str | os.PathLike, options: Options, category: str = DEFAULT_CATEGORY
) -> Report:
    """Makes the data set `out` of one category's 64x64 pictures, skin tones included, sorted by file name.

    package_folder: holds `emoji.json` and `img/<vendor>/64/*.png`. Raises DataError.
    """
    check_new_folder(out)
    emoji = _read_index(Path(package_folder) / "emoji.json")
    pictures = _picture_folder(Path(package_folder))
    categories = Counter(entry["category"] for entry in emoji)
    if category not in categories:
        raise DataError(f"--category={category}: not in {package_folder}; it has {', '.join(sorted(categories))}")
    files = category_files(emoji, category, vendor=pictures.parent.name)
    if not files:
        raise DataError(f"--category={category}: {pictures} has no picture of it; choose another category or vendor")
    report = Report(source=f"{pictures}, category {category} ({len(files)} picture files)")
    return write_files(out, Files(files, partial(os.path.join, pictures)), options, report)


def category_files(emoji: list[dict], category: str, vendor: str) -> list[str]:
    """File names of a category, sorted: each emoji that the vendor has drawn and each of its skin tones."""
    entries = [entry for entry in emoji if entry["category"] == category]
    variants = [variant for entry in entries for variant in entry.get("skin_variations", {}).values()]
    return sorted(entry["image"] for entry in entries + variants if entry.get(f"has_img_{vendor}"))


def _read_index(path: Path) -> list[dict]:
    try:
        emoji = json.loads(read_text(path))
        complete = all({"category", "image"} <= entry.keys() for entry in emoji)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; give the folder of an unpacked emoji-datasource package") from error
    except (ValueError, AttributeError) as error:
        raise DataError(f"{path}: not the index of an emoji-datasource package: {error}") from error
    if not complete:
        raise DataError(f"{path}: not the index of an emoji-datasource package: an entry has no category or image")
    return emoji


def _picture_folder(package: Path) -> Path:
    folders = sorted(package.glob("img/*/64"))
    if len(folders) != 1:
        found = ", ".join(folder.parent.name for folder in folders) or "none"
        raise DataError(f"{package}: needs the pictures of one vendor, img/<vendor>/64/*.png; found: {found}")
    return folders[0]
