"""Training as the published code of latent space growing (Sandstroem 2019) does it: rounds, reals, the fade's ramps."""

import json

import latent_growing as published
import numpy as np
import pytest
import reference
import tensorflow as tf

from pgan_tf.config import Config
from pgan_tf.latents import Purpose
from pgan_tf.schedule import Schedule
from pgan_tf.stages import Fade, Size, Stage
from pgan_tf.training import feed as feed_module
from pgan_tf.training.feed import Batch, Feed, process_reals
from pgan_tf.training.state import StageState
from pgan_tf.training.step import Controls, TrainStep

SEED = json.loads((reference.SMALL / "latent_growing.json").read_text())["seed_of_G"]["clgGAN/8"]
MIDDLE = Fade(0.3, 0.3, 0.15)
ADAM = {"wgan_epsilon": 0.0, "wgan_lambda": 10.0, "adam_beta1": 0.0, "adam_beta2": 0.99, "adam_epsilon": 1e-8}
NAMES = {"generator": published.generator_name("clgGAN", 4), "discriminator": published.discriminator_name("clgGAN", 5)}


@pytest.fixture(scope="module")
def data():
    return reference.small("latent_growing_losses.npz")


def make_step(monkeypatch, data) -> TrainStep:
    """clgGAN at 8x8 with the published weights and inputs; one batch of latents serves D's step and G's."""
    sizes, options = published.ladder("clgGAN", 128, 256)
    stage = Stage(sizes[1], sizes[0])
    config = Config.from_values({**options, **ADAM, "precision": "float64", "minibatch_base": 16})
    state = StageState(stage, config, 3, 0)
    published.fill(state.generator, NAMES["generator"], SEED)
    published.fill(state.discriminator, NAMES["discriminator"], SEED + 1)
    z = np.stack([published.used(state.generator, data[f"in/z_round{k}"]) for k in (1, 2, 3)]).astype(np.float64)
    reals = tf.constant(np.stack([data[f"in/x_round{k}"] for k in (1, 2, 3)]), tf.float64)
    mixing = tf.constant(1 - data["in/t"], tf.float64)  # theirs is the share of the reals

    def draw(self, purpose, index):
        return mixing if purpose == Purpose.MIXING else tf.gather(tf.constant(z), index)

    monkeypatch.setattr(Feed, "draw", draw)
    monkeypatch.setattr(feed_module, "process_reals", lambda marks, *_: reals[tf.cast(marks[0, 0, 0, 0], tf.int32)])
    return TrainStep(config, state, tf.distribute.get_strategy(), 16, 8)


def batch_of(k: int) -> Batch:
    """Bytes that say which of the golden reals are meant."""
    nothing = tf.zeros([1, 16, 0])
    return Batch(tf.constant(np.full((1, 16, 8, 8, 3), k, np.uint8)), nothing, nothing)


