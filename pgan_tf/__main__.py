"""`python -m pgan_tf`: the list of programs; `python -m pgan_tf train --help`: one of them."""

from __future__ import annotations

import sys

import pgan_tf


def main(words: list[str]) -> int:
    """-> the exit status. A program's own words are left to it."""
    from pgan_tf.called import MODULE, installed
    from pgan_tf.programs.start import PROGRAMS, start

    if words and words[0] in PROGRAMS:
        sys.argv[0] = f"{MODULE} {words[0]}"
        start(words[0], words[1:])
    if words[:1] == ["--version"]:
        print(f"pgan_tf {pgan_tf.__version__}")
        return 0
    if words and words[0] not in ("-h", "--help"):
        print(f"error: {words[0]}: no such program; choose one of {', '.join(PROGRAMS)}", file=sys.stderr)
        return 2
    print(f"usage: {MODULE} PROGRAM [--help], or the installed command\n")
    for name, text in PROGRAMS.items():
        print(f"  {name:<14}{installed(name):<17}{text}")
    return 0


if __name__ == "__main__":
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        status = 130
    except BrokenPipeError:  # `| head`
        from pgan_tf.programs.start import forget_output

        forget_output()
        status = 1
    sys.exit(status)
