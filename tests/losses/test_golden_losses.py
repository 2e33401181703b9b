"""Losses, penalty and every variable's gradient are the original's.

The original works at the final resolution at every level of detail, ours at the stage's own: its images are ours,
enlarged. Its D loss is an [N,N] matrix by a broadcast of [N,1] and [N]; our value per sample is its diagonal, and
the means agree.
"""

import re

import numpy as np
import pytest
import reference
import tensorflow as tf

from pgan_tf.config import Config
from pgan_tf.layers.activations import ACTIVATIONS, LEAK
from pgan_tf.losses import LOSSES, PENALTIES, drift, label_loss
from pgan_tf.networks import Discriminator, Generator
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training.feed import Samples
from pgan_tf.training.state import StageState
from pgan_tf.training.step import TrainStep

GRADIENT = 1e-6  # relative L2 distance in float64; the golden gradients are stored as float32
# The last bias feels only the drift term: the gradients of reals and fakes cancel. Held absolutely.
CANCELLING = {"4x4_Dense1/bias": 2e-7}
# One pre-activation of these is zero within the rounding of the original's run: its sign is a coin's.
COIN = {"losses64_a_lod0": 1e-7}


class Case:
    """One golden file: the networks with their weights, its inputs as ours."""

    def __init__(self, path):
        self.data = data = reference.load(path)
        config, target, lod = re.fullmatch(r"losses(?:64)?_(\w+?)(_target750)?_lod([\d.]+)", path.stem).groups()
        self.dtype = "float64" if path.stem.startswith("losses64") else "float32"
        self.name, self.lod = {"tiny": "t"}.get(config, config), float(lod)
        self.target = 750.0 if target else 1.0
        self.generator, self.alpha, self.upscale = reference.build(Generator, self.name, self.lod, self.dtype)
        self.discriminator, _, _ = reference.build(Discriminator, self.name, self.lod, self.dtype)
        self.resolution = reference.CONFIGS[self.name][0]["resolution"]
        self.reals = self.tensor(reference.shrink(reference.nhwc(data["in/reals"][0]), self.upscale))
        self.labels, self.g_labels = self.tensor(data["in/labD"][0]), self.tensor(data["in/labG"][0])
        self.latents, self.g_latents = self.tensor(data["in/zD"][0]), self.tensor(data["in/zG"][0])
        self.mixing = self.tensor(data["in/mix"][0].reshape(-1))

    def tensor(self, value):
        return tf.constant(value, self.dtype)

    def config(self) -> Config:
        options = {k: v for k, v in reference.CONFIGS[self.name][0].items() if k.startswith(("fmap", "latent"))}
        return Config.from_values(dict(precision=self.dtype, wgan_target=self.target, **options))

    def step(self) -> TrainStep:
        """The training step of this stage, around our networks with their golden weights."""
        state = StageState(
            layer_stage(self.resolution // self.upscale, self.alpha < 1), self.config(),
            self.reals.shape[-1], self.labels.shape[-1],
        )  # fmt: skip
        state.g.network, state.d.network = self.generator, self.discriminator
        return TrainStep(self.config(), state, tf.distribute.get_strategy(), len(self.reals), self.resolution)


def measured(case: Case) -> dict[str, np.ndarray]:
    """All values per sample that the golden files hold, as the library's parts compute them."""
    options = case.config().loss

    def critic(x):
        return case.discriminator(x, alpha=case.alpha)

    fakes = case.generator((case.latents, case.labels), alpha=case.alpha)
    real, fake = critic(case.reals), critic(fakes)
    mixed = case.reals + (fakes - case.reals) * tf.reshape(case.mixing, [-1, 1, 1, 1])
    penalty, norms = PENALTIES["gradient"](
        lambda x: critic(x).scores, case.reals, fakes, case.mixing, options, case.upscale
    )
    reals_labels, fakes_labels = label_loss(case.labels, real.labels), label_loss(case.labels, fake.labels)
    loss = LOSSES["wgan"].discriminator(real.scores, fake.scores, options) + penalty
    loss += drift(real.scores) * options.wgan_epsilon
    g_fake = critic(case.generator((case.g_latents, case.g_labels), alpha=case.alpha))
    g_labels = label_loss(case.g_labels, g_fake.labels)
    g_loss = LOSSES["wgan"].generator(None, g_fake.scores, options) + g_labels * options.cond_weight
    return {
        "comp/real_scores": real.scores,
        "comp/fake_scores": fake.scores,
        "comp/mixed_scores": critic(mixed).scores,
        "comp/mixed_norms": norms,
        "comp/epsilon_penalty": drift(real.scores),
        "comp/label_penalty_reals": reals_labels,
        "comp/label_penalty_fakes": fakes_labels,
        "D_loss_diag": loss + (reals_labels + fakes_labels) * options.cond_weight,
        "G_loss": g_loss,
    }


@pytest.fixture
def coin(monkeypatch, request):
    """Lets a pre-activation that is zero within rounding count as positive, where the original's was."""
    limit = COIN.get(request.node.callspec.params["path"].stem)
    if limit:
        monkeypatch.setitem(ACTIVATIONS, "leaky_relu", lambda x: tf.where(x > -limit, x, x * LEAK))


OUTPUTS = [
    p for p in reference.files("losses*_*.npz") if any(k.startswith("out/") for k in reference.load(p.values[0]))
]


@pytest.mark.usefixtures("coin")
@pytest.mark.parametrize("path", OUTPUTS)
def test_values_per_sample(path, record_property):
    case = Case(path)
    # Behind a gradient, float32 takes some activations for the other side of zero.
    limits = {"comp/mixed_norms": 2e-3, "D_loss_diag": 2e-3} if case.dtype == "float32" else {}
    ours = measured(case)
    for key, theirs in case.data.items():
        if key.startswith("out/") and key not in ("out/D_loss", "out/D_loss_mean", "out/G_loss_mean"):
            theirs = np.diag(theirs) if key == "out/G_loss" and theirs.shape[1] > 1 else theirs.reshape(-1)
            error = reference.deviation(ours.pop(key[4:]), theirs)
            record_property(key, error)
            assert error < limits.get(key[4:], 1e-5 if case.dtype == "float32" else 1e-6), key
    assert all(key.startswith("comp/label") for key in ours), f"not in the file: {list(ours)}"


@pytest.mark.usefixtures("coin")
@pytest.mark.parametrize("path", reference.files("losses64_*.npz"))
def test_every_gradient(path, record_property):
    case = Case(path)
    step, n = case.step(), len(case.reals)
    fade = Fade(*(tf.constant(x, tf.float64) for x in Fade(case.alpha)))
    d, d_report = step.d_gradients(Samples(case.labels, case.latents, case.reals, case.mixing), fade)
    g, g_report = step.g_gradients(Samples(case.g_labels, case.g_latents), fade)
    assert abs(d_report["loss/D"] / n - case.data["out/D_loss_mean"]) < 1e-6 * abs(case.data["out/D_loss_mean"])
    assert abs(d_report["penalty/norm"] / n - case.data["out/comp/mixed_norms"].mean()) < 1e-6
    assert abs(g_report["loss/G"] / n - case.data["out/G_loss_mean"]) < 1e-6
    worst = {}
    for prefix, network, gradients in (("D", case.discriminator, d), ("G", case.generator, g)):
        for name, ours in zip(network.parameters_by_name(), gradients, strict=True):
            theirs = case.data[f"grad/{prefix}/{reference.name_in_original(name, case.resolution)}"].astype(np.float64)
            if name in CANCELLING and not case.labels.shape[1]:
                error = np.abs(ours - theirs).max() / CANCELLING[name] * GRADIENT
            else:
                error = np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)
            worst[f"{prefix}/{name}"] = error
    record_property("worst", float(max(worst.values())))
    assert max(worst.values()) < GRADIENT, {name: error for name, error in worst.items() if error > GRADIENT}


