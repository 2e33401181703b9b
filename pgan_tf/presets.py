"""Settings for anyone's images: from a preset, the data, the machine's speed and the hours to spend, a run's options.

Pure Python. What stands here is what worked in configs/quickstart.flags, configs/emoji64.flags and docs/recipes.md;
`paper` has the widths, minibatches and rates of configs/karras2018_celebahq_1gpu.flags.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from pgan_tf.config import Config, ConfigError
from pgan_tf.option import option_text
from pgan_tf.stages import levels

MIN_ROUNDS = 50  # of every phase, however short the time
WASTE = 0.06  # share of the time that ticks, pictures and checkpoints take
TICKS = 40  # of a run, about
TICK_SECONDS = (10.0, 1200.0)
EMA_SHARE, EMA_KIMG = 0.03, 10.0  # half-life of the averaged generator: a share of the run, at most so long
FEW, SOME, MANY = 200, 1000, 10000  # images
# How the images of a run are dealt out, in the proportion of these: the first stage, each later fade and stage, the
# last fade and the last stage, which shows the result.
FIRST, FADE, STABLE, LAST_FADE, LAST = 0.6, 1.0, 1.0, 1.3, 2.4


class Facts(NamedTuple):
    """What is known of the data and of the devices that share a minibatch."""

    images: int
    resolution: int  # final
    channels: int = 3
    label_size: int = 0  # of labels that are learned
    devices: int = 1
    labelled: bool = False  # whether the data set has labels, learned or not


class Speed(NamedTuple):
    """How fast this machine trains the preset's networks."""

    rates: dict[int, float]  # level -> images per second
    stage_seconds: float = 10.0  # to build the networks of a stage and trace their step


class Preset(NamedTuple):
    """A row of PRESETS."""

    hours: float
    top_maps: int  # feature maps aimed at in the last block, as far as fmap_base allows
    fmap_base: tuple[int, int]  # least and most
    fmap_max: int
    latent_size: int
    rates: dict[str, float]  # learning rate of both networks, by recipe
    minibatch: dict[int, int]  # by resolution; others: MINIBATCH


MINIBATCH = 16
PAPER_MINIBATCH = {4: 128, 8: 128, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8, 512: 4, 1024: 4}
# Options of what is minimised that the recipe for few images decides, or leaves without meaning: with one of them the
# user has a recipe of his own.
MINIMISED = ("loss", "penalty", "wgan_lambda", "wgan_target", "constraint", "unroll_steps")
PRESETS = {
    "small": Preset(1.0, 16, (512, 2048), 128, 64, {"paper": 0.002, "small_data": 0.01}, {}),
    "medium": Preset(10.0, 32, (1024, 4096), 256, 128, {"paper": 0.002, "small_data": 0.005}, {}),
    "paper": Preset(240.0, 512, (8192, 8192), 512, 512, {"paper": 0.001, "small_data": 0.001}, PAPER_MINIBATCH),
}


def recipe(name: str, facts: Facts, given: dict[str, Any]) -> str:
    """The recipe that is given; else that for few images, where these are few and nothing says what is minimised."""
    if "recipe" in given:
        return given["recipe"]
    few = name != "paper" and facts.images < MANY
    return "small_data" if few and not any(option in given for option in MINIMISED) else "paper"


