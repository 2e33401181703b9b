"""Both engines compute what the network does; files that are not ours are refused in one line."""

import onnx
import pytest

from pgan_tf.explore import points
from pgan_tf.explore.onnx_engine import FIRST
from pgan_tf.explore.opening import open_engine
from pgan_tf.explore.painter import Painter
from pgan_tf.networks.saved import NetworkError, load_network


@pytest.fixture(scope="module", params=["keras", "onnx"])
def engine(request, run, onnx_file):
    return open_engine({"keras": run, "onnx": onnx_file}[request.param])


def test_the_two_halves_are_the_network(engine, run):
    network = load_network(run / "network-000010.keras")
    drawn = points.draw(engine, 5, "", 5)
    expected = network((drawn.latents, drawn.labels)).numpy()
    inputs = drawn.latents, drawn.labels
    assert engine.whole(*inputs) == pytest.approx(expected, abs=1e-4)
    assert engine.rest(engine.first(*inputs)) == pytest.approx(expected, abs=1e-4)
    assert (engine.latent_size, engine.label_size, engine.resolution, engine.num_channels) == (20, 3, 16, 1)


def test_a_file_of_an_older_version_draws_without_truncation(run, onnx_file, tmp_path):
    model = onnx.load(onnx_file)
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = ["old" if name == FIRST else name for name in names]
    onnx.save(model, tmp_path / "old.onnx")
    old = open_engine(tmp_path / "old.onnx")
    drawn = points.draw(old, 5, "0,1,2", 3)
    assert not old.parted
    pictures = [Painter(engine).pictures(drawn, 0.5 if engine is old else 1) for engine in (old, open_engine(run))]
    assert pictures[0].astype(int) == pytest.approx(pictures[1].astype(int), abs=1)


def external(model):
    tensor = model.graph.initializer[0]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return model


def other_graph(model):
    model.graph.input[0].name = "input_ids"
    return model


def not_computable(model):
    model.graph.node[0].op_type = "NoSuchOperation"
    return model


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (external, "keeps its weights in other files"),
        (other_graph, "another graph than a generator's"),
        (not_computable, "cannot be run"),
        (lambda model: None, "cannot be read as ONNX"),
    ],
)
def test_other_files_are_refused(change, line, onnx_file, tmp_path):
    path, changed = tmp_path / "other.onnx", change(onnx.load(onnx_file))
    path.write_bytes(b"\x08\xff no model" if changed is None else changed.SerializeToString())
    with pytest.raises(NetworkError, match=line) as caught:
        open_engine(path)
    assert len(str(caught.value).splitlines()) == 1
    assert str(path) in str(caught.value)
