"""A run's folder on a store: what is copied, in which order, and what a kill at any moment leaves to go on from."""

from __future__ import annotations

import json
import tempfile
import threading

import pytest

from pgan_tf import mirror
from pgan_tf.errors import UserError
from pgan_tf.mirror import (
    Mirror,
    NotCopied,
    all_but_events,
    copied,
    fetched,
    in_words,
    kept_up,
    original,
    scratch,
    to_go_on,
    up_to_date,
    working,
)  # fmt: skip
from pgan_tf.networks import checkpoints
from tests.stores import KINDS, ScriptedStore, new_root, tree

ROW = '{"images": %d}\n'


@pytest.fixture
def script(monkeypatch):
    """Sets what a scripted store does first in each call."""
    return lambda function: monkeypatch.setattr(ScriptedStore, "script", staticmethod(function))


def write_checkpoint(run, images: int) -> None:
    """A sound one: its files are as its manifest says."""
    folder = run / "checkpoints" / f"{images:06d}"
    folder.mkdir(parents=True)
    (folder / "state.index").write_text(f"index {images}")
    (folder / "counters.json").write_text(str(images))
    manifest = {file.name: [file.stat().st_size, checkpoints.crc_of(file)] for file in folder.iterdir()}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def remove_checkpoint(run, images: int) -> None:
    for file in (run / "checkpoints" / f"{images:06d}").iterdir():
        file.unlink()
    (run / "checkpoints" / f"{images:06d}").rmdir()


def move_on(run, images: int) -> None:
    """What a run does from one checkpoint to the next."""
    with (run / "metrics.jsonl").open("a") as file:
        file.write(ROW % images)
    write_checkpoint(run, images)
    if images > 2:
        remove_checkpoint(run, images - 2)


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "00000-run"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    move_on(folder, 1)
    return folder


# ---- copies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_copy_is_what_the_folder_is(kind, run):
    there = new_root(kind)
    copy = Mirror(run, there)
    for images in range(2, 6):
        copy.push()
        assert tree(there) == {name: content for name, content in tree(run).items() if ".tmp" not in name}
        move_on(run, images)
        (run / ".tmp12-report.md").write_text("half")
        (run / "report.md").write_text(f"after {images}" * images)
    (run / ".tmp12-report.md").unlink()
    (run / "report.md").unlink()
    copy.push()
    assert tree(there) == tree(run)


def test_only_what_has_changed_is_copied(run, script):
    calls, copy = [], Mirror(run, new_root("scripted"))
    copy.push()
    script(lambda call, path: calls.append((call, path.rpartition("/")[2])))
    copy.push()
    assert calls == []
    (run / "config.json").write_text('{"a": 1}')
    copy.push()
    assert calls == [("put", "config.json")]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_pulled_is_what_is_there(kind, run, tmp_path):
    there = new_root(kind)
    Mirror(run, there).push()
    (tmp_path / "new").mkdir()
    Mirror(tmp_path / "new", there).pull(list)
    assert tree(tmp_path / "new") == tree(run)


NAMES = [
    "config.json", "events.out.tfevents.1", "fakes000001.png", "fakes000002.png", "fakes000002.512.png", "reals.png",
    "network-000001.keras", "network-000001.024.keras", "network-best.keras", "checkpoints/000001/manifest.json",
    "metrics.jsonl", "scores000001.png", "log.txt",
]  # fmt: skip


def test_what_a_run_goes_on_with():
    assert [name for name in NAMES if name not in all_but_events(NAMES)] == ["events.out.tfevents.1"]
    assert [name for name in all_but_events(NAMES) if name not in to_go_on(NAMES)] == [
        "fakes000001.png", "fakes000002.png", "network-000001.keras", "network-000001.024.keras",
    ]  # fmt: skip


def test_what_was_not_brought_stays_there(run):
    there = new_root("memory")
    (run / "network-000001.keras").write_text("network")
    Mirror(run, there).push()
    with working(there, to_go_on) as here:
        assert not (here / "network-000001.keras").exists()
        move_on(here, 2)
    move_on(run, 2)
    assert tree(there) == tree(run)


