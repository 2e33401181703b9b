#!/usr/bin/env python3
"""Makes, shows, extracts, compares and checks data sets: `python dataset_tool.py COMMAND --help`."""

import os
import sys

os.environ["PGAN_TF_NO_KERAS"] = "1"  # the program loads it when its work begins, so that --help is there at once

if __name__ == "__main__":
    try:
        from pgan_tf.programs.start import start
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    start("dataset_tool")
