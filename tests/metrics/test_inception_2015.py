"""The Inception of FID gives what torch-fidelity and pytorch-fid give, from each of the files that people have."""

import inception_recipe as recipe
import keras
import numpy as np
import pytest
import reference
import tensorflow as tf
from pgan_tf.metrics import extractors
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.extractors import inception_2015
from pgan_tf.metrics.extractors.inception_table import node_names
from pgan_tf.metrics.features import extract
from pgan_tf.metrics.weights import locate
from torch_files import write_legacy

TOLERANCE = 5e-6  # of the greatest value
TOOLS = {"tf": "original", "pf": "pytorch-fid"}  # torch-fidelity, pytorch-fid
GOLDEN = [reference.SMALL / "inception_features.npz"]
WIDE = reference.WIDE.parent / "inception" / "fid_features.npz"


@pytest.fixture(scope="module")
def tensors():
    return recipe.weights()


@pytest.fixture(scope="module")
def network(tensors):
    return inception_2015.network(tensors)


@pytest.fixture(scope="module")
def pth(tensors, tmp_path_factory):
    counters = {
        f"{name}.bn.num_batches_tracked": np.array(0, np.int64) for name in ("Conv2d_1a_3x3", "Mixed_7c.branch1x1")
    }
    return write_legacy(tmp_path_factory.mktemp("weights") / "mine.pth", {**tensors, **counters})