def test_what_was_brought_is_known(run, script):
    """It is not copied back, and what is removed of it is removed there."""
    there, calls = new_root("scripted"), []
    Mirror(run, there).push()
    with working(there, list) as here:
        script(lambda call, path: calls.append((call, path.rpartition("/")[2])))
        (here / "config.json").unlink()
    assert calls == [("remove", "config.json")]


# ---- order -----------------------------------------------------------------------------------------------------------


def test_a_checkpoint_counts_by_what_comes_last(run, script):
    calls, there = [], new_root("scripted")
    copy = Mirror(run, there)
    copy.push()
    move_on(run, 2)
    move_on(run, 3)
    script(lambda call, path: calls.append((call, path.partition("/data/")[2])))
    copy.push()
    names = [name for _, name in calls]
    assert names[0] == "metrics.jsonl"
    manifests = [f"checkpoints/00000{images}/manifest.json" for images in (2, 3)]
    assert sorted(names[5:7]) == manifests
    assert calls[7] == ("remove", "checkpoints/000001/manifest.json")
    assert {call for call, _ in calls[:7]} == {"put"}
    assert {call for call, _ in calls[7:]} == {"remove"}


def states_of_a_kill(run, script, killed: int):
    """The store after a copying that was killed in its call number `killed`; None where it has not so many."""
    there, count = new_root("scripted"), 0
    copy = Mirror(run, there)
    script(lambda call, path: None)
    copy.push()
    move_on(run, 2)
    copy.push()
    move_on(run, 3)

    def kill(call, path):
        nonlocal count
        count += 1
        if count > killed:
            raise OSError("killed")

    script(kill)
    try:
        copy.push()
    except OSError:
        script(lambda call, path: None)
        return there
    return None


@pytest.mark.parametrize("killed", range(12))
def test_a_kill_at_any_moment_leaves_a_sound_checkpoint_and_the_rows_before_it(killed, run, script, tmp_path):
    there = states_of_a_kill(run, script, killed)
    if there is None:
        assert killed > 6
        return
    (tmp_path / "new").mkdir()
    Mirror(tmp_path / "new", there).pull(to_go_on)
    newest = checkpoints.newest_sound(tmp_path / "new" / "checkpoints", lambda line: None)
    assert newest.name in ("000002", "000003")
    rows = [json.loads(line)["images"] for line in (tmp_path / "new" / "metrics.jsonl").read_text().splitlines()]
    assert rows[: int(newest.name)] == list(range(1, int(newest.name) + 1))


def test_a_copying_that_failed_is_done_again(run, script):
    there = states_of_a_kill(run, script, 3)
    assert tree(there) != tree(run)
    copy = Mirror(run, there)
    copy.push()
    remove = [name for name in tree(there) if name not in tree(run)]
    assert {name for name in tree(run)} <= set(tree(there))
    assert all(name.startswith("checkpoints/000001/") for name in remove)


def test_a_checkpoint_that_goes_meanwhile_is_no_fault(run, script):
    there = new_root("scripted")

    def prune(call, path):
        if path.endswith("000001/state.index") and (run / "checkpoints" / "000001").exists():
            remove_checkpoint(run, 1)

    script(prune)
    copy = Mirror(run, there)
    copy.push()
    copy.push()
    assert not any(name.endswith("manifest.json") for name in tree(there))


# ---- folders to work in ----------------------------------------------------------------------------------------------


def test_a_folder_of_the_disk_is_itself(tmp_path):
    for enter in (working, fetched):
        with enter(tmp_path) as here:
            assert here is tmp_path
    assert (original(tmp_path), up_to_date(tmp_path), in_words(str(tmp_path))) == (tmp_path, tmp_path, str(tmp_path))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_done_in_a_copy_is_there_at_its_end(kind, run):
    there = new_root(kind)
    Mirror(run, there).push()
    with working(there) as here:
        assert tree(here) == tree(run)
        (here / "report.md").write_text("new")
        assert (original(here), original(here / "a")) == (there, there / "a")
        assert in_words(f"see {here}/a and {here.parent}") == f"see {there}/a and {there.parent}"
    assert (there / "report.md").read_text() == "new"
    assert not here.exists()
    assert in_words(str(here)) == str(here)


