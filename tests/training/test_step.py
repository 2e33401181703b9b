"""Whole training rounds: the original's numbers, replicas, skipped updates, precisions."""

import re
import types

import keras
import numpy as np
import pytest
import reference
import tensorflow as tf

from pgan_tf import growth
from pgan_tf.config import Config, Optim
from pgan_tf.latents import Purpose
from pgan_tf.schedule import Stage
from pgan_tf.training import step as step_module
from pgan_tf.training.state import StageState, make_optimizer
from pgan_tf.training.step import METRICS, Batch, Controls, TrainStep, process_reals

SMALL = dict(fmap_base=64, fmap_max=16, latent_size=16)
LRATE = 0.001


STAGE = Stage(8, fading=False)


def make_step(stage=STAGE, minibatch=8, resolution=16, labels=0, channels=3, **options) -> TrainStep:
    config = Config.from_values({**SMALL, **options})
    state = StageState(stage, config, channels, labels)
    return TrainStep(config, state, tf.distribute.get_strategy(), minibatch, resolution)


def make_batch(step: TrainStep, rounds=1, labels=0, channels=3, seed=0) -> Batch:
    random, n, size = np.random.RandomState(seed), step.minibatch, step.state.stage.resolution
    repeats = step.config.growth.D_repeats

    def one_hot(count):
        chosen = random.randint(0, max(labels, 1), [count, n])
        return tf.constant(np.eye(max(labels, 1), dtype=np.float32)[chosen][..., :labels])

    reals = tf.constant(random.randint(0, 256, [rounds * repeats, n, size, size, channels]).astype(np.uint8))
    return Batch(reals, one_hot(rounds * repeats), one_hot(rounds))


def make_controls(rounds=1, alpha=1.0, ema=0.9, lrate=LRATE, first=0, dtype="float32") -> Controls:
    return Controls(
        tf.fill([rounds], tf.constant(alpha, dtype)), tf.fill([rounds], tf.constant(ema, dtype)),
        tf.constant(lrate, dtype), tf.constant(lrate, dtype), tf.constant(first, tf.int64),
    )  # fmt: skip


def numbers(network) -> dict[str, np.ndarray]:
    return {name: v.numpy().astype(np.float64) for name, v in network.parameters_by_name().items()}


def all_numbers(state: StageState) -> dict[str, np.ndarray]:
    networks = {"G": state.generator, "D": state.discriminator, "EMA": state.ema}
    return {f"{key}/{name}": value for key, net in networks.items() for name, value in numbers(net).items()}


def equal(a: dict, b: dict, prefix: str = "") -> bool:
    return all(np.array_equal(a[name], b[name]) for name in a if name.startswith(prefix))


# ---- the original's rounds -------------------------------------------------------------------------------------


def three_rounds(path) -> tuple[dict, list]:
    """Trains with the original's inputs: our weights after rounds 1 to 3 by network, our metrics of each round."""
    data = reference.load(path)
    target, lod = re.fullmatch(r"losses_tiny(_target750)?_lod([\d.]+)", path.stem).groups()
    lod, full = float(lod), 16
    options = dict(wgan_target=750.0 if target else 1.0)
    step = make_step(Stage(full // 2 ** int(lod), lod % 1 > 0), 8, full, labels=3, **options)
    alpha, state = 1 - lod % 1, step.state
    for network, seed in ((state.generator, None), (state.discriminator, None), (state.ema, reference.EMA_SEED)):
        source, _, factor = reference.build(type(network), "t", lod, seed=seed)
        growth.carry(source, network)
    # The step takes bytes and the golden reals are none: a round's bytes tell which golden reals are meant.
    reals = tf.constant(reference.shrink(reference.nhwc(data["in/reals"]), factor).astype(np.float32))
    marks = tf.constant(np.broadcast_to(np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1, 1), reals.shape))
    batch = Batch(marks, tf.constant(data["in/labD"]), tf.constant(data["in/labG"]))
    drawn = {Purpose.D_LATENTS: "in/zD", Purpose.G_LATENTS: "in/zG", Purpose.MIXING: "in/mix"}

    def random(self, purpose, index, shape, sampler):
        return tf.gather(tf.constant(data[drawn[purpose]].reshape(3, 8, *shape)), index)

    weights, metrics = [], []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainStep, "random", random)
        patch.setattr(step_module, "process_reals", lambda marks, *_: reals[tf.cast(marks[0, 0, 0, 0], tf.int32)])
        for k in range(3):
            once = Batch(*(x[k : k + 1] for x in batch))
            report = step.rounds(once, make_controls(1, alpha, ema=0.999, first=k))[0]
            metrics.append(dict(zip(METRICS, report.numpy(), strict=True)))
            networks = {"G": state.generator, "D": state.discriminator, "Gs": state.ema}
            weights.append({key: numbers(network) for key, network in networks.items()})
    return weights, metrics


