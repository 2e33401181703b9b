"""What a run needs, checked before anything is written: data, devices, schedule."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from pgan_tf import grids
from pgan_tf.config import Config, ConfigError, Model, parse_grid_size
from pgan_tf.data.dataset import RecordDataset
from pgan_tf.devices import make_strategy
from pgan_tf.files import place_fault
from pgan_tf.metrics.extractors import EXTRACTORS
from pgan_tf.networks.progressive import feature_maps
from pgan_tf.schedule import Schedule
from pgan_tf.training import memory
from pgan_tf.training.measuring import Measurements


class Plan(NamedTuple):
    dataset: RecordDataset
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
    dataset = RecordDataset(config.data.dataset)
    resolution = config.data.resolution or dataset.resolution
    if resolution > dataset.resolution:
        raise ConfigError(
            f"--resolution={resolution}: the images of {dataset.folder} have {dataset.resolution}; make a larger set"
        )
    check_feature_maps(config, resolution)
    label_size = _label_size(config, dataset)
    strategy = make_strategy(config.run.strategy)
    check_replicas(config, strategy.num_replicas_in_sync)
    schedule = Schedule(config.growth, resolution, strategy.num_replicas_in_sync)
    stages = {phase.stage.resolution for phase in schedule.phases()}
    missing = stages - set(dataset.resolutions)
    if missing:
        raise ConfigError(
            f"{dataset.folder}: lacks resolution {min(missing)}, which the run needs; complete it: "
            f"dataset_tool.py create_from_tfrecords NEW_FOLDER {dataset.folder}"
        )
    for stage in sorted(stages):
        _check_minibatch(schedule, stage, config.model.mbstd_group_size)
    _check_group(config, max(map(schedule.minibatch, stages)))
    memory.check(config, schedule, dataset.channels, label_size)
    _check_run(config, resolution)
    measurements = None
    if config.run.metrics:
        with strategy.scope():
            measurements = Measurements(config, dataset, resolution, label_size)
    return Plan(dataset, strategy, schedule, resolution, label_size, measurements)


def check_replicas(config: Config, devices: int) -> None:
    """What needs all replicas inside of a gradient, where it cannot have them.

    The pairs of the repelling regularizer lie on all devices, and a compiled gradient function sees one. The steps of
    an unrolled discriminator would each be a sum over the devices.
    """
    if config.loss.unroll_steps and devices > 1:
        raise ConfigError(f"--unroll_steps={config.loss.unroll_steps} works on one device: add --strategy=single")
    if config.optim.jit and config.loss.regularizer == "repelling" and devices > 1:
        raise ConfigError(f"--regularizer=repelling on {devices} devices cannot be compiled: add --jit=false")


def check_feature_maps(config: Config, resolution: int) -> None:
    """ConfigError unless a block has a feature map at least; the widths fall with the resolution."""
    model = config.model
    if feature_maps(resolution, model.fmap_base, model.fmap_decay, model.fmap_max) < 1:
        raise ConfigError(
            f"--fmap_base={model.fmap_base} --fmap_decay={model.fmap_decay:g}: no feature map is left at "
            f"{resolution}x{resolution}; raise --fmap_base"
        )


def _label_size(config: Config, dataset: RecordDataset) -> int:
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
    return dataset.label_size if asked < 0 else asked


def _check_run(config: Config, resolution: int) -> None:
    """That what the run is to write and to measure can be: where it goes, its pictures, its extractor."""
    if fault := place_fault(config.run.result_dir):
        raise ConfigError(f"--result_dir={config.run.result_dir}: no run can be written there ({fault})")
    if config.run.grid_size:
        grids.check_size(*parse_grid_size(config.run.grid_size), resolution)
    if config.run.extractor and config.run.extractor not in EXTRACTORS:
        raise ConfigError(f"--extractor={config.run.extractor}: the known ones are {', '.join(EXTRACTORS)}")


def _check_group(config: Config, minibatch: int) -> None:
    """A group that was asked for and that no minibatch fills. (The default is taken smaller, as by the original.)"""
    group = config.model.mbstd_group_size
    if group > minibatch and group != Model().mbstd_group_size:
        raise ConfigError(f"--mbstd_group_size={group}: above the minibatch, which has {minibatch} images at most")


def _check_minibatch(schedule: Schedule, resolution: int, group: int) -> None:
    """Each device needs at least one sample, and whole groups of the minibatch statistics or a part of one."""
    minibatch, devices = schedule.minibatch(resolution), schedule.devices
    local, rest = divmod(minibatch, devices)
    where = f"minibatch {minibatch} at {resolution}x{resolution}"
    if local < 1 or rest:
        raise ConfigError(f"{where}: not a multiple of the {devices} devices; change --minibatch_base or _dict")
    if group > 1 and local > group and local % group:
        raise ConfigError(
            f"{where}: {local} on each device is not a multiple of --mbstd_group_size={group}; change one of them"
        )
