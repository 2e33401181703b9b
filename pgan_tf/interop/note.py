"""What goes with an exported network: what it is, where it is from, and the lines of Python that run it."""

from __future__ import annotations

import json

import pgan_tf
from pgan_tf.networks import Generator

SAVED_MODEL = """\
import numpy as np
import tensorflow as tf

{inputs}
network = tf.saved_model.load({name}).signatures["serving_default"]
images = network({tensors})["images"].numpy()"""

TFLITE = """\
import numpy as np
from ai_edge_litert.interpreter import Interpreter

{inputs}
network = Interpreter({name}).get_signature_runner()
images = network({arrays})["images"]"""

ONNX = """\
import numpy as np
import onnxruntime

{inputs}
network = onnxruntime.InferenceSession({name})
images, images_nchw = network.run(["images", "images_nchw"], {{{feed}}})"""

WEB = """\
import numpy as np
import onnxruntime

{inputs}
truncation = np.ones(1, "float32")  # 0: the average picture
network = onnxruntime.InferenceSession({name} + "/network.onnx")
images = network.run(["images"], {{{feed}, "truncation": truncation}})[0]"""

WEIGHTS = """\
import json
import numpy as np

file = np.load({name})
options = json.loads(file["config.json"])
weights = {{name: file[name] for name in file.files if "/" in name}}"""

PAGE = """\
# {name}

The generator of a progressive GAN: {latent_size} components of a latent{and_labels} -> images of
{resolution}x{resolution} pixels, {num_channels} channel(s). Exported by pgan_tf {version} from {source},
whose SHA-256 is {sha256}.

```python
{code}
```

{meaning}
"""

DISTRIBUTIONS = {  # of latents: (in words, float32 [N,L] in NumPy)
    "gaussian": ("the standard normal distribution", ('latents = np.random.randn({n}, {size}).astype("float32")',)),
    "uniform": (
        "the uniform distribution in -1..1", ('latents = np.random.uniform(-1, 1, ({n}, {size})).astype("float32")',)
    ),
    "sphere": (
        "the sphere of radius 1",
        (
            'latents = np.random.randn({n}, {size}).astype("float32")',
            "latents /= np.linalg.norm(latents, axis=1, keepdims=True)",
        ),
    ),
}  # fmt: skip

RUNS = """\
Latents are drawn from {distribution}.{labels} Any number of samples can be asked for.
`images` are uint8 [N,{resolution},{resolution},{num_channels}]; `images_nchw` are the same before rounding, float32
[N,{num_channels},{resolution},{resolution}], about -1..1."""

HOLDS = """\
`weights` are float32 arrays named layer/variable, `options` those of the network. docs/export.md of pgan_tf says how
the arrays lie and what the network does with them; `pgan_tf.interop.weights.read_weights` makes a generator of them."""


def code(template: str, name: str, network: Generator) -> str:
    """The lines of Python that run the file `name`, for one image of each label, or for 8 without labels."""
    inputs = ["latents", "labels"] if network.label_size else ["latents"]
    count = network.label_size or 8
    _, drawn = DISTRIBUTIONS[network.options.latents]
    lines = [line.format(n=count, size=network.latent_size) for line in drawn]
    if network.label_size:
        lines.append(f'labels = np.eye({count}, dtype="float32")')
    return template.format(
        name=json.dumps(name),
        inputs="\n".join(lines),
        tensors=", ".join(f"{name}=tf.constant({name})" for name in inputs),
        arrays=", ".join(f"{name}={name}" for name in inputs),
        feed=", ".join(f'"{name}": {name}' for name in inputs),
    )


def page(template: str, name: str, network: Generator, source: str, sha256: str) -> str:
    """The note as Markdown. `source` and `sha256`: the file that the network was read from."""
    facts = {key: getattr(network, key) for key in ("latent_size", "resolution", "num_channels")}
    labels = f" Labels are float32 [N,{network.label_size}], 1 for the class and 0 for the others."
    facts["distribution"], _ = DISTRIBUTIONS[network.options.latents]
    meaning = HOLDS if template is WEIGHTS else RUNS.format(labels=labels if network.label_size else "", **facts)
    return PAGE.format(
        name=name,
        code=code(template, name, network),
        and_labels=f" and a label of {network.label_size}" if network.label_size else "",
        source=source,
        sha256=sha256,
        version=pgan_tf.__version__,
        meaning=meaning,
        **facts,
    )
