#!/usr/bin/env python3
"""Measures generated images: `python evaluate.py --help`."""

import os

os.environ["PGAN_TF_NO_KERAS"] = "1"  # the program loads it when its work begins, so that --help is there at once

from pgan_tf.programs.start import start

if __name__ == "__main__":
    start("evaluate")
