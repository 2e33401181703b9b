"""A run to explore: a tiny labelled network with its training pictures, and what it is exported to."""

import functools

import pytest
from tiny_networks import tiny, tiny_run

from pgan_tf.interop.export import export


@pytest.fixture(scope="session")
def make_tiny():
    """Of grey pictures."""
    return functools.partial(tiny, num_channels=1)


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    return tiny_run(tmp_path_factory.mktemp("explored"))


@pytest.fixture(scope="session")
def onnx_file(run):
    export(run, run.parent / "tiny.onnx", "onnx")
    return run.parent / "tiny.onnx"
