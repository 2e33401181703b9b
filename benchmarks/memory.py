#!/usr/bin/env python3
"""Peak memory of real training rounds beside what the dry run says of it, each case in a process of its own.

    python benchmarks/memory.py --resolutions=32,128 --devices=1,2 --minibatch=16 --microbatches=1,2 --remats=false,true
    python benchmarks/memory.py --resolutions=1024 --minibatch=4 --remats=false,true --fmap_base=8192 --fmap_max=512

Every flag of train.py counts, but for those of the data. The images are noise: memory does not depend on them. A case
that takes more than --most_gb is ended and printed as more. With --one a single case is run in this process.
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from absl import app, flags

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pgan_tf.config import Config
from pgan_tf.option_flags import define_flags, given_options

define_flags(flags)
flags.DEFINE_list("resolutions", ["32"], "the resolutions to measure")
flags.DEFINE_list("devices", ["1"], "on so many CPUs, of which TensorFlow sees one as several")
flags.DEFINE_integer("minibatch", 4, "images in a global minibatch")
flags.DEFINE_list("microbatches", ["1"], "in how many microbatches a device takes its share")
flags.DEFINE_list("remats", ["false"], "with --remat or without: false,true")
flags.DEFINE_float("most_gb", 17.0, "end a case that takes more")
flags.DEFINE_bool("one", False, "run the first case here, and print its numbers")
FLAGS = flags.FLAGS


def run_case(config: Config, resolution: int, devices: int) -> dict:
    """Trains two rounds of the last stage; {what: bytes or seconds}."""
    import tensorflow as tf

    from pgan_tf import heap
    from pgan_tf.stages import layer_stage
    from pgan_tf.training import trial
    from pgan_tf.training.peak import stage_bytes
    from pgan_tf.training.state import StageState
    from pgan_tf.training.step import TrainStep

    heap.keep()  # as training does
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * devices)
    names = [f"CPU:{i}" for i in range(devices)]
    strategy = tf.distribute.MirroredStrategy(names) if devices > 1 else tf.distribute.get_strategy()
    stage, minibatch = layer_stage(resolution), config.growth.minibatch_base
    with strategy.scope():
        state = StageState(stage, config, 3, 0)
    built = peak()
    step = TrainStep(config, state, strategy, minibatch, resolution)
    began = time.monotonic()
    trial.rounds(step, 1, config.growth.D_repeats)
    expected = stage_bytes(config, stage, minibatch, devices, 3, 0)
    return {"built": built, "peak": peak(), "expected": expected, "seconds": time.monotonic() - began}


def peak() -> int:
    """The most bytes that this process has held."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def case_config(resolution: int, devices: int, microbatches: int, remat: bool) -> Config:
    options = {"minibatch_base": FLAGS.minibatch, "remat": remat, "lod_initial_resolution": resolution}
    local = FLAGS.minibatch // devices
    limit = {"max_minibatch_per_device": {0: local // microbatches}} if microbatches > 1 else {}
    return Config.from_values({**given_options(FLAGS), **options, **limit})


def in_a_process(resolution: str, devices: str, microbatches: str, remat: str) -> dict | None:
    """The numbers of a case; None where it took too much."""
    case = [f"--resolutions={resolution}", f"--devices={devices}", f"--microbatches={microbatches}"]
    case += [f"--remats={remat}", "--one"]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, *sys.argv, *case]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        while process.poll() is None:
            if held(process.pid) > FLAGS.most_gb * 2**30:
                process.kill()
                return None
            time.sleep(0.2)
        return json.loads(process.stdout.read().splitlines()[-1])


def held(process: int) -> int:
    """Bytes that another process holds now."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):  # it has ended
        return 0


def main(arguments: list[str]) -> None:
    cases = list(itertools.product(FLAGS.resolutions, FLAGS.devices, FLAGS.microbatches, FLAGS.remats))
    if FLAGS.one:
        resolution, devices, microbatches, remat = cases[0]
        config = case_config(int(resolution), int(devices), int(microbatches), remat == "true")
        print(json.dumps(run_case(config, int(resolution), int(devices))))
        return
    print(f"minibatch {FLAGS.minibatch}; GB of memory\n")
    print("| resolution | devices | microbatches | remat | networks built | peak | estimate | estimate / peak |")
    print("|---|---|---|---|---|---|---|---|")
    for case in cases:
        found = in_a_process(*case)
        if found is None:
            print(f"| {' | '.join(case)} | | above {FLAGS.most_gb:g} | | |", flush=True)
            continue
        built, most, expected = (found[name] / 2**30 for name in ("built", "peak", "expected"))
        numbers = f"{built:.2f} | {most:.2f} | {expected:.2f} | {expected / most:.2f}"
        print(f"| {' | '.join(case)} | {numbers} |", flush=True)


if __name__ == "__main__":
    app.run(main)
