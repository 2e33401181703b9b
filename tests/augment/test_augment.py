"""Augmentation: nothing at p = 0, exact where it must be, differentiable, a function of its numbers; ADA's p."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from training.rounds import all_numbers, equal, make_batch, make_controls, make_step

from pgan_tf.augment import AUGMENTS, CALLS, Augmentation, asked, geometry
from pgan_tf.augment.places import reflected
from pgan_tf.config import Augment, Config, ConfigError
from pgan_tf.latents import Purpose
from pgan_tf.losses import LOSSES
from pgan_tf.rules import SIGNED
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training import checkpoint
from pgan_tf.training.state import Counters, StageState

ROWS = [(kind, name) for kind, rows in AUGMENTS.items() for name in rows]
ONE = tf.constant(1.0, tf.float64)
SMALLEST = dict(stage=layer_stage(4), minibatch=4, precision="float64", loss="non_saturating")
ALWAYS = dict(augment="diffaugment", **SMALLEST)


def images(size=8, channels=3, count=5) -> tf.Tensor:
    return tf.constant(np.random.RandomState(0).standard_normal([count, size, size, channels]))


def numbers(count: int, size: int, seed=1) -> tf.Tensor:
    return tf.constant(np.random.RandomState(seed).uniform(size=[count, size]))


def unchanged(name: str) -> list[float]:
    """Numbers [K] by which DiffAugment changes nothing, as far as there are some."""
    return {"color": [0.5, 0.5, 0.5], "translation": [0.5, 0.5]}[name]


# ---- what all have in common -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", AUGMENTS["ada"])
@pytest.mark.parametrize("channels", [1, 3])
def test_at_p_0_nothing_leaks(name, channels):
    """Images and gradients, to the last bit, whatever the numbers."""
    transform, x = AUGMENTS["ada"][name], images(channels=channels)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = transform.apply(x, numbers(5, transform.numbers) * 0, tf.zeros([], tf.float64))
        total = tf.reduce_sum(tf.square(y))
    assert y.numpy().tobytes() == x.numpy().tobytes()
    np.testing.assert_array_equal(tape.gradient(total, x), 2 * x)


@pytest.mark.parametrize("name", ["color", "translation"])
def test_the_middle_of_diffaugments_numbers_changes_nothing(name):
    y = AUGMENTS["diffaugment"][name].apply(images(), tf.constant([unchanged(name)] * 5, tf.float64), ONE)
    np.testing.assert_allclose(y, images(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("kind", "name"), ROWS)
@pytest.mark.parametrize(("size", "channels"), [(4, 1), (7, 3)])
def test_each_image_goes_by_its_own_numbers_and_gradients_are_slopes(kind, name, size, channels):
    transform, x = AUGMENTS[kind][name], images(size, channels)
    drawn, way = numbers(5, transform.numbers), tf.random.stateless_normal(x.shape, [1, 2], dtype=tf.float64)
    y = transform.apply(x, drawn, ONE)
    assert y.shape == x.shape
    assert np.isfinite(y).all()
    for i in range(5):
        np.testing.assert_allclose(
            transform.apply(x[i : i + 1], drawn[i : i + 1], ONE)[0], y[i], rtol=1e-12, atol=1e-14
        )
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(tf.sin(transform.apply(x, drawn, ONE)))
        slope = tf.reduce_sum(tape.gradient(total, x) * way)
    second = float(tf.reduce_sum(outer.gradient(slope, x) * way))

    def value(step):
        return float(tf.reduce_sum(tf.sin(transform.apply(x + step * way, drawn, ONE))))

    assert (value(1e-6) - value(-1e-6)) / 2e-6 == pytest.approx(float(slope), rel=1e-6, abs=1e-7)
    assert (value(1e-4) - 2 * value(0) + value(-1e-4)) / 1e-8 == pytest.approx(second, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(("kind", "name"), ROWS)
def test_other_numbers_another_image(kind, name):
    transform = AUGMENTS[kind][name]
    found = [transform.apply(images(), numbers(5, transform.numbers, seed), ONE).numpy() for seed in (1, 2)]
    assert np.abs(found[0] - found[1]).max() > 0.1


# ---- each for itself -------------------------------------------------------------------------------------------------


def test_places_go_on_mirrored():
    assert reflected(tf.range(-5, 8), 3).numpy().tolist() == [1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]


def test_translation_is_by_all_whole_steps_up_to_an_eighth():
    x, found = images(16, count=1), set()
    for i, j in itertools.product(range(5), repeat=2):
        y = AUGMENTS["diffaugment"]["translation"].apply(
            x, tf.constant([[(i + 0.5) / 5, (j + 0.5) / 5]], tf.float64), ONE
        )
        padded = np.pad(x[0], [(2, 2), (2, 2), (0, 0)])
        np.testing.assert_array_equal(y[0], padded[4 - i : 20 - i, 4 - j : 20 - j])
        found.add(y.numpy().tobytes())
    assert len(found) == 25


def test_cutout_is_a_square_of_half_the_size():
    x = tf.ones([1, 8, 8, 3], tf.float64)
    counts = []
    for u in np.linspace(0, 0.999, 9):
        y = AUGMENTS["diffaugment"]["cutout"].apply(x, tf.constant([[u, 0.5]], tf.float64), ONE).numpy()[0, :, :, 0]
        rows = np.flatnonzero((y == 0).any(axis=1))
        assert set(np.unique(y)) == {0, 1}
        np.testing.assert_array_equal(np.flatnonzero((y == 0).any(axis=0)), range(2, 6))
        counts.append(len(rows))
    assert counts == [2, 3, 4, 4, 4, 4, 4, 3, 2]


def test_quarter_turns_and_mirrors_are_exact():
    x, found = images(6, count=1), set()
    for flip, quarters in itertools.product((0, 1), range(4)):
        drawn = [0, 0, 1, 0.25 if flip else 0.75, (quarters + 0.5) / 4, 0.5, 0.5]
        y = AUGMENTS["ada"]["pixels"].apply(x, tf.constant([drawn], tf.float64), ONE)[0].numpy()
        start = x[0].numpy()[:, ::-1] if flip else x[0].numpy()
        turned = [np.rot90(start, k) for k in range(4)]
        assert sum(np.array_equal(y, one) for one in turned) == 1
        found.add(y.tobytes())
    assert len(found) == 8


def test_a_turn_by_a_quarter_between_pixels_is_that_of_whole_pixels():
    x = images(6, count=1)
    drawn = [[1, 1, 1, 0, 1, 0.5, 0.5, 0.75, 0.5, 0.5, 0.5]]
    y = geometry.geometry(x, tf.constant(drawn, tf.float64), ONE)[0].numpy()
    assert any(np.allclose(y, np.rot90(x[0].numpy(), k), atol=1e-9) for k in (1, 3))


def test_scaling_by_two_looks_at_the_middle_half():
    x = tf.range(8, dtype=tf.float64)[None, :, None, None] * tf.ones([1, 8, 8, 1], tf.float64)
    u = 0.5 * (1 + tf.math.erf(tf.constant(1 / 0.2 / 2**0.5 * 0.5, tf.float64)))  # 2^0.5
    drawn = tf.stack([0, 1, 1, 1, 1, float(u), 0.5, 0.5, 0.5, 0.5, 0.5])[None]
    y = geometry.geometry(x, tf.cast(drawn, tf.float64), ONE)[0, :, 3, 0]
    np.testing.assert_allclose(y, 3.5 + (np.arange(8) - 3.5) / 2**0.5, atol=1e-5)


def test_stretching_and_moving_between_pixels():
    """Rows and columns count themselves: each pixel says where it comes from."""
    rows, columns = tf.meshgrid(tf.range(8, dtype=tf.float64), tf.range(8, dtype=tf.float64), indexing="ij")
    x, inner = tf.stack([rows, columns], axis=-1)[None], np.arange(2, 6)
    one, half = 0.841344746, 0.691462461  # where the standard normal's is 1, and 1/2
    stretched = tf.constant([[1, 0, 1, 1, 1, 0.5, one, 0.5, 0.5, 0.5, 0.5]], tf.float64)
    y = geometry.geometry(x, stretched, ONE)[0].numpy()
    np.testing.assert_allclose(y[2:6, 4, 0], 3.5 + (inner - 3.5) * 2**0.2, atol=1e-6)
    np.testing.assert_allclose(y[4, 2:6, 1], 3.5 + (inner - 3.5) / 2**0.2, atol=1e-6)
    moved = tf.constant([[1, 1, 0, 1, 1, 0.5, 0.5, 0.5, 0.5, one, half]], tf.float64)  # by 1, and by 1/2
    y = geometry.geometry(x, moved, ONE)[0].numpy()
    np.testing.assert_allclose(y[2:6, 4, 0], inner - 1, atol=1e-6)
    np.testing.assert_allclose(y[4, 2:6, 1], inner - 0.5, atol=1e-6)


def test_diffaugments_colours_are_the_papers():
    """Brightness of -1/2 to 1/2 is added, then saturation times 0 to 2, then contrast times 1/2 to 3/2."""
    x, drawn = images().numpy(), numbers(5, 3).numpy()
    brightness, saturation, contrast = (drawn[:, i, None, None, None] for i in range(3))
    gray, mean = x.mean(-1, keepdims=True), x.mean((1, 2, 3), keepdims=True)
    expected = mean + brightness - 0.5 + (contrast + 0.5) * (gray - mean + 2 * saturation * (x - gray))
    np.testing.assert_allclose(AUGMENTS["diffaugment"]["color"].apply(x, drawn, ONE), expected, atol=1e-12)


def test_colours():
    """Dark and bright exchanged: the mean colour's sign; hue turns around it; grey pictures stay grey."""
    x = images()
    color = AUGMENTS["ada"]["color"].apply

    def drawn(part, value):
        there = [0.0 if i == part else 1.0 for i in range(5)]
        return tf.constant([[*there, *(value if i == part else 0.5 for i in range(5))]] * 5, tf.float64)

    gray = np.mean(x, axis=-1, keepdims=True)
    np.testing.assert_allclose(color(x, drawn(2, 0.25), ONE), x - 2 * gray, atol=1e-12)
    hue = color(x, drawn(3, 0.5 + 1 / 3), ONE)  # 120 degrees
    assert any(np.allclose(hue, np.roll(x, k, axis=-1), atol=1e-12) for k in (1, 2))
    np.testing.assert_allclose(color(x, drawn(3, 0.0), ONE), 2 * gray - x, atol=1e-12)
    one = 0.841344746  # where the standard normal's is 1
    np.testing.assert_allclose(color(x, drawn(4, one), ONE), gray + 2 * (x - gray), atol=1e-6)
    np.testing.assert_allclose(color(x, drawn(0, one), ONE), x + 0.2, atol=1e-6)
    np.testing.assert_allclose(color(x, drawn(1, one), ONE), x * 2**0.5, atol=1e-6)
    flat = tf.repeat(images(channels=1), 3, axis=-1)
    y = color(flat, numbers(5, 10), ONE).numpy()
    np.testing.assert_allclose(y, np.repeat(y[..., :1], 3, axis=-1), atol=1e-12)
    single = color(images(channels=1), numbers(5, 10), ONE)
    np.testing.assert_allclose(y[..., :1], single, atol=1e-12)


