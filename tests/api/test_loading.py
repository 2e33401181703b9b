"""`import pgan_tf` is light; what it has is there when it is asked for."""

import pytest

import pgan_tf
from pgan_tf.api.loading import in_one_line
from pgan_tf.errors import UserError

LIGHT = """
import sys
import pgan_tf
assert not {"tensorflow", "keras", "numpy", "rich"} & sys.modules.keys()
for name in pgan_tf.__all__:
    assert getattr(pgan_tf, name) is getattr(pgan_tf, name) and name in dir(pgan_tf), name
assert not {"tensorflow", "keras"} & sys.modules.keys()
import keras
assert "pgan_tf>Generator" in keras.saving.get_custom_objects()
assert not any(type(finder).__module__.startswith("pgan_tf") for finder in sys.meta_path)
assert keras.__spec__.loader is keras.__loader__ and not type(keras.__loader__).__module__.startswith("pgan_tf")
print("light")
"""
AFTER = """
import keras, pgan_tf
assert "pgan_tf>Generator" in keras.saving.get_custom_objects()
print(pgan_tf.networks.Generator.__name__)
"""


def test_nothing_heavy_comes_before_it_is_needed(fresh_process):
    assert fresh_process(LIGHT).split() == ["light"]


def test_with_keras_there_the_networks_are_too(fresh_process):
    assert fresh_process(AFTER).split() == ["Generator"]


def test_a_name_that_it_has_not():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = pgan_tf.nonsense


def test_what_a_program_ends_with_in_one_line_is_a_user_error():
    @in_one_line
    def act(error):
        raise error

    for error, said in (
        (FileNotFoundError(2, "No such file", "gone"), "gone: No such file"),
        (ModuleNotFoundError("no", name="onnx"), "onnx is not installed: pip install"),
        (MemoryError(), "out of memory"),
    ):
        with pytest.raises(UserError, match=said) as caught:
            act(error)
        assert caught.value.__cause__ is error
    with pytest.raises(ZeroDivisionError):
        act(ZeroDivisionError())
