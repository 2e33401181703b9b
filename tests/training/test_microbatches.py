"""A minibatch in microbatches trains to the numbers of the minibatch in one."""

import numpy as np
import pytest
import tensorflow as tf
from training.rounds import make_batch, make_controls, make_step

from pgan_tf.config import Config, ConfigError
from pgan_tf.stages import layer_stage
from pgan_tf.training.microbatches import (
    changed_limits,
    limits_with,
    microbatch_sizes,
    microbatches_at,
    smaller_microbatch,
    summed,
)

SMALLEST = layer_stage(4)
COMMON = dict(precision="float64", adam_epsilon=1e-3)
# name: (options, sizes of a microbatch that are tried out of 16)
EQUAL = {
    "paper": (dict(mirror_augment=True, stage=layer_stage(8, True)), (8, 4)),
    "no groups": (dict(mbstd_group_size=0), (1,)),
    "lazy r1 and r2": (dict(penalty="r1_r2", penalty_interval=2, loss="relativistic", d_weights="spectral"), (4,)),
    "discrimination": (dict(minibatch_statistics="discrimination", optimizer="rmsprop", loss="lsgan"), (8,)),
    "noise": (dict(loss="lsgan", d_noise=0.2, penalty="none", wgan_epsilon=0.0), (4,)),
    "noise, no groups": (dict(loss="lsgan", d_noise=0.2, mbstd_group_size=0), (4,)),
    "repelling": (dict(regularizer="repelling"), (4,)),
    "repelling in G": (dict(regularizer="repelling", repelling_features="generator", g_weights="spectral"), (4,)),
    "feature matching": (dict(feature_matching_weight=2.0, loss="non_saturating", adversarial_weight=0.0), (4,)),
    "terms of weights": (dict(l2_weight=0.3, history_weight=0.2, loss="lsgan_as_coded", penalty="none",
                              wgan_epsilon=0.0), (4,)),
    "diffaugment": (dict(augment="diffaugment", loss="hinge"), (4,)),
    "ada": (dict(augment="ada", loss="non_saturating", ada_kimg=0.01, D_repeats=2), (8,)),
    "virtual batch norm": (dict(g_norm="virtual_batch", d_norm="virtual_batch", reference_batch=8, loss="lsgan",
                                d_noise=0.2, penalty="none", wgan_epsilon=0.0), (4,)),
    "skips": (dict(nan="skip", constraint="clip", clip=0.25, penalty="none", optimizer="sgd", momentum=0.5), (4,)),
}  # fmt: skip


def trained(size: int, rounds: int = 2, stage=SMALLEST, minibatch: int = 16, **options):
    """Some rounds with microbatches of so many samples: (all that the state knows, what was reported)."""
    limit = {"max_minibatch_per_device": {0: size}} if size else {}
    step = make_step(stage, minibatch, labels=3, **{**COMMON, **limit, **options})
    assert not size or step.feed.microbatches == minibatch // size
    state = step.state
    for network in (state.generator, state.discriminator):
        for variable in network.non_trainable_variables:  # reference batches, which begin as zeros
            if variable.name == "samples":
                variable.assign(np.random.RandomState(3).standard_normal(variable.shape))
    if "running_score" in state.extras:
        state.extras["running_score"].assign(1.5)
    if "ada/p" in state.extras:
        state.extras["ada/p"].assign(0.7)
    for player in (state.d, state.g):  # float16 begins at 64 and would find its scale in 50 rounds
        player.log_scale.assign(min(player.log_scale.numpy(), 8.0))
    controls = make_controls(rounds, alpha=[0.2, 0.6][:rounds], first=5, dtype=step.dtype)
    report = step.rounds(make_batch(step, rounds), controls)
    numbers = {name: np.asarray(v.numpy(), np.float64) for name, v in state.variables_by_name().items()}
    return numbers, {name: values.numpy() for name, values in report.items()}


def apart(found: dict, expected: dict) -> float:
    """The largest difference of an array, relative to its largest number."""
    assert found.keys() == expected.keys()
    return max(
        np.abs(found[name] - value).max(initial=0) / max(np.abs(value).max(initial=0), 1e-3)
        for name, value in expected.items()
    )


