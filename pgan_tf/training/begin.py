"""What happens between a run's options and its first step: arithmetic, speeds, a preset's settings, the first lines."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, NamedTuple

import pgan_tf
from pgan_tf import devices, precision, presets, resampling
from pgan_tf.called import as_called
from pgan_tf.config import Config, ConfigError
from pgan_tf.data import holdout
from pgan_tf.data.dataset import RecordDataset
from pgan_tf.data.label_rows import are_classes
from pgan_tf.data.points import has_points
from pgan_tf.places import place
from pgan_tf.stages import span
from pgan_tf.text import duration
from pgan_tf.training import checkpoint, trial
from pgan_tf.training.console import waiting
from pgan_tf.training.microbatches import microbatches_at
from pgan_tf.training.plan import Plan, make_plan
from pgan_tf.training.speeds import FILE, Speeds
from pgan_tf.workers.team import current

LONG_SECONDS = 3 * 24 * 3600  # from here on a way out is named
LENGTHS = (
    "total_kimg",
    "lod_training_kimg",
    "lod_transition_kimg",
    "lod_training_kimg_dict",
    "lod_transition_kimg_dict",
)


class Asked(NamedTuple):
    """What the user asks for."""

    config: Config
    resume: str = ""  # the folder of a run
    preset: str = ""
    hours: float = 0.0  # of a preset; 0 = its own
    given: dict[str, Any] = {}  # options that were said, not defaults
    dry_run: bool = False


class Start(NamedTuple):
    """A run that can begin."""

    config: Config  # with the precision that is computed in
    plan: Plan
    speeds: Speeds
    lines: list[str]  # what the user is to know first
    preset: str = ""  # the preset's settings as a flagfile

    def files(self) -> dict[str, str]:
        """What the folder of a new run is to hold of it."""
        return {FILE: self.speeds.to_json(), **({"preset.flags": self.preset} if self.preset else {})}


def begin(asked: Asked) -> Start:
    """Checks and measures what a run needs; a dry run may take longer for it."""
    seconds = trial.MOST_SECONDS if asked.dry_run else None
    if asked.resume:
        return resume(asked.config, place(asked.resume))
    if asked.preset:
        start = begin_preset(asked.preset, asked.hours, asked.given, seconds)
    else:
        start = begin_new(asked.config, seconds)
    if asked.dry_run and start.plan.dataset.kind == "images":
        images = holdout.trained(start.plan.dataset.count, start.config.data.holdout)
        start.lines.extend(presets.advice(images, start.config))
    return start


def begin_new(config: Config, measured_for: float | None = None) -> Start:
    """A new run. measured_for: seconds for measuring; default: a share of the run's length."""
    config, words = _arithmetic(config)
    plan = make_plan(config)
    with waiting("measuring how fast this machine is"):
        speeds = trial.measure(config, plan, measured_for)
    return Start(config, plan, speeds, _lines(config, plan, speeds, words))


def begin_preset(name: str, hours: float, given: dict[str, Any], measured_for: float | None = None) -> Start:
    """A new run with the settings that the preset chooses; options that the user has given win over them."""
    if has_points(given["dataset"]):
        raise ConfigError(f"--preset={name}: is for images, {given['dataset']} holds points; they take a flagfile of "
                          "their own, such as those of docs/families.md and configs/depth/")  # fmt: skip
    presets.check_family(name, given.get("family", "progressive"))
    facts = known_facts(given)
    free = {option: value for option, value in given.items() if option not in LENGTHS}
    config = Config.from_values({**presets.networks(name, facts, given), **free})
    config, words = _arithmetic(config)
    seconds = 3600 * (hours or presets.PRESETS[name].hours)
    with waiting("measuring how fast this machine is"):
        plan = make_plan(config)
        speeds = trial.measure(config, plan, measured_for or trial.SHARE * seconds)
    speed = presets.Speed(speeds.by_level(plan.schedule), speeds.start_seconds)
    options = presets.choose(name, facts, speed, hours, given.get("total_kimg", 0.0), given)
    resolved = {"precision": config.optim.precision, "resampling": config.optim.resampling}
    config = Config.from_values({**options, **resolved})
    plan = make_plan(config)
    lines = [*_lines(config, plan, speeds, words, recommend=False), *presets.remarks(facts, config.data.mirror_augment)]
    least = presets.least_hours(name, facts, speed, given)
    if hours and least > hours:
        lines.append(
            f"--hours={hours:g} is too short: the least takes {duration(3600 * least)}; a lower --resolution takes less"
        )
    wish = f"--preset={name}" + (f" --hours={hours:g}" if hours else "")
    text = presets.flagfile(options, f"{wish} for {facts.images:,} images of {facts.resolution}x{facts.resolution}")
    return Start(config, plan, speeds, lines, text)


def resume(config: Config, folder: Path) -> Start:
    """A run that goes on, in the precision that it has unless another is asked for, with the speeds that it keeps."""
    asked = config.optim.precision
    config, words = _arithmetic(config)
    plan, speeds = make_plan(config), Speeds.read(folder)
    kept = checkpoint.paths(folder / "checkpoints")  # named after the thousands of images
    lines = _lines(config, plan, speeds, words, round(1000 * float(kept[-1].name)) if kept else 0)
    best = precision.best(devices.hardware()).precision if asked != "auto" and _was_auto(folder) else asked
    if best not in (asked, "auto"):
        lines.append(f"the run computes in {asked}, this machine best in {best}; --precision=auto changes to it")
    return Start(config, plan, speeds, lines)


