"""What a run needs, checked before anything is written: data, devices, schedule."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from pgan_tf import grids
from pgan_tf.config import Config, ConfigError, Model, parse_grid_size
from pgan_tf.data.dataset import lacks
from pgan_tf.data.holdout import split
from pgan_tf.data.samples import Samples, open_samples
from pgan_tf.data.writer import is_resolution
from pgan_tf.devices import alone_scope, make_strategy, replicas
from pgan_tf.layers.norms import NORMS
from pgan_tf.metrics.extractors import EXTRACTORS
from pgan_tf.networks.families import FAMILIES, Takes
from pgan_tf.option import NONE
from pgan_tf.schedule import Schedule, sizes_of
from pgan_tf.stages import LADDERS, Size, Stage
from pgan_tf.training import memory
from pgan_tf.training.measuring import Measurements
from pgan_tf.training.microbatches import microbatches_at
from pgan_tf.workers.team import current

WAYS = {
    "images": "give a data set of images, or networks that make points",
    "points": "make points with dataset_tool.py create_planar, or give networks that make images",
}


class Plan(NamedTuple):
    dataset: Samples
    strategy: tf.distribute.Strategy
    schedule: Schedule
    resolution: int  # final
    label_size: int  # label components that are used
    measurements: Measurements | None  # where --metrics asks for them


def make_plan(config: Config) -> Plan:
    """Opens the data set and the devices and holds the options against them.

    Raises DataError for the data set, ConfigError for options that cannot work, MetricError for the metrics: one line
    that says what to change.
    """
    dataset = open_samples(config.data.dataset)
    family = FAMILIES[config.model.family]
    check_samples(config, dataset, family.takes)
    resolution = config.data.resolution or dataset.resolution
    check_resolution(config.data.resolution, dataset, family.takes)
    check_ladder(config)
    family.check(config, sizes_of(config, resolution))
    label_size = _label_size(config, dataset)
    strategy = make_strategy(config.run.strategy)
    devices = replicas(strategy)
    check_replicas(config, devices)
    check_norms(config, devices)
    schedule = Schedule(config.growth, resolution, devices, config.model.latent_components)
    _check_stages(config, schedule, dataset)
    memory.check(config, schedule, dataset.channels, label_size)
    _check_workers(config, schedule)
    _check_asked(config, resolution)
    measurements = None
    if config.run.metrics and current().chief:
        with alone_scope(strategy):
            measurements = Measurements(config, dataset, resolution, label_size)
    return Plan(dataset, strategy, schedule, resolution, label_size, measurements)


def _check_stages(config: Config, schedule: Schedule, dataset: Samples) -> None:
    """ConfigError where the data set, or the devices, lack what a stage needs."""
    sizes = [phase.stage.size for phase in schedule.phases()]
    missing = {size.resolution for size in sizes} - set(dataset.resolutions)
    if missing:
        raise ConfigError(lacks(dataset.folder, min(missing)))
    for size in sizes:
        _check_minibatch(schedule, size, config.model.mbstd_group_size)
        microbatches_at(config, size.level, schedule.devices)
    _check_group(config, max(schedule.minibatch(size.level) for size in sizes))


def check_samples(config: Config, dataset: Samples, takes: Takes) -> None:
    """ConfigError for networks, or options, that do not go with what is in the data set."""
    if dataset.kind != takes.kind:
        fitting = " or ".join(name for name, family in FAMILIES.items() if family.takes.kind == dataset.kind)
        way = f"{WAYS[takes.kind]}: --family={fitting}"
        raise ConfigError(f"{dataset.folder}: holds {dataset.content()}; these networks make {takes.kind}: {way}")
    if takes.doubling and not is_resolution(dataset.resolution):
        raise ConfigError(
            f"{dataset.folder}: holds {dataset.content()}; these networks double the resolution from 4x4 on: make the "
            "data set without --own_size, or add --family=dcgan --grow=none"
        )
    if config.data.holdout:
        for part, words in zip(split(dataset.count, config.data.holdout), ("leaves none", "is none"), strict=True):
            if not len(part):
                raise ConfigError(f"--holdout={config.data.holdout:g}: {words} of {dataset.content()} in "
                                  f"{dataset.folder}; give a share such as 0.1, or more data")  # fmt: skip
    if dataset.kind == "points":
        for name, of_images in (("grid_size", config.run.grid_size), ("mirror_augment", config.data.mirror_augment)):
            if of_images:
                raise ConfigError(f"--{name} is for images; {dataset.folder} holds {dataset.content()}")


def check_resolution(asked: int, dataset: Samples, takes: Takes) -> None:
    """ConfigError for a resolution, not 0, that the data set has not, or that layers do not double to."""
    have = dataset.resolutions
    if asked and takes.doubling and not is_resolution(asked):
        raise ConfigError(f"--resolution={asked}: a resolution is a power of two from 4 up")
    if asked > have[-1]:
        raise ConfigError(
            f"--resolution={asked}: the images of {dataset.folder} have {dataset.resolution}; make a larger set"
        )
    if asked and not takes.doubling and asked not in have:
        raise ConfigError(f"--resolution={asked}: {dataset.folder} has {', '.join(map(str, have))}; 0 = the largest")


def check_replicas(config: Config, devices: int) -> None:
    """What needs all replicas inside of a gradient, where it cannot have them.

    The pairs of the repelling regularizer and the means of feature matching lie on all devices, and a compiled gradient
    function sees one. The steps of an unrolled discriminator would each be a sum over the devices.
    """
    if config.loss.unroll_steps and devices > 1:
        raise ConfigError(f"--unroll_steps={config.loss.unroll_steps} works on one device: add --strategy=single")
    loss = config.loss
    for said, on_all in (("--regularizer=repelling", loss.regularizer == "repelling" and loss.repelling_weight),
                         ("--feature_matching_weight", loss.feature_matching_weight)):  # fmt: skip
        if config.optim.jit and on_all and devices > 1:
            raise ConfigError(f"{said} on {devices} devices cannot be compiled: add --jit=false")


def check_norms(config: Config, devices: int) -> None:
    """ConfigError where a norm does not go with what grows, with --jit on these devices, or with groups of samples."""
    model = config.model
    for option, norm in (("g_norm", NORMS[model.g_norm]), ("d_norm", NORMS[model.d_norm])):
        said = f"--{option}={getattr(model, option)}"
        if not norm.widens and "channels" in config.growth.grow.split(","):
            raise ConfigError(f"{said}: takes all features together; with --grow=channels choose another norm")
        if norm.together != 1 and config.optim.jit and devices > 1:
            raise ConfigError(f"{said}: is of the minibatch of all {devices} devices, which cannot be compiled: "
                              "add --jit=false, or --strategy=single")  # fmt: skip
    interval = config.loss.penalty_interval
    if NORMS[model.d_norm].together != 1 and interval > 1 and devices > 1:
        raise ConfigError(f"--penalty_interval={interval}: with --d_norm={model.d_norm} all {devices} devices wait for "
                          "each other in every pass; give --penalty_interval=1, or add --strategy=single")  # fmt: skip
    group = model.mbstd_group_size
    if NORMS[model.d_norm].reference and group > 1 and model.reference_batch % group:
        raise ConfigError(f"--reference_batch={model.reference_batch}: must be groups of --mbstd_group_size={group}")


def check_growth(schedule: Schedule, stage: Stage, images: int) -> None:
    """ConfigError where the schedule is behind the stage of a checkpoint: layers that are trained would be lost."""
    now = schedule.at(images).stage
    if (now.size.level, not now.fading) < (stage.size.level, not stage.fading):
        raise ConfigError(
            f"--lod_training_kimg and --lod_transition_kimg: with these lengths {images:,} samples are {now}, and the "
            f"run's networks have grown to {stage}; leave out what makes the stages so long"
        )


def check_ladder(config: Config) -> None:
    """ConfigError where --grow is to grow what the family's networks have not."""
    grow, family = config.growth.grow, FAMILIES[config.model.family]
    foreign = [name for name in LADDERS if name in grow.split(",") and name not in family.grows]
    if foreign:
        own = " or ".join([*(name for name in LADDERS if name in family.grows), NONE])
        raise ConfigError(f"--grow={grow}: --family={config.model.family} cannot grow {foreign[0]}; give {own}")