# ---- in a step -------------------------------------------------------------------------------------------------------


def test_reals_fakes_and_penalties_are_changed_apart_and_other_calls_begin_anew():
    drawn = tf.constant(np.random.RandomState(0).uniform(size=[2, CALLS, 7]))
    augmented, x = Augmentation(asked(Augment(augment="diffaugment")), drawn, ONE), images(count=2)
    found = [augmented(x).numpy().tobytes() for _ in range(CALLS + 1)]
    assert len(set(found)) == CALLS
    assert found[0] == found[-1]


def test_both_networks_learn_through_it_and_what_is_saved_does_not_see_it():
    with_it, without = make_step(**ALWAYS), make_step(**SMALLEST)
    batch, controls = make_batch(with_it), make_controls(dtype="float64")
    arguments = (batch, 0, tf.constant(0, tf.int64), Fade(*(x[0] for x in controls.fade)))
    for name, data in (("d", arguments), ("g", (*arguments, tf.constant(0.0, tf.float64)))):
        (changed, _), (plain, _) = (getattr(step, f"{name}_replica")(*data, 1.0) for step in (with_it, without))
        assert all(np.any(a.numpy() != b.numpy()) for a, b in zip(changed, plain, strict=True) if np.any(b))
    assert equal(all_numbers(with_it.state), all_numbers(without.state))
    latents, labels = tf.ones([2, 16], tf.float64), tf.zeros([2, 0], tf.float64)
    pictures = [step.state.ema((latents, labels)).numpy() for step in (with_it, without)]
    np.testing.assert_array_equal(*pictures)


