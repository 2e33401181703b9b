"""Whole training rounds: the original's numbers, Adam's, the order of a round, skipped updates."""

import re
import types

import keras
import numpy as np
import pytest
import reference
import tensorflow as tf
from training.rounds import LRATE, all_numbers, equal, make_batch, make_controls, make_step, numbers

from pgan_tf import growth
from pgan_tf.config import Optim
from pgan_tf.latents import Purpose
from pgan_tf.layers import MINIBATCH_STATISTICS
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training import feed as feed_module
from pgan_tf.training.critic import Critic
from pgan_tf.training.feed import Batch, Feed
from pgan_tf.training.player import Player

# ---- the original's rounds -------------------------------------------------------------------------------------


def three_rounds(path) -> tuple[dict, list]:
    """Trains with the original's inputs: our weights after rounds 1 to 3 by network, our metrics of each round."""
    data = reference.load(path)
    target, lod = re.fullmatch(r"losses_tiny(_target750)?_lod([\d.]+)", path.stem).groups()
    lod, full = float(lod), 16
    options = dict(wgan_target=750.0 if target else 1.0)
    step = make_step(layer_stage(full // 2 ** int(lod), lod % 1 > 0), 8, full, labels=3, **options)
    alpha, state = 1 - lod % 1, step.state
    for network, seed in ((state.generator, None), (state.discriminator, None), (state.ema, reference.EMA_SEED)):
        source, _, factor = reference.build(type(network), "t", lod, seed=seed)
        growth.carry(source, network)
    # The step takes bytes and the golden reals are none: a round's bytes tell which golden reals are meant.
    reals = tf.constant(reference.shrink(reference.nhwc(data["in/reals"]), factor).astype(np.float32))
    marks = tf.constant(np.broadcast_to(np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1, 1), reals.shape))
    batch = Batch(marks, tf.constant(data["in/labD"]), tf.constant(data["in/labG"]))
    drawn = {Purpose.D_LATENTS: "in/zD", Purpose.G_LATENTS: "in/zG", Purpose.MIXING: "in/mix"}

    def draw(self, purpose, index):
        shape = [3, 8] if purpose is Purpose.MIXING else [3, 8, -1]
        return tf.gather(tf.constant(data[drawn[purpose]].reshape(shape)), index)  # [8] or [8,latent]

    weights, metrics = [], []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Feed, "draw", draw)
        patch.setattr(feed_module, "process_reals", lambda marks, *_: reals[tf.cast(marks[0, 0, 0, 0], tf.int32)])
        for k in range(3):
            once = Batch(*(x[k : k + 1] for x in batch[:3]))
            report = step.rounds(once, make_controls(1, alpha, ema=0.999, first=k))
            metrics.append({name: values[0].numpy() for name, values in report.items()})
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
    data = golden("adam.npz")
    variable = keras.Variable(data["v0"], dtype="float32")
    network = types.SimpleNamespace(trainable_variables=[variable])
    player = Player("d", network, Optim())
    grads = data["grads_nan_at_step3" if "nan" in kind else "grads"]
    rates = data["lrs"] if "lr" in kind else [LRATE] * 6
    worst, previous = 0.0, data["v0"]
    for t in range(6):
        if "reset" in kind and t == 3:
            player = Player("d", network, Optim())
        player.apply([tf.constant(grads[t])], tf.constant(rates[t]), tf.constant(np.isfinite(grads[t]).all()))
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
    variable = keras.Variable(np.zeros(3), dtype="float64")
    network = types.SimpleNamespace(trainable_variables=[variable])
    player = Player("d", network, Optim())
    x, v = np.zeros(3), np.zeros(3)
    for t in range(1, 4):
        g = np.array([1e-9, 1e-7, 1.0]) * t
        v = 0.99 * v + 0.01 * g**2
        x = x - LRATE * np.sqrt(1 - 0.99**t) * g / (np.sqrt(v) + 1e-8)
        player.apply([tf.constant(g)], tf.constant(LRATE, tf.float64), tf.constant(True))
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
        step.rounds(make_batch(step), make_controls()._replace(**{rate: tf.zeros([1])}))
        assert equal(before, all_numbers(step.state), still + "/")
        assert not equal(before, all_numbers(step.state), moving + "/")


def test_rounds_in_one_call_are_rounds_in_many():
    calls, rates = {}, LRATE / np.arange(1, 5)
    for size in (1, 4):
        step = make_step(layer_stage(8, True), precision="float64", labels=2, mirror_augment=True)
        batch = make_batch(step, 4)
        for k in range(0, 4, size):
            part = Batch(*(x[k : k + size] for x in batch[:3]))
            lrate = rates[k : k + size]
            step.rounds(part, make_controls(size, alpha=0.3, lrate=lrate, first=k, dtype="float64"))
        calls[size] = all_numbers(step.state)
    for name, value in calls[1].items():
        np.testing.assert_allclose(calls[4][name], value, rtol=1e-9, atol=1e-12, err_msg=name)


def test_discriminator_steps_per_round():
    """Each has its own reals and random numbers, and is followed by the EMA's; the generator moves once."""
    step = make_step(D_repeats=3, precision="float64")
    step.rounds(make_batch(step, 2), make_controls(2, dtype="float64"))
    assert int(step.state.d.optimizer.iterations.numpy()) == 6
    assert int(step.state.g.optimizer.iterations.numpy()) == 2


