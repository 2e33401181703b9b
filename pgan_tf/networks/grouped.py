"""Discriminators that are told of their minibatch: what the groups of its samples are like, before the last layers."""

from __future__ import annotations

import functools

import tensorflow as tf

from pgan_tf.layers import EqualizedDense
from pgan_tf.layers.discrimination import MINIBATCH
from pgan_tf.layers.norms import NORMS
from pgan_tf.layers.widening import NEW_WEIGHTS, Axis, Part
from pgan_tf.networks.base import DiscriminatorNetwork
from pgan_tf.networks.unit import UnitNetwork
from pgan_tf.stages import Fade


class GroupedDiscriminator(UnitNetwork, DiscriminatorNetwork):
    """Its samples in groups of --mbstd_group_size; none where that is below 2."""

    def make_statistics(self, features: Part, size: int) -> Axis:
        """Builds what tells of images [N,size,size,features]; -> the axis of the features that come out."""
        self.statistics = MINIBATCH[self.options.minibatch_statistics](
            self.drawn("minibatch_statistics"), group_size=self.options.mbstd_group_size, axis=(features,),
            name="minibatch_statistics", dtype=self.dtype_policy,
        )  # fmt: skip
        self.statistics.build((None, size, size, features.now))
        maps, fresh = self.statistics.maps, self.capped and self.narrower_before > 0
        said = Part(maps, 0 if fresh and NEW_WEIGHTS[self.options.widening].statistics else maps)
        return (features, said) if self.has_statistics else (features,)

    def last_layer(self, name: str, inputs: Axis) -> EqualizedDense:
        """Builds [N,F] -> [N,1+labels], the scores, in float32 also where the others compute in half precision.

        The loss is read off here: in bfloat16 a score has three digits, and the 0.002 of it that WGAN's drift adds to
        a gradient of 1 would be rounded away for scores between -2 and 1.
        """
        outputs = Part(1 + self.label_size, 1 + self.label_size)
        return self.layer(EqualizedDense, name, inputs, outputs, gain=1.0, dtype=self.variable_dtype)

    @property
    def has_statistics(self) -> bool:
        return self.options.mbstd_group_size > 1

    @property
    def together(self) -> int:
        """Those of a group, which the devices that share a minibatch leave whole."""
        return self.options.mbstd_group_size if self.has_statistics else NORMS[self.norm_row].together

    @property
    def separable(self) -> bool:
        """Whether what it says of one group of samples is independent of the other groups of the minibatch."""
        return NORMS[self.norm_row].separable and not (self.has_statistics and self.statistics.mixes_groups)

    def tell(self, x, moment: Fade, training=False) -> tf.Tensor:
        """[N,H,W,C] -> [N,H,W,C+S]; the groups of a reference batch, which comes first, are its own."""
        if not self.has_statistics:
            return x
        tell = functools.partial(self.statistics, beta=moment.beta, tau=moment.tau, training=training)
        count = self.reference.count
        return tf.concat([tell(x[:count]), tell(x[count:])], axis=0) if count else tell(x)