@pytest.mark.parametrize("path", reference.files("losses_tiny_*.npz"))
def test_three_rounds_are_the_originals(path, record_property):
    """Losses before each D step, and after it, of the G step; weights in units of the learning rate.

    Adam with beta1 = 0 moves a weight by a whole rate whatever its gradient's size, so that a gradient near zero may
    toss a coin; all others agree. The EMA sees G of before the round: after one round it has seen no coin.
    """
    data = reference.load(path)
    weights, metrics = three_rounds(path)
    for k, ours in enumerate(metrics, start=1):
        for name, key in (("loss/D", "D"), ("loss/G", "G_after_D_update")):
            theirs = data[f"step{k}/loss_before/{key}"].mean()
            record_property(f"{key}{k}", float(abs(ours[name] - theirs)))
            assert abs(ours[name] - theirs) < (1e-5 if k == 1 else 1e-4) * max(1, abs(theirs)), (k, name)
        assert ours["nonfinite"] == 0
    for after in (1, 3):
        for network, ours in weights[after - 1].items():
            theirs = {name: data[f"step{after}/{network}/{reference.name_in_original(name, 16)}"] for name in ours}
            differences = np.concatenate([np.abs(ours[name] - theirs[name]).ravel() for name in ours]) / LRATE
            median, most, worst = np.quantile(differences, [0.5, 0.98, 1.0])
            record_property(f"weights of {network} after {after}", f"{median:.2e} {most:.2e} {worst:.2e}")
            if network == "Gs":
                assert worst < (1e-3 if after == 1 else 0.02), after
            else:
                assert median < 1e-3 * after, (network, after)
                assert most < 0.01 * after, (network, after)
                assert worst < 3 * after, (network, after)


# ---- Adam ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["values", "values_reset_before_step4", "values_nan_at_step3", "values_lr_change"])
def test_adam_is_the_originals(kind, golden, record_property):
    data, step = golden("adam.npz"), make_step(Stage(4, False))
    variable = keras.Variable(data["v0"], dtype="float32")
    network = types.SimpleNamespace(trainable_variables=[variable])
    optimizer = make_optimizer(Optim(), network)
    grads = data["grads_nan_at_step3" if "nan" in kind else "grads"]
    rates = data["lrs"] if "lr" in kind else [LRATE] * 6
    worst, previous = 0.0, data["v0"]
    for t in range(6):
        if "reset" in kind and t == 3:
            optimizer = make_optimizer(Optim(), network)
        gradients = [tf.constant(grads[t])]
        _, _, finite = step.inspect(gradients, tf.zeros([7]), 1.0)
        assert bool(finite) == np.isfinite(grads[t]).all()
        step.update(network, optimizer, gradients, tf.constant(rates[t]), finite, step.state.d_log_scale)
        before = data[kind][t - 1] if t else data["v0"]
        worst = max(worst, reference.deviation(variable.numpy(), data[kind][t]))
        assert np.array_equal(data[kind][t], before) == (not np.isfinite(grads[t]).all())  # what the file says
        if not np.isfinite(grads[t]).all():
            np.testing.assert_array_equal(variable.numpy(), previous)
        previous = variable.numpy()
    record_property("worst", worst)
    assert worst < 1e-6
    # The updates themselves, not the values they are small against.
    ours, theirs = variable.numpy() - data["v0"], data[kind][5] - data["v0"]
    assert reference.deviation(ours, theirs) < 1e-4


