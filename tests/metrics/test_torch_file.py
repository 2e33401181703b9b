"""Files of torch.save are read without torch: to the last bit, or refused in one line, and nothing in them runs."""

import contextlib
import pickle
import zipfile

import numpy as np
import pytest
import reference
import torch_files
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.weights import torch_file
from torch_files import legacy, pickled, tensor, write_legacy, write_zip

GOLDEN = [reference.SMALL / f"inception_mini_{kind}.pth" for kind in ("legacy", "zip")]
FOUR = np.arange(4, dtype=np.float32).tobytes()


def refusal(path) -> str:
    with pytest.raises(MetricError) as caught:
        torch_file.read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def file(tmp_path):
    def write(content: bytes):
        (tmp_path / "file.pth").write_bytes(content)
        return tmp_path / "file.pth"

    return write


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_torch_s_own_files(path):
    expected, found = reference.small("inception_mini_expected.npz"), torch_file.read(path)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].dtype == value.dtype
        np.testing.assert_array_equal(found[name], value)


def test_round_trip(tmp_path):
    arrays = {"a": np.random.RandomState(0).randn(3, 4, 5), "b": np.float32([1.5]), "n": np.array(7, np.int64)}
    found = torch_file.read(write_legacy(tmp_path / "x.pth", arrays))
    assert {name: value.tolist() for name, value in found.items()} == {k: v.tolist() for k, v in arrays.items()}


def test_strides_and_offset(file):
    entry = tensor("k", 8, shape=(2, 3), strides=(1, 2), offset=1)
    found = torch_file.read(file(legacy({"x": entry}, {"k": (8, np.arange(8, dtype=np.float32).tobytes())})))
    assert found["x"].tolist() == [[1, 3, 5], [2, 4, 6]]
    with pytest.raises(ValueError, match="read-only"):
        found["x"][0, 0] = 5


def test_two_tensors_share_a_storage(file):
    entries = {"x": tensor("k", 4, (4,), (1,)), "y": tensor("k", 4, (2,), (1,), offset=2)}
    found = torch_file.read(file(legacy(entries, {"k": (4, FOUR)})))
    assert (found["x"].tolist(), found["y"].tolist()) == ([0, 1, 2, 3], [2, 3])


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_every_truncation_is_refused(path, file):
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        refusal(file(content[:length]))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_flipped_byte_never_gives_another_error(path, file):
    content, random = path.read_bytes(), np.random.RandomState(0)
    for _ in range(300):
        damaged = bytearray(content)
        damaged[random.randint(len(content))] = random.randint(256)
        with contextlib.suppress(MetricError):  # a number among the weights may change, unseen
            torch_file.read(file(bytes(damaged)))


class Hostile:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def hostile_files(path, mark):
    """The same program in each place where a pickle is read."""
    import os

    evil = pickle.dumps(Hostile(os.system, f"touch {mark}"), protocol=2)
    sound = legacy({}, {})
    at = sound.index(torch_files.SYSTEM)
    tail = legacy({"x": evil[2:-1]}, {})
    for content in (evil, sound[:at] + evil, tail):
        path.write_bytes(content)
        yield path
    yield write_zip(path, {"data.pkl": evil})


def test_a_hostile_pickle_runs_nothing_and_is_named(tmp_path):
    mark = tmp_path / "mark"
    for path in hostile_files(tmp_path / "x.pth", mark):
        assert "posix.system" in refusal(path) or "nt.system" in refusal(path)
    assert not mark.exists()


ASKED = ["builtins eval", "torch load", "torch._utils _rebuild_tensor", "torch BFloat16Storage", "os popen"]


@pytest.mark.parametrize("name", ASKED)
def test_other_globals_are_refused_by_name(name, file):
    module, attribute = name.split()
    entry = f"c{module}\n{attribute}\n".encode()
    assert f"{module}.{attribute}" in refusal(file(legacy({"x": entry}, {})))


def test_a_pickle_cannot_change_what_it_is_given(file):
    """BUILD sets attributes: not on the functions, which would then be others for the next file."""
    entry = b"ctorch._utils\n_rebuild_tensor_v2\nN}X\x0c\x00\x00\x00__defaults__)s\x86b"
    refusal(file(legacy({"x": entry}, {})))
    torch_file.read(GOLDEN[0])


WRONG = {
    "longer than its storage": tensor("k", 4, (5,), (1,)),
    "behind its storage": tensor("k", 4, (2,), (1,), offset=3),
    "stretched by a stride of 0": tensor("k", 4, (10**9, 10**9), (0, 0)),
    "steps out of it": tensor("k", 4, (2, 2), (1, 3)),
    "steps back": tensor("k", 4, (4,), (-1,), offset=3),
    "negative shape": tensor("k", 4, (-4,), (1,)),
    "more strides than axes": tensor("k", 4, (4,), (1, 1)),
    "an absurd storage": tensor("k", 2**62, (2**62,), (1,)),
    "a storage of less than nothing": tensor("k", -4, (4,), (1,)),
    "one storage, two sizes": tensor("k", 4, (4,), (1,)) + b"0" + tensor("k", 3, (3,), (1,)),
    "no storage": tensor("other", 4, (4,), (1,)),
    "another type than its storage's": tensor("k", 4, (4,), (1,), storage=b"DoubleStorage"),
    "a memo of gigabytes": b"N" + b"r" + b"\xff\xff\xff\x7f",
    "a text of gigabytes": b"X\xff\xff\xff\x7f",
    "bytes of exabytes": b"\x8e" + b"\xff" * 7 + b"\x3f",
}


@pytest.mark.parametrize("entry", WRONG.values(), ids=WRONG.keys())
def test_wrong_sizes_are_refused(entry, file):
    refusal(file(legacy({"x": entry}, {"k": (4, FOUR)})))


def test_the_count_before_a_storage_must_be_the_announced_one(file):
    assert "3 elements, 4" in refusal(file(legacy({"x": tensor("k", 4, (4,), (1,))}, {"k": (3, FOUR)})))


def test_zip_entries(tmp_path):
    path, entry = tmp_path / "x.pth", {"data.pkl": pickled({"x": tensor("k", 4, (4,), (1,))})}
    assert torch_file.read(write_zip(path, {**entry, "data/k": FOUR}))["x"].tolist() == [0, 1, 2, 3]
    assert "8 bytes, 16" in refusal(write_zip(path, {**entry, "data/k": FOUR[:8]}))
    assert "0 bytes, 16" in refusal(write_zip(path, entry))
    assert "big-endian" in refusal(write_zip(path, {**entry, "data/k": FOUR, "byteorder": b"big"}))
    assert "compressed" in refusal(write_zip(path, {**entry, "data/k": FOUR}, zipfile.ZIP_DEFLATED))
    assert "not one of torch.save" in refusal(write_zip(path, {"word/document.xml": b"<xml/>"}))


def test_other_files(tmp_path, file):
    assert "No such file" in refusal(tmp_path / "missing.pth")
    assert "empty" in refusal(file(b""))
    for content in (b"<html>404</html>", b"\x89HDF\r\n", pickle.dumps([1, 2]), b"\x00" * 100):
        assert "not a file of torch.save" in refusal(file(content))
    assert "holds no tensors" in refusal(file(legacy({}, {})))