def networks(name: str, facts: Facts, given: dict[str, Any] | None = None) -> dict[str, Any]:
    """The options that time does not change: recipe, widths, arithmetic, minibatches, what is made of the data.

    given: options that the user has set; the recipe, and with it the rate, goes by them. They are not in the result.
    """
    preset, chosen = _preset(name), recipe(name, facts, given or {})
    least, most = preset.fmap_base
    few = facts.images < SOME and name != "paper"  # wide networks would only learn them by heart sooner
    options = {
        "recipe": chosen,
        "precision": "auto",
        "resampling": "auto",
        "fmap_base": min(max(preset.top_maps * facts.resolution // 2, least), most),
        "fmap_max": preset.fmap_max // 2 if few else preset.fmap_max,
        "latent_size": preset.latent_size,
        "minibatch_base": _minibatch(MINIBATCH, facts.devices),
        "minibatch_dict": {
            resolution: _minibatch(size, facts.devices)
            for resolution, size in preset.minibatch.items()
            if resolution <= facts.resolution
        },
        "g_lrate_base": preset.rates[chosen],
        "d_lrate_base": preset.rates[chosen],
        "grid_size": _grid(facts),
    }
    if facts.label_size:
        options["max_label_size"] = -1
    elif facts.images < MANY and not facts.labelled:  # one with a label may be a letter, whose mirror image is none
        options["mirror_augment"] = True
    return options


def choose(
    name: str, facts: Facts, speed: Speed, hours: float = 0.0, total_kimg: float = 0.0, given: dict | None = None
) -> dict[str, Any]:
    """The options of a run of about `hours`, 0: the preset's own, or of `total_kimg` if that is not 0.

    given: options that the user has set; they win, and the lengths reckon with them. More hours never give fewer
    images, nor does a faster machine. Every phase gets MIN_ROUNDS; where that takes longer, `hours` is exceeded.
    """
    given = given or {}
    chosen = networks(name, facts, given)
    options = {**chosen, **given}
    weights = _weights(options, facts)
    least = {phase: MIN_ROUNDS * _size(options, phase[0]) / 1000 for phase in weights}  # kimg
    seconds = 3600 * (hours or _preset(name).hours)

    def lengths(unit: float) -> dict[tuple[int, bool], float]:
        return {phase: round(max(least[phase], unit * weight), 3) for phase, weight in weights.items()}

    def enough(unit: float) -> bool:
        kimg = lengths(unit)
        if total_kimg:
            return sum(kimg.values()) >= total_kimg
        return _seconds(kimg, speed) >= seconds

    kimg = lengths(_bisect(enough))
    total = round(sum(kimg.values()), 3)
    if total_kimg and total > total_kimg:  # the least of every phase is more, or a rounding is
        total = total_kimg
    length = seconds if not total_kimg else _seconds(kimg, speed)
    return {
        **chosen,
        "total_kimg": total,
        "lod_initial_resolution": options.get("lod_initial_resolution", 4),
        "lod_training_kimg_dict": {r: kimg[r, False] for r, fades in kimg if not fades and r < facts.resolution},
        "lod_transition_kimg_dict": {r: kimg[r, True] for r, fades in kimg if fades},
        "ema_halflife_kimg": round(min(EMA_SHARE * total, EMA_KIMG), 3),
        "tick_kimg_dict": _ticks(kimg, speed, length / TICKS),
        **given,
    }


def least_hours(name: str, facts: Facts, speed: Speed, given: dict | None = None) -> float:
    """The time that MIN_ROUNDS of every phase take."""
    options = {**networks(name, facts, given), **(given or {})}
    phases = _weights(options, facts)
    return _seconds({phase: MIN_ROUNDS * _size(options, phase[0]) / 1000 for phase in phases}, speed) / 3600


def flagfile(options: dict[str, Any], title: str) -> str:
    """The options that differ from the defaults as a flagfile, with a line of comment."""
    changes = Config.from_values(options).changes()
    return f"# {title}\n" + "".join(f"--{name}={option_text(value)}\n" for name, value in changes.items())


def remarks(facts: Facts, mirrored: bool) -> list[str]:
    """What so many images can give, in plain words. mirrored: whether half of them are mirrored."""
    count = f"{facts.images:,} images"
    if facts.images < FEW:
        found = [
            f"{count} are few: expect blends of these pictures, learnt by heart, and little that is new.",
            "More pictures help most: some hundreds of one kind, alike in framing.",
        ]
    elif facts.images < SOME:
        found = [f"{count} give variations of what they show; many cells will be near copies. A thousand give more."]
    elif facts.images < MANY:
        found = [f"{count} are enough for new pictures of their kind, if they are alike in framing."]
    else:
        found = []
    if mirrored:
        found.append("Half are mirrored; where left and right must not be swapped, as in letters: --nomirror_augment.")
    return found


def advice(images: int, config: Config) -> list[str]:
    """Which recipe is for so many images, where it is not the run's; else the augmentation that its options go with."""
    if images >= MANY or config.loss.recipe != "paper" or config.augment.augment != "none":
        return []
    for name, value in (("recipe", "small_data"), ("augment", "diffaugment")):
        if config.goes_with(**{name: value}):
            return [f"{images:,} images are few for a discriminator: --{name}={value} augments; rates: docs/recipes.md"]
    return []


# ---- parts ---------------------------------------------------------------------------------------------------------


def check(name: str, hours: float, has_length: bool) -> None:
    """ConfigError for a preset or hours that cannot be meant; '' and 0 are none. has_length: --total_kimg is given."""
    if not math.isfinite(hours) or hours < 0:
        raise ConfigError(f"--hours={hours}: must be a number of hours above 0")
    if hours and not name:
        raise ConfigError(f"--hours={hours:g} goes with a preset: add --preset=small, medium or paper")
    if name:
        _preset(name)
    if hours and has_length:
        raise ConfigError("--hours and --total_kimg both say how long the run is; give one of them")


def check_family(name: str, family: str) -> None:
    """ConfigError for networks that the presets have no settings for."""
    if family != "progressive":
        raise ConfigError(
            f"--preset={name}: has settings for --family=progressive; for {family} leave it out and give a flagfile, "
            "as docs/families.md does"
        )


def _preset(name: str) -> Preset:
    if name not in PRESETS:
        raise ConfigError(f"--preset={name}: choose one of {', '.join(PRESETS)}")
    return PRESETS[name]


def _weights(options: dict, facts: Facts) -> dict[tuple[int, bool], float]:
    """{(level, whether it fades in): its share} of all phases, in their order."""
    *lower, last = levels(options.get("grow", "layers"), facts.resolution, options.get("lod_initial_resolution", 4))
    if not lower:
        return {(last, False): LAST}
    found = {(lower[0], False): FIRST}
    for level in lower[1:]:
        found |= {(level, True): FADE, (level, False): STABLE}
    return found | {(last, True): LAST_FADE, (last, False): LAST}


def _minibatch(size: int, devices: int) -> int:
    """At least `size`, in whole groups of 4 on each device; on one device just `size`."""
    return size if devices == 1 else 4 * devices * math.ceil(size / (4 * devices))


def _size(options: dict, resolution: int) -> int:
    return int(options["minibatch_dict"].get(resolution, options["minibatch_base"]))


def _seconds(kimg: dict[tuple[int, bool], float], speed: Speed) -> float:
    steps = sum(1000 * length / speed.rates[resolution] for (resolution, _), length in kimg.items())
    return steps * (1 + WASTE) + speed.stage_seconds * len(kimg)


def _bisect(enough) -> float:
    """The smallest number, to one in a million, that is enough; 0 if that is."""
    if enough(0.0):
        return 0.0
    high = 1.0
    while not enough(high):
        high *= 2
    low = 0.0
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _ticks(kimg: dict[tuple[int, bool], float], speed: Speed, seconds: float) -> dict[int, float]:
    """Lengths of ticks, in kimg, that last about so many seconds at each resolution: one in every phase at least."""
    seconds = min(max(seconds, TICK_SECONDS[0]), TICK_SECONDS[1])
    shortest = {resolution: min(kimg[phase] for phase in kimg if phase[0] == resolution) for resolution, _ in kimg}
    return {
        resolution: float(f"{min(speed.rates[resolution] * seconds / 1000, 0.9 * length):.2g}")
        for resolution, length in shortest.items()
    }


def _grid(facts: Facts) -> str:
    """Columns x rows of the picture grids: no more cells than images, and no picture beyond a screen."""
    most = min(facts.images, 96 if facts.resolution <= 64 else 40 if facts.resolution <= 256 else 12)
    columns = max(1, min(most, round(math.sqrt(1.5 * most))))
    return f"{columns}x{max(1, most // columns)}"
