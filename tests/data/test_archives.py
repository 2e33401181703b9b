"""Archives and shards: read in place, the same data set as from a folder; labels; limits; damage."""

from __future__ import annotations

import argparse
import io
import json
import random
import struct
import tarfile
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from pgan_tf.commands import flags
from pgan_tf.data import DataError, RecordDataset
from pgan_tf.data.engine import Output
from pgan_tf.data.sources.archives import find_archives, list_members
from pgan_tf.data.sources.gzips import SeekableGzip
from pgan_tf.data.sources.images import Options, create_from_images
from pgan_tf.data.sources.members import Member, Members, open_member
from pgan_tf.data.sources.packing import Scratch

AS_IS = Options(resolution=8, output=Output(shuffle=False))


def png(value: int, side: int = 8) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((side, side), value, np.uint8)).save(buffer, "png")
    return buffer.getvalue()


NAMES = sorted(
    [f"b/{i:02d}.png" for i in range(7)] + [f"a/x/{i}.png" for i in range(6)] + [f"c c/é{i}.png" for i in range(7)]
)
PICTURES = {name: png(value) for value, name in enumerate(NAMES)}  # the value of a picture is its place
LABELS = np.repeat([0, 1, 2], [6, 7, 7])


def write_folder(path, files):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)


def write_zip(path, files, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def write_tar(path, files, form=tarfile.PAX_FORMAT):
    mode = "w:gz" if path.name.endswith("gz") else "w"
    with tarfile.open(path, mode, format=form) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


WRITERS = {
    "set.zip": write_zip,
    "stored.ZIP": lambda path, files: write_zip(path, files, zipfile.ZIP_STORED),
    "set.tar": write_tar,
    "gnu.tar": lambda path, files: write_tar(path, files, tarfile.GNU_FORMAT),
    "set.tar.gz": write_tar,
    "set.tgz": write_tar,
}


def mixed(files, seed=0):
    """The same files in another order: archives have any."""
    names = list(files)
    random.Random(seed).shuffle(names)
    return {name: files[name] for name in names}


def values(folder) -> list[int]:
    dataset = RecordDataset(folder)
    return dataset.read(8, np.arange(dataset.count))[:, 0, 0, 0].tolist()


def classes(folder) -> list[int]:
    return RecordDataset(folder).labels.argmax(axis=1).tolist()


def make(tmp_path, source, labels="none", **options):
    return create_from_images(tmp_path / "out", source, AS_IS._replace(**options), labels)


def refused(tmp_path, source, labels="none", **options) -> str:
    with pytest.raises(DataError) as info:
        make(tmp_path, source, labels, **options)
    assert "\n" not in str(info.value)
    assert not (tmp_path / "out").exists()
    return str(info.value)


# ---- the same as a folder --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WRITERS)
def test_an_archive_is_its_folder(tmp_path, name):
    """Byte for byte, labels included, whatever the order in the archive; nothing else is written anywhere."""
    write_folder(tmp_path / "in", PICTURES)
    WRITERS[name](tmp_path / name, mixed(PICTURES))
    for source, out in (("in", "folder"), (name, "archive")):
        create_from_images(tmp_path / out / "set", tmp_path / source, Options(resolution=8), labels="folders")
    for path in (tmp_path / "folder" / "set").iterdir():
        assert path.read_bytes() == (tmp_path / "archive" / "set" / path.name).read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"in", name, "folder", "archive"}


@pytest.mark.parametrize("name", ["set.zip", "set.tgz"])
def test_in_parallel(tmp_path, name):
    WRITERS[name](tmp_path / name, mixed(PICTURES))
    make(tmp_path, tmp_path / name, output=Output(shuffle=False, workers=2))
    assert values(tmp_path / "out") == list(range(20))


@pytest.mark.parametrize("name", ["set.zip", "set.tar"])
def test_paths_are_only_names(tmp_path, name):
    """One root folder says nothing, `./` neither; hidden files are not read; a path that leads out leads nowhere."""
    files = {f"./root/{key}": content for key, content in PICTURES.items()}
    files |= {"__MACOSX/root/._a.png": b"?", "root/.cache/x.png": b"?", "root/notes.txt": b"", "root/a/link.PSD": b""}
    WRITERS[name](tmp_path / name, files)
    report = make(tmp_path, tmp_path / name, labels="folders")
    assert values(tmp_path / "out") == list(range(20))
    assert report.label_names == ["a", "b", "c c"]
    assert "left alone 2 files that are no pictures: .txt (1), .psd (1)" in str(report)


