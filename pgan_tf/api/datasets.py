"""Data sets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pgan_tf.api.loading import in_one_line
from pgan_tf.called import as_called
from pgan_tf.option import ConfigError, plain

if TYPE_CHECKING:
    from pgan_tf.data.samples import Samples


@in_one_line
def create_dataset(out: str | os.PathLike, source: str, *inputs: str | os.PathLike, **options: Any) -> Samples:
    """Makes a data set, as `dataset_tool.py create_SOURCE` does.

        create_dataset("datasets/mnist", "mnist")
        create_dataset("datasets/cats", "from_images", "~/Pictures/cats", resolution=64)

    Several processes work. Python starts them by importing the main script once more, so in a script (not in a
    notebook) call it under `if __name__ == "__main__":`.

    Args:
        out: Folder to make; it must not exist or be empty.
        source: What follows `create_` in the command's name: mnist, from_images, cifar10, celebahq, planar, ...
        *inputs: What the command takes besides OUT: files or folders.
        **options: Its flags, without the dashes; True for a flag that takes no value, True or False for one of 0 or 1,
            and a tuple where the flag has commas.

    Returns:
        The data set, as from `open_dataset`.

    Raises:
        UserError: What cannot be read, unknown sources, inputs and options, in one line; nothing is left behind then.
    """
    from pgan_tf.programs import dataset_tool

    for given in inputs:
        if not isinstance(given, (str, os.PathLike)):
            kind = type(given).__name__
            raise ConfigError(f"{kind}: not the name of a file or folder; save arrays with numpy.savez, and name that")
    parser = dataset_tool.parser(as_called("dataset_tool.py"))
    words = [f"create_{source}", os.fspath(out), *map(os.fspath, inputs)]
    args = parser.parse_args([*words, *_flags(options)])
    args.run(args)
    return open_dataset(os.path.expanduser(out))


@in_one_line
def open_dataset(folder: str | os.PathLike) -> Samples:
    """A data set that `create_dataset` or dataset_tool.py has made, or NVIDIA's.

    Args:
        folder: Where it lies.

    Returns:
        An object with `name`, `count`, `resolution`, `channels`, `labels` (float32 [count, label_size], or None), and
        `read(resolution, indices)` -> uint8 [n, R, R, C], or float32 [n, 2] of points in the plane.

    Raises:
        UserError: No data set, or a damaged one.
    """
    from pgan_tf.data.samples import open_samples

    return open_samples(os.path.expanduser(folder))


SWITCHES = ("shuffle",)  # flags that take 0 or 1


def _flags(options: dict[str, Any]) -> Iterator[str]:
    """Keyword arguments as words of a command line. ConfigError for help, which is for a terminal."""
    for name, value in options.items():
        value = plain(value)
        if name in ("help", "h", "version"):
            raise ConfigError(f"{name}: is for a terminal; see help(pgan_tf.create_dataset), and docs/datasets.md")
        if isinstance(value, (tuple, list)):
            value = ",".join(map(str, value))
        if name in SWITCHES and isinstance(value, bool):
            value = int(value)
        if value is True:
            yield f"--{name}"
        elif value is not False and value is not None:
            yield f"--{name}={value}"
