"""What generators of images share: a first layer that makes small images of the latents, then all others."""

from __future__ import annotations

import tensorflow as tf

from pgan_tf.networks.base import GeneratorNetwork
from pgan_tf.networks.unit import UnitNetwork
from pgan_tf.stages import Fade


class ImageGenerator(UnitNetwork, GeneratorNetwork):
    """Latents [N, latent_size], or (latents, labels [N, label_size]) -> images [N,R,R,C].

    Who derives from it has `pixel_norm`, `dense`, the first layer, and `after_reference(x, moment, training,
    with_features)`: the first layer's [N,S,S,C] behind the reference batch -> what `call` returns.
    """

    def call(self, inputs, alpha=None, beta=None, tau=None, training=False, with_features=False):
        """-> images, or GeneratorOutput with the features [N,H,W,C] of the last hidden layer."""
        moment = self.fade(alpha, beta, tau)
        x = self.first(self.reference(self.used(inputs)), moment, training)
        return self.after_reference(x, moment, training, with_features)

    def project(self, inputs):
        """What the first layer makes of the latents, and labels: [N,S,S,C]."""
        return self.reference.behind(self.first(self.reference(self.used(inputs)), self.fade()))

    def synthesize(self, x):
        """All layers after the first: `project`'s [N,S,S,C] -> images."""
        if self.reference.count:
            x = tf.concat([self.first(self.reference.alone(x.dtype), self.fade()), x], axis=0)
        return self.after_reference(x, self.fade())

    def first(self, x, moment: Fade, training=False):
        """[N,latents used + labels] -> [N,S,S,C]."""
        x = self.pixel_norm(x, beta=moment.beta) if self.options.normalize_latents else x
        return self.steps([self.dense], moment, training)[0](x)
