#!/usr/bin/env python3
"""Images per second of the whole training loop at each resolution, and where the time goes.

    python benchmarks/train_step.py --fmap_base=2048 --fmap_max=128 --precision=bfloat16

Every flag of train.py counts. The images are noise: speed does not depend on them. The first tick of each
resolution warms up and is left out. Nothing else should run on the machine.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
from pathlib import Path

from absl import flags

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pgan_tf.programs import train

flags.DEFINE_string("resolutions", "4,8,16,32", "the resolutions to measure")
flags.DEFINE_float("seconds", 60.0, "about how long to measure each")
FLAGS = flags.FLAGS


def make_dataset(folder: Path, resolution: int) -> Path:
    """A data set of 64 pictures of noise."""
    import numpy as np

    from pgan_tf.data import DatasetWriter

    rng = np.random.default_rng(0)
    with DatasetWriter(folder, resolution, channels=3) as writer:
        for _ in range(64):
            writer.add(rng.integers(0, 256, (resolution, resolution, 3), np.uint8))
    return folder


def measure(config, results: Path, kimg: float) -> list[dict]:
    """Two ticks of a run; returns the rows of metrics.jsonl."""
    from pgan_tf.training import loop, rundir
    from pgan_tf.training.plan import make_plan

    config = config.replace(total_kimg=2 * kimg, tick_kimg_base=kimg, tick_kimg_dict={}, result_dir=str(results))
    folder = rundir.create(config, "benchmark", "")
    with contextlib.redirect_stdout(io.StringIO()):
        loop.Run(config, make_plan(config), folder).train()
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [row for row in rows if "tick" in row]


def row(config, results: Path, resolution: int, peak: float) -> str:
    from pgan_tf.stages import layer_stage
    from pgan_tf.training import estimate
    from pgan_tf.training.costs import stage_costs

    config = config.replace(resolution=resolution, lod_initial_resolution=resolution)
    operations = estimate.image_operations(stage_costs(config.model, layer_stage(resolution), 3, 0))
    trial = measure(config, results, 0.5)[-1]["timing/images_per_second"]
    tick = measure(config, results, max(0.5, trial * FLAGS.seconds / 1000))[-1]
    rate, shares = (
        tick["timing/images_per_second"],
        [tick[f"timing/{s}_share"] for s in ("input", "step", "bookkeeping")],
    )
    speed = rate * operations
    return (
        f"| {resolution}x{resolution} | {rate:.1f} | {shares[0]:.1%} | {shares[1]:.1%} | {shares[2]:.1%} | "
        f"{operations / 1e9:.2f} | {speed / 1e9:.0f} | {speed / peak:.0%} |"
    )


def main(argv: list[str]) -> None:
    train.load_tensorflow(train.FLAGS.strategy)
    from pgan_tf import devices, precision
    from pgan_tf.training import estimate

    resolutions = [int(word) for word in FLAGS.resolutions.split(",")]
    with tempfile.TemporaryDirectory() as work:
        dataset = make_dataset(Path(work) / "noise", max(resolutions))
        config, _ = precision.resolve(train.config_from_flags().replace(dataset=str(dataset)), devices.hardware())
        peak = max(estimate.convolution_speed(config) for _ in range(3))
        options = f"fmap_base {config.model.fmap_base}, fmap_max {config.model.fmap_max}"
        print(f"{config.optim.precision}, {options}, minibatch {config.growth.minibatch_base}, {os.cpu_count()} cores")
        print(f"peak of a 3x3 convolution of 128 maps at 32x32: {peak / 1e9:.0f} GFLOP/s\n")
        print("| resolution | images/s | input | step | bookkeeping | GFLOP an image | GFLOP/s | of the peak |")
        print("|---|---|---|---|---|---|---|---|")
        for resolution in resolutions:
            print(row(config, Path(work) / "results", resolution, peak), flush=True)


if __name__ == "__main__":
    main(FLAGS(sys.argv))
