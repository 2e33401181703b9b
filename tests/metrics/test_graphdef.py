"""Only the constants of a frozen graph are read; whatever is none, or is damaged, is refused in one line."""

import numpy as np
import pytest
import tensorflow as tf
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.weights import graphdef

KERNEL = np.random.RandomState(0).randn(3, 3, 2, 4).astype(np.float32)


def add(graph, name: str, tensor) -> None:
    node = graph.node.add(name=name, op="Const")
    node.attr["value"].tensor.CopyFrom(tensor)


def write(path, graph):
    path.write_bytes(graph.SerializeToString())
    return path


def refusal(path) -> str:
    with pytest.raises(MetricError) as caught:
        graphdef.read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_constants_by_name_and_nothing_else(tmp_path):
    graph = tf.compat.v1.GraphDef()
    add(graph, "conv/conv2d_params", tf.make_tensor_proto(KERNEL))
    add(graph, "one", tf.make_tensor_proto(np.float32(2.5), shape=[5]))  # one number may stand for many
    add(graph, "label", tf.make_tensor_proto(["cat"]))
    graph.node.add(name="file", op="WriteFile")
    graph.node.add(name="unknown", op="NoSuchOp")
    found = graphdef.read(write(tmp_path / "x.pb", graph))
    assert found.keys() == {"conv/conv2d_params", "one"}
    np.testing.assert_array_equal(found["conv/conv2d_params"], KERNEL)
    np.testing.assert_array_equal(found["one"], [2.5] * 5)


def test_a_truncated_file_is_refused(tmp_path):
    graph = tf.compat.v1.GraphDef()
    add(graph, "a", tf.make_tensor_proto(KERNEL))
    content = graph.SerializeToString()
    for length in range(1, len(content), 7):
        (tmp_path / "x.pb").write_bytes(content[:length])
        assert "not a frozen TensorFlow graph" in refusal(tmp_path / "x.pb")


@pytest.mark.parametrize("shape", [[2**20, 2**20], [2**62, 2**62], [-1, 3]])
def test_absurd_shapes_take_no_memory(shape, tmp_path):
    graph, tensor = tf.compat.v1.GraphDef(), tf.make_tensor_proto(np.float32(1))
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)
    add(graph, "big", tensor)
    assert "constant big claims the shape" in refusal(write(tmp_path / "x.pb", graph))


def test_content_of_another_length_than_the_shape(tmp_path):
    graph, tensor = tf.compat.v1.GraphDef(), tf.make_tensor_proto(KERNEL)
    tensor.tensor_content = tensor.tensor_content[:-4]
    add(graph, "short", tensor)
    assert "damaged" in refusal(write(tmp_path / "x.pb", graph))


def test_other_files(tmp_path):
    assert "No such file" in refusal(tmp_path / "missing.pb")
    (tmp_path / "x.pb").write_bytes(b"<html>404</html>")
    assert "not a frozen TensorFlow graph" in refusal(tmp_path / "x.pb")
    assert "no constants" in refusal(write(tmp_path / "x.pb", tf.compat.v1.GraphDef()))