def _arithmetic(config: Config) -> tuple[Config, str]:
    """The options with what this machine is fast at where they say auto; and that in words."""
    config, words = precision.resolve(config, devices.hardware())
    config, form = resampling.resolve(config, devices.hardware())
    return config, f"{words}, {form}" if form else words


def _was_auto(folder: Path) -> bool:
    """Whether the run's precision was the choice of the machine that began it."""
    path = folder / "flags.txt"
    return path.exists() and "--precision=auto" in path.read_text().splitlines()


def known_facts(given: dict[str, Any]) -> presets.Facts:
    """What the presets go by, of the options that are given. DataError for no data set of images."""
    dataset = RecordDataset(given["dataset"])
    hardware = devices.hardware()
    count = len(hardware.gpus) if given.get("strategy", "mirrored") == "mirrored" else 1
    resolution = given.get("resolution") or dataset.resolution
    learned = given.get("max_label_size")
    if learned is None:  # lists of numbers are learned where somebody says so
        learned = dataset.label_size and are_classes(dataset.labels)
    labels = dataset.label_size if learned else 0
    images = holdout.trained(dataset.count, given.get("holdout", 0.0))
    labelled = dataset.label_size > 0
    return presets.Facts(images, resolution, dataset.channels, labels, max(count, 1), labelled)


# ---- the first lines -------------------------------------------------------------------------------------------------


def _lines(
    config: Config, plan: Plan, speeds: Speeds, words: str, images: int = 0, recommend: bool = True
) -> list[str]:
    """Device and arithmetic, data, length; `images`: seen so far."""
    hardware, dataset = devices.hardware(), plan.dataset
    advice = devices.gpu_advice(hardware, bool(pgan_tf.CHECKOUT))
    lines = [
        f"device    {hardware}; computes in {words}{_workers()}",
        *([f"          {advice}"] if advice else []),
        f"data      {dataset.folder}: {dataset.content()}, {_labels(plan)}",
        f"training  {_length(config, plan, speeds, images)}",
    ]
    lines.extend(f"          {words}" for words in at_once(config, plan))
    short = end_of_growth(plan)
    if short:
        lines.append(f"          {short}")
    if recommend and dataset.kind == "images" and speeds.seconds(plan.schedule, images) > LONG_SECONDS:
        lines.append(
            "          for pictures in an hour: "
            + as_called(f"python train.py --dataset={shlex.quote(str(dataset.folder))} --preset=small --hours=1")
        )
    return lines


def _labels(plan: Plan) -> str:
    if plan.label_size:
        return f"{plan.label_size} label components"
    unused = plan.dataset.label_size
    return f"its {unused} label components not used (--max_label_size=-1 learns them)" if unused else "no labels"


def _workers() -> str:
    size = current().size
    return f"; {size} workers like this one" if size > 1 else ""


def _length(config: Config, plan: Plan, speeds: Speeds, images: int) -> str:
    schedule, total = plan.schedule, config.growth.total_kimg * 1000
    sizes = [phase.stage.size for phase in schedule.phases()]
    words, kind = span(sizes[0], sizes[-1]), plan.dataset.kind
    words = words if kind == "images" else words.partition(", ")[2]  # points have no resolution
    text = f"{total:,.0f} {kind}" + (f", {words}" if words else "")
    seconds = speeds.seconds(schedule, images)
    if images:
        text += f"; {images:,} seen"
    if not seconds:
        return text
    first = speeds.seconds(schedule, images, schedule.first_tick(images))
    return f"{text}; first pictures after about {duration(first)}, the end after about {duration(seconds)}"


def at_once(config: Config, plan: Plan) -> list[str]:
    """What of a minibatch a device has in memory, in words, where it is not all of it."""
    found: dict[str, list[str]] = {}
    for size in dict.fromkeys(phase.stage.size for phase in plan.schedule.phases()):
        local = plan.schedule.minibatch(size.level) // plan.schedule.devices
        microbatches = microbatches_at(config, size.level, plan.schedule.devices)
        if microbatches > 1:
            found.setdefault(f"{local // microbatches} of {local}", []).append(str(size))
    kind = plan.dataset.kind
    lines = [
        f"gradients of {parts} {kind} at a time on a device, added up, at {sizes[0]}"
        + (f" to {sizes[-1]}" if len(sizes) > 1 else "")
        for parts, sizes in found.items()
    ]
    if config.optim.remat:
        lines.append("blocks are computed again for the gradients: less memory, more time")
    return lines


def end_of_growth(plan: Plan) -> str:
    """Where a run ends before its networks are grown, in words; '' where it does not."""
    schedule = plan.schedule
    last, grown, total = schedule.phases()[-1].stage, schedule.grown_kimg, schedule.growth.total_kimg
    whole, run = schedule.sizes[-1], f"--total_kimg={total:g} ends"
    if total >= grown and last.size == whole:
        return ""
    if last.size == whole:
        return f"{run} in the fade-in of {whole}; it is whole after {grown:g} kimg"
    return f"{run} at {last.size}; {whole} is whole after {grown:g} kimg"
