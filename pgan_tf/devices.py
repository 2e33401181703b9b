"""The machine: what it is, and how its devices train together."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from pgan_tf import heap
from pgan_tf.workers import mirrored, team

CPUINFO = Path("/proc/cpuinfo")
# What changes the instructions that oneDNN, which computes TensorFlow's convolutions on a CPU, may use.
ONEDNN_SETTINGS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "TF_ENABLE_ONEDNN_OPTS")
ONEDNN_ON = ("TF_ENABLE_ONEDNN_OPTS", "1")  # what pgan_tf asks for itself


class Gpu(NamedTuple):
    """An accelerator that TensorFlow uses."""

    name: str
    capability: tuple[int, int] | None  # NVIDIA's compute capability; None where there is no such thing


class Hardware(NamedTuple):
    """What this machine computes with."""

    cpu: str
    cores: int
    cpu_flags: frozenset[str] | None  # instruction sets by their names in Linux; None where they cannot be read
    gpus: tuple[Gpu, ...]  # that TensorFlow uses
    unused_gpus: tuple[str, ...]  # that the driver knows and TensorFlow does not use
    settings: tuple[str, ...]  # environment variables that change what the CPU's flags promise

    def __str__(self) -> str:
        if self.gpus:
            names = [gpu.name for gpu in self.gpus]
            return ", ".join(f"{names.count(name)} x {name}" for name in dict.fromkeys(names))
        limits = "".join(f", {setting}" for setting in self.settings)
        return f"{self.cpu}, {self.cores} core{'s' if self.cores > 1 else ''}{limits}"


@functools.cache
def hardware() -> Hardware:
    """The facts of this machine. Starts TensorFlow's devices."""
    gpus = tuple(_gpu(device) for device in tf.config.list_physical_devices("GPU"))
    name, flags = cpu_facts(CPUINFO.read_text() if CPUINFO.exists() else "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    values = [(name, os.environ.get(name)) for name in ONEDNN_SETTINGS]
    settings = tuple(f"{name}={value}" for name, value in values if value and (name, value) != ONEDNN_ON)
    return Hardware(name or _cpu_name(), cores, flags, gpus, () if gpus else _driver_gpus(), settings)


def cpu_facts(cpuinfo: str) -> tuple[str, frozenset[str] | None]:
    """The text of Linux' /proc/cpuinfo -> the first CPU's name, '' if it has none, and its flags, None without any."""
    first = dict(_pair(line) for line in reversed(cpuinfo.splitlines()) if ":" in line)
    flags = first.get("flags") or first.get("Features")  # on x86, on Arm
    return first.get("model name", ""), frozenset(flags.split()) if flags else None


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _cpu_name() -> str:
    """The CPU's name where /proc/cpuinfo has none: macOS, Arm."""
    return _output("sysctl", "-n", "machdep.cpu.brand_string") or f"{platform.machine() or 'unknown'} CPU"


def _gpu(device) -> Gpu:
    details = tf.config.experimental.get_device_details(device)
    return Gpu(details.get("device_name", device.name), details.get("compute_capability"))


def gpu_ids() -> list[str]:
    """The GPUs that TensorFlow uses, as CUDA_VISIBLE_DEVICES names them."""
    count = len(hardware().gpus)
    users = [word.strip() for word in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if word.strip()]
    return (users or [str(number) for number in range(count)])[:count]


def _driver_gpus() -> tuple[str, ...]:
    """The names of the GPUs that nvidia-smi lists; none where the user has hidden them."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1", "none", "NoDevFiles"):
        return ()
    lines = [line for line in _output("nvidia-smi", "-L").splitlines() if line.startswith("GPU ")]
    return tuple(line.partition(":")[2].partition("(UUID")[0].strip() for line in lines)


def _output(*command: str) -> str:
    """What a program prints; '' where it is not there or fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""


def gpu_advice(hardware: Hardware, checkout: bool) -> str:
    """One line where the machine has a GPU that TensorFlow cannot use, else ''."""
    if not hardware.unused_gpus:
        return ""
    install = "pip install -e '.[gpu]'" if checkout else "pip install 'pgan_tf[gpu]'"
    return f"TensorFlow does not use the {hardware.unused_gpus[0]}: it lacks NVIDIA's libraries; {install}"


# ---- how they train together -----------------------------------------------------------------------------------------


class Kind(NamedTuple):
    """A row of STRATEGIES."""

    make: Callable[[], tf.distribute.Strategy]  # the first thing in a process that touches a device
    share: Callable[[list[int]], list[int]]  # numbers -> those of the process that decides for all that train together


def _mirrored() -> tf.distribute.Strategy:
    """Over all visible accelerators, or over the CPU where there is none."""
    return tf.distribute.MirroredStrategy(_names())


def _single() -> tf.distribute.Strategy:
    return tf.distribute.MirroredStrategy(_names()[:1])


def _names() -> list[str]:
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return [device.name for device in devices]


def _own(numbers: list[int]) -> list[int]:
    """There is no other process."""
    return numbers


def _multi_worker() -> tf.distribute.Strategy:
    """Over the devices of all processes that have met; of this process where there are no others, or it only plans."""
    ties = team.current()
    if not isinstance(ties, team.Team):
        return _mirrored()
    return mirrored.make(ties)


def _chief(numbers: list[int]) -> list[int]:
    return team.current().share(numbers)


STRATEGIES = {
    "mirrored": Kind(_mirrored, _own), "single": Kind(_single, _own), "multi_worker": Kind(_multi_worker, _chief),
}  # fmt: skip


@functools.cache
def make_strategy(kind: str) -> tf.distribute.Strategy:
    """The strategy of this process, made when it is first asked for; `kind` as of --strategy.

    Programs ask as soon as TensorFlow is loaded, before anything else starts a device: one over several processes
    could not be made later. From here on the process keeps the memory that it frees.
    """
    heap.keep()
    return STRATEGIES[kind].make()


def replicas(strategy: tf.distribute.Strategy) -> int:
    """How many devices train together: also those of workers that a run is only planned for."""
    ties = team.current()
    return strategy.num_replicas_in_sync * (1 if isinstance(ties, team.Team) else ties.size)


def own_replicas(strategy: tf.distribute.Strategy) -> range:
    """Which of the replicas are on the devices of this process."""
    if strategy.num_replicas_in_sync == 1:  # TensorFlow's default strategy knows no devices
        return range(1)
    local = len(strategy.extended.worker_devices)
    first = team.current().task * local if strategy.num_replicas_in_sync > local else 0
    return range(first, first + local)


def alone_scope(strategy: tf.distribute.Strategy) -> contextlib.AbstractContextManager:
    """The scope for what one process does by itself: none where the strategy would wait for the others."""
    return contextlib.nullcontext() if isinstance(team.current(), team.Team) else strategy.scope()
