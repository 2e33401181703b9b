"""docs/extending.md is followed: its diffs are applied to a copy of the package, which then trains by them."""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "extending.md"
KINDS = ["A loss", "A term of a loss", "A norm", "A family of networks", "A ladder", "A data source", "A metric"]
PATIENCE = 600  # seconds for a process to end, also on a machine that is busy with other work
LEFT_OUT = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "results", "datasets", "golden", "*.webp", "*.png")


class Change(NamedTuple):
    """A hunk of a diff."""

    path: str
    old: str | None  # None: a new file
    new: str


def sections() -> dict[str, list[Change]]:
    """{heading: the changes of its diffs}."""
    parts = re.split(r"^## (.+)\n", PAGE.read_text(), flags=re.M)[1:]
    found = {}
    for title, text in zip(parts[::2], parts[1::2], strict=True):
        diffs = re.findall(r"^```diff\n(.*?)^```", text, re.M | re.S)
        found[title] = [change for diff in diffs for change in changes(diff)]
    return found


def changes(diff: str) -> list[Change]:
    found = []
    for before, after, body in re.findall(r"^--- (\S+)\n\+\+\+ (\S+)\n(.*?)(?=^--- |\Z)", diff, re.M | re.S):
        for hunk in re.split(r"^@@\n", body, flags=re.M)[1:]:
            lines = hunk.splitlines()
            assert all(line[:1] in "+- " for line in lines), hunk
            old, new = ("\n".join(line[1:] for line in lines if line[:1] != without) for without in "+-")
            found.append(Change(after, None if before == "/dev/null" else old, new))
    return found


def apply(change: Change, root: Path) -> None:
    """Context that is not there exactly once is no context."""
    path = root / change.path
    if change.old is None:
        assert not path.exists(), change.path
        path.write_text(change.new + "\n")
        return
    text = path.read_text()
    assert text.count(change.old) == 1, f"{change.path}:\n{change.old}"
    path.write_text(text.replace(change.old, change.new))


def test_every_kind_is_there():
    assert list(sections()) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_it_takes_three_files_at_most_and_fits_by_itself(kind, tmp_path):
    files = dict.fromkeys(change.path for change in sections()[kind])
    assert 1 <= len(files) <= 3
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, tmp_path / name)
    for change in sections()[kind]:
        apply(change, tmp_path)


# ---- all of them together --------------------------------------------------------------------------------------------

TINY = (
    "--resolution=8", "--fmap_base=32", "--fmap_max=8", "--latent_size=4", "--max_label_size=-1", "--minibatch_base=4",
    "--minibatch_repeats=1", "--lod_training_kimg=0.004", "--lod_transition_kimg=0.008", "--total_kimg=0.008",
    "--grid_size=2x1", "--tick_kimg_base=0.004", "--tick_kimg_dict=",
)  # fmt: skip


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the checkout with all of the page's changes, and a data set of its new source."""
    folder = tmp_path_factory.mktemp("extended") / "copy"
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    for change in itertools.chain(*sections().values()):
        apply(change, folder)
    assert "labels" in run(folder, "dataset_tool.py", "create_waves", "waves", "--pictures=32")
    return folder


def run(copy: Path, *command) -> str:
    """What a program of the copy prints."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(copy)}
    done = subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, cwd=copy, env=environment,
        timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def train(copy: Path, name: str, *flags) -> Path:
    """Two rounds, the second in the next stage where something grows: -> the run's folder."""
    run(copy, "train.py", "--dataset=waves", f"--desc={name}", *TINY, *flags)
    (folder,) = (copy / "results").glob(f"*-{name}-*")
    assert list(folder.glob("network-*.keras"))
    return folder


def test_a_run_with_the_new_loss_term_norm_and_metric(copy):
    flags = ("--loss=squared_hinge", "--consistency_weight=0.5", "--g_norm=rms", "--d_norm=rms")
    folder = train(copy, "units", *flags, "--metrics=histogram", "--metrics_images=16")
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    ticks = [row for row in rows if "tick" in row]
    assert [row["images"] for row in ticks] == [4, 8]
    assert all(row["consistency/value"] > 0 and row["nonfinite_rounds"] == 0 for row in ticks)
    (measured,) = [row for row in rows if row.get("metric") == "histogram"]
    assert 0 < measured["values"]["distance"] <= 1
    run(copy, "generate.py", "grid", folder, "grid.png", "--grid_size=2x1")


def test_a_run_up_the_new_ladder(copy):
    folder = train(copy, "ladder", "--grow=layers,half")
    run(copy, "generate.py", "grid", folder, "ladder.png", "--grid_size=2x1")


def test_a_run_of_the_new_family(copy):
    folder = train(
        copy, "family", "--family=flat", "--fmap_base=8192", "--fmap_max=512", "--grow=none", "--mbstd_group_size=0"
    )
    run(copy, "generate.py", "grid", folder, "family.png", "--grid_size=2x1")
    longer = run(copy, "train.py", f"--resume={folder}", "--total_kimg=0.012")
    assert "going on from" in longer


def test_the_laws_hold_for_the_new_rows(copy):
    laws = "tests/networks/test_everything_is_kept.py"
    out = run(
        copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_tables.py", laws, "-k", "tables or flat"
    )
    assert " passed" in out