def test_a_path_that_leads_out(tmp_path):
    (tmp_path / "deep").mkdir()
    write_tar(tmp_path / "deep" / "set.tar", {"../../up.png": png(1), "/tmp/root.png": png(2)})
    create_from_images(tmp_path / "deep" / "out", tmp_path / "deep" / "set.tar", AS_IS)
    assert values(tmp_path / "deep" / "out") == [1, 2]
    assert {path.name for path in tmp_path.rglob("*.png")} == set()


def test_the_later_of_two_with_one_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("a.png", png(5))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.png", png(6))
    make(tmp_path, tmp_path / "set.zip")
    assert values(tmp_path / "out") == [6]


def test_links_in_a_tar_are_left_alone(tmp_path):
    with tarfile.open(tmp_path / "set.tar", "w") as archive:
        for name, kind in (("a.png", tarfile.SYMTYPE), ("b.png", tarfile.LNKTYPE), ("c.png", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert "holds no pictures" in refused(tmp_path, tmp_path / "set.tar")


# ---- shards ----------------------------------------------------------------------------------------------------------


def samples(first: int, count: int) -> dict[str, bytes]:
    """webdataset: KEY.png, KEY.cls, KEY.json and another picture of the same key."""
    files = {}
    for i in range(first, first + count):
        files[f"{i:03d}.png"] = png(i)
        files[f"{i:03d}.cls"] = b"%d\n" % (i % 3)
        files[f"{i:03d}.json"] = json.dumps({"label": "xyz"[i % 3], "size": i % 2}).encode()
        files[f"{i:03d}.seg.png"] = png(255)
    return files


@pytest.fixture
def shards(tmp_path):
    (tmp_path / "shards").mkdir()
    for shard, first in (("08", 0), ("09", 4), ("10", 8)):
        write_tar(tmp_path / "shards" / f"s-{shard}.tar", mixed(samples(first, 4)))
    return tmp_path / "shards"


@pytest.mark.parametrize("pattern", ["", "s-{08..10}.tar"])
@pytest.mark.parametrize("labels", ["none", "cls", "json", "json:size"])
def test_shards(tmp_path, shards, pattern, labels):
    report = make(tmp_path, shards / pattern, labels)
    assert values(tmp_path / "out") == list(range(12))
    if labels == "none":
        assert RecordDataset(tmp_path / "out").labels is None
        return
    assert classes(tmp_path / "out") == [i % (2 if labels == "json:size" else 3) for i in range(12)]
    assert report.label_names == (["x", "y", "z"] if labels == "json" else [])


def test_keys_may_repeat_in_other_shards(tmp_path):
    (tmp_path / "in").mkdir()
    for shard in range(2):
        files = {"0.png": png(shard), "0.cls": b"%d" % shard}
        write_tar(tmp_path / "in" / f"{shard}.tar", files)
    make(tmp_path, tmp_path / "in", "cls")
    assert values(tmp_path / "out") == classes(tmp_path / "out") == [0, 1]


def test_one_tar_for_each_class(tmp_path):
    """As ImageNet comes."""
    (tmp_path / "in").mkdir()
    for value, name in enumerate(("n01", "n02")):
        write_tar(tmp_path / "in" / f"{name}.tar", {f"{name}_1.JPEG.png": png(9), "p.png": png(value)})
    assert make(tmp_path, tmp_path / "in", "folders").label_names == ["n01", "n02"]
    assert values(tmp_path / "out") == [9, 0, 9, 1]
    assert classes(tmp_path / "out") == [0, 0, 1, 1]


def test_patterns(tmp_path):
    for name in ("a0-x1.tar", "a0-x2.tar", "a1-x1.tar", "a1-x2.tar"):
        write_tar(tmp_path / name, {"p.png": png(0)})
    found = [name.rsplit("/", 1)[-1] for name in find_archives(tmp_path / "a{0..1}-x{1..2}.tar")]
    assert found == ["a0-x1.tar", "a0-x2.tar", "a1-x1.tar", "a1-x2.tar"]
    assert "a2-x1.tar: no such file" in refused(tmp_path, tmp_path / "a{0..2}-x1.tar")
    assert "must rise" in refused(tmp_path, tmp_path / "a{2..0}.tar")
    assert "must rise" in refused(tmp_path, tmp_path / "a{0..999999999}.tar")


def test_what_is_no_archive(tmp_path):
    (tmp_path / "a.rar").touch()
    assert "a.rar: neither a folder nor an archive (.zip .tar .tar.gz .tgz " in refused(tmp_path, tmp_path / "a.rar")
    assert "absent.zip: no such folder or archive" in refused(tmp_path, tmp_path / "absent.zip")
    (tmp_path / "a.7z").write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(100))
    assert "a.7z: an archive of 7-Zip, which is not read here; unpack it" in refused(tmp_path, tmp_path / "a.7z")


def test_a_folder_with_pictures_is_no_folder_of_shards(tmp_path, shards):
    (shards / "p.png").write_bytes(png(77))
    make(tmp_path, shards)
    assert values(tmp_path / "out") == [77]


# ---- labels ----------------------------------------------------------------------------------------------------------


def style_gan(index) -> dict[str, bytes]:
    return {**PICTURES, "dataset.json": json.dumps(index).encode()}


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_the_index_of_stylegan(tmp_path, kind):
    files = style_gan({"labels": [[name, int(label)] for name, label in zip(NAMES, LABELS, strict=True)]})
    {"folder": write_folder, "zip": write_zip}[kind](tmp_path / f"in.{kind}", mixed(files))
    make(tmp_path, tmp_path / f"in.{kind}", "json")
    assert classes(tmp_path / "out") == LABELS.tolist()


def test_vectors_as_labels(tmp_path):
    write_zip(tmp_path / "in.zip", style_gan({"labels": [[name, [i, 0.5]] for i, name in enumerate(NAMES)]}))
    make(tmp_path, tmp_path / "in.zip", "json")
    expected = np.stack([np.arange(20), np.full(20, 0.5)], axis=1)
    np.testing.assert_array_equal(RecordDataset(tmp_path / "out").labels, expected)


INDICES = {
    "has no labels": {"labels": None},
    "is not StyleGAN's index": {"x": 1},
    "has no label for 19 pictures (a/x/1.png)": {"labels": [[NAMES[0], 1]]},
    "lists of as many numbers": {"labels": [[name, [0] * (1 + i % 2)] for i, name in enumerate(NAMES)]},
    "not bool": {"labels": [[name, True] for name in NAMES]},
    "labels from -1 to -1": {"labels": [[name, -1] for name in NAMES]},
    "more than 65536": {"labels": [[name, 10**7] for name in NAMES]},
    "not int and str": {"labels": [[name, "x" if i else 1] for i, name in enumerate(NAMES)]},
}


@pytest.mark.parametrize("message", INDICES)
def test_refused_indices(tmp_path, message):
    write_zip(tmp_path / "in.zip", style_gan(INDICES[message]))
    assert message in refused(tmp_path, tmp_path / "in.zip", "json")


def test_refused_labels(tmp_path):
    write_zip(tmp_path / "in.zip", samples(0, 2) | {"x.png": png(0)})
    assert "--labels=cls: x.png has no x.cls beside it" in refused(tmp_path, tmp_path / "in.zip", "cls")
    write_zip(tmp_path / "in.zip", samples(0, 2))
    assert "--labels=json:kind: 000.json holds no object with `kind`" in refused(
        tmp_path, tmp_path / "in.zip", "json:kind"
    )
    for flag in ("folder", "cls:x", ""):
        assert f"--labels={flag}: must be one of" in refused(tmp_path, tmp_path / "in.zip", flag)
    assert "2 pictures lie directly in" in refused(tmp_path, tmp_path / "in.zip", "folders")


# ---- limits ----------------------------------------------------------------------------------------------------------


def huge_png(width: int, height: int) -> bytes:
    """A PNG of that size in its header, and hardly any data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("form", ["folder", "set.zip", "set.tar"])
def test_a_header_that_promises_much(tmp_path, form):
    """Refused by the header: nothing is decoded. Only the flag decides, not Pillow's own limit."""
    files = {"a.png": huge_png(100_000, 100_000), "b.png": png(1), "c.png": huge_png(20_000, 10_000)}
    (write_folder if form == "folder" else WRITERS[form])(tmp_path / form, files)
    report = make(tmp_path, tmp_path / form, max_pixels=2**20, resolution=None)
    assert values(tmp_path / "out") == [1]
    assert [name for name, _ in report.skipped] == ["a.png", "c.png"]
    assert all("more pixels than --max_pixels=1048576" in reason for _, reason in report.skipped)


def test_the_limit_is_exact(tmp_path):
    write_folder(tmp_path / "in", {"a.png": png(1, side=16), "b.png": png(2, side=17)})
    report = make(tmp_path, tmp_path / "in", max_pixels=256)
    assert [name for name, _ in report.skipped] == ["b.png"]


@pytest.mark.parametrize("name", WRITERS)
def test_a_member_that_unpacks_to_much(tmp_path, name):
    WRITERS[name](tmp_path / name, {"bomb.png": bytes(10**6), "good.png": png(3)})
    report = make(tmp_path, tmp_path / name, max_file_bytes=10**5)
    assert values(tmp_path / "out") == [3]
    assert report.skipped == [("bomb.png", "unpacks to 1000000 bytes, more than --max_file_bytes=100000")]


def test_a_zip_that_lies_about_sizes(tmp_path):
    """The header says 100 bytes, the data unpacks to ten million: unpacking stops, and the member counts as damaged."""
    write_zip(tmp_path / "set.zip", {"bomb.png": bytes(10**7), "good.png": png(3)})
    content = (tmp_path / "set.zip").read_bytes()
    (tmp_path / "set.zip").write_bytes(content.replace(struct.pack("<I", 10**7), struct.pack("<I", 100)))
    tracemalloc.start()
    try:
        report = make(tmp_path, tmp_path / "set.zip")
        assert tracemalloc.get_traced_memory()[1] < 5 * 10**6
    finally:
        tracemalloc.stop()
    assert [name for name, _ in report.skipped] == ["bomb.png"]
    assert "damaged" in report.skipped[0][1]


def test_a_tar_header_that_claims_much(tmp_path):
    """A header for the next one's name, of a gigabyte: packed small, never read."""
    info = tarfile.TarInfo("long")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2**30
    (tmp_path / "set.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(2000))
    assert "claims 1073741824 bytes" in refused(tmp_path, tmp_path / "set.tar")


# ---- damage ----------------------------------------------------------------------------------------------------------


def test_a_damaged_member_is_skipped(tmp_path):
    """A bit that flips in the data of one picture costs this picture, even where the format itself would not see it."""
    bitmap = io.BytesIO()
    Image.fromarray(np.full((8, 8), 9, np.uint8)).save(bitmap, "bmp")
    write_zip(tmp_path / "set.zip", {"a.bmp": bitmap.getvalue(), "b.png": png(1)}, zipfile.ZIP_STORED)
    content = bytearray((tmp_path / "set.zip").read_bytes())
    content[content.index(bitmap.getvalue()) + len(bitmap.getvalue()) - 1] ^= 1
    (tmp_path / "set.zip").write_bytes(content)
    report = make(tmp_path, tmp_path / "set.zip")
    assert values(tmp_path / "out") == [1]
    assert report.skipped[0][0] == "a.bmp"
    assert "checksum" in report.skipped[0][1]


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [(8, 1, "encrypted"), (10, 9, "packed by Deflate64"), (10, 98, "packed by PPMd"), (10, 99, "encrypted"),
     (10, 77, "packed by an unknown method")],
)  # fmt: skip
def test_members_that_are_not_read(tmp_path, place, value, message):
    """By a password, or by a method that is named."""
    write_zip(tmp_path / "set.zip", {"a.png": png(0), "b.png": png(1)})
    content = bytearray((tmp_path / "set.zip").read_bytes())
    content[content.index(b"PK\1\2") + place] = value
    (tmp_path / "set.zip").write_bytes(content)
    report = make(tmp_path, tmp_path / "set.zip")
    assert values(tmp_path / "out") == [1]
    assert message in report.skipped[0][1]


@pytest.mark.parametrize("name", WRITERS)
def test_an_archive_that_is_cut_off(tmp_path, name):
    """One line, or all pictures before the cut; never a wrong one."""
    WRITERS[name](tmp_path / name, PICTURES)
    content = (tmp_path / name).read_bytes()
    for i, part in enumerate((0.0, 0.3, 0.6, 0.9)):
        (tmp_path / name).write_bytes(content[: int(part * len(content))])
        try:
            create_from_images(tmp_path / f"out{i}", tmp_path / name, AS_IS)
        except DataError as error:
            assert "\n" not in str(error)  # noqa: PT017
        else:
            assert set(values(tmp_path / f"out{i}")) <= set(range(20))


@pytest.mark.parametrize("name", ["set.zip", "set.tar", "set.tgz"])
def test_flipped_bits(tmp_path, name):
    """Every outcome is a data set or one line; the pictures of a checked archive are right or left out."""
    WRITERS[name](tmp_path / name, PICTURES)
    content, rng = (tmp_path / name).read_bytes(), random.Random(5)
    for i in range(40):
        damaged = bytearray(content)
        for _ in range(4):
            damaged[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        (tmp_path / name).write_bytes(damaged)
        try:
            create_from_images(tmp_path / f"out{i}", tmp_path / name, AS_IS)
        except DataError as error:
            assert "\n" not in str(error)  # noqa: PT017
        else:
            assert set(values(tmp_path / f"out{i}")) <= set(range(20))


def test_a_tar_that_is_cut_between_members(tmp_path):
    write_tar(tmp_path / "set.tar", {"a.png": png(0), "b.png": png(1)})
    second = list_members([str(tmp_path / "set.tar")], Scratch(tmp_path / "out")).pictures[1].start - 512
    (tmp_path / "set.tar").write_bytes((tmp_path / "set.tar").read_bytes()[:second])
    assert "set.tar: ends without its end mark" in refused(tmp_path, tmp_path / "set.tar")


@pytest.mark.parametrize("place", [0.5, -5])
def test_a_damaged_gzip_is_refused_as_a_whole(tmp_path, place):
    """Its checksum is at the end: no picture is read before all of it is known to be right."""
    write_tar(
        tmp_path / "set.tgz", {name: png(0) + bytes(np.random.RandomState(i).bytes(999)) for i, name in enumerate("ab")}
    )
    content = bytearray((tmp_path / "set.tgz").read_bytes())
    content[int(place * len(content)) if place > 0 else place] ^= 1
    (tmp_path / "set.tgz").write_bytes(content)
    assert "set.tgz: the gzip file is damaged" in refused(tmp_path, tmp_path / "set.tgz")


# ---- parts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("members", [1, 3])
def test_anywhere_in_a_gzip(tmp_path, members):
    """Random access equals slices of what was packed; the places stay few; padding after the end does not matter."""
    import gzip

    content = np.random.RandomState(0).randint(0, 9, 400_000).astype(np.uint8).tobytes()
    third = -(-len(content) // members)
    packed = b"".join(gzip.compress(content[i : i + third]) for i in range(0, len(content), third))
    (tmp_path / "a.gz").write_bytes(packed + bytes(512))
    seekable = SeekableGzip(tmp_path / "a.gz", places=3, spacing=1000)
    rng = random.Random(1)
    for _ in range(30):
        start, size = rng.randrange(len(content)), rng.randrange(50_000)
        assert seekable.read(start, size) == content[start : start + size]
    assert seekable.read(len(content), 5) == b""


def test_members_are_small_and_slice_like_a_list():
    members = Members()
    expected = [
        Member("xy"[i % 2] + [".tar", ".zip"][i % 2], f"p{i}", i, 2 * i, 3 * i, 4 * i, "plain") for i in range(9)
    ]
    for member in reversed(expected):
        members.add(member)
    members.sort()
    assert list(members) == expected
    assert members[2:7:2] == expected[2:7:2]
    assert members[-1] == expected[-1]


def test_a_member_beyond_the_archive(tmp_path):
    write_tar(tmp_path / "a.tar", {"a.png": png(0)})
    member = list_members([str(tmp_path / "a.tar")], Scratch(tmp_path / "out")).pictures[0]
    for start in (10**6, -1):
        with pytest.raises(DataError, match="cut off"):
            open_member(member._replace(start=start), 10**6)


def test_all_flags_about_the_files_reach_the_engine():
    parser = argparse.ArgumentParser()
    flags.add_out(parser)
    flags.add_pictures(parser)
    words = ["--shuffle=0", "--strict", "--workers=3", "--shards=2", "--engine=beam", "--beam_options=--x"]
    wanted = Output(shuffle=False, strict=True, workers=3, shards=2, engine="beam", beam_options=("--x",))
    options = flags.picture_options(parser.parse_args(["set", "--resolution=8", *words]))
    assert (options.output, options.resolution) == (wanted, 8)


# ---- names -----------------------------------------------------------------------------------------------------------


def zip_of_raw_names(path, names: list[bytes]) -> None:
    """A zip that says nothing about how its names are encoded; picture i has the value i."""
    stand_ins = {f"{i:03d}".ljust(len(name), "x"): name for i, name in enumerate(names)}
    write_zip(path, {name: png(value) for value, name in enumerate(stand_ins)}, zipfile.ZIP_STORED)
    content = path.read_bytes()
    for stand_in, name in stand_ins.items():
        content = content.replace(stand_in.encode(), name)
    path.write_bytes(content)


def in_order(path, out) -> list[tuple[str, int]]:
    listing = list_members([str(path)], Scratch(out))
    return [(member.path, int(np.asarray(Image.open(open_member(member, 10**6)))[0, 0])) for member in listing.pictures]


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        (["é.png".encode()], ["é.png"]),  # macOS says nothing, and writes UTF-8
        ([b"\x82.png"], ["é.png"]),  # DOS
        ([b"\x82.png", "é.png".encode()], ["é.png", "é.png"]),  # different names that mean one
        ([b"\x82.png", b"\x82.png"], ["é.png"]),  # the same name twice
        ([b"a\\1.png", b"a/1.png"], ["a/1.png", "a/1.png"]),
        ([b"a/1.png", b"./a/1.png", b"a//1.png"], ["a/1.png"]),  # unpacking makes one file of them
        ([b"A.png", b"a.png", b"a.PNG"], ["A.png", "a.PNG", "a.png"]),
        ([b"x\0y.png", b"x\0z.png"], ["x\0y.png", "x\0z.png"]),
    ],
)
def test_names_in_zips_are_told_apart_by_their_bytes(raw, meant, tmp_path):
    """None that is another one is lost; of one that comes twice the last is taken."""
    zip_of_raw_names(tmp_path / "set.zip", raw)
    found = in_order(tmp_path / "set.zip", tmp_path / "out")
    assert [path for path, _ in found] == meant
    assert len({value for _, value in found}) == len(meant)
    assert len(raw) - 1 in {value for _, value in found}
    report = make(tmp_path, tmp_path / "set.zip")
    assert f"listed       {len(raw)} = {len(meant)} written + 0 skipped + {len(raw) - len(meant)}" in str(report)


def test_names_in_tars_that_are_no_text(tmp_path):
    """Each byte counts, also where all of them look alike."""
    with tarfile.open(tmp_path / "set.tar", "w", encoding="latin1", format=tarfile.GNU_FORMAT) as archive:
        for value in range(25):
            info = tarfile.TarInfo(f"caf{chr(0xE0 + value)}.png")
            info.size = len(png(value))
            archive.addfile(info, io.BytesIO(png(value)))
    make(tmp_path, tmp_path / "set.tar")
    assert values(tmp_path / "out") == list(range(25))


@pytest.mark.parametrize("labels", ["none", "folders"])
def test_a_reason_is_shown_where_nothing_can_be_read(labels, tmp_path):
    """With the resolution and without it."""
    write_zip(tmp_path / "set.zip", {"a/1.png": png(0), "b/2.png": png(1)})
    content = bytearray((tmp_path / "set.zip").read_bytes())
    for place in range(len(content)):
        if content[place : place + 4] == b"PK\1\2":
            content[place + 8] |= 1
    (tmp_path / "set.zip").write_bytes(content)
    for resolution in (8, None):
        said = refused(tmp_path, tmp_path / "set.zip", labels, resolution=resolution)
        assert "(a/1.png: encrypted; unpack the archive and pack it again without a password)" in said


def test_pieces_of_a_file_are_no_file(tmp_path):
    """A sparse file in a tar has only its pieces there: read in a row they would be something else."""
    with tarfile.open(tmp_path / "set.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        for name, headers in (("a.png", {"GNU.sparse.size": "1000", "GNU.sparse.map": "0,4,900,4"}), ("b.png", {})):
            info = tarfile.TarInfo(name)
            info.size, info.pax_headers = len(png(5)), headers
            archive.addfile(info, io.BytesIO(png(5)))
    report = make(tmp_path, tmp_path / "set.tar")
    assert (values(tmp_path / "out"), report.skipped) == ([5], [])
    assert "left alone: neither files nor links that unpacking makes files of (1)" in report.notes
