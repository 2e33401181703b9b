"""Where a run starts from: --init_from names trained networks, and the first stage takes over what fits.

The schedule knows nothing of it: it begins at --lod_initial_resolution, with fresh optimizers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pgan_tf import growth, mirror
from pgan_tf.config import Config, ConfigError, network_options
from pgan_tf.data import identity
from pgan_tf.networks import Discriminator, Generator, Network
from pgan_tf.networks.saved import IMPORTED, NetworkError, load_network
from pgan_tf.places import is_stored, place
from pgan_tf.schedule import Schedule
from pgan_tf.stages import share
from pgan_tf.training import checkpoint, rundir
from pgan_tf.training.state import StageState


class Trained(NamedTuple):
    """Networks to start from, all at one resolution. A single .keras file has no discriminator."""

    where: Path
    generator: Generator
    ema: Generator
    discriminator: Discriminator | None


def load(path: Path) -> Trained:
    """The networks of an imported network's folder, of a run's newest checkpoint, or of a generator's .keras file.

    Raises ConfigError, one line.
    """
    try:
        with mirror.fetched(path) as here:
            trained = _load(here)
            return trained._replace(where=mirror.original(trained.where)) if is_stored(path) else trained
    except (NetworkError, checkpoint.CheckpointError) as error:
        raise ConfigError(f"--init_from: {error}") from None


def _load(path: Path) -> Trained:
    if path.is_file():
        network = load_network(path)
        return Trained(path, network, network, None)
    if (path / IMPORTED).is_file():
        generators = [load_network(path / name) for name in ("generator.keras", IMPORTED)]
        return Trained(path, *generators, load_network(path / "discriminator.keras", Discriminator))
    if (path / "config.json").is_file():
        return of_run(path)
    raise ConfigError(f"--init_from={path}: give an imported network's folder, a run's folder or a .keras file")


def of_run(folder: Path) -> Trained:
    """The networks of a run's newest checkpoint. CheckpointError."""
    config = rundir.load_config(folder)
    if not checkpoint.paths(folder / "checkpoints"):
        raise NetworkError(f"{folder}: this run has no checkpoint; give its network-*.keras")
    path = checkpoint.newest_sound(folder / "checkpoints", print)
    state = StageState(checkpoint.read_counters(path)[0], config, *checkpoint.read_sizes(path))
    checkpoint.restore(path, state)
    return Trained(path, state.generator, state.ema, state.discriminator)


def check(config: Config, num_channels: int, label_size: int, schedule: Schedule) -> None:
    """Raises ConfigError where --init_from cannot be read, or holds other networks than the run's options ask for."""
    trained = load(place(config.model.init_from))
    wanted = {**vars(config.model), "num_channels": num_channels, "label_size": label_size}
    wanted["latent_size"] = config.model.latent_components
    differing = {}
    for network in (trained.generator, trained.ema, trained.discriminator):
        if network is not None:
            options = network.get_config()
            names = (*network_options(network.part, network.family), "num_channels", "label_size")
            differing |= {name: options[name] for name in names if options[name] != wanted[name]}
    if "num_channels" in differing:
        have = f"{differing['num_channels']} channel(s), the images of the data set {num_channels}"
        raise ConfigError(f"--init_from={trained.where}: its images have {have}; choose another data set")
    if differing:
        ours = ", ".join(f"{name} {wanted[name]}" for name in differing)
        flags = " ".join(_flag(name, value) for name, value in differing.items())
        raise ConfigError(f"--init_from={trained.where}: other networks than this run's ({ours}); add {flags}")
    _check_ladder(config, trained, schedule)


def held_out(config: Config, about: dict) -> bool:
    """Whether what a run holds out was held out too where --init_from's networks were trained.

    about: the run's data set, as identity.describe has it.
    """
    theirs, share = place(config.model.init_from), config.data.holdout
    if theirs.is_file():
        theirs = theirs.parent
    if not (theirs / "config.json").is_file() or not identity.read(theirs):
        return False
    same = identity.is_same(theirs, about) and not identity.has_changed(theirs)
    return same and rundir.load_config(theirs).data.holdout >= share


def _check_ladder(config: Config, trained: Trained, schedule: Schedule) -> None:
    """ConfigError where the trained networks have other widths than the run's first: those of another rung."""
    found, whole = trained.generator.get_config(), config.model.latent_components
    theirs = found["latents_used"] or whole, found["narrower"], found["capped"] and found["narrower"] > 1
    widths = {
        size.level: (size.latent_size or whole, size.narrower, size.capped and size.narrower > 1)
        for size in schedule.sizes
    }
    ours = widths[schedule.at(0).stage.size.level]
    if theirs == ours:
        return
    run = place(config.model.init_from)
    grew = f" --grow={rundir.load_config(run).growth.grow}" if (run / "config.json").is_file() else " another --grow"
    fitting = [level for level, of_level in widths.items() if of_level == theirs]
    way_out = f"begin at --lod_initial_resolution={fitting[0]}" if fitting else "begin a run with the same --grow"
    raise ConfigError(
        f"--init_from={trained.where}: by{grew} its networks have {_widths(*theirs)}, this run's first by "
        f"--grow={config.growth.grow} {_widths(*ours)}; {way_out}"
    )


def _widths(latents: int, narrower: int, capped: bool) -> str:
    return f"{latents} components of a latent and {share(narrower, capped)} of the feature maps"


def _flag(name: str, value: object) -> str:
    name = {"label_size": "max_label_size"}.get(name, name)
    return f"--{name}={str(value).lower() if isinstance(value, bool) else value}"


def take_over(trained: Trained, state: StageState) -> list[str]:
    """Fills the networks of the first stage as far as layers have the same name; returns lines for the log."""
    lines = [f"starts from {trained.where}, networks of {trained.generator.resolution} pixels"]
    growth.carry(trained.ema, state.ema)
    lines.append(_carry("generator", trained.generator, state.generator))
    if trained.discriminator is None:
        lines.append("  discriminator: new, as a .keras file has none; give a folder to start from one")
    else:
        lines.append(_carry("discriminator", trained.discriminator, state.discriminator))
    if trained.generator.resolution > state.stage.resolution:
        lines.append(
            f"  the run begins at {state.stage.resolution} pixels and will grow new layers above; "
            f"--lod_initial_resolution={trained.generator.resolution} would take over those of {trained.where} too"
        )
    return lines


def _carry(name: str, old: Network, new: Network) -> str:
    fresh = _layers(growth.carry(old, new))
    have, had = _layers(new.parameters_by_name()), _layers(old.parameters_by_name())
    left = [layer for layer in had if layer not in have]
    taken = f"  {name}: {len(have) - len(fresh)} of {len(have)} layers taken over"
    return f"{taken}; new: {', '.join(fresh) or 'none'}; left behind: {', '.join(left) or 'none'}"


def _layers(parameters: Iterable[str]) -> list[str]:
    """Names of parameters -> those of their layers, the lowest resolution first."""
    layers = {name.rsplit("/", 1)[0] for name in parameters}
    return sorted(layers, key=lambda layer: (int(re.search(r"(\d+)x", layer)[1]), layer))
