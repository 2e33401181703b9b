"""An exported generator gives in its own runtime what Keras gives, for any batch; and export refuses in one line."""

import re
import sys
import zipfile

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from pgan_tf import growth
from pgan_tf.commands import network as command
from pgan_tf.config import Config
from pgan_tf.grids import to_uint8
from pgan_tf.interop.export import FORMATS, export
from pgan_tf.interop.weights import read_weights
from pgan_tf.networks import Discriminator, Generator, families
from pgan_tf.networks.saved import NetworkError
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training.export import save_generator

SIZES = {"resolution": 16, "fmap_base": 64, "fmap_max": 8}
TOLERANCE = 1e-4  # of floats; half a pixel and this, in pixels, of the rounded ones
NETWORKS = {
    "labelled": {"label_size": 3, "latent_size": 6},
    "fading": {"fading": True, "alpha": 0.3, "fused_scale": False, "g_block": "residual", "num_channels": 1},
    "wider": {
        "label_size": 3,
        "latent_size": 6,
        "latents_used": 4,
        "latents_before": 2,
        "narrower_before": 2,
        "beta": 0.4,
    },
    "batch norm": {"g_norm": "batch", "g_output": "tanh", "g_weights": "plain", "g_activation": "relu"},
    "layer norm": {"g_norm": "layer", "g_weights": "spectral", "g_activation": "tanh"},
    "dcgan": {"family": "dcgan", "resolution": 20, "image_maps": 4, "label_size": 2, "g_norm": "batch", "g_blocks": 2},
    "tiny dcgan": {"family": "dcgan", "image_maps": 4, "g_norm": "pixel", "stage_kernel": 3, "g_last": "plain"},
    "strided tiny dcgan": {"family": "dcgan", "image_maps": 4, "g_norm": "pixel", "stage_kernel": 3},
    "plain dcgan": {"family": "dcgan", "image_maps": 4, "g_norm": "none", "num_channels": 1, "g_output": "tanh"},
    "bare": {"use_pixelnorm": False, "use_leakyrelu": False, "normalize_latents": False, "use_wscale": False},
}

SCALES = {"bare": 0.3, "batch norm": 0.1, "dcgan": 0.1, "plain dcgan": 0.3}  # of weights


def randomised(network: Generator, scale: float = 1.0) -> Generator:
    """With random weights, also in the biases, which begin as zeros."""
    random = np.random.default_rng(7)
    for variable in network.trainable_variables:
        variable.assign(scale * random.standard_normal(variable.shape))
    return network


