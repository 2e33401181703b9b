"""Small training steps and inputs for them, shared by the tests of whole rounds."""

import numpy as np
import tensorflow as tf

from pgan_tf.config import Config, belongs
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training.feed import Batch
from pgan_tf.training.state import StageState
from pgan_tf.training.step import Controls, TrainStep

LRATE = 0.001
SMALL = dict(fmap_base=64, fmap_max=16, latent_size=16)
STAGE = layer_stage(8)


def make_step(stage=STAGE, minibatch=8, resolution=16, labels=0, strategy=None, channels=3, **options) -> TrainStep:
    """The step of a run, of colour pictures if nothing else is said; `options` are those of the run."""
    family, strategy = options.get("family", "progressive"), strategy or tf.distribute.get_strategy()
    small = {name: value for name, value in SMALL.items() if belongs(name, family)}
    config = Config.from_values({**small, **options})
    with strategy.scope():
        state = StageState(stage, config, channels, labels)
    return TrainStep(config, state, strategy, minibatch, resolution)


def make_batch(step: TrainStep, rounds=1) -> Batch:
    """Random data for some rounds; the labels of D and of G are drawn apart."""
    random, n, labels = np.random.RandomState(0), step.minibatch, step.state.generator.label_size
    repeats = step.config.growth.D_repeats

    def one_hot(count):
        chosen = random.randint(0, max(labels, 1), [count, n])
        return tf.constant(np.eye(max(labels, 1), dtype=np.float32)[chosen][..., :labels])

    shape = step.state.discriminator.sample_shape
    reals = random.randint(0, 256, [rounds * repeats, n, *shape]).astype(np.uint8 if len(shape) == 3 else np.float32)
    return Batch(tf.constant(reals), one_hot(rounds * repeats), one_hot(rounds))


def make_controls(rounds=1, alpha=1.0, ema=0.9, lrate=LRATE, first=0, dtype="float32") -> Controls:
    """What the schedule would set; `alpha` and `lrate` are one number, or one for each round."""
    *fade, decay, rate = (tf.broadcast_to(tf.constant(x, dtype), [rounds]) for x in (*Fade(alpha), ema, lrate))
    return Controls(Fade(*fade), decay, rate, rate, tf.constant(first, tf.int64))


def numbers(network) -> dict[str, np.ndarray]:
    """A network's parameters by name, in float64."""
    return {name: v.numpy().astype(np.float64) for name, v in network.parameters_by_name().items()}


def all_numbers(state: StageState) -> dict[str, np.ndarray]:
    """The parameters of all three networks: 'G/..', 'D/..', 'EMA/..'."""
    networks = {"G": state.generator, "D": state.discriminator, "EMA": state.ema}
    return {f"{key}/{name}": value for key, net in networks.items() for name, value in numbers(net).items()}


def equal(a: dict, b: dict, prefix: str = "") -> bool:
    """Whether the parameters whose names begin so are the same, to the last bit."""
    return all(np.array_equal(a[name], b[name]) for name in a if name.startswith(prefix))
