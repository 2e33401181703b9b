"""The augmentations: which transforms each is made of, and how a pass of the discriminator takes them.

All are differentiable, so that the gradient of a score goes back through them to the fakes; all are functions of the
images and of random numbers that are given, so that nothing here keeps a state.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from pgan_tf.augment import colors, differentiable, geometry
from pgan_tf.config import Augment

CALLS = 4  # of the discriminator in one pass that each have numbers of their own: reals, fakes, a penalty at both


class Transform(NamedTuple):
    """Of images [n,R,R,C] in -1..1, by `numbers` [n,K] uniform in 0..1; with probability p [] where it goes by that."""

    numbers: int  # K
    apply: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]  # (images, numbers, p) -> images


# Zhao et al. 2020, section 3.2: always applied. Karras et al. 2020 (StyleGAN2-ADA), appendix B: each part with
# probability p, without the filters of images and of noise, which they did not find to help.
AUGMENTS: dict[str, dict[str, Transform]] = {
    "none": {},
    "diffaugment": {
        "color": Transform(3, differentiable.color),
        "translation": Transform(2, differentiable.translation),
        "cutout": Transform(2, differentiable.cutout),
    },
    "ada": {
        "pixels": Transform(7, geometry.pixels),
        "geometry": Transform(11, geometry.geometry),
        "color": Transform(10, colors.color),
    },
}


def asked(options: Augment) -> list[Transform]:
    """The transforms of a run, in the order in which they are applied."""
    rows = AUGMENTS[options.augment]
    chosen = {"diffaugment": options.diffaugment_policy, "ada": options.ada_pipeline}.get(options.augment, "")
    return [transform for name, transform in rows.items() if name in chosen.split(",")]


class Augmentation:
    """Images [n,R,R,C] -> images, each time in another way."""

    def __init__(self, transforms: Sequence[Transform], numbers: tf.Tensor, p: tf.Tensor):
        """numbers: [n,CALLS,K], K for all transforms."""
        self.transforms, self.numbers, self.p = transforms, numbers, p
        self._calls = itertools.count()

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        numbers, begin = self.numbers[:, next(self._calls) % CALLS], 0  # [n,K]
        for transform in self.transforms:
            images = transform.apply(images, numbers[:, begin : begin + transform.numbers], self.p)
            begin += transform.numbers
        return images