def test_adam_puts_epsilon_outside_of_the_bias_correction():
    """x -= lr * sqrt(1 - b2^t) * g / (sqrt(v) + epsilon), which shows where g is as small as epsilon."""
    step = make_step(Stage(4, False), precision="float64")
    variable = keras.Variable(np.zeros(3), dtype="float64")
    network = types.SimpleNamespace(trainable_variables=[variable])
    optimizer = make_optimizer(Optim(), network)
    x, v = np.zeros(3), np.zeros(3)
    for t in range(1, 4):
        g = np.array([1e-9, 1e-7, 1.0]) * t
        v = 0.99 * v + 0.01 * g**2
        x = x - LRATE * np.sqrt(1 - 0.99**t) * g / (np.sqrt(v) + 1e-8)
        step.update(
            network,
            optimizer,
            [tf.constant(g)],
            tf.constant(LRATE, tf.float64),
            tf.constant(True),
            step.state.d_log_scale,
        )
        np.testing.assert_allclose(variable.numpy(), x, rtol=1e-6)


# ---- the order of a round, skipped updates ---------------------------------------------------------------------


def test_the_average_sees_the_generator_of_before_the_round():
    step = make_step(precision="float64")
    for i, network in enumerate((step.state.generator, step.state.ema)):
        for variable in network.trainable_variables:
            variable.assign(np.random.RandomState(i).standard_normal(variable.shape))
    before, average = numbers(step.state.generator), numbers(step.state.ema)
    step.rounds(make_batch(step), make_controls(ema=0.75, dtype="float64"))
    assert not equal(before, numbers(step.state.generator))
    for name, value in numbers(step.state.ema).items():
        np.testing.assert_allclose(value, 0.25 * before[name] + 0.75 * average[name], rtol=1e-12)


def test_each_network_has_its_own_learning_rate():
    step = make_step()
    for still, moving, rate in (("D", "G", "d_lrate"), ("G", "D", "g_lrate")):
        before = all_numbers(step.state)
        step.rounds(make_batch(step), make_controls()._replace(**{rate: tf.constant(0.0)}))
        assert equal(before, all_numbers(step.state), still + "/")
        assert not equal(before, all_numbers(step.state), moving + "/")


def test_rounds_in_one_call_are_rounds_in_many():
    calls = {}
    for size in (1, 4):
        step = make_step(Stage(8, True), precision="float64", labels=2, mirror_augment=True)
        batch = make_batch(step, 4, labels=2)
        for k in range(0, 4, size):
            part = Batch(*(x[k : k + size] for x in batch))
            step.rounds(part, make_controls(size, alpha=0.3, first=k, dtype="float64"))
        calls[size] = all_numbers(step.state)
    for name, value in calls[1].items():
        np.testing.assert_allclose(calls[4][name], value, rtol=1e-9, atol=1e-12, err_msg=name)


def test_discriminator_steps_per_round():
    """Each has its own reals and random numbers, and is followed by the EMA's; the generator moves once."""
    step = make_step(D_repeats=3, precision="float64")
    step.rounds(make_batch(step, 2), make_controls(2, dtype="float64"))
    assert int(step.state.d_optimizer.iterations.numpy()) == 6
    assert int(step.state.g_optimizer.iterations.numpy()) == 2


def test_the_numbers_of_a_discriminator_step_follow_from_its_place_in_the_run():
    """The second of two steps in round 0 draws what the one step of round 1 draws, and no step what another does."""
    results = {}
    for repeats, first in ((2, 0), (1, 0), (1, 1)):
        step = make_step(D_repeats=repeats)
        batch = make_batch(step)
        same = batch._replace(
            reals=tf.repeat(batch.reals[:1], repeats, 0), labels=tf.repeat(batch.labels[:1], repeats, 0)
        )
        report = step.rounds(same, make_controls(lrate=0.0, first=first))[0]
        results[repeats, first] = [float(report[METRICS.index(name)]) for name in ("scores/fake", "penalty/norm")]
    assert results[2, 0] == pytest.approx(results[1, 1], rel=1e-4)
    assert results[1, 0] != pytest.approx(results[1, 1], rel=1e-3)


def test_another_step_draws_other_numbers():
    step = make_step()
    batch, results = make_batch(step), []
    for first in (0, 0, 1):
        step = make_step()
        step.rounds(batch, make_controls(first=first))
        results.append(all_numbers(step.state))
    assert equal(results[0], results[1])
    assert not equal(results[0], results[2])


