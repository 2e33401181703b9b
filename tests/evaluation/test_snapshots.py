"""The labels that a run's generator is measured with."""

import numpy as np

from pgan_tf.evaluation.snapshots import labels_for


def test_a_network_gets_labels_of_its_own_size():
    """Those of the data set, cut off where it has more of them; where it has too few they are another set's."""
    rows = np.eye(4, dtype=np.float32)[[3, 1]]
    for size, expected in ((4, rows), (2, rows[:, :2]), (5, np.eye(5)), (3, rows[:, :3])):
        np.testing.assert_array_equal(labels_for(size, rows), expected)
    np.testing.assert_array_equal(labels_for(3, None), np.eye(3))
