"""What the losses of the discriminator and of the generator are made of: the rows of D_TERMS and G_TERMS.

A loss is the sum of weight * value over its terms, each with a value [n] for the n samples of a replica; its mean over
the N samples of the global minibatch is minimised. A term whose weight is 0 is not there: nothing of it is computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from pgan_tf.config import Loss
from pgan_tf.losses import weights
from pgan_tf.losses.adversarial import LOSSES, label_loss
from pgan_tf.losses.penalties import PENALTIES, drift, gradient_penalty, no_penalty
from pgan_tf.losses.regularizers import REGULARIZERS, Gather, no_regularizer


class Pass(NamedTuple):
    """What the terms of one network's loss go by.

    In the generator's pass there are reals, what is said of them, and mixing only where a term needs the reals.
    """

    fakes: tf.Tensor  # [n,R,R,C]
    labels: tf.Tensor  # [n,L], which the fakes were made for; in the discriminator's pass they are the reals' too
    fake: Any  # DiscriminatorOutput of the fakes
    critic: Callable[[tf.Tensor], Any]  # images [.,R,R,C] -> DiscriminatorOutput, as the discriminator is in this pass
    minibatch: int  # N
    weights: Sequence[tf.Tensor]  # what the network whose loss it is has learnt
    extras: dict[str, tf.Variable]  # what else the stage knows, by its name in a checkpoint
    gather: Gather  # [n,...] -> [N,...], the samples of all replicas
    reals: tf.Tensor | None = None  # [n,R,R,C]
    real: Any = None  # DiscriminatorOutput of the reals
    mixing: tf.Tensor | None = None  # [n], uniform in 0..1
    hidden: tf.Tensor | None = None  # [n,...], the generator's last hidden layer, in its own pass
    scale: tf.Tensor | float = 1.0  # keeps gradients within a loss representable in float16
    upscale: int = 1  # final / current resolution
    step: tf.Tensor | int = 0  # number of this network's step in the run


def nothing(options: Loss) -> frozenset[str]:
    return frozenset()


def every_step(options: Loss) -> int:
    return 1


class Term(NamedTuple):
    """A summand of a loss."""

    name: str
    weight: Callable[[Loss], float]
    value: Callable[[Pass, Loss], Any]  # -> [n]; or several [n]: the first is the value, the others are reported
    tags: tuple[str, ...] = ()  # what these are called in the report; () = not reported
    needs: Callable[[Loss], frozenset[str]] = nothing  # fields of the pass that are not always there: "reals"
    interval: Callable[[Loss], int] = every_step  # k: it is computed in every k-th step, and counts k times there
    joint: bool = False  # a sample's value goes by the other samples, and by nothing but what D says of them all


def active(terms: Sequence[Term], options: Loss) -> list[Term]:
    """The terms that these options ask for."""
    return [term for term in terms if term.weight(options) != 0]


def needed(terms: Sequence[Term], options: Loss) -> frozenset[str]:
    return frozenset().union(*(term.needs(options) for term in terms))


def add_up(terms: Sequence[Term], given: Pass, options: Loss) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """The loss [n], and what its terms report, {tag: [n]}."""
    loss, report = tf.zeros_like(given.fake.scores), {}
    for term in terms:
        values = _values(term, given, options)
        loss += values[0] * term.weight(options)
        report |= dict(zip(term.tags, values, strict=False))
    return loss, report


def _values(term: Term, given: Pass, options: Loss) -> list[tf.Tensor]:
    """The term's value and what else it has to report, [n] each; 0 in the steps between, where they are not computed.

    Lazy regularization: Karras et al. 2020 (StyleGAN2), section 3.1. The means over many steps are those of a term that
    is always computed.
    """
    interval = term.interval(options)
    if interval == 1:
        return tf.nest.flatten(term.value(given, options))
    count = len(term.tags) or 1
    return tf.nest.flatten(
        tf.cond(
            tf.equal(tf.math.floormod(tf.cast(given.step, tf.int64), interval), 0),
            lambda: [value * interval for value in tf.nest.flatten(term.value(given, options))],
            lambda: [tf.zeros_like(given.fake.scores)] * count,
        )
    )


# ---- the rows --------------------------------------------------------------------------------------------------


def _always(options: Loss) -> float:
    return 1.0


def _label_weight(options: Loss) -> float:
    return options.cond_weight


def _d_adversarial(given: Pass, options: Loss) -> tf.Tensor:
    loss = LOSSES[options.loss]
    return loss.discriminator(given.real.scores, given.fake.scores, options) * (given.minibatch if loss.summed else 1)


def _g_adversarial(given: Pass, options: Loss) -> tf.Tensor:
    loss = LOSSES[options.loss]
    real = given.real.scores if loss.paired else None
    return loss.generator(real, given.fake.scores, options) * (given.minibatch if loss.summed else 1)


def _g_adversarial_needs(options: Loss) -> frozenset[str]:
    return frozenset({"reals"} if LOSSES[options.loss].paired else {})


def _penalty(given: Pass, options: Loss) -> tuple[tf.Tensor, tf.Tensor]:
    def scores(images):
        return given.critic(images).scores

    return PENALTIES[options.penalty](
        scores, given.reals, given.fakes, given.mixing, options, given.upscale, given.scale
    )  # fmt: skip


def _penalty_weight(options: Loss) -> float:
    """Its formula has its own factor, so that what is reported of it is what it adds."""
    penalty = PENALTIES[options.penalty]
    return 0.0 if penalty is no_penalty or (penalty is gradient_penalty and options.wgan_lambda == 0) else 1.0


def _penalty_interval(options: Loss) -> int:
    return options.penalty_interval


def _drift(given: Pass, options: Loss) -> tf.Tensor:
    return drift(given.real.scores)


def _labels_of_reals(given: Pass, options: Loss) -> tf.Tensor:
    return label_loss(given.labels, given.real.labels)


def _labels_of_fakes(given: Pass, options: Loss) -> tf.Tensor:
    return label_loss(given.labels, given.fake.labels)


def _for_each(given: Pass, value: tf.Tensor) -> tf.Tensor:
    """A value [] that every sample has, so that it is the mean over the minibatch too, on any number of replicas."""
    return tf.fill(tf.shape(given.fake.scores), tf.cast(value, given.fake.scores.dtype))  # [n]


def _decay(given: Pass, options: Loss) -> tf.Tensor:
    return _for_each(given, weights.decay(given.weights))


def _decay_weight(options: Loss) -> float:
    return options.l2_weight


def _d_history(given: Pass, options: Loss) -> tf.Tensor:
    return _for_each(given, weights.distance_from_history("d", given.weights, given.extras))


def _g_history(given: Pass, options: Loss) -> tf.Tensor:
    return _for_each(given, weights.distance_from_history("g", given.weights, given.extras))


def _history_weight(options: Loss) -> float:
    return options.history_weight


def _matching(given: Pass, options: Loss) -> tf.Tensor:
    """The squared distance between the mean features of reals and of fakes. Salimans et al. 2016, section 3.1."""
    features = (tf.cast(output.features, given.fake.scores.dtype) for output in (given.real, given.fake))
    real, fake = (tf.reduce_mean(given.gather(samples), axis=0) for samples in features)  # [F] each
    return _for_each(given, tf.reduce_sum(tf.square(real - fake)))


def _matching_weight(options: Loss) -> float:
    return options.feature_matching_weight


def _matching_needs(options: Loss) -> frozenset[str]:
    return frozenset({"reals"})


def _regularizer(given: Pass, options: Loss) -> tf.Tensor:
    features = {"critic": given.fake.features, "generator": given.hidden}[options.repelling_features]
    features = tf.reshape(features, [-1, math.prod(features.shape[1:])])  # [n,F]
    return REGULARIZERS[options.regularizer](tf.cast(features, given.fake.scores.dtype), given.gather)


def _regularizer_weight(options: Loss) -> float:
    return 0.0 if REGULARIZERS[options.regularizer] is no_regularizer else options.repelling_weight


D_TERMS = (
    Term("adversarial", _always, _d_adversarial),
    Term("penalty", _penalty_weight, _penalty, ("penalty/value", "penalty/norm"), interval=_penalty_interval),
    Term("drift", lambda options: options.wgan_epsilon, _drift),
    Term("labels of the reals", _label_weight, _labels_of_reals, ("label_loss/real",)),
    Term("labels of the fakes", _label_weight, _labels_of_fakes, ("label_loss/fake",)),
    Term("weight decay", _decay_weight, _decay),
    Term("history", _history_weight, _d_history, ("history/D",)),
)
G_TERMS = (
    Term("adversarial", lambda options: options.adversarial_weight, _g_adversarial, needs=_g_adversarial_needs),
    Term("feature matching", _matching_weight, _matching, ("feature_matching/value",), _matching_needs, joint=True),
    Term("labels", _label_weight, _labels_of_fakes),
    Term("regularizer", _regularizer_weight, _regularizer, ("regularizer/value",), joint=True),
    Term("weight decay", _decay_weight, _decay),
    Term("history", _history_weight, _g_history, ("history/G",)),
)
