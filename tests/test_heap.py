"""A heap that keeps what is freed."""

import os
import platform
import subprocess
import sys

import pytest

# Ten blocks of a mebibyte, asked for and freed twenty times by a thread: 2,560 pages of 4 KiB at once.
PROGRAM = """
import resource, sys, threading
import numpy as np
from pgan_tf import heap

kept = heap.keep() if sys.argv[1] == "keep" else False

def use():
    blocks = [np.empty(2**20, np.uint8) for _ in range(10)]
    for block in blocks:
        block.fill(1)

def work():
    use()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        use()
    print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


def run(word: str, **settings: str) -> tuple[bool, int]:
    """-> whether the heap keeps memory, page faults of nineteen further rounds."""
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    surroundings |= {"PGAN_TF_NO_KERAS": "1", **settings}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, word], env=surroundings, capture_output=True, text=True, check=True
    )
    kept, faults = done.stdout.split()
    return kept == "True", int(faults)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the settings are glibc's")
def test_what_is_freed_and_asked_for_again_costs_no_page_faults():
    kept, faults = run("keep")
    assert kept
    assert faults < 256  # a tenth of a single round's pages


@pytest.mark.parametrize("name", ["MALLOC_TOP_PAD_", "MALLOC_ARENA_MAX"])
def test_the_users_settings_are_the_last_word(name):
    assert not run("keep", **{name: "8"})[0]
