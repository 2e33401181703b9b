"""The facts of a machine: the CPU's from the text of Linux, GPUs that TensorFlow does not use."""

import os
import platform
import subprocess
import sys

import pytest

from pgan_tf import devices
from pgan_tf.devices import Gpu, Hardware

X86 = "processor\t: 0\nmodel name\t: Some CPU @ 3GHz\nflags\t\t: fpu sse avx2\n\nprocessor\t: 1\nflags\t\t: other\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd bf16\n"
SMI = "GPU 0: NVIDIA T4: special (UUID: GPU-1)\nGPU 1: NVIDIA T4 (UUID: GPU-2)\n"


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        (X86, ("Some CPU @ 3GHz", frozenset({"fpu", "sse", "avx2"}))),
        (ARM, ("", frozenset({"fp", "asimd", "bf16"}))),
        ("", ("", None)),
        ("garbage\nmodel name : x", ("x", None)),
    ],
)
def test_a_cpu_is_known_by_its_first_entry(text, facts):
    assert devices.cpu_facts(text) == facts


@pytest.mark.parametrize(
    ("visible", "names"),
    [(None, ("NVIDIA T4: special", "NVIDIA T4")), ("0,1", ("NVIDIA T4: special", "NVIDIA T4")), ("", ()), ("-1", ())],
)
def test_gpus_that_the_user_has_hidden_are_not_missed(visible, names, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(devices, "_output", lambda *command: SMI)
    assert devices._driver_gpus() == names


@pytest.mark.parametrize("command", [("no-such-program-at-all",), ("false",)])
def test_a_program_that_is_not_there_or_fails_says_nothing(command):
    assert devices._output(*command) == ""


@pytest.mark.parametrize(("checkout", "words"), [(True, "-e '.[gpu]'"), (False, "'pgan_tf[gpu]'")])
def test_a_gpu_that_tensorflow_lacks_the_libraries_for_is_named_with_the_way_out(checkout, words):
    idle = Hardware("CPU", 2, frozenset(), (), ("NVIDIA T4",), ())
    assert devices.gpu_advice(idle, checkout).endswith(f"pip install {words}")
    assert "NVIDIA T4" in devices.gpu_advice(idle, checkout)
    assert devices.gpu_advice(idle._replace(unused_gpus=()), checkout) == ""


def test_hardware_in_words():
    machine = Hardware("Some CPU", 1, None, (), (), ("ONEDNN_MAX_CPU_ISA=AVX2",))
    assert str(machine) == "Some CPU, 1 core, ONEDNN_MAX_CPU_ISA=AVX2"
    two = machine._replace(gpus=(Gpu("T4", (7, 5)), Gpu("A100", (8, 0)), Gpu("T4", (7, 5))))
    assert str(two) == "2 x T4, 1 x A100"


@pytest.mark.parametrize(("value", "said"), [(None, ()), ("1", ()), ("0", ("TF_ENABLE_ONEDNN_OPTS=0",))])
def test_only_what_takes_from_the_cpus_flags_is_a_setting(value, said, monkeypatch):
    for name in devices.ONEDNN_SETTINGS:
        monkeypatch.delenv(name, raising=False)
    if value:
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", value)
    assert devices.hardware.__wrapped__().settings == said


ON_X86 = "1" if platform.machine().lower() in ("x86_64", "amd64") else ""
ASKED_FOR = {"TF_ENABLE_ONEDNN_OPTS": (ON_X86, "0"), "TF_FORCE_GPU_ALLOW_GROWTH": ("true", "false")}  # by us, by a user


@pytest.mark.parametrize("name", ASKED_FOR)
@pytest.mark.parametrize("users", [False, True])
def test_what_tensorflow_is_asked_for_and_the_users_word_is_the_last(name, users):
    """oneDNN also on CPUs without instructions for neural networks, where it is faster too; of a GPU's memory what is
    needed, so that a page, a metric or a second run has room beside a training."""
    ours, theirs = ASKED_FOR[name]
    surroundings = {key: value for key, value in os.environ.items() if key not in {*devices.ONEDNN_SETTINGS, name}}
    surroundings |= {"PGAN_TF_NO_KERAS": "1"} | ({name: theirs} if users else {})
    program = f"import os, pgan_tf; print(os.environ.get({name!r}, ''))"
    answer = subprocess.run(
        [sys.executable, "-c", program], env=surroundings, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == (theirs if users else ours)


@pytest.mark.parametrize(
    ("visible", "ids"), [(None, ["0", "1"]), ("3, 5", ["3", "5"]), ("GPU-a,GPU-b,9", ["GPU-a", "GPU-b"])]
)
def test_gpus_are_called_as_the_user_lets_them_be_seen(visible, ids, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    two = Hardware("Some CPU", 2, None, (Gpu("A", (8, 0)), Gpu("B", (8, 0))), (), ())
    monkeypatch.setattr(devices, "hardware", lambda: two)
    assert devices.gpu_ids() == ids


def test_this_machine_has_facts():
    machine = devices.hardware()
    assert machine.cpu
    assert machine.cores >= 1
    assert machine is devices.hardware()
