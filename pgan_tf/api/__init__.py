"""What Python programs use: the functions beneath the commands, behind a small door. Light to import."""

from pgan_tf.api.datasets import create_dataset, open_dataset
from pgan_tf.api.generators import Generator, image_grid
from pgan_tf.api.measuring import evaluate
from pgan_tf.api.runs import Run, read_config, train

__all__ = ["Generator", "Run", "create_dataset", "evaluate", "image_grid", "open_dataset", "read_config", "train"]