@pytest.mark.parametrize("name", EQUAL)
def test_microbatches_are_the_whole(name, record_property):
    options, sizes = EQUAL[name]
    whole, report = trained(0, **options)
    for size in sizes:
        numbers, found = trained(size, **options)
        record_property(f"{size}", max(apart(numbers, whole), apart(found, report)))
        assert apart(numbers, whole) < 1e-12, size
        assert apart(found, report) < 1e-12, size


def test_the_sum_goes_over_all_microbatches():
    zeros = tf.zeros([2]), {"a": tf.zeros([])}
    found = summed(3, zeros, lambda j: (tf.ones([2]), {"a": tf.cast(j, tf.float32)}))
    np.testing.assert_array_equal(found[0], [3, 3])
    assert float(found[1]["a"]) == 3


# (limit, minibatch, devices, options) -> microbatches
SIZES = [
    ({}, 16, 1, {}, 1),
    ({0: 16}, 16, 1, {}, 1),
    ({0: 15}, 16, 1, {}, 2),
    ({0: 4}, 16, 1, {}, 4),
    ({0: 7}, 24, 1, {}, 6),  # whole groups that divide it
    ({0: 4}, 16, 2, {}, 2),
    ({8: 2, 0: 4}, 16, 1, dict(mbstd_group_size=0), 8),
    ({4: 2}, 16, 1, {}, 1),
    ({0: 1}, 7, 1, dict(mbstd_group_size=0), 7),
    ({0: 4}, 16, 1, dict(accumulate=False), 1),
]


@pytest.mark.parametrize(("limits", "minibatch", "devices", "options", "microbatches"), SIZES)
def test_how_many_microbatches(limits, minibatch, devices, options, microbatches):
    config = Config.from_values({"max_minibatch_per_device": limits, "minibatch_base": minibatch, **options})
    assert microbatches_at(config, 8, devices) == microbatches


REFUSED = [
    (dict(g_norm="batch"), 8, "--max_minibatch_per_device=8: --g_norm=batch is of all 16 images of a device: give at"),
    (dict(d_norm="batch"), 8, "--d_norm=batch is of all 16"),
    (dict(minibatch_statistics="moments_as_coded"), 8, "--minibatch_statistics=moments_as_coded is of all 16"),
    (dict(unroll_steps=2, penalty="none"), 8, "--unroll_steps=2 is of all 16"),
    (
        dict(mbstd_group_size=16, minibatch_statistics="discrimination"),
        8,
        "groups of --mbstd_group_size=16 .* least 16",
    ),
    ({}, 2, "--max_minibatch_per_device=2: groups of --mbstd_group_size=4 stay together: give at least 4, or"),
    ({}, 3, "give at least 4, or take a smaller minibatch: --accumulate=false$"),
]


@pytest.mark.parametrize(("options", "limit", "words"), REFUSED)
def test_what_cannot_be_divided_is_refused(options, limit, words):
    config = Config.from_values({"max_minibatch_per_device": {0: limit}, **options})
    with pytest.raises(ConfigError, match=words):
        microbatches_at(config, 8, 1)
    assert microbatches_at(config.replace(accumulate=False), 8, 1) == 1


def test_the_next_smaller_microbatch():
    config = Config.from_values({"max_minibatch_per_device": {0: 8}})
    assert smaller_microbatch(config, 8, 1) == 4
    assert limits_with(config, 8, 4) == "8,8:4"
    assert limits_with(config, 28, 4) == "4"
    assert changed_limits(config, {28: 4, 3: 2, 16: 8}) == {0: 2, 16: 8}
    assert smaller_microbatch(config.replace(max_minibatch_per_device={0: 4}), 8, 1) is None
    assert smaller_microbatch(Config.from_values({"g_norm": "batch"}), 8, 1) is None
    assert smaller_microbatch(config.replace(accumulate=False), 8, 1) == 4


def test_how_many_at_once_change_no_numbers():
    config = Config.from_values({"minibatch_base": 24})
    assert microbatch_sizes(config, 8, 1) == [24, 12, 8, 4]
    assert microbatch_sizes(config.replace(max_minibatch_per_device={8: 10}), 8, 1) == [8, 4]
    assert microbatch_sizes(config.replace(mbstd_group_size=0), 8, 2) == [12, 6, 4, 3, 2, 1]
    for alone in (dict(accumulate=False), dict(d_norm="batch"), dict(unroll_steps=1, penalty="none")):
        assert microbatch_sizes(Config.from_values({"minibatch_base": 24, **alone}), 8, 2) == [12]
