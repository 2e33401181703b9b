#!/usr/bin/env python3
"""A training step of the DCGAN beside that of a plain Keras model of the same network, by turns.

    python benchmarks/dcgan_step.py
    python benchmarks/dcgan_step.py --blocks=1 --precision=bfloat16
    ONEDNN_MAX_CPU_ISA=AVX2 python benchmarks/dcgan_step.py --plain_onednn=0    # as on a CPU that has AVX2 alone

The network is that of configs/depth/mnist_m0.flags: 28x28, batch norm in both, 64 images, float32, Adam, here without
weight decay. `plain Keras` is what Keras' guide on GANs shows: a keras.Model with a train_step of its own, a
discriminator step and a generator step, in layers and optimizers of Keras, run by `fit` as `compile` leaves it, which
on a CPU is without XLA. TensorFlow leaves oneDNN off where a CPU has no instructions for neural networks, so a plain
script is without it there (--plain_onednn=0), while pgan_tf asks for it. Ours is the training loop's own call of some
rounds, with its report. Both are fed from memory. The shortest turns are compared; beside other work the processors'
time says more than the clock.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import keras
import numpy as np
import tensorflow as tf

from pgan_tf import devices, flagfiles, resampling
from pgan_tf.experiments.suite_file import read_flagfile
from pgan_tf.growth import POLICIES
from pgan_tf.stages import Fade, Size, Stage
from pgan_tf.training.feed import Batch
from pgan_tf.training.state import StageState
from pgan_tf.training.step import Controls, TrainStep

MINIBATCH, SIDE, LATENTS, RATE, BETA1, BETA2 = 64, 28, 100, 2e-4, 0.5, 0.999
LEAK = 0.2


# ---- plain Keras ---------------------------------------------------------------------------------------------------


def normed(x, layer: keras.layers.Layer, activation: keras.layers.Layer):
    """The layer, which has no bias, a batch norm and an activation."""
    return activation(keras.layers.BatchNormalization(epsilon=1e-5)(layer(x)))


def options(**more) -> dict:
    return {"padding": "same", "kernel_initializer": keras.initializers.RandomNormal(stddev=0.02), **more}


def generator(blocks: int) -> keras.Model:
    layers, relu, normal = keras.layers, keras.layers.ReLU, keras.initializers.RandomNormal(stddev=0.02)
    z = layers.Input([LATENTS])
    x = layers.Reshape([7, 7, 128])(layers.Dense(7 * 7 * 128, use_bias=False, kernel_initializer=normal)(z))
    x = old = relu()(layers.BatchNormalization(epsilon=1e-5)(x))
    x = normed(x, layers.Conv2DTranspose(64, 4, strides=2, **options(use_bias=False)), relu())
    for i in range(blocks):
        for _ in range(1 if i == 0 else 2):
            x = normed(x, layers.Conv2D(64, 3, **options(use_bias=False)), relu())
        x = old = layers.Add()([x, layers.UpSampling2D()(layers.Conv2D(64, 1, **options())(old)) if i == 0 else old])
    return keras.Model(z, layers.Conv2DTranspose(1, 4, strides=2, activation="tanh", dtype="float32", **options())(x))


def discriminator(blocks: int) -> keras.Model:
    layers = keras.layers

    def leaky():
        return layers.LeakyReLU(LEAK)

    images = layers.Input([SIDE, SIDE, 1])
    x = old = leaky()(layers.Conv2D(64, 4, strides=2, **options())(images))
    x = normed(x, layers.Conv2D(128, 4, strides=2, **options(use_bias=False)), leaky())
    for i in range(blocks):
        for _ in range(1 if i == 0 else 2):
            x = normed(x, layers.Conv2D(128, 3, **options(use_bias=False)), leaky())
        short = layers.Conv2D(128, 1, **options())(layers.AveragePooling2D(2)(old)) if i == 0 else old
        x = old = layers.Add()([x, short])
    normal = keras.initializers.RandomNormal(stddev=0.02)
    return keras.Model(images, layers.Dense(1, kernel_initializer=normal, dtype="float32")(layers.Flatten()(x)))


class PlainGan(keras.Model):
    """A train_step of one discriminator step and one generator step."""

    def __init__(self, blocks: int):
        super().__init__()
        self.generator, self.discriminator = generator(blocks), discriminator(blocks)
        self.d_loss, self.g_loss = keras.metrics.Mean(name="d_loss"), keras.metrics.Mean(name="g_loss")

    def compile(self):
        super().compile()
        self.g_optimizer, self.d_optimizer = (keras.optimizers.Adam(RATE, BETA1, BETA2) for _ in range(2))
        self.cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    def latents(self, count):
        return keras.random.uniform([count, LATENTS], -1, 1)

    def train_step(self, reals):
        count = tf.shape(reals)[0]
        ones, zeros = tf.ones([count, 1]), tf.zeros([count, 1])
        fakes = self.generator(self.latents(count), training=True)
        with tf.GradientTape() as tape:
            real = self.discriminator(reals, training=True)
            fake = self.discriminator(fakes, training=True)
            d_loss = self.cross_entropy(ones, real) + self.cross_entropy(zeros, fake)
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights, strict=True))
        with tf.GradientTape() as tape:
            fakes = self.generator(self.latents(count), training=True)
            g_loss = self.cross_entropy(ones, self.discriminator(fakes, training=True))
        weights = self.generator.trainable_weights
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights, strict=True))
        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        return {"d_loss": self.d_loss.result(), "g_loss": self.g_loss.result()}


def plain(images: np.ndarray, blocks: int, precision: str) -> Callable[[], None]:
    """-> a turn: every image once."""
    keras.mixed_precision.set_global_policy(POLICIES[precision])
    model = PlainGan(blocks)
    model.compile()
    data = tf.data.Dataset.from_tensor_slices(images).batch(MINIBATCH, drop_remainder=True)
    data = data.map(lambda batch: tf.cast(batch, tf.float32) / 127.5 - 1).prefetch(4)
    return lambda: model.fit(data, epochs=1, verbose=0, shuffle=False)


# ---- ours ------------------------------------------------------------------------------------------------------------


def ours(images: np.ndarray, blocks: int, precision: str, jit: bool) -> Callable[[], None]:
    """-> a turn: every image once, in the rounds of one call."""
    keras.mixed_precision.set_global_policy(POLICIES[precision])
    config = read_flagfile(flagfiles.find("depth/mnist_m0"))
    config = config.replace(g_blocks=blocks, d_blocks=blocks, precision=precision, jit=jit, l2_weight=0.0)
    config, words = resampling.resolve(config, devices.hardware())
    print(f"ours: {words}")
    strategy = tf.distribute.get_strategy()
    step = TrainStep(config, StageState(Stage(Size(SIDE, SIDE, 0)), config, 1, 0), strategy, MINIBATCH, SIDE)
    rounds = len(images) // MINIBATCH
    one, rate, nothing = tf.ones([rounds]), tf.fill([rounds], RATE), tf.zeros([rounds, MINIBATCH, 0])
    batch = Batch(tf.constant(images.reshape([rounds, MINIBATCH, SIDE, SIDE, 1])), nothing, nothing)
    first = 0

    def turn() -> None:
        nonlocal first
        controls = Controls(Fade(one, one, one / 2), 0 * one, rate, rate, tf.constant(first, tf.int64))
        step.rounds(batch, controls)["loss/D"].numpy()
        first += rounds

    return turn


def worker(pipe: Connection, way: Callable, options: dict, rounds: int) -> None:
    """A process: at each message one turn, answered by its (seconds, seconds of all threads)."""
    images = np.random.default_rng(0).integers(0, 256, [rounds * MINIBATCH, SIDE, SIDE, 1], np.uint8)
    turn = way(images, **options)
    while pipe.recv():
        clocks = (time.perf_counter, time.process_time)
        starts = [clock() for clock in clocks]
        turn()
        pipe.send([clock() - start for clock, start in zip(clocks, starts, strict=True)])


def start(way: Callable, options: dict, rounds: int, environment: dict[str, str]) -> Connection:
    """-> the pipe of a worker. A process of its own each, since TensorFlow reads its environment once."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    before = dict(os.environ)
    os.environ.update(environment)
    context.Process(target=worker, args=(there, way, options, rounds), daemon=True).start()
    os.environ.clear()
    os.environ.update(before)
    return here


