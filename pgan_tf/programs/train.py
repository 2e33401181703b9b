"""Trains a progressive GAN: `python train.py --flagfile=configs/quickstart.flags`.

Every option is declared and explained in pgan_tf/config.py; a flag on the command line wins over the flagfile.
"""

from __future__ import annotations

import dataclasses
import shlex
import sys
from pathlib import Path

from absl import flags

from pgan_tf.config import SECTIONS, Config, ConfigError, define_flags, option_names, option_text
from pgan_tf.errors import UserError
from pgan_tf.programs.loading import load_tensorflow

INTERRUPTED = "interrupted; go on from the last checkpoint with --resume"
FLAGS = flags.FLAGS
define_flags(flags)
flags.DEFINE_bool("help", False, "show all options", short_name="h")
flags.DEFINE_string("resume", "", "run folder to go on with; no other flag is needed")
flags.DEFINE_bool("dry_run", False, "print the stage table with memory and time, and start nothing")


class CannotWrite(UserError):
    """The disk does not take what a run has to keep."""

    status = 1


def config_from_flags() -> Config:
    return Config.from_values({name: FLAGS[name].value for name in option_names()})


def resumed_config(folder: Path) -> Config:
    """The run's own options; flags that are given now replace them, but not those of the networks and the data.

    (A data set may have moved: --dataset names its new place.) Raises ConfigError.
    """
    from pgan_tf.training import rundir

    config = rundir.load_config(folder)
    given = {name: FLAGS[name].value for name in option_names() if FLAGS[name].present}
    fixed = {*vars(config.data), *vars(config.model)} - {"dataset"}
    if given.get("precision") == "float64" or config.optim.precision == "float64":  # in the others weights are float32
        fixed.add("precision")
    for name, value in given.items():
        if name in fixed and value != config.values()[name]:
            raise ConfigError(f"--{name} cannot change in a run that has begun; start a new run with it")
    config = config.replace(**given)
    if not Path(config.data.dataset).is_dir():
        raise ConfigError(f"{config.data.dataset}: the run's data set is not there; say by --dataset where it is now")
    return config


def flags_text() -> str:
    """The options that differ from the defaults, as a flagfile."""
    names = [name for name in option_names() if FLAGS[name].value != FLAGS[name].default]
    return "".join(FLAGS[name].serialize() + "\n" for name in names)


def run(argv: list[str]) -> int:
    if len(argv) > 1:
        raise ConfigError(f"{argv[1]}: options begin with --; see python train.py --help")
    config = resumed_config(Path(FLAGS.resume)) if FLAGS.resume else config_from_flags()
    if not config.data.dataset:
        raise ConfigError("--dataset is missing: the folder that dataset_tool.py made")

    load_tensorflow()
    from pgan_tf.training import initial, loop, rundir
    from pgan_tf.training.estimate import print_stage_table
    from pgan_tf.training.plan import make_plan

    plan = make_plan(config)
    if config.model.init_from and not FLAGS.resume:
        initial.check(config, plan.dataset.channels, plan.label_size)
    if FLAGS.dry_run:
        print_stage_table(config, plan)
        return 0
    folder = Path(FLAGS.resume) if FLAGS.resume else rundir.create(config, plan.dataset.name, flags_text())
    with rundir.claimed(folder):
        try:
            loop.Run(config, plan, folder).train()
        except loop.Stopped:
            print(f"go on with: python train.py --resume={shlex.quote(str(folder))}")
    return 0


def flagfiles_first(argv: list[str]) -> list[str]:
    """Puts the flagfiles in front: absl lets the later of two flags win, and the command line shall always win."""
    files, others, rest = [], [], argv[1:]
    while rest:
        word, *rest = rest
        if word in ("--flagfile", "-flagfile") and rest:
            word, rest = f"--flagfile={rest[0]}", rest[1:]
        (files if word.startswith(("--flagfile=", "-flagfile=")) else others).append(word)
    return [argv[0], *files, *others]


def parse_flags(argv: list[str]) -> list[str]:
    """Reads the flags and returns the other words; a flag that cannot be read ends like any other wrong option."""
    try:
        return FLAGS(argv)
    except flags.Error as error:
        print(f"error: {str(error).removeprefix('ERROR:: ')}", file=sys.stderr)
        sys.exit(2)


def help_text() -> str:
    """All options by section, with their defaults."""
    lines = [__doc__]
    for section, kind in SECTIONS.items():
        lines.append(f"{kind.__doc__}  [{section}]")
        for field in dataclasses.fields(kind):
            choices = f" ({', '.join(field.metadata['choices'])})" if field.metadata["choices"] else ""
            default = option_text(getattr(kind(), field.name))
            lines.append(f"  --{field.name}={default}\n      {field.metadata['help']}{choices}")
        lines.append("")
    return "\n".join(lines)


def main(argv: list[str]) -> int:
    """Trains; returns the exit status."""
    words = parse_flags(flagfiles_first([sys.argv[0], *argv]))
    if FLAGS.help:
        print(help_text())
        return 0
    try:
        return run(words)
    except OSError as error:  # no space, no permission
        raise CannotWrite(f"{error}; mend that and start again, by --resume if the run has a checkpoint") from None
