"""What all tests share: a quiet TensorFlow, the import paths, and the golden numbers."""

import os
import signal
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
TESTS = Path(__file__).resolve().parent
for folder in (TESTS.parent, TESTS):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


import numpy as np  # noqa: E402
import pytest  # noqa: E402
import reference  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def hangups_are_heard():
    """Of a SIGHUP that nohup has ignored, nobody and none of our children would hear."""
    before = signal.getsignal(signal.SIGHUP)
    if before == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def record_property(record_property):
    """pytest's, also for NumPy's numbers, which its processes cannot send to each other."""
    return lambda name, value: record_property(name, value.item() if isinstance(value, np.generic) else value)


@pytest.fixture(scope="session")
def golden():
    """`golden("adam.npz")` -> the arrays of a file of tests/golden."""
    return reference.small


@pytest.fixture(scope="session")
def fresh_process():
    """`fresh_process(script, *arguments)` runs a script in a new Python and returns what it printed."""
    return reference.fresh_process