def test_no_discriminator_step_of_a_round_hides_what_another_found():
    """A label that is no number in any one of them; the other two steps are taken."""
    step = make_step(layer_stage(4), D_repeats=3, labels=2)
    batch = make_batch(step, 2)
    for at in range(6):
        bad = batch._replace(labels=tf.tensor_scatter_nd_update(batch.labels, [[at, 3, 0]], [np.nan]))
        before = int(step.state.d.optimizer.iterations.numpy())
        found = step.rounds(bad, make_controls(2, lrate=0.0))["nonfinite"].numpy()
        assert found.tolist() == ([1, 0] if at < 3 else [0, 1]), at
        assert int(step.state.d.optimizer.iterations.numpy()) == before + 5
    assert step.rounds(batch, make_controls(2, lrate=0.0))["nonfinite"].numpy().tolist() == [0, 0]


def test_a_round_reports_the_means_of_its_discriminator_steps():
    """Steps that change nothing: each alone is a round with that step's reals and random numbers."""
    step = make_step(layer_stage(4), D_repeats=3, precision="float64", labels=2)
    batch, alone = make_batch(step), []
    together = step.rounds(batch, make_controls(lrate=0.0, dtype="float64"))
    single = make_step(layer_stage(4), precision="float64", labels=2)
    for i in range(3):
        part = Batch(batch.reals[i : i + 1], batch.labels[i : i + 1], batch.g_labels)
        alone.append(single.rounds(part, make_controls(lrate=0.0, first=i, dtype="float64")))
    for name in ("loss/D", "scores/real", "scores/fake", "penalty/value", "penalty/norm", "gradient_norm/D",
                 "label_loss/real", "label_loss/fake"):  # fmt: skip
        values = [float(report[name][0]) for report in alone]
        assert float(together[name][0]) == pytest.approx(np.mean(values), rel=1e-9), name
        assert np.std(values) > 0, name


def test_many_discriminator_steps_are_one_trace():
    nodes = []
    for repeats in (2, 30):
        step = make_step(layer_stage(4), D_repeats=repeats)
        graph = step.rounds.get_concrete_function().graph
        nodes.append(sum(len(f.definition.node_def) for f in graph._functions.values()) + len(graph.get_operations()))
    assert nodes[0] == nodes[1]


def test_the_numbers_of_a_discriminator_step_follow_from_its_place_in_the_run():
    """The second of two steps in round 0 draws what the one step of round 1 draws, and no step what another does."""
    results = {}
    for repeats, first in ((2, 0), (1, 0), (1, 1)):
        step = make_step(D_repeats=repeats)
        batch = make_batch(step)
        same = batch._replace(
            reals=tf.repeat(batch.reals[:1], repeats, 0), labels=tf.repeat(batch.labels[:1], repeats, 0)
        )
        report = step.rounds(same, make_controls(lrate=0.0, first=first))
        results[repeats, first] = np.array([float(report[name][0]) for name in ("scores/fake", "penalty/norm")])
    assert 2 * results[2, 0] - results[1, 0] == pytest.approx(results[1, 1], rel=1e-4)  # it reports the mean of both
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
    step = make_step(layer_stage(8, True))
    for k in range(3):
        step.rounds(make_batch(step, 2), make_controls(2, alpha=0.1 * k, lrate=LRATE / (k + 1), first=2 * k))
    assert step.rounds.experimental_get_tracing_count() == 1


def test_a_round_that_is_not_finite_changes_nothing_but_the_average():
    step = make_step(labels=2)
    batch = make_batch(step)
    bad = batch._replace(
        labels=tf.tensor_scatter_nd_update(batch.labels, [[0, 3, 0]], [np.nan]),
        g_labels=tf.tensor_scatter_nd_update(batch.g_labels, [[0, 3, 0]], [np.nan]),
    )
    before = all_numbers(step.state)
    report = step.rounds(bad, make_controls())
    assert report["nonfinite"][0] == 1
    assert equal(before, all_numbers(step.state), "G")
    assert equal(before, all_numbers(step.state), "D")
    assert int(step.state.d.optimizer.iterations.numpy()) == int(step.state.g.optimizer.iterations.numpy()) == 0
    report = step.rounds(batch, make_controls())
    assert report["nonfinite"][0] == 0
    assert not equal(before, all_numbers(step.state), "D")


@pytest.mark.parametrize("statistics", ["moments", "moments_as_coded"])
def test_every_layer_of_residual_networks_learns(statistics):
    step = make_step(
        layer_stage(8, True), g_block="residual", d_block="residual", residual_blocks=2, minibatch_statistics=statistics
    )
    before = all_numbers(step.state)
    report = step.rounds(make_batch(step), make_controls(alpha=0.5))
    assert report["nonfinite"][0] == 0
    after = all_numbers(step.state)
    moved = [name for name in before if not np.array_equal(before[name], after[name])]
    for network in ("G", "D"):
        layers = {name for name in moved if name.startswith(f"{network}/8x8") and "weight" in name}
        assert len(layers) == 5, layers


@pytest.mark.parametrize("statistics", MINIBATCH_STATISTICS)
def test_one_pass_over_reals_and_fakes_equals_two(statistics):
    """Also where the statistics of one group hear of the others: those of the fakes are not those of the reals."""
    for minibatch in (8, 4, 6, 3):  # 6 and 3 take two passes, or one group
        group = 4 if minibatch % 4 == 0 else 2 if minibatch == 6 else 4
        step = make_step(
            minibatch=minibatch, labels=2, precision="float64", mbstd_group_size=group, minibatch_statistics=statistics
        )
        random = np.random.RandomState(0)
        reals, fakes = (tf.constant(random.standard_normal([minibatch, 8, 8, 3]) * s) for s in (1.0, 4.0))
        real, fake = Critic(step.state, Fade(), {}).both(reals, fakes)
        for ours, images in ((real, reals), (fake, fakes)):
            for a, b in zip(ours, step.state.discriminator(images), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
