"""Laws over all kinds of names, links and repetitions: an archive gives what its unpacked folder gives, byte for byte;
and everything that it lists is a picture of the set, or is counted among what is not."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pgan_tf.data.sources.archives import list_members
from pgan_tf.data.sources.listing import Listing, list_folder
from pgan_tf.data.sources.members import open_member
from pgan_tf.data.sources.packing import Scratch

PNG = b"\x89PNG\r\n\x1a\n"  # the listing never decodes
FOLDERS = ["a", "b", "A", "a/x", "b/.h", "@eaDir", "e\u0301", "\u00e9", "c d"]
FILES = ["1.png", "2.PNG", "n.o.1.jpg", "n.o.2.jpg", "n.jpg", "n.cls", "n.o.2.cls", "\udcff.png", "\udcfe.png", "photo"]
FILES += ["text", "w.txt", "._1.png", "Thumbs.db", "\u00e9.png", "e\u0301.png", "q\\r.png", "new\nline.png"]
LINKS = ["l.png", "m.png", "k", "a/l.png", "a/k", "b/k"]  # no name of a folder or a file
TARGETS = ["1.png", "a/1.png", "../b/2.PNG", "k", "l.png", "m.png", "nowhere.png", "..", ".", "a", "../b", "b/k/k"]
TARGETS += ["x/..", "a/../a/1.png"]

QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


class Entry(NamedTuple):
    """What an archive says, in its order."""

    path: str
    kind: str = "file"  # file, hard, soft
    target: str = ""


def entries(*kinds: str) -> st.SearchStrategy[list[Entry]]:
    inner = st.sampled_from(["", *FOLDERS]).flatmap(
        lambda folder: st.sampled_from(FILES).map(lambda name: f"{folder}/{name}".lstrip("/"))
    )
    files, targets = st.builds(Entry, inner, st.just("file")), st.sampled_from(TARGETS)
    choices = {
        "file": files,
        "hard": st.builds(Entry, st.sampled_from(LINKS), st.just("hard"), inner),
        "soft": st.builds(Entry, st.sampled_from(LINKS), st.just("soft"), targets | inner),
    }
    return st.lists(st.one_of(*(choices[kind] for kind in kinds)), min_size=1, max_size=14)


def content_of(number: int, entry: Entry) -> bytes:
    """Every file another one; `photo` is a picture, `text` is none, though neither has an extension."""
    return (b"text" if entry.path.endswith("text") else PNG) + b"%d" % number


def unpack(found: list[Entry], root: Path) -> None:
    """As tar does."""
    for number, entry in enumerate(found):
        path = root / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if entry.kind == "hard" and not os.path.lexists(root / entry.target):
                continue
            path.unlink(missing_ok=True)
            if entry.kind == "file":
                path.write_bytes(content_of(number, entry))
            elif entry.kind == "soft":
                path.symlink_to(entry.target)
            else:
                os.link(root / entry.target, path, follow_symlinks=False)


def write_tar(found: list[Entry], path: Path) -> None:
    kinds = {"file": tarfile.REGTYPE, "hard": tarfile.LNKTYPE, "soft": tarfile.SYMTYPE}
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as archive:
        for number, entry in enumerate(found):
            info = tarfile.TarInfo(f"./{entry.path}" if number % 2 else entry.path)
            content = content_of(number, entry) if entry.kind == "file" else b""
            info.type, info.linkname, info.size = kinds[entry.kind], entry.target, len(content)
            archive.addfile(info, BytesIO(content))


def write_zip(found: list[Entry], path: Path) -> None:
    """Names that are no text are left out: zipfile cannot write them."""
    with zipfile.ZipFile(path, "w") as archive:
        for number, entry in enumerate(found):
            info = zipfile.ZipInfo(entry.path)
            if entry.kind == "soft":
                info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, os.fsencode(entry.target) if entry.kind == "soft" else content_of(number, entry))


def leads_to_a_folder(entry: Entry) -> bool:
    return entry.kind == "soft" and "." not in entry.target.rpartition("/")[2].strip(".")


@contextlib.contextmanager
def listed(found: list[Entry], write) -> Iterator[tuple[Listing, dict[str, bytes], Listing, dict[str, bytes]]]:
    """Of the archive and of its unpacked folder: the listing, and the content of each picture."""
    with tempfile.TemporaryDirectory() as place:
        archive, root = Path(place, "set.tar"), Path(place, "in", "root")
        root.mkdir(parents=True)
        write(found, archive)
        unpack(found, root)
        with Scratch(Path(place, "out")) as scratch:
            ours = list_members([str(archive)], scratch)
            in_archive = {member.path: open_member(member, 2**20).read() for member in ours.pictures}
        theirs = list_folder(root)
        in_folder = {path: (root / path).read_bytes() for path in theirs.paths if (root / path).exists()}
        yield ours, in_archive, theirs, in_folder


def cases(number: int):
    return settings(max_examples=number, derandomize=True, deadline=None, database=None, suppress_health_check=QUIET)


CIRCLE = [Entry("a/1.png"), Entry("k", "soft", "a"), Entry("a/k", "soft", "../k"), Entry("l.png", "soft", "l.png")]
CHAIN = [Entry("a/1.png"), Entry("l.png", "hard", "a/1.png"), Entry("m.png", "soft", "l.png"), Entry("a/1.png")]
THROUGH = [Entry("b/1.png"), Entry("a/k", "soft", "../b"), Entry("l.png", "soft", "a/k/1.png")]


@cases(80)
@given(entries("file", "hard", "soft"))
@example(CIRCLE)
@example(CHAIN)
@example(THROUGH)
def test_a_tar_gives_what_its_folder_gives(found):
    with listed(found, write_tar) as (ours, in_archive, _, in_folder):
        assert in_archive == in_folder
        assert ours.paths == sorted(in_folder)


@cases(40)
@given(entries("file", "soft").map(lambda found: [e for e in found if e.path.isprintable() and "\\" not in e.path]))
@example([Entry("a/1.png"), Entry("k", "soft", "a"), Entry("a/1.png")])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_gives_what_its_folder_gives(found):
    with listed(found, write_zip) as (_, in_archive, _, in_folder):
        assert in_archive == in_folder


@cases(60)
@given(entries("file", "hard", "soft").map(lambda found: [e for e in found if not leads_to_a_folder(e)]))
def test_everything_listed_is_counted(found):
    """Links to folders apart: behind them lie any number of files."""
    with listed(found, write_tar) as (ours, _, _, _):
        assert len(ours.paths) + ours.besides == len(found)
        assert sum("(" in note for note in ours.notes()) == len(ours.notes())


@cases(40)
@given(entries("file"))
def test_a_folder_counts_what_is_in_it(found):
    with listed(found, write_tar) as (_, _, theirs, _):
        with tempfile.TemporaryDirectory() as place:
            unpack([entry for entry in found if not {".h", "@eaDir"} & set(entry.path.split("/"))], Path(place))
            files = [path for path in Path(place).rglob("*") if path.is_file()]
            assert len(list_folder(place).paths) + list_folder(place).besides == len(files)
        assert len(theirs.paths) == len(set(theirs.paths))


OUT = ["/etc/passwd", "../../../etc/passwd", "a/../../x", "/", "/a/1.png", "../a/1.png", "a/../../a/1.png"]


@pytest.mark.parametrize("target", OUT)
def test_links_never_lead_outside(target, tmp_path):
    """Nor do those that leave the archive come in again, as if it were the root of a system."""
    for name in ("l.png", "k"):
        write_tar([Entry("a/1.png"), Entry(name, "soft", target), Entry("m.png", "soft", "k/passwd")], tmp_path / "t")
        listing = list_members([str(tmp_path / "t")], Scratch(tmp_path / "out"))
        assert listing.paths == ["a/1.png"]
        assert listing.besides == 2


def test_folders_of_links_to_folders_do_not_explode(tmp_path):
    found = [Entry("d20/1.png")]
    for level in range(20):
        found += [Entry(f"d{level}/{name}", "soft", f"../d{level + 1}") for name in "abcdef"]
    write_tar(found, tmp_path / "t")
    with pytest.raises(Exception, match="far more files than it holds"):
        list_members([str(tmp_path / "t")], Scratch(tmp_path / "out"))
    shutil.rmtree(tmp_path)
