"""Whole rounds as one program of XLA: the same numbers, however many come at a time."""

import numpy as np
import pytest
from training.rounds import LRATE, all_numbers, make_batch, make_controls, make_step

from pgan_tf.stages import layer_stage
from pgan_tf.training import compiled

MLP = dict(
    family="mlp", loss="non_saturating", penalty="none", wgan_epsilon=0, g_norm="batch", d_norm="batch",
    normalize_latents=False, mbstd_group_size=0, hidden_units=8, latent_size=4, precision="float64",
)  # fmt: skip
ROUNDS = 7


def trained(jit: bool, **options) -> tuple[dict, dict]:
    """The parameters after ROUNDS rounds, and what these report."""
    step = make_step(layer_stage(4), resolution=4, jit=jit, **{**MLP, **options})
    controls = make_controls(ROUNDS, alpha=0.3, lrate=LRATE / np.arange(1, ROUNDS + 1), first=5, dtype="float64")
    report = step.rounds(make_batch(step, ROUNDS), controls)
    return all_numbers(step.state), {name: values.numpy() for name, values in report.items()}


@pytest.mark.parametrize(
    ("at_once", "options"),
    [
        (3, dict(D_repeats=2)),
        (
            3,
            dict(g_norm="none", d_norm="none", loss="wgan", penalty="gradient", wgan_epsilon=0.001, mbstd_group_size=4),
        ),
        (
            3,
            dict(
                g_norm="none",
                d_norm="none",
                latents="uniform",
                l2_weight=0.1,
                history_weight=0.1,
                feature_matching_weight=1.0,
                real_target=0.9,
            ),
        ),
        (
            256,
            dict(
                d_norm="none", d_weights="spectral", optimizer="rmsprop", loss="hinge", g_blocks=1, minibatch_updates=2
            ),
        ),
    ],
    ids=[
        "batch norm, D_repeats",
        "gradient penalty",
        "terms of weights and features",
        "spectral norm, RMSProp, two updates",
    ],
)
def test_compiled_rounds_are_the_others(at_once, options, monkeypatch):
    monkeypatch.setattr(compiled, "rounds_at_once", lambda feed: at_once)
    weights, report = trained(False, **options)
    compiled_weights, compiled_report = trained(True, **options)
    for name, value in weights.items():
        np.testing.assert_allclose(compiled_weights[name], value, rtol=1e-7, atol=1e-9, err_msg=name)
    for name, values in report.items():
        assert values.shape == compiled_report[name].shape == (ROUNDS,)
        np.testing.assert_allclose(compiled_report[name], values, rtol=1e-6, atol=1e-9, err_msg=name)
