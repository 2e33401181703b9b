"""The heap of a process that trains: what a step frees the next one asks for again."""

from __future__ import annotations

import ctypes
import os
import platform

# Of <malloc.h>. In the environment glibc's settings are variables that begin with MALLOC_, and GLIBC_TUNABLES.
M_TOP_PAD = -2
PADDING = 2**26  # bytes by which a heap grows beyond what is needed, and which it keeps


def keep() -> bool:
    """Lets the heap keep freed memory, which glibc otherwise gives back to the system; -> whether it does so now.

    Every page that is given back costs a page fault when it is used again: thousands in each step of training. The
    threshold for giving back alone does not help, as the heaps of threads shrink without it. Nothing changes on
    anything but glibc, and where the user's environment has a setting of glibc's heap.
    """
    if platform.libc_ver()[0] != "glibc" or _users():
        return False
    return bool(ctypes.CDLL(None).mallopt(M_TOP_PAD, PADDING))


def _users() -> bool:
    """Whether the user's environment has a setting of the heap."""
    tunables = os.environ.get("GLIBC_TUNABLES", "")
    return "glibc.malloc." in tunables or any(name.startswith("MALLOC_") for name in os.environ)