def test_new_controls_do_not_trace_again():
    step = make_step(Stage(8, True))
    for k in range(3):
        step.rounds(make_batch(step, 2), make_controls(2, alpha=0.1 * k, lrate=LRATE / (k + 1), first=2 * k))
    assert step.rounds.experimental_get_tracing_count() == 1


def test_a_round_that_is_not_finite_changes_nothing_but_the_average():
    step = make_step(labels=2)
    batch = make_batch(step, 1, labels=2)
    bad = batch._replace(
        labels=tf.tensor_scatter_nd_update(batch.labels, [[0, 3, 0]], [np.nan]),
        g_labels=tf.tensor_scatter_nd_update(batch.g_labels, [[0, 3, 0]], [np.nan]),
    )
    before = all_numbers(step.state)
    report = step.rounds(bad, make_controls())
    assert report[0, METRICS.index("nonfinite")] == 1
    assert equal(before, all_numbers(step.state), "G")
    assert equal(before, all_numbers(step.state), "D")
    assert int(step.state.d_optimizer.iterations.numpy()) == int(step.state.g_optimizer.iterations.numpy()) == 0
    report = step.rounds(batch, make_controls())
    assert report[0, METRICS.index("nonfinite")] == 0
    assert not equal(before, all_numbers(step.state), "D")