def draw(network: Generator, count: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(count)
    inputs = {"latents": random.standard_normal([count, network.latent_size]).astype(np.float32)}
    if network.label_size:
        inputs["labels"] = np.eye(network.label_size, dtype=np.float32)[np.arange(count) % network.label_size]
    return inputs


def saved_model(path, inputs):
    network = tf.saved_model.load(str(path)).signatures["serving_default"]
    return {name: x.numpy() for name, x in network(**{name: tf.constant(x) for name, x in inputs.items()}).items()}


def tflite(path, inputs):
    """By the plain interface; test_the_note_runs takes the signature's."""
    interpreter = Interpreter(str(path))
    indices = {re.search("latents|labels", x["name"])[0]: x["index"] for x in interpreter.get_input_details()}
    for name, x in inputs.items():
        interpreter.resize_tensor_input(indices[name], x.shape)
    interpreter.allocate_tensors()
    for name, x in inputs.items():
        interpreter.set_tensor(indices[name], x)
    interpreter.invoke()
    outputs = [interpreter.get_tensor(x["index"]) for x in interpreter.get_output_details()]
    return {"images" if x.dtype == np.uint8 else "images_nchw": x for x in outputs}


def onnx_runtime(path, inputs):
    session = onnxruntime.InferenceSession(str(path))
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


RUNTIMES = {"saved_model": saved_model, "tflite": tflite, "onnx": onnx_runtime}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """{name: (network, {format: its file})}: every kind of network in every format."""
    folder, found = tmp_path_factory.mktemp("exported"), {}
    for name, options in NETWORKS.items():
        # Smaller weights where nothing normalises, so that all outputs have the size of images.
        kind = families.FAMILIES[options.get("family", "progressive")].generator
        small = {option: value for option, value in SIZES.items() if option in kind.defaults()}
        own = {option: value for option, value in options.items() if option != "family"}
        network = randomised(kind(**{**small, **own}), SCALES.get(name, 1.0))
        save_generator(network, network.fade(), folder / f"{name}.keras")
        files = {format: folder / f"{name}{kind.suffix or f'-{format}'}" for format, kind in FORMATS.items()}
        for format, file in files.items():
            export(folder / f"{name}.keras", file, format)
        found[name] = network, files
    return found


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("format", RUNTIMES)
def test_images_are_those_of_keras_for_any_number_of_samples(exported, name, format):
    network, files = exported[name]
    for count in (1, 3, 17):
        inputs = draw(network, count)
        expected = network((inputs["latents"], inputs["labels"]) if "labels" in inputs else inputs["latents"]).numpy()
        outputs = RUNTIMES[format](files[format], inputs)
        assert outputs.keys() == {"images", "images_nchw"}
        assert (outputs["images_nchw"].dtype, outputs["images"].dtype) == (np.float32, np.uint8)
        np.testing.assert_allclose(outputs["images_nchw"], expected.transpose(0, 3, 1, 2), rtol=0, atol=TOLERANCE)
        pixels = np.clip((expected + 1.0) * 127.5, 0, 255)
        np.testing.assert_allclose(outputs["images"], pixels, rtol=0, atol=0.5 + 127.5 * TOLERANCE)


def test_a_norm_that_onnx_has_not_is_refused(tmp_path):
    network = Generator(**SIZES, g_norm="virtual_batch", reference_batch=4)
    network.save(tmp_path / "n.keras")
    with pytest.raises(NetworkError, match="g_norm=virtual_batch has no form in ONNX; give --format=saved_model"):
        export(tmp_path / "n.keras", tmp_path / "n.onnx", "onnx")
    assert not (tmp_path / "n.onnx").exists()


@pytest.mark.parametrize("format", RUNTIMES)
def test_pixels_are_rounded_to_the_nearest_and_clipped(format, tmp_path):
    """One colour per output channel, by the bias alone: halves, values beyond the ends, the ends themselves."""
    halves = np.array([0.5, 1.5, 2.5, 126.5, 127.5, 253.5, 254.5])
    colours = np.concatenate([halves / 127.5 - 1, [-1, 1, -1.004, 1.004, -9, 9, 0]]).astype(np.float32)
    network = Generator(resolution=4, fmap_base=16, fmap_max=2, num_channels=len(colours))
    to_rgb = network.to_rgb[0]
    to_rgb.weight.assign(np.zeros(to_rgb.weight.shape))
    to_rgb.bias.assign(colours)
    save_generator(network, Fade(), tmp_path / "flat.keras")
    export(tmp_path / "flat.keras", tmp_path / f"flat{FORMATS[format].suffix}", format)
    outputs = RUNTIMES[format](tmp_path / f"flat{FORMATS[format].suffix}", draw(network, 2))
    np.testing.assert_array_equal(outputs["images_nchw"][0, :, 0, 0], colours)
    np.testing.assert_array_equal(outputs["images"], np.broadcast_to(to_uint8(colours), [2, 4, 4, len(colours)]))


# ---- what is in the files --------------------------------------------------------------------------------------------

ALONE = """
import sys
import numpy as np
forbidden = sys.argv[3].split(",")
sys.modules.update(dict.fromkeys(forbidden))  # importing one of them fails
np.random.seed(1)
found = {}
exec(sys.argv[1], found)
np.save(sys.argv[2], found["images"])
"""
FORBIDDEN = {  # what a runtime must do without
    "saved_model": "pgan_tf,keras",
    "tflite": "pgan_tf,keras,tensorflow",
    "onnx": "pgan_tf,keras,tensorflow",
}


def note_of(format, path):
    if format == "saved_model":
        return (path / "README.md").read_text()
    if format in ("onnx", "web"):
        return onnx.load(path if format == "onnx" else path / "network.onnx").doc_string
    return zipfile.ZipFile(path).read("README.md").decode()


@pytest.mark.parametrize(
    ("format", "name"),
    [
        ("saved_model", "labelled"),
        ("tflite", "labelled"),
        ("tflite", "fading"),
        ("onnx", "labelled"),
        ("onnx", "fading"),
    ],
)
def test_the_note_runs_in_a_python_without_this_package(exported, fresh_process, monkeypatch, tmp_path, format, name):
    network, files = exported[name]
    note = note_of(format, files[format])
    monkeypatch.chdir(files[format].parent)
    fresh_process(ALONE, re.search("```python\n(.*?)```", note, re.S)[1], tmp_path / "x.npy", FORBIDDEN[format])
    count = network.label_size or 8
    latents = np.random.RandomState(1).randn(count, network.latent_size).astype(np.float32)
    expected = network((latents, np.eye(count, dtype=np.float32)) if network.label_size else latents).numpy()
    expected = np.clip((expected + 1.0) * 127.5, 0, 255)
    np.testing.assert_allclose(np.load(tmp_path / "x.npy"), expected, rtol=0, atol=0.5 + 127.5 * TOLERANCE)


def test_the_note_says_what_the_network_is_and_where_it_is_from(exported):
    import hashlib

    for name, (network, files) in exported.items():
        digest = hashlib.sha256(files["weights"].with_suffix(".keras").read_bytes()).hexdigest()
        for format, file in files.items():
            note = note_of(format, file)
            assert note.startswith(f"# {file.name}\n"), (name, format)
            facts = [
                f"{name}.keras",
                digest,
                f"{network.latent_size} components",
                f"{network.resolution}x{network.resolution} pixels",
            ]
            assert all(fact in note for fact in facts), (name, format)


def test_tflite_has_builtin_operations_only(exported):
    for _, files in exported.values():
        operations = Interpreter(str(files["tflite"]))._get_ops_details()
        assert operations
        assert not {x["op_name"] for x in operations if x["op_name"].startswith(("Flex", "CUSTOM"))}


def test_onnx_is_valid_names_its_batch_and_has_standard_operations_only(exported):
    for network, files in exported.values():
        model = onnx.load(files["onnx"])
        onnx.checker.check_model(model, full_check=True)
        assert {node.domain for node in model.graph.node} <= {"", "ai.onnx"}
        assert (model.ir_version, {x.domain: x.version for x in model.opset_import}[""]) == (8, 18)
        shapes = {
            value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
            for value in (*model.graph.input, *model.graph.output)
        }
        labels = {"labels": ["N", network.label_size]} if network.label_size else {}
        channels, size = network.num_channels, network.resolution
        images = {"images": ["N", size, size, channels], "images_nchw": ["N", channels, size, size]}
        assert shapes == {"latents": ["N", network.latent_size], **labels, **images}


@pytest.mark.parametrize("precision", ["bfloat16", "float64"])
def test_a_network_of_any_precision_comes_out_in_float32(precision, tmp_path):
    config = Config.from_values({"precision": precision, "fmap_base": 64, "fmap_max": 8})
    network = randomised(growth.NetworkFactory(config, 3, 0).generator(layer_stage(8)))
    network.save(tmp_path / "network-000001.keras")
    exact = growth.float32_copy(network)
    inputs = draw(network, 3)
    for format, run in RUNTIMES.items():
        file = tmp_path / f"out{FORMATS[format].suffix}"
        export(tmp_path, file, format)
        images = run(file, inputs)["images_nchw"].transpose(0, 2, 3, 1)
        np.testing.assert_allclose(images, exact(inputs["latents"]), rtol=0, atol=TOLERANCE)
    half = {np.dtype("float16"), np.dtype("float64"), tf.bfloat16.as_numpy_dtype}
    tensors = Interpreter(str(tmp_path / "out.tflite")).get_tensor_details()
    assert not {np.dtype(x["dtype"]) for x in tensors} & half
    stored = onnx.load(tmp_path / "out.onnx").graph.initializer
    assert {x.data_type for x in stored if len(x.dims) == 4} == {onnx.TensorProto.FLOAT}
    variables = tf.train.list_variables(str(tmp_path / "out" / "variables" / "variables"))
    kinds = tf.train.load_checkpoint(str(tmp_path / "out" / "variables" / "variables")).get_variable_to_dtype_map()
    assert len([name for name, shape in variables if len(shape) == 4]) == 4
    assert {kinds[name] for name, shape in variables if shape} == {tf.float32}


# ---- refusals --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def source(exported):
    """The file of a generator with three labels."""
    return exported["labelled"][1]["weights"].with_suffix(".keras")


@pytest.fixture(scope="module")
def place(source, tmp_path_factory):
    """A folder with a generator, a discriminator, a young run, files and folders in the way. It stays as it is."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "g.keras").write_bytes(source.read_bytes())
    Discriminator(**SIZES).save(folder / "d.keras")
    (folder / "young").mkdir()
    (folder / "young" / "config.json").write_text(Config().to_json())
    (folder / "photos").mkdir()
    (folder / "photos" / "cat.jpg").write_text("cat")
    (folder / "folder.onnx").mkdir()
    (folder / "old.npz").write_text("old")
    (folder / "edited.npz.card.md").write_text("by hand")
    (folder / "blocked.npz.card.md").mkdir()
    for name in ("site/index.html", "site/thesis.txt", "model/saved_model.pb", "model/notes.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("somebody's")
    return folder


def everything(folder):
    """{path: content} of all files, and None for folders."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


REFUSED = {  # arguments, with {p} for the folder -> part of the line
    ("{p}/young", "{p}/x.npz", "--format=weights"): "young: holds no network-*.keras yet",
    ("{p}/d.keras", "{p}/x.onnx", "--format=onnx"): "d.keras: holds a Discriminator, not a generator",
    ("{p}/gone", "{p}/x.onnx", "--format=onnx"): "gone: no such file or folder",
    ("{p}/g.keras", "{p}/old.npz", "--format=weights"): "old.npz: exists already; add --overwrite",
    ("{p}/g.keras", "{p}/photos", "--format=saved_model"): "photos: exists already; add --overwrite",
    ("{p}/g.keras", "{p}/photos", "--format=saved_model", "--overwrite"): "photos: is not what --format=saved_model",
    ("{p}/g.keras", "{p}/edited.npz", "--format=weights"): "edited.npz.card.md: exists already; add --overwrite",
    ("{p}/g.keras", "{p}/blocked.npz", "--format=weights", "--overwrite"): "blocked.npz.card.md: a folder where",
    ("{p}/g.keras", "{p}/x.npz", "--format=weights", "--data_license="): "--data_license: : must be one line of text",
    ("{p}/g.keras", "{p}/x.npz", "--format=weights", "--data_license=a\nb"): "a\\nb: must be one line of text",
    ("{p}/g.keras", "{p}/old.npz/x", "--format=saved_model"): "cannot be written",
    ("{p}/g.keras", "{p}/folder.onnx", "--format=onnx", "--overwrite"): "folder.onnx: is not what --format=onnx",
    ("{p}/g.keras", "{p}/x.onnx", "--format=tflite"): "x.onnx: --format=tflite writes a file named *.tflite",
    ("{p}/g.keras", "{p}/x", "--format=weights"): "x: --format=weights writes a file named *.npz",
    ("{p}/g.keras", "{p}/x.onnx", "--format=onnx", "--runtime=npm"): "--runtime=npm: is for --format=web",
    ("{p}/g.keras", "{p}/x", "--format=web", "--runtime={p}/photos"): "photos: holds no ort.wasm.min.js; give cdn, npm",
    ("{p}/g.keras", "{p}/photos", "--format=web", "--overwrite"): "photos: is not what --format=web",
    ("{p}/g.keras", "{p}/site", "--format=web", "--overwrite"): "site: holds thesis.txt, which no --format=web writes",
    ("{p}/g.keras", "{p}/model", "--format=saved_model", "--overwrite"): "model: holds notes.txt, which no --format=",
    ("{p}/g.keras", "{p}/x.tflite", "--format=saved_model"): "x.tflite: --format=saved_model writes a folder",
}


@pytest.mark.parametrize("arguments", REFUSED)
def test_bad_input_is_one_line_and_writes_nothing(place, capsys, arguments):
    from pgan_tf.programs import start

    before = everything(place)
    assert start.run("network_tool", ["export", *(argument.format(p=place) for argument in arguments)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert REFUSED[arguments] in error
    assert error.count("\n") == 1
    assert everything(place) == before


def test_the_command_knows_every_format_and_no_other(capsys):
    from pgan_tf.programs import start

    assert set(command.FORMATS) == FORMATS.keys()
    assert start.run("network_tool", ["export", "a", "b", "--format=caffe"]) == 2
    assert "invalid choice: 'caffe'" in capsys.readouterr().err
    with pytest.raises(NetworkError, match="--format=caffe: choose one of saved_model, tflite, onnx, web, weights"):
        export("a", "b", "caffe")


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (None, "--format=onnx needs the package onnx: pip install onnx"),
        ("import numpy; numpy.gone", "--format=onnx: onnx cannot be imported (module 'numpy' has no attribute"),
    ],
)
def test_a_missing_or_broken_package_is_named_with_its_command(source, monkeypatch, tmp_path, module, message):
    if module is None:
        monkeypatch.setitem(sys.modules, "onnx", None)  # Python's way to say that there is none
    else:
        monkeypatch.delitem(sys.modules, "onnx", raising=False)
        (tmp_path / "onnx.py").write_text(module)
        monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(NetworkError) as error:
        export(source, tmp_path / "x.onnx", "onnx")
    assert str(error.value).startswith(message)
    assert "pip install" in str(error.value)
    assert not (tmp_path / "x.onnx").exists()


@pytest.mark.parametrize("format", ["weights", "saved_model"])  # a file and a folder
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_what_was_there(source, monkeypatch, tmp_path, format, error):
    out = tmp_path / f"out{FORMATS[format].suffix}"
    if FORMATS[format].suffix:
        out.write_text("the one before")
    else:
        out.mkdir()
        (out / "saved_model.pb").write_text("the one before")
    before = everything(tmp_path)

    def fail(network, path, note):
        (path / "half" if path.is_dir() else path).write_text("half")
        raise error

    monkeypatch.setitem(FORMATS, format, FORMATS[format]._replace(write=fail))
    with pytest.raises((NetworkError, KeyboardInterrupt)) as raised:
        export(source, out, format, overwrite=True)
    if isinstance(error, OSError):
        assert str(raised.value) == f"{out}: cannot be written: No space left on device"
    assert everything(tmp_path) == before


@pytest.mark.parametrize("format", ["weights", "saved_model"])
def test_overwrite_replaces_the_whole(source, tmp_path, format):
    out = tmp_path / f"out{FORMATS[format].suffix}"
    export(source, out, format)
    if out.is_dir():
        (out / "variables" / "stale").write_text("of the first")
    Generator(**SIZES, label_size=5).save(tmp_path / "other.keras")
    export(tmp_path / "other.keras", out, format, overwrite=True)
    assert "a label of 5 " in note_of(format, out)
    assert not (out / "variables" / "stale").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"other.keras", out.name, f"{out.name}.card.md"}


def test_the_command_prints_the_lines_that_run_the_file(source, tmp_path, capsys):
    from pgan_tf.programs import start

    out = tmp_path / "sub" / "g.npz"
    assert start.run("network_tool", ["export", str(source), str(out), "--format=weights"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"wrote {out} and its model card {out}.card.md; in Python:\n\n")
    found = {}
    exec(printed.split("\n\n", 1)[1], found)
    assert found["options"]["label_size"] == 3
    assert found["weights"].keys() == read_weights(out).parameters_by_name().keys()
