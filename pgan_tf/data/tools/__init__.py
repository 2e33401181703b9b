"""What one does with a finished data set: look at it, measure it, compare it, turn it into other files and back."""

from pgan_tf.data.tools.comparison import Comparison, compare
from pgan_tf.data.tools.conversion import KINDS, convert, extract
from pgan_tf.data.tools.show import display
from pgan_tf.data.tools.statistics import Statistics, stats

__all__ = ["KINDS", "Comparison", "Statistics", "compare", "convert", "display", "extract", "stats"]
