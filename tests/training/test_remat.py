"""--remat changes what is kept, not what is computed."""

import numpy as np
import pytest
import tensorflow as tf
from training.rounds import make_step
from training.test_microbatches import apart, trained

from pgan_tf.config import Config, ConfigError
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training.feed import Samples

FADE, DCGAN = layer_stage(8, True), dict(family="dcgan", grow="none", image_maps=4, fmap_max=16, latent_size=8)
# name: options. The penalties are learnt by derivatives of derivatives.
EQUAL = {
    "paper": dict(stage=FADE, max_minibatch_per_device={0: 4}),
    "residual, noise, spectral": dict(
        stage=layer_stage(8), d_block="residual", g_block="residual", loss="lsgan", d_noise=0.2, d_weights="spectral",
        fused_scale=False, penalty="r1_r2", penalty_interval=2,
    ),
    "dcgan, batch norm": dict(
        **DCGAN, stage=layer_stage(16), g_norm="batch", d_norm="batch", mbstd_group_size=0, g_blocks=1, d_blocks=1,
    ),
    "dcgan, virtual batch norm": dict(
        **DCGAN, stage=layer_stage(16), g_norm="virtual_batch", d_norm="virtual_batch", reference_batch=4,
        loss="non_saturating", penalty="none", unroll_steps=1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EQUAL)
def test_the_numbers_are_the_same(name, record_property):
    plain, report = trained(0, minibatch=8, **EQUAL[name])
    numbers, found = trained(0, minibatch=8, **EQUAL[name], remat=True)
    record_property("apart", max(apart(numbers, plain), apart(found, report)))
    assert apart(numbers, plain) < 1e-12
    assert apart(found, report) < 1e-12


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_trains_too(precision):
    plain, report = trained(0, 1, stage=layer_stage(8), minibatch=4, precision=precision)
    numbers, found = trained(0, 1, stage=layer_stage(8), minibatch=4, precision=precision, remat=True)
    assert found["nonfinite"][0] == report["nonfinite"][0] == 0
    for name in ("loss/D", "penalty/norm", "gradient_norm/D", "gradient_norm/G"):
        np.testing.assert_allclose(found[name], report[name], rtol=0.02, err_msg=name)
    assert numbers.keys() == plain.keys()


def convolutions(player: str, **options) -> int:
    """How many convolutions, of any kind, the gradients of a player have."""
    step = make_step(layer_stage(8), 4, **options)
    fade, n = Fade(*(tf.constant(0.5) for _ in range(3))), step.minibatch
    latents, labels = tf.zeros([n, 16]), tf.zeros([n, 0])
    reals, mixing = (tf.zeros([n, 8, 8, 3]), tf.zeros([n])) if player == "d" else (None, None)
    gradients = getattr(step, f"_{player}_gradients")
    graph = tf.function(gradients).get_concrete_function(Samples(labels, latents, reals, mixing), fade).graph
    return sum(op.type.startswith("Conv2D") for op in graph.get_operations())


@pytest.mark.parametrize("player", ["g", "d"])
def test_what_is_not_kept_is_computed_again(player):
    """But not the gradients that nobody asks for."""
    assert 1.2 < convolutions(player, remat=True) / convolutions(player) < 2


@pytest.mark.parametrize(
    ("options", "words"),
    [(dict(jit=True), "--remat: .* leave out --jit"), (dict(family="mlp", grow="none"), "--remat: is an option of")],
)
def test_what_it_does_not_go_with(options, words):
    with pytest.raises(ConfigError, match=words):
        Config.from_values({"remat": True, **options})