@pytest.mark.parametrize("fault", [UserError("{here}/x: is wrong"), KeyError("{here}"), KeyboardInterrupt()])
def test_also_of_what_fails_in_it_and_the_error_names_the_store(fault):
    there = new_root("memory")

    def fail():
        with working(there) as here:
            (here / "log.txt").write_text("so far")
            fault.args = tuple(text.replace("{here}", str(here)) for text in fault.args)
            raise fault

    with pytest.raises(type(fault)) as info:
        fail()
    assert tree(there) == {"log.txt": b"so far"}
    if isinstance(fault, UserError):
        assert str(info.value) == f"{there}/x: is wrong"


def test_what_could_not_be_copied_is_kept_and_named(script, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    there, kept = new_root("scripted"), []

    def work():
        with working(there) as here:
            kept.append(here)
            (here / "log.txt").write_text("so far")
            script(refuse)

    def refuse(call, path):
        raise OSError("no rights")

    with pytest.raises(NotCopied) as info:
        work()
    said = (
        f"{there}/log.txt: the store does not do it: no rights; what it lacks is kept in {kept[0]}: copy it to {there}"
    )
    assert str(info.value) == said
    assert (kept[0] / "log.txt").read_text() == "so far"


def test_a_store_that_takes_nothing_is_noticed_at_once(script, tmp_path):
    (tmp_path / "config.json").write_text("{}")

    def refuse(call, path):
        raise OSError("no rights")

    script(refuse)
    with pytest.raises(UserError, match="no rights"), kept_up(Mirror(tmp_path, new_root("scripted"))):
        raise AssertionError("nothing is begun")


def test_changes_go_there_meanwhile_and_a_fault_is_said_once(script, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(mirror, "EVERY", 0.0)
    monkeypatch.setattr(mirror, "_IDLE", 0)
    there, tries, done = new_root("scripted"), [], threading.Event()

    def thrice(call, path):
        tries.append(path)
        if len(tries) < 4:
            raise OSError("not now")
        done.set()

    with scratch(there.parent) as root:
        here = root / there.name
        here.mkdir()
        with kept_up(Mirror(here, there)):
            script(thrice)
            (here / "log.txt").write_text("a line")
            assert done.wait(60)
    assert tree(there) == {"log.txt": b"a line"}
    said = f"warning: {there}/log.txt: the store does not do it: not now; the run goes on, and this is tried again\n"
    assert capfd.readouterr().err == said


def test_up_to_date_is_now(run, monkeypatch):
    there = new_root("memory")
    with working(there) as here:
        (here / "log.txt").write_text("a line")
        assert up_to_date(here) == there
        assert tree(there) == {"log.txt": b"a line"}


FETCHED = {
    "a run": ("", {"config.json", "network-000001.keras", "checkpoints/000001/counters.json"}),
    "a network": ("/network-000001.keras", {"config.json", "network-000001.keras"}),
    "a checkpoint": ("/checkpoints/000001", {"config.json", "checkpoints/000001/counters.json"}),
}


@pytest.mark.parametrize("case", FETCHED)
def test_networks_come_with_what_says_how_they_were_trained(case, run):
    inner, wanted = FETCHED[case]
    there = new_root("memory")
    (run / "network-000001.keras").write_text("network")
    (run / "events.out.tfevents.1").write_text("curves")
    write_checkpoint(run, 2)
    Mirror(run, there).push()
    with fetched(type(there)(f"{there}{inner}")) as here:
        assert here.exists()
        whole = here if not inner else here.parents[inner.count("/") - 1]
        names = set(tree(whole))
        assert whole.name == there.name
        assert wanted <= names
        assert ("checkpoints/000002/counters.json" in names) == (case == "a run")
        assert "events.out.tfevents.1" not in names
        assert {name: content for name, content in tree(run).items() if name in names} == tree(whole)


def test_what_is_not_there_is_left_to_who_asks():
    nothing = new_root("memory") / "nothing"
    with fetched(nothing) as here:
        assert here == nothing
    with copied(nothing, list) as copy:
        assert tree(copy.here) == {}
