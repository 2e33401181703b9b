"""An ONNX file that `network_tool.py export` has written, in ONNX Runtime; other graphs are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pgan_tf.explore.engine import in_parts
from pgan_tf.interop import note
from pgan_tf.interop.onnx_graph import FIRST, TRUNCATION
from pgan_tf.networks.saved import NetworkError

WANTED = "give one that network_tool.py export --format=onnx has written"
LATENTS, LABELS, IMAGES = "latents", "labels", "images_nchw"


class OnnxEngine:
    """Of files of older versions the first layer cannot be told from the others (`parted`)."""

    network = None  # no gradients here

    def __init__(self, path: Path):
        model = _read(path)
        self.path, self.config = path, None
        sizes = {value.name: _shape(value) for value in (*model.graph.input, *model.graph.output)}
        if not {LATENTS, IMAGES} <= sizes.keys() <= {LATENTS, LABELS, TRUNCATION, "images", IMAGES}:
            raise NetworkError(f"{path}: holds another graph than a generator's; {WANTED}")
        self.latent_size = sizes[LATENTS][1]
        self.label_size = sizes.get(LABELS, [0, 0])[1]
        _, self.num_channels, self.resolution, _ = sizes[IMAGES]
        self.kind = _kind(model.doc_string)
        self._inputs = [name for name in (LATENTS, LABELS, TRUNCATION) if name in sizes]
        self.parted = any(FIRST in node.output for node in model.graph.node)
        self._sessions = _sessions(model, self._inputs, self.parted, path)

    def first(self, latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
        return self._run(0, FIRST, {LATENTS: latents, LABELS: labels})

    def rest(self, x: np.ndarray) -> np.ndarray:
        return in_parts(lambda part: _last(self._run(1, IMAGES, {FIRST: part})), self.resolution, x)

    def whole(self, latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
        if self.parted:
            return self.rest(self.first(latents, labels))

        def run(latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
            return _last(self._run(0, IMAGES, {LATENTS: latents, LABELS: labels}))

        return in_parts(run, self.resolution, latents, labels)

    def _run(self, session: int, output: str, feed: dict[str, np.ndarray]) -> np.ndarray:
        feed = {**feed, TRUNCATION: np.ones(1, np.float32)}
        known = {value.name for value in self._sessions[session].get_inputs()}
        return self._sessions[session].run([output], {name: x for name, x in feed.items() if name in known})[0]


def _last(images: np.ndarray) -> np.ndarray:
    """[N,C,R,R] -> [N,R,R,C]."""
    return images.transpose(0, 2, 3, 1)


def _read(path: Path):
    """The onnx.ModelProto, which must have all of its numbers in itself."""
    import onnx

    if not path.is_file():
        raise NetworkError(f"{path}: no such file; {WANTED}")
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except OSError as error:
        raise NetworkError(f"{path}: cannot be read: {error.strerror or error}") from None
    except Exception:  # protobuf's
        raise NetworkError(f"{path}: cannot be read as ONNX; {WANTED}") from None
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in model.graph.initializer):
        raise NetworkError(f"{path}: keeps its weights in other files, which are not read; {WANTED}")
    return model


def _shape(value) -> list[int]:
    return [part.dim_value for part in value.type.tensor_type.shape.dim]


def _kind(doc: str) -> str:
    """Which latents the note in the file speaks of."""
    named = (kind for kind, (words, _) in note.DISTRIBUTIONS.items() if words in doc)
    return next(named, "gaussian")


def _sessions(model, inputs: list[str], parted: bool, path: Path) -> list:
    """Of the whole graph, or of what comes before and after its first layer."""
    import onnxruntime

    ways = [(inputs, FIRST), ([FIRST], IMAGES)] if parted else [(inputs, IMAGES)]
    try:
        return [onnxruntime.InferenceSession(_part(model, *way).SerializeToString()) for way in ways]
    except Exception as error:  # of onnx, and of onnxruntime, which has a kind for each
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise NetworkError(f"{path}: cannot be run ({reason}); {WANTED}") from None


def _part(model, inputs: list[str], output: str):
    """The nodes of a graph that lead from `inputs` to `output`, as a model. All of them are float32."""
    from onnx import TensorProto, helper

    nodes, wanted = [], {output}
    for node in reversed(model.graph.node):  # which stand in the order in which they are computed
        if wanted & set(node.output) and not set(node.output) & set(inputs):
            nodes.insert(0, node)
            wanted |= set(node.input)
    constants = [tensor for tensor in model.graph.initializer if tensor.name in wanted]
    values = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names]
              for names in (inputs, [output])]  # fmt: skip
    graph = helper.make_graph(nodes, "part", *values, constants)
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