def test_its_numbers_follow_from_the_seed_the_step_and_whose_step_it_is():
    steps = [make_step(**ALWAYS, seed=seed) for seed in (1, 2)]
    found = [
        step.drawn(purpose, index)["augment"][0].numpy().tobytes()
        for step in steps for purpose in (Purpose.D_NOISE, Purpose.G_NOISE) for index in (0, 1)
    ]  # fmt: skip
    assert len(set(found)) == 8
    again = make_step(**ALWAYS, seed=1).drawn(Purpose.D_NOISE, 0)["augment"][0]
    assert again.numpy().tobytes() == found[0]
    assert make_step(**SMALLEST).drawn(Purpose.D_NOISE, 0) == {}


def test_ada_at_p_0_trains_as_nothing_does():
    """And its own numbers take none away from the others."""
    options = dict(**SMALLEST, penalty="r1")
    ada, none = make_step(**options, augment="ada", ada_target=1.0), make_step(**options)
    for k in range(2):
        reports = [s.round(make_batch(s), make_controls(first=k, dtype="float64"), 0) for s in (ada, none)]
        assert float(reports[0]["overfitting/r_t"]) == float(reports[1]["overfitting/r_t"])
    assert equal(all_numbers(ada.state), all_numbers(none.state))


# ---- p ---------------------------------------------------------------------------------------------------------------


