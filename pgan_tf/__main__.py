"""`python -m pgan_tf`: the list of programs; `python -m pgan_tf train --help`: one of them."""

from __future__ import annotations

import sys

import pgan_tf


def main(words: list[str]) -> None:
    from pgan_tf.programs.start import PROGRAMS, start

    if words and words[0] in PROGRAMS:
        sys.argv[0] = f"python -m pgan_tf {words[0]}"
        start(words[0], words[1:])
    if words[:1] == ["--version"]:
        print(f"pgan_tf {pgan_tf.__version__}")
        return
    rows = "".join(f"  {name:<14}{text}\n" for name, text in PROGRAMS.items())
    print(f"python -m pgan_tf PROGRAM [--help]\n\n{rows}", end="")
    if words and words[0] not in ("-h", "--help"):
        print(f"error: {words[0]}: no such program", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
