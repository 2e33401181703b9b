"""Spectral norm in networks that train: the norm of each layer in use is 1, before a stop and after it."""

import numpy as np
import pytest
from training.rounds import make_batch, make_controls, make_step

from pgan_tf.layers.weights import WEIGHTS
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training import checkpoint
from pgan_tf.training.state import Counters

COMMON = dict(
    g_weights="spectral", d_weights="spectral", loss="hinge", penalty="none", wgan_epsilon=0.0, precision="float64",
    mbstd_group_size=0,
)  # fmt: skip
NETWORKS = {
    "dense": dict(stage=layer_stage(4), resolution=4, family="mlp", hidden_units=12, d_blocks=1, minibatch=4),
    "convolution": dict(stage=layer_stage(4), resolution=4, minibatch=2),
}
ROUNDS = 100


def norms(network) -> dict[str, float]:
    """The largest singular value of each layer's weight as it is used, by numpy."""
    found = {}
    for layer in network.layers:
        if hasattr(layer, "singular_vector"):
            used = WEIGHTS["spectral"].effective(layer, layer.weight.value, 1.0).numpy()
            matrix = np.moveaxis(used, layer.output_axis, -1).reshape(-1, used.shape[layer.output_axis])
            found[layer.name] = np.linalg.svd(matrix, compute_uv=False)[0]
    return found


@pytest.mark.parametrize("kind", NETWORKS)
def test_after_training_each_layer_has_the_norm_1(kind, tmp_path):
    step, again = (make_step(**NETWORKS[kind], **COMMON) for _ in range(2))
    step.rounds(make_batch(step, ROUNDS), make_controls(ROUNDS, lrate=1e-5, dtype="float64"))
    checkpoint.save(tmp_path, step.state, Counters(images=4), 1, Fade())
    checkpoint.restore(checkpoint.paths(tmp_path)[0], again.state)
    for name in ("generator", "discriminator"):
        found = norms(getattr(step.state, name))
        assert len(found) > 2
        assert found == norms(getattr(again.state, name))
        for layer, norm in found.items():
            assert norm == pytest.approx(1, abs=1e-3), layer
