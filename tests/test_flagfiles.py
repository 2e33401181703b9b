"""Flagfiles are found by path or by name, from every folder, and read as a command line."""

from pathlib import Path

import pytest

from pgan_tf import flagfiles
from pgan_tf.config import ConfigError
from pgan_tf.experiments.suite_file import read_flagfile, read_suite

OURS = flagfiles.known()


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch) -> Path:
    """An empty working directory."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("form", ["{}", "{}.flags", "configs/{}", "configs/{}.flags"])
@pytest.mark.parametrize("name", ["quickstart", "rr_as_coded", "cpu/rr"])
def test_ours_are_found_from_anywhere(form, name):
    assert flagfiles.find(form.format(name)) == flagfiles.CONFIGS / f"{name}.flags"


@pytest.mark.parametrize("name", OURS)
def test_ours_mean_the_same_everywhere(name, monkeypatch):
    """Also where a file of the same name as one that they name lies in the working directory."""
    for inner in ("baseline", "cpu/baseline", "baseline_as_coded"):
        write(Path("configs", f"{inner}.flags"), "--dataset=wrong\n")
    path = flagfiles.find(str(flagfiles.CONFIGS / name))
    here = read_flagfile(path)
    monkeypatch.chdir(flagfiles.CONFIGS.parent)
    assert read_flagfile(path) == here
    assert here.data.dataset != "wrong"


def test_our_suite_can_be_read_from_anywhere():
    suite = read_suite(flagfiles.find("cpu/columbia", flagfiles.SUITE))
    assert {row.flagfile.parent for row in suite.comparisons[0].rows} == {flagfiles.CONFIGS / "cpu"}


def test_the_working_directory_comes_first(elsewhere):
    for name in ("quickstart", "quickstart.flags"):
        mine = write(elsewhere / name, "--dataset=mine\n")
        assert flagfiles.find("quickstart").resolve() == mine
        mine.unlink()
    (elsewhere / "quickstart").mkdir()  # no file
    assert flagfiles.find("quickstart") == flagfiles.CONFIGS / "quickstart.flags"


def test_files_name_each_other_from_where_they_lie(tmp_path):
    write(tmp_path / "mine" / "inner.flags", "--fmap_max=7\n--desc=inner\n")
    outer = write(
        tmp_path / "mine" / "outer.flags", "--desc=before\n--flagfile=inner\n--seed=2\n--flagfile=quickstart\n"
    )
    assert flagfiles.read(outer)[:4] == ["--desc=before", "--fmap_max=7", "--desc=inner", "--seed=2"]
    assert "--dataset=datasets/mnist" in flagfiles.read(outer)


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf--seed=3\r\n",
        "\ufeff--seed=3\r\n".encode("utf-16-le"),
        b"  --seed=3  \n\n# said\n// and said\n",
        b"--seed=3",
    ],
    ids=["Windows", "UTF-16", "spaces", "bare"],
)
def test_what_people_write(text, tmp_path):
    assert flagfiles.read(write(tmp_path / "a.flags", text)) == ["--seed=3"]


REFUSED = {
    "itself": (b"--flagfile={path}\n", "includes itself"),
    "another that is not there": (b"--flagfile=nothing\n", "a.flags: there is no flagfile 'nothing'.*quickstart"),
    "an empty name": (b"--flagfile=\n", "there is no flagfile ''"),
    "bytes": (b"\x80--seed=3", "not UTF-8 text"),
    "a binary file": (b"\x7fELF\0\1\2--seed=3\n", "not text"),
    "half a UTF-16 file": (b"\xff\xfe-", "not UTF-8 text"),
    "a word": (b"--seed=3\nseed=3\n", "a.flags: seed=3: options begin with --"),
    "megabytes": (b"# \n" * 2**19, "is 1572864 bytes; a flagfile has"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals_are_one_line(text, message, tmp_path):
    path = write(tmp_path / "a.flags", text.replace(b"{path}", str(tmp_path / "a.flags").encode()))
    with pytest.raises(ConfigError, match=message) as caught:
        flagfiles.first([f"--flagfile={path}"])
    assert "\n" not in str(caught.value)


def test_two_that_include_each_other(tmp_path):
    write(tmp_path / "a.flags", "--flagfile=b.flags\n")
    with pytest.raises(ConfigError, match="includes itself"):
        flagfiles.read(write(tmp_path / "b.flags", "--flagfile=a.flags\n"))


def test_a_file_may_be_read_twice(tmp_path):
    write(tmp_path / "a.flags", "--seed=1\n")
    assert flagfiles.read(write(tmp_path / "b.flags", "--flagfile=a\n--flagfile=a\n")) == ["--seed=1"] * 2


@pytest.mark.parametrize(
    "name", ["nothing", "configs/nothing.flags", "cpu", "../setup", "/nothing.flags", "columbia.toml"]
)
def test_an_unknown_name_lists_the_known_ones(name):
    with pytest.raises(ConfigError) as caught:
        flagfiles.find(name)
    assert all(known in str(caught.value) for known in OURS if "/" not in known)
    assert all(f"{known.split('/')[0]}/... (" in str(caught.value) for known in OURS if "/" in known)


@pytest.mark.parametrize("name", OURS)
def test_every_configuration_knows_how_its_data_set_is_made(name):
    config = read_flagfile(flagfiles.find(name))
    recipe = flagfiles.data_recipe(flagfiles.find(name))
    assert "python dataset_tool.py create_" in recipe
    assert f" {config.data.dataset} " in f"{recipe} "


def test_words_after_two_dashes_are_no_flags():
    assert flagfiles.split(["--flagfile", "a", "-flagfile=b", "--", "--flagfile=c"]) == (
        ["a", "b"],
        ["--", "--flagfile=c"],
    )
