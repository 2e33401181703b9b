"""The reference batch of virtual batch norm, chosen at the beginning of a stage; see networks/reference.py."""

from __future__ import annotations

import tensorflow as tf

from pgan_tf.data.pipeline import Reals
from pgan_tf.latents import Purpose, stream
from pgan_tf.stages import Stage
from pgan_tf.training.feed import process_reals
from pgan_tf.training.state import StageState


def choose(state: StageState, reals: Reals) -> None:
    """The first samples of the run with their labels, for generators the same latents at every stage."""
    networks = [network for network in (state.generator, state.ema, state.discriminator) if network.has_reference]
    if not networks:
        return
    config, stage = state.config, state.stage
    count, dtype = config.model.reference_batch, tf.as_dtype(state.generator.variable_dtype)
    stored, labels = reals.first(stage.resolution, count)
    latents = state.generator.draw_latents(count, stream(config.run.seed, Purpose.REFERENCE, 0), dtype)
    batches = {
        "generator": state.generator.used((latents, tf.constant(labels, dtype))),
        "discriminator": process_reals(tf.constant(stored), None, Stage(stage.size), 1.0, dtype),
    }
    for network in networks:
        network.reference.samples.assign(batches[network.part])