@pytest.fixture
def nothing_found(tmp_path, monkeypatch):
    """No weights in any of the usual places; the places are folders of the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(inception_2015.PUBLISHED.variable, raising=False)
    for variable in ("TORCH_HOME", "XDG_CACHE_HOME", "KERAS_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    return tmp_path


def close(found, expected) -> bool:
    return np.abs(np.asarray(found) - expected).max() <= TOLERANCE * np.abs(expected).max()


# ---- numbers ---------------------------------------------------------------------------------------------------------


def test_names_and_shapes_are_those_of_the_published_files():
    rows = [line.split() for line in (reference.SMALL / "inception_names.txt").read_text().splitlines()]
    shapes, nodes = recipe.shapes(), node_names()
    assert len(shapes) == len(nodes) == 472
    for name, node, shape in rows:
        assert nodes[name] == node
        assert shapes[name] == tuple(map(int, shape.split(",")))
    assert {name for name, _, _ in rows} >= {name for name in nodes if ".bn." not in name}


@pytest.mark.fidelity
@pytest.mark.parametrize(
    "path", [*GOLDEN, *([WIDE] if WIDE.exists() else [])], ids=["small", "wide"][: 1 + WIDE.exists()]
)
@pytest.mark.parametrize("tool", TOOLS)
def test_inputs_taps_and_logits(tool, path, network, record_property):
    golden, feed = reference.load(path), inception_2015.MODES[TOOLS[tool]][1]
    for i in sorted({key.split("_")[1] for key in golden if key.startswith(tool) and "_blk_" not in key}):
        fed = feed(tf.constant(recipe.image(int(i[3:]))[None]))  # [1,299,299,3]
        assert close(fed[0, ::13, ::13], golden[f"{tool}_{i}_net_in"])
        outputs = network(fed, training=False)
        stored = {key: key.split("_", 2)[2] for key in golden if key.startswith(f"{tool}64_{i}_")}
        assert set(stored.values()) >= {"64", "192", "768", "2048"}
        for key, name in stored.items():
            record_property(key, float(np.abs(outputs[name][0] - golden[key]).max() / np.abs(golden[key]).max()))
            assert close(outputs[name][0], golden[key]), key


@pytest.mark.fidelity
def test_every_layer(network):
    golden = {key[12:]: value for key, value in reference.load(GOLDEN[0]).items() if "_blk_" in key}
    names = [key.removesuffix("_shape") for key in golden if key.endswith("_shape")]
    assert len(names) == 18
    layers = keras.Model(network.input, [network.get_layer(name).output for name in names])
    fed = inception_2015.original_input(tf.constant(recipe.image(1)[None]))
    for name, values in zip(names, layers(fed), strict=True):
        values = values[0].numpy()  # [H,W,C]
        assert values.shape == tuple(golden[f"{name}_shape"])
        assert close(values.mean((0, 1)), golden[f"{name}_chanmean"]), name
        assert close(values[:3, :3, :16], golden[f"{name}_corner"]), name
        assert close(values[-3:, -3:, -16:], golden[f"{name}_corner_br"]), name


# ---- files -----------------------------------------------------------------------------------------------------------


def test_the_extractor_from_a_pth(pth, network, capfd):
    extractor = extractors.load("inception-2015", pth)
    assert (extractor.name, extractor.features, extractor.classes) == ("inception-2015", 2048, 1008)
    assert extractor.sha256 == locate.sha256_of(pth)
    assert "not the published inception-2015-12-05" in capfd.readouterr().err
    images = recipe.sets()[0][:3]
    expected = network(inception_2015.original_input(tf.constant(images)), training=False)
    found = extract(extractor, images, progress=False, batch_size=2)
    assert close(found.features, expected["2048"])
    assert close(found.logits, expected["logits_unbiased"])


def test_the_graph_of_2015_gives_the_same_tensors(tensors, tmp_path, capfd):
    graph = tf.compat.v1.GraphDef()
    for name, node in node_names().items():
        value = tensors[name].transpose(2, 3, 1, 0) if name.endswith("conv.weight") else tensors[name].T
        entry = graph.node.add(name=node, op="Const")
        entry.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    path = tmp_path / "classify_image_graph_def.pb"
    path.write_bytes(graph.SerializeToString())
    found = inception_2015.read(path)
    assert found.keys() == tensors.keys()
    for name, value in tensors.items():
        np.testing.assert_array_equal(found[name], value)
    del graph.node[7]
    path.write_bytes(graph.SerializeToString())
    with pytest.raises(MetricError, match="has no constant conv_1/batchnorm/beta"):
        inception_2015.read(path)


def test_modes_and_taps_are_told_apart(pth):
    names = [
        inception_2015.load(pth, mode, tap).name
        for mode, tap in (("original", 2048), ("pytorch-fid", 2048), ("pytorch-fid", 192))
    ]
    assert names == ["inception-2015", "inception-2015 (pytorch-fid)", "inception-2015 (pytorch-fid) (192 features)"]
    for wrong in ({"mode": "tf"}, {"tap": 1000}):
        with pytest.raises(MetricError, match="inception-2015: no mode"):
            inception_2015.load(pth, **wrong)


def test_grey_images_are_repeated():
    grey = recipe.image(1)[None, ..., :1]
    for _, feed in inception_2015.MODES.values():
        np.testing.assert_array_equal(feed(tf.constant(grey)), feed(tf.constant(np.repeat(grey, 3, axis=3))))


@pytest.mark.parametrize("name", ["Mixed_6c.branch7x7_2.conv.weight", "Mixed_7c.branch1x1.bn.running_var", "fc.bias"])
def test_tensors_of_another_network(name, tensors, tmp_path):
    missing = {key: value for key, value in tensors.items() if key != name}
    with pytest.raises(MetricError, match=f"no tensor {name}"):
        inception_2015.network(missing)
    with pytest.raises(MetricError, match=f"{name} is "):
        inception_2015.network({**tensors, name: tensors[name][..., None]})


def test_a_small_file_of_another_network_is_named(tmp_path):
    path = write_legacy(tmp_path / "x.pth", {"a": np.ones(3, np.float32)})
    with pytest.raises(MetricError, match=r"x.pth: the weights have no tensor Conv2d_1a_3x3.conv.weight"):
        inception_2015.load(path)


# ---- where it is found -----------------------------------------------------------------------------------------------


def test_none_found_lists_the_places(nothing_found):
    with pytest.raises(MetricError) as caught:
        extractors.load("inception-2015")
    for part in ("pt_inception-2015-12-05-6726825d.pth", "TORCH_HOME/hub/checkpoints", "PGAN_INCEPTION_WEIGHTS"):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)
    assert extractors.default_name() == "efficientnet-lite0"


PLACES = ["TORCH_HOME/hub/checkpoints", "KERAS_HOME/models", "."]
NAMES = [name for name in inception_2015.PUBLISHED.sums if name.endswith(".pth")]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", NAMES)
def test_a_file_in_the_usual_places_must_be_the_published_one(place, name, nothing_found, monkeypatch):
    path = nothing_found / place / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"something else")
    assert extractors.default_name() == "inception-2015"
    with pytest.raises(MetricError, match="not the published inception-2015-12-05"):
        locate.find(inception_2015.PUBLISHED)
    known = locate.Published("x", "X", {name: locate.sha256_of(path)}, "")
    assert locate.find(known).path.resolve() == path


def test_torch_s_cache_follows_the_user_s(nothing_found, monkeypatch):
    monkeypatch.delenv("TORCH_HOME")
    assert nothing_found / "XDG_CACHE_HOME" / "torch" / "hub" / "checkpoints" in locate.folders()


def test_the_graph_has_no_published_sum(nothing_found, capfd):
    (nothing_found / "classify_image_graph_def.pb").write_bytes(b"x")
    found = locate.find(inception_2015.PUBLISHED)
    assert (found.path.name, len(found.sha256)) == ("classify_image_graph_def.pb", 64)
    assert "cannot be checked" in capfd.readouterr().err


def test_what_is_named_goes_first(nothing_found, monkeypatch, capfd):
    for name in ("flag.pth", "variable.pth", NAMES[0]):
        (nothing_found / name).write_bytes(name.encode())
    monkeypatch.setenv("PGAN_INCEPTION_WEIGHTS", "variable.pth")
    assert locate.find(inception_2015.PUBLISHED, "flag.pth").path.name == "flag.pth"
    assert locate.find(inception_2015.PUBLISHED).path.name == "variable.pth"
    error = capfd.readouterr().err
    assert error.count("\n") == error.count("warning: ") == 2
    with pytest.raises(MetricError, match=r"missing.pth: no such file"):
        locate.find(inception_2015.PUBLISHED, "missing.pth")


def test_an_unknown_extractor_lists_the_known_ones():
    with pytest.raises(MetricError, match=r"'vgg'; there are inception-2015, .*efficientnet-lite0"):
        extractors.load("vgg")
