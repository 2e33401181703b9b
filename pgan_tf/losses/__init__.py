"""Losses and penalties: tensors in, tensors out, one value per sample."""

from pgan_tf.losses.adversarial import LOSSES, AdversarialLoss, label_loss
from pgan_tf.losses.penalties import PENALTIES, drift
from pgan_tf.losses.regularizers import REGULARIZERS
from pgan_tf.losses.terms import D_TERMS, G_TERMS, Pass, Term

__all__ = [
    "D_TERMS", "G_TERMS", "LOSSES", "PENALTIES", "REGULARIZERS", "AdversarialLoss", "Pass", "Term", "drift",
    "label_loss",
]  # fmt: skip