def their_layout(network, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    names = NAMES[network.part]
    return {
        f"{network.part}/{published.their_name(name, names)}": published.to_theirs(name, np.asarray(value))
        for name, value in values.items()
    }


def test_losses_and_gradients_before_the_first_step(monkeypatch, data):
    step = make_step(monkeypatch, data)
    d, g = step.state.discriminator, step.state.generator
    samples = step.feed.discriminators(batch_of(0), 0, 0, MIDDLE)
    gradients, report = step._d_gradients(samples, MIDDLE, 1.0, {}, 0)
    for name, expected in (("loss/D", data["d_loss"]), ("penalty/value", 10 * data["gradient_penalty"]),
                           ("penalty/norm", data["slopes"].mean()), ("scores/real", data["D_real"].mean()),
                           ("scores/fake", data["D_fake"].mean())):  # fmt: skip
        assert float(report[name]) / 16 == pytest.approx(float(expected), rel=1e-6, abs=1e-6), name
    g_gradients, g_report = step._g_gradients(step.feed.generators(batch_of(0), 0, 0), MIDDLE, 1.0, {}, 0, None, 0.0)
    assert float(g_report["loss/G"]) / 16 == pytest.approx(float(data["g_loss"]), abs=1e-6)
    for network, found, letter in ((d, gradients, "d"), (g, g_gradients, "g")):
        ours = their_layout(network, dict(zip(network.parameters_by_name(), found, strict=True)))
        for name, value in ours.items():
            expected = data[f"grad_{letter}/{name}"]
            np.testing.assert_allclose(value, expected, atol=2e-6 * np.abs(expected).max() + 1e-12, err_msg=name)


def test_three_rounds(monkeypatch, data):
    """Adam at 1e-4; what the rounds report, and the weights after them."""
    step, rate = make_step(monkeypatch, data), tf.constant([1e-4], tf.float64)
    for k in range(3):
        fade = Fade(*(tf.constant([value], tf.float64) for value in MIDDLE))
        controls = Controls(fade, tf.constant([0.999], tf.float64), rate, rate, tf.constant(k, tf.int64))
        report = step.rounds(batch_of(k), controls)
        assert float(report["loss/D"][0]) == pytest.approx(float(data[f"round{k + 1}/d_loss_before"]), rel=1e-6)
    for network in (step.state.generator, step.state.discriminator):
        values = {name: variable.numpy() for name, variable in network.parameters_by_name().items()}
        ours = their_layout(network, values)
        seen = [name for name in ours if f"round3/w/{name}" in data]
        assert len(seen) > 8
        for name in seen:
            np.testing.assert_allclose(ours[name], data[f"round3/w/{name}"], atol=1e-6, err_msg=name)


# ---- reals -----------------------------------------------------------------------------------------------------------


def as_bytes(level: np.ndarray, resolution: int) -> tf.Tensor:
    factor = resolution // len(level)
    return tf.constant(level.repeat(factor, 0).repeat(factor, 1)[None])


def test_reals_fade_between_the_details_of_two_latents(golden):
    """8x8 pixels at 16 latents fade in over 4x4 at 8; given the same two levels the mean of them is theirs.

    Theirs are each resized from the whole picture, ours are means of boxes: a picture that is the finer level with
    boxes of the coarser one's bytes is the same to both.
    """
    data = golden("latent_growing_misc.npz")
    coarse, fine = data["reals/4_bytes"], data["reals/8_bytes"]
    for resolution, expected in ((8, data["reals/8_alpha0.4"]), (128, data["reals/z16_alpha0.4_blocks"])):
        sizes = (Size(8, resolution, 16), Size(4, resolution, 8))
        alone = [
            process_reals(as_bytes(level, resolution), None, Stage(size), 1.0, tf.float64)
            for level, size in zip((fine, coarse), sizes, strict=True)
        ]
        mixed = (0.4 * alone[0] + 0.6 * alone[1]).numpy()[0]
        step = resolution // 8
        np.testing.assert_allclose(mixed[::step, ::step], expected, atol=1e-6)
        np.testing.assert_array_equal(mixed, mixed[::step, ::step].repeat(step, 0).repeat(step, 1))


@pytest.mark.parametrize("alpha", [0.0, 0.4, 1.0])
def test_a_fade_of_reals_is_the_mean_of_both_levels(alpha):
    picture = tf.constant(np.random.RandomState(0).randint(0, 256, (2, 32, 32, 3)).astype(np.uint8))
    new, old = Size(16, 32, 32), Size(8, 32, 16)
    now = process_reals(picture, None, Stage(new, old), alpha, tf.float64)
    parts = [process_reals(picture, None, Stage(size), 1.0, tf.float64).numpy() for size in (new, old)]
    np.testing.assert_allclose(now, alpha * parts[0] + (1 - alpha) * parts[1], atol=1e-7)
    boxes = parts[1].reshape(2, 8, 4, 8, 4, 3)
    np.testing.assert_array_equal(boxes, np.broadcast_to(boxes[:, :, :1, :, :1], boxes.shape))


# ---- the schedule ----------------------------------------------------------------------------------------------------


def test_the_ramps_are_theirs_to_one_update(golden):
    """Four epochs from 0 to 1; tau from 0 to 1/2."""
    data = golden("latent_growing_misc.npz")
    updates = int(data["schedule/updates_per_epoch"])
    kimg = 4 * updates * 16 / 1000
    options = {"grow": "layers,latent,channels", "latent_size": 256, "total_kimg": 11 * kimg,
               "lod_training_kimg": kimg, "lod_transition_kimg": kimg}  # fmt: skip
    schedule = Schedule(Config.from_values(options).growth, 128, latent_size=256)
    for index, alpha, tau in zip(data["schedule/update_index"], data["schedule/clg_alpha_and_beta"],
                                 data["schedule/clg_tau"], strict=True):  # fmt: skip
        fade = schedule.at(round(1000 * kimg) + 16 * int(index)).fade
        alpha = min(alpha, 1.0)
        if index:  # a fade begins with its first images: just before them all of the old stage is there
            assert (fade.alpha, fade.beta) == (pytest.approx(alpha, abs=1.5 / (4 * updates)),) * 2
            assert fade.tau == pytest.approx(min(tau, 0.5), abs=1.5 / (8 * updates))
