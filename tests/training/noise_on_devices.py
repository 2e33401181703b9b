"""Trains with --d_noise on two logical CPUs, prints whether four laws hold; run by test_d_noise.py."""

import numpy as np
import tensorflow as tf
from training.rounds import make_batch, make_controls, make_step

from pgan_tf.latents import Purpose
from pgan_tf.stages import layer_stage

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
step = make_step(layer_stage(4), 8, strategy=strategy, loss="lsgan", penalty="none", wgan_epsilon=0.0, d_noise=0.2)
state = step.state
state.extras["running_score"].assign(2.0)

with strategy.scope():
    magnitudes, seeds = strategy.run(lambda: step.drawn(Purpose.D_NOISE, 0)["noise"])
seeds = [seed.numpy() for seed in strategy.experimental_local_results(seeds)]
magnitudes = [float(m) for m in strategy.experimental_local_results(magnitudes)]
report = step.rounds(make_batch(step, 3), make_controls(3))
scores = [float(score.numpy()) for score in strategy.experimental_local_results(state.extras["running_score"])]
expected = 2.0
for real in report["scores/real"].numpy():
    expected = 0.1 * real + 0.9 * expected
variables = [*state.generator.trainable_variables, *state.discriminator.trainable_variables]
copies = [strategy.experimental_local_results(variable.value) for variable in variables]

print("own noise", not np.array_equal(*seeds))
print("same magnitude", magnitudes[0] == magnitudes[1] > 0.4)
print("same score", scores[0] == scores[1] and abs(scores[0] - expected) < 1e-5 and abs(scores[0] - 2) > 0.1)
print("same weights", all(np.array_equal(*pair) for pair in copies))
