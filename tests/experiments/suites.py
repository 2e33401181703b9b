"""Suites for the tests, and stand-ins for train.py and evaluate.py that do no work but leave the same files."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path

import numpy as np
from PIL import Image

from pgan_tf import plane
from pgan_tf.experiments.suite import Comparison, Row, Suite
from pgan_tf.experiments.suite_file import read_suite

ROWS = {"Baseline": "base", "RR": "rr", "Least Squares": "lsgan"}
FLAGS = {"base": "", "rr": "--regularizer=repelling\n", "lsgan": "--loss=lsgan\n"}
KEYS = {
    "title": '"A suite"', "baseline": '"Baseline"', "seeds": "[1, 2, 3]", "metrics": '["swd", "ms_ssim"]',
    "images": "64",
}  # fmt: skip

# Snapshots at 1 and 2 kimg; a score that follows from row and seed. `calls` counts the starts of each kind.
TRAIN = """
    import json, os, pathlib, signal, sys, time
    sys.path.insert(0, {root!r})
    os.environ["PGAN_TF_NO_KERAS"] = "1"
    from absl import flags
    from pgan_tf.config import Config, option_names
    from pgan_tf.option_flags import define_flags

    define_flags(flags)
    flags.DEFINE_string("resume", "", "")
    F = flags.FLAGS
    F(sys.argv)
    here = pathlib.Path({here!r})
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # it waits until it is looked for
    config = Config.from_values({{name: F[name].value for name in option_names()}})
    if F.resume:
        folder = pathlib.Path(F.resume)
        config = Config.from_json((folder / "config.json").read_text())
    else:
        number = len(list(pathlib.Path(config.run.result_dir).glob("0*")))
        folder = pathlib.Path(config.run.result_dir) / f"{{number:05d}}-{{config.run.desc}}-s{{config.run.seed}}"
        folder.mkdir()
        (folder / "config.json").write_text(config.to_json())
    name = f"{{config.run.desc}}-s{{config.run.seed}}"
    with (here / "calls").open("a") as file:
        file.write(f"train {{name}} {{'resume' if F.resume else 'new'}}\\n")
    if (here / f"break-{{name}}").exists():
        sys.exit("error: a loss or gradient is not finite")
    metrics = folder / "metrics.jsonl"
    kimg = metrics.read_text().count('"tick"') if metrics.exists() else 0
    while kimg < config.growth.total_kimg:
        kimg += 1
        (folder / f"network-{{kimg:06d}}.keras").write_text("")
        with metrics.open("a") as file:
            row = {{"tick": kimg, "kimg": float(kimg), "images": 1000 * kimg, "train_seconds": 60.0, "resolution": 32,
                   "lod": 0.0, "alpha": 1.0, "timing/images_per_second": 9.0, "loss/D": 0.1 * kimg,
                   "loss/G": -0.1 * kimg}}
            file.write(json.dumps(row) + "\\n")
        if (here / f"hang-{{name}}").exists():
            signal.sigwait([signal.SIGTERM])
            with (here / "calls").open("a") as file:
                file.write(f"saved {{name}}\\n")
            sys.exit(0)
"""
EVALUATE = """
    import argparse, json, pathlib, signal
    parser = argparse.ArgumentParser()
    for name in ("run", "snapshots", "metrics", "images", "dataset", "extractor", "reals", "output"):
        parser.add_argument("--" + name)
    parser.add_argument("--baselines", action="store_true")
    parser.add_argument("--mirror_augment", action="store_true")
    parser.add_argument("--held_out", type=float, default=0)
    args = parser.parse_args()
    here = pathlib.Path({here!r})
    run = pathlib.Path(args.run) if args.run else None
    with (here / "calls").open("a") as file:
        words = [run.name[6:] if run else pathlib.Path(args.output).stem]
        words += [args.metrics, args.dataset or args.reals, args.snapshots or ""] if (here / "wordy").exists() else []
        file.write(f"evaluate {{' '.join(words).strip()}}\\n")
    values = {{"swd": ("avg", 10.0), "ms_ssim": ("mean", 0.5)}}
    mirrored = args.mirror_augment or run and '"mirror_augment": true' in (run / "config.json").read_text()
    def row(metric, fakes, kimg, factor):
        name, value = values[metric]
        about = {{"kimg": kimg}} if kimg else {{}}
        about |= {{"reals_mirrored": True}} if mirrored and metric == "swd" else {{}}
        about |= {{"reals_held_out": args.held_out}} if args.held_out and metric == "swd" else {{}}
        sha = here / "reals_sha256"
        about |= {{"reals_sha256": sha.read_text()}} if sha.exists() else {{}}
        return {{"metric": metric, "title": metric.upper(), "fakes": fakes, "count": int(args.images),
                "values": {{name: value * factor}}, "versions": {{"python": "3"}}, **about}}
    if not run and (here / "hang-reals").exists():
        numbers = [signal.SIGTERM, signal.SIGALRM]
        signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        signal.alarm(20)  # the signal that should come does not
        (here / "hanging").touch()
        with (here / "calls").open("a") as file:
            file.write(f"reals ended by {{signal.sigwait(numbers).name}}\\n")
        raise SystemExit(1)
    if not run and (here / "break-reals").exists():
        raise SystemExit("error: this cannot be measured")
    rows = []
    if run:
        bias = {{"base": 1.0, "rr": 0.5, "lsgan": 1.001}}[run.name[6:].split("-")[0]]
        spread = 1 + 0.01 * int(run.name.split("-s")[-1])
        for path in sorted(run.glob("network-*.keras"))[-1 if args.snapshots == "latest" else 0:]:
            kimg = int(path.stem[-6:])
            rows += [row(m, path.name, kimg, bias * spread * (3 - kimg)) for m in args.metrics.split(",")]
        output = run / "metrics.jsonl"
    else:
        output = pathlib.Path(args.output)
        known = output.read_text() if output.exists() else ""
        rows = [row(m, kind, 0, f) for kind, f in (("Reals", 0.0), ("Reals2", 0.1)) for m in args.metrics.split(",")]
        rows = [one for one in rows if one.get("reals_sha256", "") not in known] if known else rows
    with output.open("a") as file:
        for one in rows:
            file.write(json.dumps(one) + "\\n")
