"""Losses and penalties: tensors in, tensors out, one value per sample."""

from pgan_tf.losses.adversarial import LOSSES, AdversarialLoss, label_loss
from pgan_tf.losses.penalties import PENALTIES, drift

__all__ = ["LOSSES", "PENALTIES", "AdversarialLoss", "drift", "label_loss"]
