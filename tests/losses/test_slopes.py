"""What both networks learn by is the slope of what they are said to minimise: finite differences of whole losses."""

import numpy as np
import pytest
import tensorflow as tf
from training.rounds import make_step

from pgan_tf.losses import LOSSES
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training.feed import Samples

# Dense and smooth, so that a difference is small and exact.
SMOOTH = dict(family="mlp", grow="none", g_activation="tanh", d_activation="tanh", hidden_units=5,
              latent_size=3, precision="float64", normalize_latents=False, mbstd_group_size=0)  # fmt: skip
PLAIN = dict(penalty="none", wgan_epsilon=0.0)
CASES = {
    **{loss: dict(loss=loss, **PLAIN) for loss in LOSSES},
    "gradient penalty, drift": dict(),
    **{name: dict(loss="non_saturating", penalty=name, wgan_epsilon=0.0) for name in ("r1", "r2", "r1_r2")},
    "lazy": dict(loss="hinge", penalty="r1_r2", penalty_interval=4, penalty_gamma=3.0),
    "smoothed labels": dict(loss="minimax", real_target=0.9, **PLAIN),
    "weight decay": dict(l2_weight=0.3),
    "history": dict(loss="non_saturating", history_weight=0.3, **PLAIN),
    "feature matching": dict(loss="hinge", feature_matching_weight=3.0, adversarial_weight=0.0, **PLAIN),
    "repelling": dict(regularizer="repelling", **PLAIN),
    "repelling in G": dict(regularizer="repelling", repelling_features="generator", **PLAIN),
    "statistics": dict(loss="lsgan", mbstd_group_size=4, **PLAIN),
    "moments": dict(loss="lsgan", mbstd_group_size=4, minibatch_statistics="moments", **PLAIN),
    "discrimination": dict(loss="lsgan", mbstd_group_size=4, minibatch_statistics="discrimination", **PLAIN),
    "batch norm": dict(loss="lsgan", g_norm="batch", d_norm="batch", **PLAIN),
    "layer norm": dict(loss="lsgan", g_norm="layer", d_norm="layer", **PLAIN),
    "virtual batch norm": dict(
        loss="lsgan", g_norm="virtual_batch", d_norm="virtual_batch", reference_batch=4, **PLAIN
    ),
}
H = 1e-6


def samples(step) -> tuple[Samples, Samples]:
    """Of a G step and of a D step."""
    random, n = np.random.RandomState(0), step.minibatch
    labels = tf.constant(np.eye(2)[random.randint(0, 2, n)])
    latents, others, reals = (tf.constant(random.standard_normal([n, 3])) for _ in range(3))
    return Samples(labels, latents), Samples(labels, others, reals, tf.constant(random.uniform(size=n)))


def play(step, player: str):
    """Gradients and loss of a step of one player."""
    own, last = samples(step)
    if player == "g":
        gradients, report = step.g_gradients(own, Fade(), last=last)
    else:
        gradients, report = step.d_gradients(last, Fade())
    return gradients, float(report[f"loss/{player.upper()}"]) / step.minibatch


@pytest.mark.parametrize("player", ["g", "d"])
@pytest.mark.parametrize("case", CASES)
def test_a_gradient_is_the_slope_of_the_loss(case, player):
    step, random = make_step(layer_stage(4), 8, 4, labels=2, **{**SMOOTH, **CASES[case]}), np.random.RandomState(1)
    for network in (step.state.generator, step.state.discriminator):
        for variable in network.variables_by_name().values():  # a reference batch too
            if variable.dtype == "float64":
                variable.assign(variable.numpy() + 0.5 * random.standard_normal(variable.shape))
    for variable in step.state.extras.values():
        variable.assign(random.randint(1, 9) if variable.shape == () else random.standard_normal(variable.shape))
    weights = getattr(step.state, player).weights()
    way = [random.standard_normal(weight.shape) for weight in weights]
    gradients, _ = play(step, player)
    slope = sum(float(np.sum(gradient * change)) for gradient, change in zip(gradients, way, strict=True))
    found = []
    for sign in (1, -2):
        for weight, change in zip(weights, way, strict=True):
            weight.assign_add(sign * H * change)
        found.append(play(step, player)[1])
    assert abs(slope) > 1e-3
    assert (found[0] - found[1]) / (2 * H) == pytest.approx(slope, rel=1e-5)
