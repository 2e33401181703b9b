"""CIFAR-10 and CIFAR-100, both versions, unpacked or as downloaded: the same pictures and labels from each."""

from __future__ import annotations

import io
import os
import pickle
import tarfile

import numpy as np
import pytest

from pgan_tf.data import DataError, RecordDataset
from pgan_tf.data.engine import Output
from pgan_tf.data.sources import cifar
from pgan_tf.data.writer import order

RNG = np.random.RandomState(0)
COUNT, BATCHES = 20, 5
PIXELS = RNG.randint(0, 256, (COUNT, 3072)).astype(np.uint8)  # each R, G and B in rows
IMAGES = PIXELS.reshape(COUNT, 3, 32, 32).transpose(0, 2, 3, 1)
LABELS = {10: RNG.permutation(COUNT) % 10, 100: RNG.permutation(COUNT) * 5}
COARSE = RNG.randint(0, 20, COUNT)
NAMES = {10: [f"kind{i}" for i in range(10)], 100: [f"fine{i}" for i in range(100)]}
CREATE = {10: cifar.create_cifar10, 100: cifar.create_cifar100}
VERSIONS = [(10, "python"), (10, "binary"), (100, "python"), (100, "binary")]


def python2(value: object) -> bytes:
    """A pickle as Python 2 and a numpy of its time write it: text and pixels are byte strings."""

    class Pickler(pickle._Pickler):
        def _save_string(self, text: str | bytes) -> None:
            content = text.encode("latin1") if isinstance(text, str) else text
            self.write(b"T" + len(content).to_bytes(4, "little") + content)
            self.memoize(text)

        dispatch = {**pickle._Pickler.dispatch, str: _save_string, bytes: _save_string}

    file = io.BytesIO()
    Pickler(file, protocol=2).dump(value)
    return file.getvalue().replace(b"numpy._core", b"numpy.core")


def files(classes: int, version: str) -> dict[str, bytes]:
    """{path in the archive: content} of a set of 20 training and 20 test pictures, as its author describes it."""
    labels = LABELS[classes]
    if (classes, version) == (10, "python"):
        rows = np.split(np.arange(COUNT), BATCHES)
        parts = {f"data_batch_{i + 1}": part for i, part in enumerate(rows)} | {"test_batch": np.arange(COUNT)[::-1]}
        found = {
            name: python2({"batch_label": name, "labels": labels[part].tolist(), "data": PIXELS[part],
                           "filenames": [f"{i}.png" for i in part]})
            for name, part in parts.items()
        }  # fmt: skip
        found["batches.meta"] = python2({"num_cases_per_batch": 4, "label_names": NAMES[10], "num_vis": 3072})
        folder = "cifar-10-batches-py"
    elif (classes, version) == (10, "binary"):
        records = np.concatenate([labels[:, None].astype(np.uint8), PIXELS], axis=1)
        found = {f"data_batch_{i + 1}.bin": part.tobytes() for i, part in enumerate(np.split(records, BATCHES))}
        found |= {"test_batch.bin": records[::-1].tobytes(), "batches.meta.txt": lines(NAMES[10])}
        folder = "cifar-10-batches-bin"
    elif (classes, version) == (100, "python"):
        parts = {"train": np.arange(COUNT), "test": np.arange(COUNT)[::-1]}
        found = {
            name: python2({"data": PIXELS[part], "fine_labels": labels[part].tolist(),
                           "coarse_labels": COARSE[part].tolist()})
            for name, part in parts.items()
        }  # fmt: skip
        found["meta"] = python2({"fine_label_names": NAMES[100], "coarse_label_names": ["coarse"] * 20})
        folder = "cifar-100-python"
    else:
        both = np.stack([COARSE, labels], axis=1).astype(np.uint8)
        records = np.concatenate([both, PIXELS], axis=1)
        found = {"train.bin": records.tobytes(), "test.bin": records[::-1].tobytes()}
        found |= {"fine_label_names.txt": lines(NAMES[100]), "coarse_label_names.txt": lines(["coarse"] * 20)}
        folder = "cifar-100-binary"
    return {f"{folder}/{name}": content for name, content in found.items()} | {f"{folder}/readme.html": b"<html>"}


def lines(names: list[str]) -> bytes:
    return "\n".join([*names, "", ""]).encode()