def test_penalty_of_a_linear_critic_is_known():
    """The gradient of w.x is w: its norm is |w| / upscale, wherever the mixture lies."""
    reals, fakes = tf.zeros([3, 4, 4, 2], tf.float64), tf.ones([3, 4, 4, 2], tf.float64)
    mixing = tf.constant([0.0, 0.5, 1.0], tf.float64)
    options = Config.from_values(dict(wgan_lambda=5.0, wgan_target=2.0)).loss
    for upscale in (1, 4):
        penalty, norm = PENALTIES["gradient"](
            lambda x: 3 * tf.reduce_sum(x, axis=[1, 2, 3]), reals, fakes, mixing, options, upscale
        )
        expected = 3 * np.sqrt(32) / upscale
        np.testing.assert_allclose(norm, [expected] * 3, rtol=1e-12)
        np.testing.assert_allclose(penalty, [(expected - 2) ** 2 * 5 / 4] * 3, rtol=1e-12)


def test_the_penalty_on_points_is_that_on_images_of_two_pixels():
    rng = np.random.default_rng(0)
    weights, real, fake = (tf.constant(rng.normal(size=shape)) for shape in ([2, 3], [5, 2], [5, 2]))
    mixing = tf.constant(rng.uniform(size=5))

    def critic(x):
        return tf.reduce_sum(tf.tanh(tf.reshape(x, [-1, 2]) @ weights), axis=1)  # [N]

    points = PENALTIES["gradient"](critic, real, fake, mixing, Config().loss)
    images = (tf.reshape(x, [5, 1, 2, 1]) for x in (real, fake))
    for ours, theirs in zip(points, PENALTIES["gradient"](critic, *images, mixing, Config().loss), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_penalty_is_taken_at_the_mixture():
    """At t = 0 the reals', at t = 1 the fakes' gradient: |d x^2| = 2|x|."""
    reals, fakes = tf.fill([3, 1, 1, 1], 2.0), tf.fill([3, 1, 1, 1], 6.0)
    _, norm = PENALTIES["gradient"](
        lambda x: tf.reduce_sum(x**2, axis=[1, 2, 3]), reals, fakes, tf.constant([0.0, 0.25, 1.0]), Config().loss
    )
    np.testing.assert_allclose(norm, [4.0, 6.0, 12.0])


def test_penalty_of_a_flat_critic_has_a_finite_gradient():
    weight = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        penalty, _ = PENALTIES["gradient"](
            lambda x: weight * tf.reduce_sum(x, axis=[1, 2, 3]), tf.zeros([2, 4, 4, 1]), tf.ones([2, 4, 4, 1]),
            tf.constant([0.5, 0.5]), Config().loss,
        )  # fmt: skip
        total = tf.reduce_sum(penalty)
    assert np.isfinite(tape.gradient(total, weight))


def test_no_labels_no_label_loss():
    loss = label_loss(tf.zeros([3, 0]), tf.zeros([3, 0]))
    np.testing.assert_array_equal(loss, [0, 0, 0])
