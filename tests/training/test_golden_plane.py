"""The published dense networks on the roll: their numbers, a latent that joins, ten updates of one minibatch."""

import numpy as np
import pytest
import tensorflow as tf
from training.rounds import make_controls, make_step

from pgan_tf.growth import NetworkFactory, carry
from pgan_tf.latents import Purpose
from pgan_tf.stages import Stage, layer_stage, sizes
from pgan_tf.training.feed import Batch

OPTIONS = dict(
    family="mlp", grow="none", latents="uniform", normalize_latents=False, g_norm="none", d_norm="none",
    g_weights="plain", d_weights="plain", loss="non_saturating", penalty="none", wgan_epsilon=0.0, mbstd_group_size=0,
    optimizer="rmsprop", precision="float64",
)  # fmt: skip
# The model's name in the golden file: its latents, hidden layers, units.
MODELS = {"z1_2.16": (1, 2, 16), "z2_4.32": (2, 4, 32)}


@pytest.fixture(scope="module")
def plane(golden):
    return golden("latent_growing_plane.npz")


def ours(name: str) -> str:
    """'h1/kernel' -> 'Hidden0/weight'."""
    layer, kind = name.split("/")
    return f"{'Out' if layer == 'out' else f'Hidden{int(layer[1:]) - 1}'}/{'weight' if kind == 'kernel' else kind}"


def weights(plane, prefix: str) -> dict[str, np.ndarray]:
    """Of one network by our names: 'w/z1_2.16/G' -> {'Hidden0/weight': ..}."""
    return {ours(name[len(prefix) + 1 :]): plane[name] for name in plane if name.startswith(prefix + "/")}


def assign(network, values: dict[str, np.ndarray]) -> None:
    variables = network.parameters_by_name()
    assert variables.keys() == values.keys()
    for name, variable in variables.items():
        variable.assign(values[name])


def step_of(plane, model: str, monkeypatch, stage=None, **options):
    """A step of all 128 points with the published weights, latents and RMSProp: TensorFlow 1's means begin at 1."""
    latents, layers, units = MODELS[model]
    values = {
        **OPTIONS,
        "latent_size": latents,
        "hidden_units": units,
        "g_layers": layers,
        "d_layers": layers,
        **options,
    }
    step = make_step(stage or layer_stage(4), 128, resolution=4, channels=2, **values)
    for player, network in ((step.state.g, "G"), (step.state.d, "D")):
        if network == "D" or not stage:
            assign(player.network, weights(plane, f"w/{model}/{network}"))
        for slot in player.optimizer._velocities:
            slot.assign(np.ones(slot.shape))
    z = tf.constant(plane[f"in/z{step.config.model.latent_size}_seed11"], tf.float64)
    draw = step.feed.draw
    latent = (Purpose.D_LATENTS, Purpose.G_LATENTS)
    monkeypatch.setattr(step.feed, "draw", lambda purpose, at: z if purpose in latent else draw(purpose, at))
    return step


def points(plane, rounds: int = 1) -> Batch:
    reals = tf.constant(np.repeat(plane["in/x_seed11"][None], rounds, 0), tf.float32)
    nothing = tf.zeros([rounds, 128, 0])
    return Batch(reals, nothing, nothing)


@pytest.mark.parametrize("model", MODELS)
def test_networks_losses_and_gradients(plane, model, monkeypatch):
    step, expected = step_of(plane, model, monkeypatch), f"out64/{model}"
    z, x = plane[f"in/z{MODELS[model][0]}_seed11"], plane["in/x_seed11"]
    fakes = step.state.generator(z)
    np.testing.assert_allclose(fakes, plane[f"{expected}/G"], rtol=1e-5, atol=1e-6)
    for images, name in ((x, "D_real"), (fakes, "D_fake")):
        scores = step.state.discriminator(images).scores
        np.testing.assert_allclose(scores, plane[f"{expected}/{name}"][:, 0], rtol=1e-5, atol=1e-6)
    at = points(plane), tf.constant(0), tf.constant(0, tf.int64), make_controls(dtype="float64").fade
    for name, player, replica, more in (
        ("d", step.state.d, step.d_replica, ()),
        ("g", step.state.g, step.g_replica, (0.0,)),
    ):
        gradients, report = replica(*at, *more, 1.0)
        assert float(report[f"loss/{name.upper()}"]) / 128 == pytest.approx(
            float(plane[f"{expected}/{name}_loss"]), rel=1e-6
        )
        wanted = weights(plane, f"{expected}/grad_{name}/{name.upper()}")
        for key, gradient in zip(player.network.parameters_by_name(), gradients, strict=True):
            np.testing.assert_allclose(gradient, wanted[key], rtol=1e-5, atol=1e-7, err_msg=key)


def is_as_published(step, plane, case: str) -> None:
    """What ten updates of each network on one minibatch lead to."""
    report = step.rounds(points(plane), make_controls(dtype="float64"))
    assert float(report["nonfinite"][0]) == 0
    for network, player in (("D", step.state.d), ("G", step.state.g)):
        assert int(player.optimizer.iterations.numpy()) == 10
        for name, value in weights(plane, f"out64/{case}/{network}10/{network}").items():
            found = player.network.parameters_by_name()[name]
            np.testing.assert_allclose(found, value, rtol=1e-5, atol=1e-6, err_msg=name)


def test_ten_updates_of_one_minibatch(plane, monkeypatch):
    """All of the discriminator's come first."""
    is_as_published(step_of(plane, "z1_2.16", monkeypatch, minibatch_updates=10), plane, "z1_2.16")


def test_a_second_latent_joins_by_a_row_of_zeros(plane, monkeypatch):
    """And is learnt: the wider network goes on as the published one."""
    first, second = sizes("latent", 8, 2, 4)
    grown = dict(grow="latent", widening="zeros", latent_size=2, minibatch_updates=10)
    step = step_of(plane, "z1_2.16", monkeypatch, Stage(second), **grown)
    narrow = NetworkFactory(step.config, 2, 0).generator(Stage(first))
    assign(narrow, weights(plane, "w/z1_2.16/G"))
    carry(narrow, step.state.generator)
    z = plane["in/z2_seed11"]
    np.testing.assert_allclose(step.state.generator(z), plane["out64/grown_2.16/G"], rtol=1e-5, atol=1e-6)
    is_as_published(step, plane, "grown_2.16")


def test_reports_are_means_over_the_updates(plane, monkeypatch):
    """Of updates at a rate of zero each is as the first."""
    found = {}
    for updates in (1, 10):
        step = step_of(plane, "z1_2.16", monkeypatch, minibatch_updates=updates)
        report = step.rounds(points(plane), make_controls(dtype="float64", lrate=0.0))
        found[updates] = [float(report[name][0]) for name in ("loss/D", "loss/G", "gradient_norm/D", "scores/real")]
    np.testing.assert_allclose(found[10], found[1], rtol=1e-12)


def test_the_average_moves_once_for_a_minibatch(plane, monkeypatch):
    """However many updates it serves: its half-life is in images."""
    step = step_of(plane, "z1_2.16", monkeypatch, minibatch_updates=3)
    average, generator = ({name: v.numpy() for name, v in network.parameters_by_name().items()}
                          for network in (step.state.ema, step.state.generator))  # fmt: skip
    step.rounds(points(plane), make_controls(dtype="float64", ema=0.9))
    for name, variable in step.state.ema.parameters_by_name().items():
        np.testing.assert_allclose(variable, 0.9 * average[name] + 0.1 * generator[name], rtol=1e-12, err_msg=name)