def unpacked(root, contents: dict[str, bytes]):
    for name, content in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def packed(path, contents: dict[str, bytes], mode: str = "w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture(params=VERSIONS, ids=lambda version: f"{version[0]}-{version[1]}")
def version(request, monkeypatch):
    """Each set and version; 20 images are the whole set."""
    monkeypatch.setattr(cifar, "COUNTS", {"train": COUNT, "test": COUNT})
    return request.param


@pytest.mark.parametrize("form", ["inside", "around", "tar.gz", "tar"])
def test_every_form_gives_the_same_set(tmp_path, version, form):
    classes, contents = version[0], files(*version)
    if form in ("inside", "around"):
        path = unpacked(tmp_path / "in", contents)
        path = path / next(iter(contents)).split("/")[0] if form == "inside" else path
    else:
        path = packed(tmp_path / f"set.{form}", contents, "w:gz" if form == "tar.gz" else "w")
    report = CREATE[classes](tmp_path / "out", path, Output())
    dataset = RecordDataset(tmp_path / "out")
    assert (dataset.resolution, dataset.channels) == (32, 3)
    np.testing.assert_array_equal(dataset.read(32, np.arange(COUNT)), IMAGES[order(COUNT)])
    np.testing.assert_array_equal(dataset.labels, np.eye(classes)[LABELS[classes][order(COUNT)]])
    assert (tmp_path / "out" / "out-labels.txt").read_text().split() == NAMES[classes]
    assert report.notes == []


def test_the_test_split_unshuffled(tmp_path, version):
    path = packed(tmp_path / "set.tar.gz", files(*version))
    CREATE[version[0]](tmp_path / "out", path, Output(shuffle=False), split="test")
    np.testing.assert_array_equal(RecordDataset(tmp_path / "out").read(32, np.arange(COUNT)), IMAGES[::-1])


def test_label_names_are_optional(tmp_path, version):
    contents = {
        name: content for name, content in files(*version).items() if "meta" not in name and "names" not in name
    }
    CREATE[version[0]](tmp_path / "out", packed(tmp_path / "set.tar.gz", contents), Output())
    assert not (tmp_path / "out" / "out-labels.txt").exists()
    assert RecordDataset(tmp_path / "out").label_size == version[0]


def test_the_counts_are_those_of_the_sets():
    assert cifar.COUNTS == {"train": 50_000, "test": 10_000}


@pytest.mark.parametrize("kind", ["python", "binary"])
def test_a_part(tmp_path, kind):
    """Batches 2 and 4 of five: refused, or taken as they are."""
    contents = {
        name: content
        for name, content in files(10, kind).items()
        if not name.removesuffix(".bin").endswith(("1", "3", "5"))
    }
    path = unpacked(tmp_path / "in", contents)
    with pytest.raises(DataError, match=r"has no data_batch_1.*, data_batch_3.*--allow_partial"):
        cifar.create_cifar10(tmp_path / "out", path, Output())
    assert not (tmp_path / "out").exists()
    report = cifar.create_cifar10(tmp_path / "out", path, Output(shuffle=False), allow_partial=True)
    kept = [4, 5, 6, 7, 12, 13, 14, 15]
    np.testing.assert_array_equal(RecordDataset(tmp_path / "out").read(32, np.arange(8)), IMAGES[kept])
    assert "8 of the set's 50000 images" in str(report)
    whole = unpacked(tmp_path / "whole", files(10, kind))
    with pytest.raises(DataError, match="20 images of 50000"):
        cifar.create_cifar10(tmp_path / "out2", whole, Output())


def refused(tmp_path, create, path, reason: str) -> None:
    with pytest.raises(DataError, match=reason) as info:
        create(tmp_path / "out", path, Output(), allow_partial=True)
    assert "\n" not in str(info.value)
    assert str(info.value).startswith(str(path))
    assert not (tmp_path / "out").exists()


BAD_BATCHES = {
    "another program": (pickle.dumps({"data": os.getcwd}), r"train: its pickle asks for (posix|nt)\.getcwd, which"),
    "a list": (python2([1]), "train: holds list, not a dict"),
    "no pixels": (python2({"fine_labels": [1]}), "`data` is not an array"),
    "other pixels": (python2({"data": PIXELS[:, :3], "fine_labels": [1]}), "`data` is not an array"),
    "wide pixels": (python2({"data": PIXELS.astype(int), "fine_labels": [1]}), "`data` is not an array"),
    "no labels": (python2({"data": PIXELS}), "`fine_labels` is not a list of integers"),
    "fractions": (python2({"data": PIXELS, "fine_labels": [0.5] * COUNT}), "`fine_labels` is not a list of integers"),
    "one number": (python2({"data": PIXELS, "fine_labels": np.array(3)}), "`fine_labels` is not a list of integers"),
    "few labels": (python2({"data": PIXELS, "fine_labels": [1]}), "1 labels for 20 images"),
    "no images": (python2({"data": PIXELS[:0], "fine_labels": []}), "0 labels for 0 images|damaged"),
    "no such class": (python2({"data": PIXELS, "fine_labels": [100] * COUNT}), "from 100 to 100, .* are 0 to 99"),
    "huge": (python2({"data": PIXELS, "fine_labels": [1 << 70] * COUNT}), "classes are integers"),
    "negative": (python2({"data": PIXELS, "fine_labels": [-1] * COUNT}), "from -1 to -1"),
    "cut": (python2({"data": PIXELS, "fine_labels": [1] * COUNT})[:-9], "not a pickle, or damaged"),
}


@pytest.mark.parametrize("case", BAD_BATCHES)
def test_pickles_refused(tmp_path, case):
    content, reason = BAD_BATCHES[case]
    path = unpacked(tmp_path / "in", {"cifar-100-python/train": content})
    refused(tmp_path, cifar.create_cifar100, path, reason)


def test_records_refused(tmp_path):
    whole = files(10, "binary")["cifar-10-batches-bin/data_batch_1.bin"]
    for number, (content, reason) in enumerate(
        [(whole[:-1], "data_batch_1.bin: 12291 bytes are not a multiple of 3073"), (b"", "0 labels for 0 images"),
         (b"\x0a" + whole[1:], r"labels from \d to 10, but classes are 0 to 9")]
    ):  # fmt: skip
        path = unpacked(tmp_path / f"in{number}", {"data_batch_1.bin": content})
        refused(tmp_path, cifar.create_cifar10, path, reason)


def test_names_refused(tmp_path):
    contents = files(100, "python")
    for number, (names, reason) in enumerate([(["a"], "meta has 1 names for 100 classes"), (3, "not a list of names")]):
        contents["cifar-100-python/meta"] = python2({"fine_label_names": names})
        refused(tmp_path, cifar.create_cifar100, unpacked(tmp_path / f"in{number}", contents), reason)


def test_places_refused(tmp_path):
    refused(tmp_path, cifar.create_cifar10, tmp_path / "absent", "no such file or folder")
    empty = tmp_path / "empty"
    empty.mkdir()
    refused(tmp_path, cifar.create_cifar10, empty, "no file data_batch_1 or data_batch_1.bin")
    other = packed(tmp_path / "cifar-100.tar.gz", files(100, "python"))
    refused(tmp_path, cifar.create_cifar10, other, "has no train split of this set")
    whole = other.read_bytes()
    for content in (b"", b"text", whole[: len(whole) // 2], whole[:100] + b"?" * 50 + whole[150:]):
        other.write_bytes(content)
        refused(tmp_path, cifar.create_cifar100, other, "not a .tar.gz archive, or damaged")


def test_a_changed_bit_in_an_archive_is_found(tmp_path):
    """By gzip's checksum, although the archive itself is sound."""
    path = packed(tmp_path / "set.tar.gz", files(10, "binary"))
    content = bytearray(path.read_bytes())
    content[-8] ^= 1  # of the checksum, which cannot be told from a bit of a picture
    path.write_bytes(content)
    refused(tmp_path, cifar.create_cifar10, path, "damaged .CRC check failed")


def test_an_archive_is_read_in_place(tmp_path, version, monkeypatch):
    """Whatever paths it has, links and other files; a file beyond all measure is refused by its header."""
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    contents = {f"../../../{name}": content for name, content in files(*version).items()}
    path = packed(tmp_path / "set.tar", contents, "w")
    with tarfile.open(path, "a") as archive:
        link = tarfile.TarInfo(f"x/{sorted(contents)[0].split('/')[-1]}")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
    before = set(tmp_path.rglob("*"))
    CREATE[version[0]](tmp_path / "out", path, Output())
    assert set(tmp_path.rglob("*")) - before == {tmp_path / "out", *(tmp_path / "out").iterdir()}
    monkeypatch.setattr(cifar, "_FILE_LIMIT", 3000)
    with pytest.raises(DataError, match=r"has \d+ bytes, more than any file of this set"):
        CREATE[version[0]](tmp_path / "out2", path, Output())
