"""A heap that keeps what is freed."""

import os
import platform
import subprocess
import sys

import pytest

from pgan_tf import devices, heap

KEEP = "from pgan_tf import heap\nprint(heap.keep())"
# Ten blocks of a mebibyte, asked for and freed twenty times by a thread: 2,560 pages of 4 KiB at once.
FAULTS = f"""{KEEP}
import resource, threading
import numpy as np

def use():
    blocks = [np.empty(2**20, np.uint8) for _ in range(10)]
    for block in blocks:
        block.fill(1)

def work():
    use()
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for _ in range(20):
        use()
    print(resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before)

thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the settings are glibc's")


def output(program: str, **settings: str) -> list[str]:
    """What a process of its own prints, whose environment has these settings of the heap alone."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run(
        [sys.executable, "-c", program], env={**mine, "PGAN_TF_NO_KERAS": "1", **settings}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    return done.stdout.split()


@glibc
def test_what_is_freed_and_asked_for_again_costs_no_page_faults():
    kept, faults = output(FAULTS)
    assert kept == "True"
    assert int(faults) < 256  # a tenth of a single round's pages


@pytest.mark.parametrize("name", ["MALLOC_TOP_PAD_", "MALLOC_ARENA_MAX", "MALLOC_PERTURB_"])
def test_the_users_settings_are_the_last_word(name):
    assert output(KEEP, **{name: "0"}) == ["False"]


@glibc
def test_so_are_those_among_the_tunables():
    assert output(KEEP, GLIBC_TUNABLES="glibc.malloc.arena_max=2") == ["False"]
    assert output(KEEP, GLIBC_TUNABLES="glibc.rtld.nns=2") == ["True"]


def test_whatever_trains_keeps_its_heap(monkeypatch):
    """Every training asks for a strategy first."""
    asked = []
    monkeypatch.setattr(heap, "keep", lambda: asked.append(True))
    devices.make_strategy.__wrapped__("mirrored")
    assert asked