def compare(ways: dict[str, Connection], rounds: int, turns: int) -> None:
    """Prints the shortest turn of each, by the clock and by the time of all threads."""
    best = {name: [float("inf")] * 2 for name in ways}
    for turn in range(turns + 1):
        for name, pipe in ways.items():
            pipe.send(True)
            taken = pipe.recv()
            if turn:  # the first one traces
                best[name] = [min(pair) for pair in zip(best[name], taken, strict=True)]
    base = best[next(iter(ways))]
    print(f"{'':22} images/s  of ours   ms of processor a round  of ours")
    for name, (seconds, busy) in best.items():
        of_ours = [own / other for own, other in zip(base, (seconds, busy), strict=True)]
        speed = rounds * MINIBATCH / seconds
        print(f"{name:22} {speed:8.0f} {of_ours[0]:8.2f} {1000 * busy / rounds:25.1f} {of_ours[1]:8.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=0, help="residual blocks: 1 is M1 (default: 0)")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--jit", action="store_true", help="also ours compiled by XLA")
    parser.add_argument("--plain_onednn", choices="01", default="1", help="whether plain Keras has oneDNN (default: 1)")
    parser.add_argument("--rounds", type=int, default=50, help="of a turn (default: 50)")
    parser.add_argument("--turns", type=int, default=5, help="of each (default: 5)")
    args = parser.parse_args()
    options = {"blocks": args.blocks, "precision": args.precision}
    ways = {"ours": start(ours, {**options, "jit": False}, args.rounds, {})}
    if args.jit:
        ways["ours, XLA"] = start(ours, {**options, "jit": True}, args.rounds, {})
    ways["plain Keras"] = start(plain, options, args.rounds, {"TF_ENABLE_ONEDNN_OPTS": args.plain_onednn})
    print(f"M0 with {args.blocks} blocks, {args.precision}, {devices.hardware()}, minibatch {MINIBATCH}")
    compare(ways, args.rounds, args.turns)
    for pipe in ways.values():
        pipe.send(False)


if __name__ == "__main__":
    main()
