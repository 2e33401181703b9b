"""Trains a progressive GAN: `python train.py --flagfile=configs/quickstart.flags`.

Every option is declared and explained in pgan_tf/config.py; a flag on the command line wins over the flagfile.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from absl import flags

from pgan_tf import __version__, flagfiles, presets
from pgan_tf.called import as_called
from pgan_tf.config import Config, ConfigError
from pgan_tf.data.samples import check_files
from pgan_tf.endings import os_fault
from pgan_tf.errors import UserError
from pgan_tf.option_flags import define_flags, flag_lines, given_options
from pgan_tf.places import place
from pgan_tf.programs import together, train_help
from pgan_tf.programs.interrupts import INTERRUPTS
from pgan_tf.programs.loading import load_tensorflow
from pgan_tf.workers.team import Alone, Team

INTERRUPTED = "interrupted; nothing was begun: the same command starts again"
INTERRUPTED_TRAINING = "interrupted; go on from the last checkpoint with --resume"
FLAGS = flags.FLAGS
define_flags(flags)
flags.DEFINE_string("resume", "", "run folder to go on with; no other flag is needed")
flags.DEFINE_string("preset", "", "settings for your images: small, medium or paper; other flags win over them")
flags.DEFINE_float("hours", 0.0, "with --preset: about how long the run may take; 0 = the preset's own")
flags.DEFINE_string("workers", "", "with --strategy=multi_worker: HOST:PORT of all workers, the chief's first")
flags.DEFINE_integer("task", -1, "which of --workers this process is; 0 is the chief, which shows and writes the run")
flags.DEFINE_float("wait_minutes", 10.0, "how long workers wait for each other at the start")
flags.DEFINE_bool("change_dataset", False, "with --resume: go on although the data set is another one")
flags.DEFINE_bool("dry_run", False, "print the stage table with memory and time, and start nothing")
flags.DEFINE_bool("help", False, "show all options", short_name="h")
flags.DEFINE_bool("version", False, "show the version of the package")
OWN_FLAGS = FLAGS.flags_by_module_dict()[__name__]


class CannotWrite(UserError):
    """The disk does not take what a run has to keep."""

    status = 1


def config_from_flags() -> Config:
    return Config.from_values(given_options(FLAGS), complete=not FLAGS.preset)


def resumed_config(folder: Path) -> Config:
    """The run's own options; flags that are given now replace them. Raises ConfigError."""
    from pgan_tf.training import rundir

    return rundir.resumed_config(folder, given_options(FLAGS))


def flags_text() -> str:
    """The options that are given, as a flagfile."""
    return flag_lines(given_options(FLAGS))


def run(rest: list[str], argv: list[str]) -> int:
    """rest: what the flags left of the command line; argv: all of it."""
    if len(rest) > 1:
        raise ConfigError(f"{rest[1]}: options begin with --; see python train.py --help")
    check_preset()
    if FLAGS["metrics"].present and not FLAGS.metrics.strip():
        raise ConfigError("--metrics is empty: name some, as in swd,fid, or none")
    FLAGS.resume = os.path.expanduser(FLAGS.resume)
    config = resumed_config(place(FLAGS.resume)) if FLAGS.resume else config_from_flags()
    check_data_set(config.data.dataset, argv)
    process = together.Launch(*(FLAGS[name].value for name in together.Launch._fields))
    with together.joined(config, process) as team:
        return _train(config, team)


def _train(config: Config, team: Alone | Team) -> int:
    """Trains with the others of a run, or shows what would be trained."""
    load_tensorflow(config.run.strategy)
    from pgan_tf.training import begin, launch

    given = {name: config.values()[name] for name in given_options(FLAGS)}  # as they are taken
    asked = begin.Asked(config, FLAGS.resume, FLAGS.preset, FLAGS.hours, given, FLAGS.dry_run)
    prepared = launch.prepare(asked, FLAGS.change_dataset)
    if FLAGS.dry_run:
        return _show_plan(prepared.start)
    INTERRUPTS.said = INTERRUPTED_TRAINING
    if launch.train(prepared, flags_text()).signal:
        print(as_called(team.way_on), flush=True)
    return 0


def _show_plan(start) -> int:
    """start: of begin; its type would load TensorFlow."""
    from pgan_tf.training.console import show
    from pgan_tf.training.estimate import print_stage_table

    show([*start.lines, ""])
    print_stage_table(start.config, start.plan, start.speeds)
    if start.preset:
        print(f"\n{start.preset}", end="")
    return 0


def check_preset() -> None:
    """ConfigError where --preset and --hours cannot be meant."""
    if FLAGS.resume and (FLAGS.preset or FLAGS.hours):
        said = f"--preset={FLAGS.preset}" if FLAGS.preset else f"--hours={FLAGS.hours:g}"
        raise ConfigError(f"{said}: a run that has begun has its settings; --total_kimg lengthens it{_length()}")
    presets.check(FLAGS.preset, FLAGS.hours, FLAGS["total_kimg"].present)


def _length() -> str:
    """What to give for so many hours more, where the run knows how fast it is."""
    from pgan_tf.training import rundir
    from pgan_tf.training.speeds import Speeds

    folder = place(FLAGS.resume)
    more = 3.6 * FLAGS.hours * Speeds.read(folder).slowest()  # thousands of images
    total = rundir.load_config(folder, "--resume=").growth.total_kimg
    return f": for {FLAGS.hours:g} h more --total_kimg={total + more:.0f} (it has {total:g})" if more > 0 else ""


def parse_flags(argv: list[str]) -> list[str]:
    """Reads the flags and returns the other words. ConfigError for a flag that cannot be read."""
    try:
        return FLAGS(argv)
    except (flags.Error, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(flagfiles.fault(error)) from None


def check_data_set(folder: str, words: list[str]) -> None:
    """An error unless --dataset is a data set, by its files' names; the flagfiles among the words say how theirs is
    made."""
    if folder and place(folder).exists():
        check_files(folder)
        return
    for name in flagfiles.split(words)[0]:
        recipe = flagfiles.data_recipe(flagfiles.find(name))
        if folder and folder in recipe:
            raise ConfigError(f"{folder}: there is no such data set; make it first: {recipe}")
    missing = f"{folder}: there is no such data set" if folder else "--dataset is missing"
    raise ConfigError(f"{missing}; make one of your pictures: "
                      "python dataset_tool.py create_from_images datasets/NAME FOLDER, or see its --help")  # fmt: skip


def main(argv: list[str]) -> int:
    """Trains; returns the exit status."""
    rest = parse_flags([sys.argv[0], *flagfiles.first(argv)])
    if FLAGS.help:
        print(train_help.text(OWN_FLAGS))
        return 0
    if FLAGS.version:
        print(f"pgan_tf {__version__}")
        return 0
    try:
        return run(rest, argv)
    except OSError as error:  # no space, no permission
        raise CannotWrite(
            f"{os_fault(error)}; mend that and start again, by --resume if the run has a checkpoint"
        ) from None
