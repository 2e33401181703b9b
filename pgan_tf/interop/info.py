"""What a network is, on the terminal: where it comes from, its layers, its options, the training that made it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from pgan_tf.config import Config, network_options
from pgan_tf.evaluation import results
from pgan_tf.files import sha256
from pgan_tf.interop import card, nvidia
from pgan_tf.interop.nvidia_file import read_file
from pgan_tf.mirror import in_words
from pgan_tf.networks.base import Network
from pgan_tf.networks.saved import NetworkError, generator_file, load_network, snapshots
from pgan_tf.option import option_text
from pgan_tf.stages import share
from pgan_tf.training import checkpoint, initial, rundir


class Shown(NamedTuple):
    """A network with what is said above its table: lines of (what, value)."""

    network: Network
    facts: list[tuple[str, str]]


class Description(NamedTuple):
    """What a path is: facts about the whole, then its networks."""

    facts: list[tuple[str, str]]
    networks: list[Shown]


def describe(path: Path) -> Description:
    """Facts and networks of whatever `path` is. NetworkError, DataError or ConfigError if it is none of the known."""
    for fits, read in READERS:
        if fits(path):
            return read(path)
    raise NetworkError(
        f"{path}: give a run's folder, a .keras file, an imported network's folder or a .pkl of the original"
    )


def print_info(path: Path) -> None:
    """Prints `describe`; fits a terminal of 80 columns."""
    description, printed = describe(path), []
    console = Console(highlight=False, markup=False, emoji=False)
    _print_facts(console, [("path", in_words(str(path))), *description.facts])
    for shown in description.networks:
        console.print()
        model = _model(shown.network)
        if model in printed:  # generator and averaged generator
            _print_facts(console, [*shown.facts, ("model", "as above")])
        else:
            _print_facts(console, [*shown.facts, *model])
            console.print(layer_table(shown.network))
        printed.append(model)


def layer_table(network: Network) -> Table:
    """A row for each layer with parameters: name, output for one image, shape of the weight, number of parameters.

    A norm puts out what the layer before it does, and has its gain in the place of a weight.
    """
    table = Table("layer", "output", "weight", show_footer=True)
    table.add_column("parameters", justify="right")
    for layer in network.layers:
        if layer.trainable_variables:
            shapes = getattr(layer, "output_size", ()), layer.trainable_variables[0].shape
            sizes = ["x".join(map(str, shape)) for shape in shapes]
            table.add_row(layer.name, *sizes, f"{layer.count_params():,}")
    table.columns[0].footer, table.columns[-1].footer = "total", f"{network.count_params():,}"
    return table


def _print_facts(console: Console, facts: list[tuple[str, str]]) -> None:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="bold")
    grid.add_column(overflow="fold")
    for fact in facts:
        grid.add_row(*fact)
    console.print(grid)


def _model(network: Network) -> list[tuple[str, str]]:
    """What the network itself says."""
    options = network.get_config()
    fades = network.fading or network.narrower_before or network.latents_before
    size = f"{network.resolution}x{network.resolution}, {network.num_channels} channel(s)"
    fade = f", fading in with alpha {float(network.alpha):.4g}" if fades else ""
    names = ["label_size", *network_options(network.part, network.family)]
    return [
        ("model", f"{network.part}, {size}{_rung(network)}{fade}, {network.variable_dtype}"),
        ("options", ", ".join(f"{name} {options[name]}" for name in names)),
    ]


def _rung(network: Network) -> str:
    """What the network lacks at its level: components of the latents, feature maps. Nothing where it is whole."""
    used, maps = network.latents_used, f", {share(network.narrower, network.capped)} of the feature maps"
    partly = network.part == "generator" and 0 < used < network.latent_size
    return (f", {used} of {network.latent_size} latents" if partly else "") + (maps if network.narrower > 1 else "")


# ---- the kinds of paths ----------------------------------------------------------------------------------------------


def _file(path: Path) -> Description:
    network = load_network(path, Network)
    return Description([], [Shown(network, [("sha256", sha256(path))])])


def _imported(folder: Path) -> Description:
    about = card.read(folder)
    try:
        source = about["source"]
        facts = [
            ("imported", f"from {source['file']}, {source['bytes']:,} bytes, format {source['format']}"),
            ("its sha256", source["sha256"]),
        ]
        networks = [_imported_network(folder / name, said) for name, said in about["networks"].items()]
    except (KeyError, TypeError, AttributeError, OSError) as error:  # of another tool, or a network was taken away
        raise NetworkError(f"{folder / card.CARD}: does not describe the folder ({error}); import it again") from None
    return Description(facts, networks)


def _imported_network(path: Path, said: dict) -> Shown:
    final = said["final_resolution"]
    facts = [
        ("network", f"{path.name}: {said['what']} ({said['name']})"),
        ("lod", f"{said['lod']:g} of a final {final}x{final}; the file's was {said['lod_of_the_file']:g}"),
        ("sha256", sha256(path)),
    ]
    return Shown(load_network(path, Network), facts)


def _run(folder: Path) -> Description:
    config = rundir.load_config(folder)
    facts = [("run", _progress(folder, config)), ("trained with", _changes(config))]
    networks, files = [], snapshots(folder)
    if files:
        path = files[-1]
        networks.append(Shown(load_network(path), [("network", path.name), ("sha256", sha256(path))]))
    if checkpoint.paths(folder / "checkpoints"):
        trained = initial.of_run(folder)
        fade = checkpoint.read_fade(trained.where)
        trained.ema.fade_as(fade), trained.discriminator.fade_as(fade)
        where = f"{trained.where.relative_to(folder)}: "
        if not files:
            networks.append(Shown(trained.ema, [("network", where + "averaged generator")]))
        networks.append(Shown(trained.discriminator, [("network", where + "discriminator")]))
    if not networks:
        generator_file(folder)  # says that there is none yet
    return Description(facts, networks)


def _changes(config: Config) -> str:
    """The options that differ from the defaults."""
    changed = (f"{name} {option_text(value) or 'none'}" for name, value in config.changes().items())
    return ", ".join(changed) or "the defaults"


def _progress(folder: Path, config: Config) -> str:
    """How far the run is, by its newest line of numbers."""
    ticks = results.read_ticks(folder / "metrics.jsonl", ("lod",))
    if not ticks:
        return f"0 of {config.growth.total_kimg:g} kimg"
    return f"{ticks[-1]['kimg']:.1f} of {config.growth.total_kimg:g} kimg, lod {ticks[-1]['lod']:g}"


def _nvidia(path: Path) -> Description:
    file = read_file(path)
    facts = [("pickle", f"of the original, {file.size:,} bytes; nothing in it is executed"), ("sha256", file.sha256)]
    networks = []
    for role, part in nvidia.PARTS.items():
        stored = file.networks[role]
        final, network = stored.options["resolution"], nvidia.rebuild(stored)
        numbers = sum(array.size for array in stored.variables.values())
        unused = f"{numbers - network.count_params():,} belong to layers not used at this lod"
        about = [
            ("network", f"{role}: {part.what}"),
            ("lod", f"{stored.lod:g} of a final {final}x{final}"),
            ("stored", f"{numbers:,} parameters; {unused}"),
        ]
        networks.append(Shown(network, about))
    return Description(facts, networks)


READERS: tuple[tuple[Callable[[Path], bool], Callable[[Path], Description]], ...] = (  # the first that fits
    (lambda path: path.is_file() and path.suffix == ".pkl", _nvidia),
    (Path.is_file, _file),
    (lambda path: (path / card.CARD).is_file(), _imported),
    (lambda path: (path / "config.json").is_file(), _run),
)