"""


def write_suite(
    folder: Path, rows: dict[str, str] = ROWS, budget: float | None = 2, tables: str = "", **keys: str
) -> Path:  # fmt: skip
    """Writes flagfiles and a suite file; `keys` are its lines, None leaves one out, `tables` stand at its end."""
    for name, text in FLAGS.items():
        (folder / f"{name}.flags").write_text(f"--dataset=data\n--fmap_max=8\n{text}")
    keys = {**KEYS, "results": f'"{folder}/results"', "report": f'"{folder}/docs/table.md"', **keys}
    if budget is not None:
        keys.setdefault("total_kimg", str(budget))
    lines = [f"{key} = {value}" for key, value in keys.items() if value is not None]
    lines += ["[rows]", *(f'"{title}" = "{folder}/{name}.flags"' for title, name in rows.items())]
    path = folder / "suite.toml"
    path.write_text("\n".join(lines) + f"\n{tables}")
    return path


def make_suite(folder: Path, rows: dict[str, str] = ROWS, **keys) -> Suite:
    return read_suite(write_suite(folder, rows, **keys))


def make_comparison(folder: Path, **keys) -> Comparison:
    """The one of a suite."""
    (comparison,) = make_suite(folder, **keys).comparisons
    return comparison


def write_run(comparison: Comparison, row: Row, **tick) -> Path:
    """A complete run of the first seed, as its files; `tick` are numbers of its one tick."""
    seed, metric = comparison.seeds[0], comparison.metrics[0]
    folder = comparison.results / f"{len(list(comparison.results.glob('0*'))):05d}-{row.name}-s{seed}"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(row.config.replace(seed=seed).to_json())
    (folder / "network-000002.keras").write_text("")
    tick = {"tick": 1, "kimg": 2.0, "resolution": 32, "lod": 0.0, "alpha": 1.0, "loss/D": 1.0, "loss/G": 2.0, **tick}
    score = {"metric": metric, "title": metric.upper(), "fakes": "network-000002.keras", "count": comparison.images,
             "kimg": 2, "values": {"avg": 1.0}}  # fmt: skip
    (folder / "metrics.jsonl").write_text(f"{json.dumps(tick)}\n{json.dumps(score)}\n")
    return folder


MLP = "--family=mlp\n--grow=none\n--normalize_latents=false\n--loss=non_saturating\n--minibatch_base=50\n"


def make_points(folder: Path, rows: dict[str, str] = {"M0": "m0", "M1": "m1"}, **keys: str) -> Suite:  # noqa: B006
    """A suite of points in the plane."""
    for name in rows.values():
        (folder / f"{name}.flags").write_text(MLP)
    keys = {"baseline": f'"{next(iter(rows))}"', "metrics": '["mixture"]', "snapshots": '"last"', **keys}
    return make_suite(folder, rows, tables='[datasets]\nRing = "ring"\n', **keys)


def write_points_run(comparison: Comparison, row: Row, seed: int, watched: list[float], **tick: float) -> Path:
    """A complete run of points, as its files: a tick, a picture and a watched score of each 500 points."""
    folder = comparison.results / f"{len(list(comparison.results.glob('0*'))):05d}-{row.name}-s{seed}"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(row.config.replace(seed=seed).to_json())
    (folder / "network-000002.keras").write_text("")
    random = np.random.default_rng(seed)
    data = random.normal(size=(200, 2))
    frame = plane.Frame.around(data)
    Image.fromarray(plane.data_points(data, frame)).save(folder / "reals.png")
    lines = []
    for number, score in enumerate(watched, start=1):
        kimg = number * 2 / len(watched)
        about = {"metric": "mixture", "title": "mixture of Gaussians", "kimg": kimg,
                 "values": {"modes": score, "high_quality": score / 8}}  # fmt: skip
        lines.append({"tick": number, "kimg": kimg, "resolution": 4, "lod": 0.0, "alpha": 1.0, "train_seconds": 60.0,
                      "loss/D": 1.0, "loss/G": 2.0, "scores/real": 0.5, "scores/fake": -0.5, **tick})  # fmt: skip
        lines.append({**about, "fakes": "training", "count": 10})
        fakes = plane.samples_over_data(data * score / 8, data, frame)
        Image.fromarray(fakes).save(folder / f"fakes{kimg:010.3f}.png")
    lines.append({**about, "fakes": "network-000002.keras", "count": comparison.images})
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def write_scripts(folder: Path) -> Path:
    """The stand-ins, in `folder`/scripts."""
    scripts = folder / "scripts"
    scripts.mkdir()
    root = str(Path(__file__).resolve().parents[2])
    for name, text in (("train.py", TRAIN), ("evaluate.py", EVALUATE)):
        (scripts / name).write_text(textwrap.dedent(text).format(root=root, here=str(scripts)))
    return scripts


def program(scripts: Path, name: str) -> list[str]:
    """The words that start a stand-in."""
    return [sys.executable, str(scripts / f"{name}.py")]


def calls(scripts: Path) -> list[str]:
    """What was started so far."""
    path = scripts / "calls"
    return path.read_text().splitlines() if path.exists() else []
