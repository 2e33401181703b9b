#!/usr/bin/env python3
"""Images per second of one device and of several, in one process and in several, and what their exchange costs.

    python benchmarks/scaling.py --cases=1x1,1x2,2x1 --minibatches=8,16 --resolution=32 --fmap_base=1024 --fmap_max=128

Every flag of train.py counts, but for those of the data. A case is PROCESSESxDEVICES: so many processes, over the
loopback, of so many devices each. Without GPUs a device is a logical CPU; it has --cores of the machine's cores to
itself, so that two devices are two cores, as two GPUs would be two. With --cores=0 all have all cores: then nothing is
gained, and what is lost is seen. Rounds are timed as the loop calls them, on images of noise; the median counts.

The exchange is measured twice. Its share is that of a round which is not there where the same round leaves out the
sums over the devices: calls with and without take turns in the same processes, so that whatever slows the machine slows
both. A device that waits for another leaves its core idle, so that waiting counts, as on GPUs; by --cores=0 the other
computes on it meanwhile, and only copying and adding count. Besides, the sums of a round are timed alone, of as many
numbers. A share below 0 is noise. Nothing else should run on the machine.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from absl import app, flags

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pgan_tf.config import Config
from pgan_tf.option_flags import define_flags, given_options
from pgan_tf.workers import meeting, team
from pgan_tf.workers.cluster import Cluster

define_flags(flags)
flags.DEFINE_list("cases", ["1x1", "1x2", "2x1"], "PROCESSESxDEVICES to measure; the first is what others are held to")
flags.DEFINE_list("minibatches", ["8", "16"], "images in a global minibatch")
flags.DEFINE_integer("cores", 1, "of the machine, for each device alone; 0 = all for all")
flags.DEFINE_float("seconds", 10.0, "about how long to measure each, with the exchange and without")
flags.DEFINE_list("workers", [], "of a process of a case: the addresses of all")
flags.DEFINE_integer("task", -1, "of a process of a case: which it is")
FLAGS = flags.FLAGS
CALL_SECONDS = 1.0  # of the step, about
HEAD = (
    "| processes | devices in each | minibatch | images/s | times one device | times one with its share | exchange | "
    "sums alone |"
)


class Case(NamedTuple):
    processes: int
    devices: int  # of each process
    minibatch: int

    @property
    def replicas(self) -> int:
        return self.processes * self.devices


# ---- in a process of a case ------------------------------------------------------------------------------------------


def run_case(config: Config, case: Case, task: int) -> dict[str, float] | None:
    """What the first process has measured; None in the others."""
    hold_to_cores(case.devices, task)
    if case.processes == 1:
        return measure(config, case, task)
    ties, held = meeting.meet(Cluster(tuple(FLAGS.workers), task), {}, 5.0, lambda line: None)
    team.set_current(ties)
    with held:
        found = measure(config, case, task)
        ties.close()
    return found if ties.chief else None


def hold_to_cores(devices: int, task: int) -> None:
    """Before TensorFlow counts the cores that it may use."""
    if FLAGS.cores:
        cores, own = sorted(os.sched_getaffinity(0)), FLAGS.cores * devices
        os.sched_setaffinity(0, cores[task * own :][:own])


def measure(config: Config, case: Case, task: int) -> dict[str, float]:
    """Seconds of a round, of one without the exchange, of its sums alone; bytes that each device adds to these."""
    strategy = make_strategy(case, task)
    from pgan_tf.stages import layer_stage
    from pgan_tf.training import step
    from pgan_tf.training.state import StageState

    resolution = config.data.resolution
    with strategy.scope():
        state = StageState(layer_stage(resolution), config, 3, 0)
    with_sums, without = (step.TrainStep(config, state, strategy, case.minibatch, resolution) for _ in range(2))
    with_sums.rounds.get_concrete_function()
    with mock.patch.object(step, "all_reduce", lambda gradients, report: (gradients, report)):
        without.rounds.get_concrete_function()
    whole, apart = turns([with_sums, without], config.growth.D_repeats)
    weights = [*state.d.weights(), *state.g.weights()]
    size = sum(weight.shape.num_elements() * weight.dtype.size for weight in weights)
    return {"whole": whole, "apart": apart, "sums": sums_alone(strategy, weights), "bytes": size}


def make_strategy(case: Case, task: int):
    """Over the devices of all processes of the case; this one takes the next GPUs, if there are any."""
    own = range(task * case.devices, (task + 1) * case.devices)
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", ",".join(map(str, own)))
    import tensorflow as tf

    from pgan_tf import devices

    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * case.devices)
    strategy = devices.make_strategy("multi_worker" if case.processes > 1 else "mirrored")
    if strategy.num_replicas_in_sync != case.replicas:
        raise SystemExit(f"{strategy.num_replicas_in_sync} devices train together, not {case.replicas}")
    return strategy


def turns(steps: list, repeats: int) -> list[float]:
    """Seconds of a round of each step, which take turns; as many calls, of as many rounds, in all processes."""
    from pgan_tf.training import trial

    for step in steps:
        trial.rounds(step, 1, repeats)  # prepares the convolutions
    count = max(1, round(CALL_SECONDS / trial.rounds(steps[0], 1, repeats)))
    count = team.current().share(count)
    times = [[trial.rounds(step, count, repeats) / count for step in steps] for _ in range(calls())]
    return [statistics.median(each) for each in zip(*times, strict=True)]


def sums_alone(strategy, weights: list) -> float:
    """Seconds in which as many numbers as a round's gradients have are added up over the devices, each a number."""
    import tensorflow as tf

    @tf.function
    def add_up():
        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.SUM, [tf.identity(weight) for weight in weights])

    @tf.function
    def added() -> tf.Tensor:
        return tf.add_n([tf.reduce_sum(strategy.experimental_local_results(x)[0]) for x in strategy.run(add_up)])

    times = []
    for _ in range(calls()):
        began = time.monotonic()
        added().numpy()
        times.append(time.monotonic() - began)
    return statistics.median(times)


