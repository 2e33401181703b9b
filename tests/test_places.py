"""A user's word is a path of the disk, as pathlib has it, or one on a store with the same methods; or one line."""

from __future__ import annotations

import pickle
from pathlib import Path

import fsspec
import pytest

from pgan_tf.places import (
    PlaceError,
    Ranges,
    StoreError,
    absolute,
    check_on_disk,
    download,
    is_stored,
    name_of,
    place,
    scheme,
    size_of,
    upload,
)  # fmt: skip
from tests.stores import KINDS, ScriptedStore, new_root, tree

LOCAL = ["datasets/mnist", "/a/b", ".", "a:b", "C://drive", "a//b", "not a scheme://x", "1s://x", "s3:/one", "gs:"]


@pytest.mark.parametrize("word", LOCAL)
def test_what_is_on_the_disk_is_pathlibs_own(word):
    assert type(place(word)) is type(Path(word))
    assert place(word) == Path(word)
    assert not is_stored(word)
    assert check_on_disk(word, "it") is word


def test_other_words_for_the_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert place(f"file://{tmp_path}/set") == tmp_path / "set"
    assert absolute(f"file://{tmp_path}/set") == str(tmp_path / "set")
    assert place(tmp_path) is tmp_path
    assert (absolute("set"), name_of(".")) == (str(tmp_path / "set"), tmp_path.name)


@pytest.mark.parametrize("kind", KINDS)
def test_a_path_on_a_store_has_pathlibs_methods(kind):
    root = new_root(kind)
    assert (root.exists(), root.is_dir()) == (False, False)
    (root / "deep").mkdir(parents=True)
    (root / "words.txt").write_text("größer")
    (root / "deep" / "bytes").write_bytes(bytes(range(256)))
    assert sorted(path.name for path in root.iterdir()) == ["deep", "words.txt"]
    assert [str(path) for path in root.glob("*.txt")] == [f"{root}/words.txt"]
    assert (root / "words.txt").read_text() == "größer"
    assert (root.is_dir(), (root / "words.txt").is_file(), (root / "deep").is_file()) == (True, True, False)
    assert size_of(root / "deep" / "bytes") == 256
    (root / "words.txt").unlink()
    assert tree(root) == {"deep/bytes": bytes(range(256))}
    root.rmtree()
    assert not root.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_it_keeps_its_scheme(kind):
    root = new_root(kind)
    word = str(root)
    assert (scheme(word), is_stored(word), scheme(root)) == (kind, True, kind)
    assert place(root) is root
    assert place(word) == root == place(word.replace(kind, kind.upper()))
    assert pickle.loads(pickle.dumps(root)) == root
    assert str(root / "a" / "b") == f"{word}/a/b" == absolute(f"{word}/a/b")
    assert ((root / "a").parent, name_of(root), (root / "a.b").suffix) == (root, "data", ".b")
    assert str((root / "a").with_name("b")) == f"{word}/b"


@pytest.mark.parametrize("kind", KINDS)
def test_ranges_are_those_of_the_file(kind):
    root, content = new_root(kind), bytes(range(200))
    root.mkdir(parents=True)
    (root / "file").write_bytes(content)
    ranges = Ranges(root / "file")
    for offset, length in ((0, 200), (50, 10), (7, 1), (199, 1), (190, 50), (0, 3)):
        assert ranges.read(offset, length) == content[offset : offset + length]


@pytest.mark.parametrize("kind", KINDS)
def test_files_go_to_the_store_and_come_back(kind, tmp_path):
    root = new_root(kind)
    root.mkdir(parents=True)
    for content in (b"first" * 1000, b"", b"second"):
        (tmp_path / "here").write_bytes(content)
        upload(tmp_path / "here", root / "there")
        download(root / "there", tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == content == (root / "there").read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_there_is_said_as_pathlib_says_it(kind, tmp_path):
    root = new_root(kind)
    for call in (
        (root / "no").read_bytes, (root / "no").read_text, lambda: size_of(root / "no"), lambda: list(root.iterdir()),
        lambda: Ranges(root / "no").read(0, 1), lambda: download(root / "no", tmp_path / "no"),
    ):  # fmt: skip
        with pytest.raises(FileNotFoundError) as info:
            call()
        assert str(root) in str(info.value)
    (root / "no").unlink(missing_ok=True)
    assert list(tmp_path.iterdir()) == []


# ---- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["ftp://host/x", "nobody://x/y", "http://host/x", "sftp://host/x", "zip://x"])
def test_schemes_that_are_no_stores(word):
    with pytest.raises(PlaceError, match=rf"^{word}: {scheme(word)}:// is no store that .*; copy it to a disk$"):
        place(word)


@pytest.mark.parametrize(
    ("words", "named"),
    [("Install s3fs to access S3", "pip install s3fs;"), ("Please, pip install adlfs.", "pip install adlfs;")],
)
def test_a_plug_in_that_is_missing_is_named(words, named, monkeypatch):
    def missing(kind):
        raise ImportError(words)

    monkeypatch.setattr(fsspec, "get_filesystem_class", missing)
    with pytest.raises(
        PlaceError, match=f"^plugged://bucket/x: plugged:// needs a plug-in: {named} or copy it to a disk"
    ):
        place("plugged://bucket/x")


def test_what_has_to_be_on_a_disk():
    with pytest.raises(PlaceError, match=r"^ram://a/b: this has to be on a disk"):
        check_on_disk("ram://a/b", "this")


class Strange(Exception):
    """What a store's library raises, over several lines."""


@pytest.mark.parametrize(
    "fault", [Strange("no rights\nat all"), OSError("no rights\nat all"), PermissionError("no rights")]
)
def test_faults_of_a_store_are_one_line(fault, monkeypatch, tmp_path):
    def script(call, path):
        raise fault

    root = new_root("scripted")
    (tmp_path / "file").write_text("x")
    monkeypatch.setattr(ScriptedStore, "script", staticmethod(script))
    for call in (lambda: upload(tmp_path / "file", root / "x"), lambda: Ranges(root / "x").read(0, 1)):
        with pytest.raises(StoreError) as info:
            call()
        assert str(info.value) == f"{root}/x: the store does not do it: no rights"


def test_what_was_not_copied_to_its_end_is_not_there(monkeypatch, tmp_path):
    root = new_root("scripted")
    (tmp_path / "file").write_text("x")

    def half(self, source, target, **kwargs):
        self.pipe_file(target, b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(ScriptedStore, "put_file", half)
    with pytest.raises(KeyboardInterrupt):
        upload(tmp_path / "file", root / "x")
    assert not (root / "x").exists()
