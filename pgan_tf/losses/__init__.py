"""Losses and penalties: tensors in, tensors out, one value per sample."""

from pgan_tf.losses.adversarial import LOSSES, AdversarialLoss, label_loss
from pgan_tf.losses.penalties import PENALTIES, drift
from pgan_tf.losses.regularizers import REGULARIZERS

__all__ = ["LOSSES", "PENALTIES", "REGULARIZERS", "AdversarialLoss", "drift", "label_loss"]
