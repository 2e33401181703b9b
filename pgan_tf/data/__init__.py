"""Data sets as multi-resolution TFRecord folders: read, write, make, check. TensorFlow is for pipeline.py only."""

from pgan_tf.data.dataset import RecordDataset
from pgan_tf.data.errors import DataError
from pgan_tf.data.writer import DatasetWriter

__all__ = ["DataError", "DatasetWriter", "RecordDataset"]