def _label_size(config: Config, dataset: Samples) -> int:
    asked = config.data.max_label_size
    if asked == 0:
        return 0
    if not dataset.label_size:
        raise ConfigError(
            f"--max_label_size={asked}: {dataset.folder} has no labels; make it with labels, or leave it 0"
        )
    if asked > dataset.label_size:
        raise ConfigError(
            f"--max_label_size={asked}: {dataset.folder} has {dataset.label_size} label components; -1 takes all"
        )
    size = dataset.label_size if asked < 0 else asked
    if dataset.labels[:, :size].min() < 0:
        raise ConfigError(
            f"--max_label_size={asked}: labels of {dataset.folder} have negative numbers, and are to be classes: "
            "leave it 0, or make the data set with classes"
        )
    return size


def _check_workers(config: Config, schedule: Schedule) -> None:
    """ConfigError where the minibatch would be another one than that which one machine trains with."""
    growth, workers = config.growth, current().size
    for phase in schedule.phases() if workers > 1 else ():
        asked = growth.minibatch_dict.get(phase.stage.size.level, growth.minibatch_base)
        if asked % schedule.devices:
            raise ConfigError(
                f"minibatch {asked} at {phase.stage.size}: cannot be dealt to {schedule.devices} devices of {workers} "
                "workers; change --minibatch_base or _dict to a multiple of them"
            )


def _check_asked(config: Config, resolution: int) -> None:
    """That what the run is to draw and to measure can be: its pictures, its extractor."""
    if config.run.grid_size:
        grids.check_size(*parse_grid_size(config.run.grid_size), resolution)
    if config.run.extractor and config.run.extractor not in EXTRACTORS:
        raise ConfigError(f"--extractor={config.run.extractor}: the known ones are {', '.join(EXTRACTORS)}")


def _check_group(config: Config, minibatch: int) -> None:
    """A group that was asked for and that no minibatch fills. (The default is taken smaller, as by the original.)"""
    group = config.model.mbstd_group_size
    if group > minibatch and group != Model().mbstd_group_size:
        raise ConfigError(f"--mbstd_group_size={group}: above the minibatch, which has {minibatch} images at most")


def _check_minibatch(schedule: Schedule, size: Size, group: int) -> None:
    """Each device needs at least one sample, and whole groups of the minibatch statistics or a part of one."""
    minibatch, devices = schedule.minibatch(size.level), schedule.devices
    local, rest = divmod(minibatch, devices)
    where = f"minibatch {minibatch} at {size}"
    if local < 1 or rest:
        raise ConfigError(f"{where}: not a multiple of the {devices} devices; change --minibatch_base or _dict")
    if group > 1 and local > group and local % group:
        raise ConfigError(
            f"{where}: {local} on each device is not a multiple of --mbstd_group_size={group}; change one of them"
        )