def test_one_pass_over_reals_and_fakes_equals_two():
    for minibatch in (8, 4, 6, 3):  # 6 and 3 take two passes, or one group
        group = 4 if minibatch % 4 == 0 else 2 if minibatch == 6 else 4
        step = make_step(minibatch=minibatch, labels=2, precision="float64", mbstd_group_size=group)
        random = np.random.RandomState(0)
        reals, fakes = (tf.constant(random.standard_normal([minibatch, 8, 8, 3]) * s) for s in (1.0, 4.0))
        real, fake = step.score_pair(reals, fakes, 1.0)
        for ours, images in ((real, reals), (fake, fakes)):
            for a, b in zip(ours, step.state.discriminator(images), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


# ---- the reals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lod", ["0", "0.35", "0.999", "1", "1.6", "2", "2.25"])
@pytest.mark.parametrize("size", [4, 8, 16])
def test_process_reals_is_the_originals(size, lod, golden):
    """Ours stays at the stage's resolution; the original's is then enlarged to the final one."""
    data, level = golden("process_reals.npz"), float(lod)
    images = tf.constant(reference.nhwc(data[f"in_{size}"]))
    ours = process_reals(images, None, 1 - level % 1, fading=level % 1 > 0).numpy()
    theirs = reference.nhwc(data[f"out_{size}_lod{lod}"])
    assert reference.deviation(reference.enlarge(ours, 2 ** int(level)), theirs) < 1e-6


def test_mirrored_reals():
    images = tf.constant(np.random.RandomState(0).randint(0, 256, [3, 4, 4, 1]).astype(np.uint8))
    mirrored = process_reals(images, tf.constant([True, False, True]), 1.0, False).numpy()
    plain = process_reals(images, None, 1.0, False).numpy()
    np.testing.assert_array_equal(mirrored[0], plain[0, :, ::-1])
    np.testing.assert_array_equal(mirrored[1], plain[1])
    np.testing.assert_array_equal(mirrored[2], plain[2, :, ::-1])


def test_range_of_reals():
    images = tf.constant(np.array([0, 255], np.uint8).reshape(2, 1, 1, 1))
    np.testing.assert_allclose(process_reals(images, None, 1.0, False).numpy().ravel(), [-1, 1])


# ---- precisions ------------------------------------------------------------------------------------------------


def gradients_of(step: TrainStep, labels: int) -> np.ndarray:
    """The D step's and the G step's gradients, one after the other, of fixed inputs."""
    random, n, size = np.random.RandomState(0), step.minibatch, step.state.stage.resolution

    def draw(*shape):
        return tf.constant(random.standard_normal(shape), step.dtype)

    one_hot = tf.constant(np.eye(labels)[random.randint(0, labels, n)], step.dtype)
    reals, latents, mixing = draw(n, size, size, 3), draw(n, 16), tf.constant(random.uniform(size=n), step.dtype)
    d, _ = step.d_gradients(reals, one_hot, latents, mixing, 0.7, 1.0)
    g, _ = step.g_gradients(one_hot, latents, 0.7, 1.0)
    return [np.concatenate([x.numpy().astype(np.float64).ravel() for x in gradients]) for gradients in (d, g)]


@pytest.mark.parametrize(("precision", "cosine"), [("float32", 0.99999), ("bfloat16", 0.98)])
def test_gradients_point_the_same_way(precision, cosine, record_property):
    steps = [make_step(Stage(16, True), labels=3, precision=p) for p in ("float64", precision)]
    for network in ("generator", "discriminator"):
        pairs = zip(*(getattr(step.state, network).trainable_variables for step in steps), strict=True)
        for high, low in pairs:
            high.assign(low.numpy().astype(np.float64))
    exact, ours = (gradients_of(step, 3) for step in steps)
    for name, a, b in zip("DG", exact, ours, strict=True):
        measured = float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
        record_property(name, measured)
        assert measured > cosine
        assert abs(np.linalg.norm(b) / np.linalg.norm(a) - 1) < 0.1


@pytest.mark.parametrize("precision", ["bfloat16", "float16", "float32"])
def test_parameters_stay_float32(precision):
    step = make_step(precision=precision)
    step.rounds(make_batch(step), make_controls())
    variables = [*step.state.generator.weights, *step.state.discriminator.weights, *step.state.ema.weights]
    assert {v.dtype for v in variables} == {"float32"}
    assert step.state.discriminator(np.zeros([4, 8, 8, 3], np.float32)).scores.dtype == tf.float32


def test_float16_scales_its_losses():
    """An overflow halves the scale and skips the update; a good round raises it by 2^0.0005."""
    step = make_step(precision="float16")
    state, batch, before = step.state, make_batch(step), all_numbers(step.state)
    assert state.d_log_scale.numpy() == state.g_log_scale.numpy() == 64
    report = step.rounds(batch, make_controls())
    assert report[0, METRICS.index("nonfinite")] == 1
    assert state.d_log_scale.numpy() == state.g_log_scale.numpy() == 63
    assert equal(before, all_numbers(state), "G")
    assert equal(before, all_numbers(state), "D")
    state.d_log_scale.assign(8.0), state.g_log_scale.assign(8.0)
    report = step.rounds(batch, make_controls())
    assert report[0, METRICS.index("nonfinite")] == 0
    np.testing.assert_allclose([state.d_log_scale.numpy(), state.g_log_scale.numpy()], 8.0005, rtol=1e-7)
    assert not equal(before, all_numbers(state), "G")
    assert not equal(before, all_numbers(state), "D")


def test_float16_update_does_not_feel_the_scale():
    """Adam hides a wrong scale; the reported norms and the moments do not."""
    norms = {}
    for precision, scale in (("float32", 0.0), ("float16", 4.0), ("float16", 10.0)):
        step = make_step(precision=precision)
        step.state.d_log_scale.assign(scale), step.state.g_log_scale.assign(scale)
        report = step.rounds(make_batch(step), make_controls())[0].numpy()
        moments = [sum(float(tf.reduce_sum(v.value)) for v in o.variables if "velocity" in v.path)
                   for o in (step.state.d_optimizer, step.state.g_optimizer)]  # fmt: skip
        norms[precision, scale] = [*report, *moments]
    for key, value in norms.items():
        np.testing.assert_allclose(value, norms["float32", 0.0], rtol=0.05, atol=0.01, err_msg=str(key))


def test_float32_has_no_loss_scale():
    step = make_step()
    step.rounds(make_batch(step), make_controls())
    assert step.state.d_log_scale.numpy() == step.state.g_log_scale.numpy() == 0


# ---- replicas --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 1e-9), ("float32", 1e-5)])
def test_two_replicas_train_to_the_numbers_of_one(precision, tolerance, fresh_process, record_property):
    printed = fresh_process(reference.TESTS / "training" / "two_devices.py", precision)
    found = dict(line.split() for line in printed.splitlines() if len(line.split()) == 2)
    record_property("difference", float(found["difference"]))
    assert float(found["difference"]) < tolerance, printed
    assert float(found["metrics"]) < max(tolerance, 1e-4 if precision == "float32" else 0), printed
    assert found["moved"] == found["agree"] == found["skipped"] == found["together"] == "True", printed