def calls() -> int:
    return max(3, round(FLAGS.seconds / CALL_SECONDS))


# ---- in the process that was started ---------------------------------------------------------------------------------


def in_processes(case: Case) -> dict[str, float]:
    """The numbers of a case."""
    words = [sys.executable, *sys.argv, f"--cases={case.processes}x{case.devices}", f"--minibatches={case.minibatch}"]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    own = [f"--workers={','.join(addresses(case.processes))}"]
    processes = [
        subprocess.Popen(
            [*words, *own, f"--task={task}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        for task in range(case.processes)
    ]
    ends = [process.communicate() for process in processes]
    for process, (_, said) in zip(processes, ends, strict=True):
        if process.returncode:
            raise SystemExit(said.strip().splitlines()[-1] if said.strip() else f"ended by {process.returncode}")
    return json.loads(ends[0][0].splitlines()[-1])


def addresses(count: int) -> list[str]:
    """Free ports of the loopback."""
    with contextlib.ExitStack() as held:
        ports = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [f"127.0.0.1:{each.getsockname()[1]}" for each in ports]


def row(case: Case, found: dict[str, float], alone: dict[int, float], images: float) -> str:
    """alone: images/s of the first case, by minibatch; images: real ones of a round."""
    rate = images / found["whole"]

    def times(minibatch: float) -> str:
        return f"{rate / alone[minibatch]:.2f}" if minibatch in alone else ""

    share = f"{1 - found['apart'] / found['whole']:.1%}" if case.replicas > 1 else ""
    sums = f"{found['bytes'] / 1e6:.1f} MB in {found['sums'] * 1e3:.1f} ms" if case.replicas > 1 else ""
    return (
        f"| {case.processes} | {case.devices} | {case.minibatch} | {rate:.1f} | {times(case.minibatch)} | "
        f"{times(case.minibatch / case.replicas)} | {share} | {sums} |"
    )


def cases() -> list[Case]:
    """Those of the flags. SystemExit for one that cannot be."""
    found = []
    for text, minibatch in itertools.product(FLAGS.cases, FLAGS.minibatches):
        if not re.fullmatch("[1-9][0-9]*x[1-9][0-9]*", text):
            raise SystemExit(f"--cases: {text!r} is not PROCESSESxDEVICES, as in 2x1")
        case = Case(*map(int, text.split("x")), int(minibatch))
        if case.minibatch % case.replicas:
            raise SystemExit(f"--minibatches: {minibatch} is no multiple of the {case.replicas} devices of {text}")
        found.append(case)
    if FLAGS.cores:
        if not hasattr(os, "sched_setaffinity"):
            raise SystemExit("this system holds no process to its cores; give --cores=0")
        most, there = max(case.replicas for case in found) * FLAGS.cores, len(os.sched_getaffinity(0))
        if most > there:
            raise SystemExit(f"--cases want {most} cores, there are {there}; give --cores=0")
    return found


def main(arguments: list[str]) -> None:
    config = Config.from_values(given_options(FLAGS))
    if FLAGS.task >= 0:
        (case,) = cases()
        print(json.dumps(run_case(config, case, FLAGS.task)))
        return
    cores = f"{FLAGS.cores} of {os.cpu_count()} cores for each device" if FLAGS.cores else "all cores for all"
    networks = f"{config.data.resolution}x{config.data.resolution}, fmap_base {config.model.fmap_base}"
    print(f"{networks}, {config.optim.precision}; {cores}\n")
    print(HEAD)
    print("|---|---|---|---|---|---|---|---|")
    alone: dict[int, float] = {}
    for case in cases():
        found = in_processes(case)
        images = case.minibatch * config.growth.D_repeats
        if f"{case.processes}x{case.devices}" == FLAGS.cases[0]:
            alone[case.minibatch] = images / found["whole"]
        print(row(case, found, alone, images), flush=True)


if __name__ == "__main__":
    app.run(main)
