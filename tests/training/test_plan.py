"""What is refused before anything is built."""

import numpy as np
import pytest

from pgan_tf.config import Config, ConfigError
from pgan_tf.data import DatasetWriter
from pgan_tf.stages import Size
from pgan_tf.training.plan import check_feature_maps, make_plan


def test_every_resolution_needs_a_feature_map():
    check_feature_maps(Config.from_values({"fmap_base": 16}), [Size(32, 32, 0)])
    with pytest.raises(ConfigError, match=r"--fmap_base=8 .* no feature map is left at 32x32; raise --fmap_base"):
        check_feature_maps(Config.from_values({"fmap_base": 8}), [Size(32, 32, 0)])


def test_records_of_one_resolution_are_to_be_completed(tmp_path):
    """As they are of StyleGAN, where only the largest were downloaded."""
    with DatasetWriter(tmp_path / "set", 16, 1) as writer:
        writer.add(np.zeros((16, 16, 1), np.uint8))
    for level in (2, 3):
        (tmp_path / "set" / f"set-r{level:02d}.tfrecords").unlink()
    message = r"lacks resolution 4, .* complete it: dataset_tool.py create_from_tfrecords NEW_FOLDER .*set"
    with pytest.raises(ConfigError, match=message):
        make_plan(Config.from_values({"dataset": str(tmp_path / "set")}))
