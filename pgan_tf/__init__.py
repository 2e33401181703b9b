"""Progressive growing of GANs in Keras 3 on TensorFlow.

Importing the package registers its Keras classes, so that `keras.saving.load_model` finds them. The data tools
need no TensorFlow and say so by PGAN_TF_NO_KERAS=1: their worker processes then start in a tenth of a second.
"""

import os

__version__ = "0.1.0"

if os.environ.get("PGAN_TF_NO_KERAS") != "1":
    from pgan_tf import networks as networks
