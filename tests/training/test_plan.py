"""What is refused before anything is built."""

import pytest

from pgan_tf.config import Config, ConfigError
from pgan_tf.training.plan import check_feature_maps


def test_every_resolution_needs_a_feature_map():
    check_feature_maps(Config.from_values({"fmap_base": 16}), 32)
    with pytest.raises(ConfigError, match=r"--fmap_base=8 .* no feature map is left at 32x32; raise --fmap_base"):
        check_feature_maps(Config.from_values({"fmap_base": 8}), 32)