def follow(step, signs, finite=True) -> float:
    for sign in signs:
        report = {"overfitting/r_t": tf.constant(sign, step.dtype)}
        step.state.update_extras(step.state.d, report, tf.constant(finite), 50)
    return step.state.extras_row()["augment/p"]


def test_p_goes_up_where_the_mean_sign_of_four_steps_is_above_the_target_and_down_below():
    step = make_step(**SMALLEST, augment="ada", ada_target=0.5, ada_kimg=1.0)
    assert follow(step, [1, 1, 1]) == 0
    assert follow(step, [0]) == pytest.approx(0.2)  # 4 steps of 50 images of 1000
    assert follow(step, [0.4, 0.5, 0.5, 0.5]) == 0
    assert follow(step, [-1] * 4) == 0
    assert follow(step, [1] * 40) == 1
    assert follow(step, [np.nan] * 5, finite=False) == 1
    assert follow(step, [0.5] * 4) == 1
    assert follow(step, [0.0] * 4) == pytest.approx(0.8)


def test_p_goes_by_images_however_many_steps_see_them():
    found = [follow(make_step(**SMALLEST, augment="ada", ada_kimg=1.0, minibatch_updates=n), [1] * 4) for n in (1, 2)]
    assert found[1] == pytest.approx(found[0] / 2)


def test_p_is_in_a_checkpoint_and_carried_to_the_next_stage(tmp_path):
    step = make_step(**SMALLEST, augment="ada", ada_kimg=1.0)
    follow(step, [1, 1, 1, 1, 1])
    checkpoint.save(tmp_path, step.state, Counters(images=4), 1, Fade())
    again = make_step(**SMALLEST, augment="ada", ada_kimg=1.0)
    checkpoint.restore(checkpoint.paths(tmp_path)[0], again.state)
    grown = StageState(layer_stage(8, True), step.config, 3, 0)
    grown.carry_from(step.state)
    for state in (again.state, grown):
        found = {name: float(value) for name, value in state.extras.items()}
        assert found == pytest.approx({"ada/p": 0.2, "ada/signs": 1, "ada/steps": 1})


# ---- what is refused -------------------------------------------------------------------------------------------------


def test_the_losses_with_a_border_are_those_that_ada_goes_with():
    assert {name for name, row in LOSSES.items() if row.margin} == set(SIGNED)
    for name in LOSSES:
        options = dict(augment="ada", loss=name, penalty="none", wgan_epsilon=0.0)
        if name in SIGNED:
            Config.from_values(options)
        else:
            with pytest.raises(ConfigError, match=f"--augment=ada goes by .* with --loss={name}: add --loss=non_satur"):
                Config.from_values(options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(augment="diffaugment", diffaugment_policy="none"), "--diffaugment_policy=none: nothing is left"),
        (dict(augment="ada", loss="hinge", ada_pipeline="none"), "--ada_pipeline=none: nothing is left"),
        (dict(diffaugment_policy="color"), "--diffaugment_policy=color: add --augment=diffaugment"),
        (dict(ada_kimg=5.0), "--ada_kimg: add --augment=ada"),
        (dict(ada_target=0.5, augment="diffaugment"), "--ada_target: add --augment=ada"),
        (dict(augment="diffaugment", unroll_steps=1), "--unroll_steps looks ahead without augmentation"),
        (
            dict(augment="diffaugment", family="mlp", grow="none"),
            "--augment: is an option of --family=progressive or dcgan",
        ),
        (
            dict(recipe="small_data", family="mlp", grow="none"),
            "--recipe=small_data: its --augment is an option of --family=progressive or dcgan",
        ),
        (dict(augment="diffaugment", diffaugment_policy="color,blur"), "--diffaugment_policy=color,blur: any of color"),
    ],
)
def test_what_it_does_not_go_with_is_refused(options, message):
    with pytest.raises(ConfigError) as caught:
        Config.from_values(options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
