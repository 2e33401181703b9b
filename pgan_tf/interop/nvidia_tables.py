"""What the original calls its options and variables, and what they may be: tables, and the shapes that follow."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from pgan_tf.data.errors import DataError

LARGEST = 2**24  # number that an option may be


def shown(value: object) -> str:
    """A value of the file in a message: short, on one line."""
    if value is None or isinstance(value, (str, int, float)):
        return repr(value if not isinstance(value, str) else value[:60])[:64]
    return f"a {type(value).__name__.strip('_')}"


# ---- options ---------------------------------------------------------------------------------------------------------


class _Option(NamedTuple):
    """An option of the original: its default there, what it may be, and this in words."""

    default: Any
    allows: Callable[[Any], bool]
    words: str


def _whole(default: int | None, least: int) -> _Option:
    def allows(value: Any) -> bool:
        return (type(value) is int and least <= value <= LARGEST) or (default is None and value is None)

    return _Option(default, allows, f"a whole number from {least} to {LARGEST}")


def _number(default: float, most: float) -> _Option:
    return _Option(default, lambda value: type(value) in (int, float) and 0 <= value <= most, f"from 0 to {most}")


def _flag(default: bool) -> _Option:
    return _Option(default, lambda value: type(value) is bool, "True or False")


def _one_of(*known: Any) -> _Option:
    return _Option(known[0], lambda value: any(value is k or value == k for k in known), f"one of {known}")


def _is_resolution(value: Any) -> bool:
    return type(value) is int and 4 <= value <= 2**16 and value & (value - 1) == 0


SHARED = {
    "num_channels": _whole(1, 1),
    "resolution": _Option(32, _is_resolution, "a power of two from 4 to 65536"),
    "label_size": _whole(0, 0),
    "fmap_base": _whole(8192, 1),
    "fmap_decay": _number(1.0, 64),
    "fmap_max": _whole(512, 1),
    "use_wscale": _flag(True),
    "fused_scale": _flag(True),
}
GENERATOR = {
    "latent_size": _whole(None, 1),
    "normalize_latents": _flag(True),
    "use_pixelnorm": _flag(True),
    "pixelnorm_epsilon": _number(1e-8, 1.0),
    "use_leakyrelu": _flag(True),
}
DISCRIMINATOR = {"mbstd_group_size": _whole(4, 0)}
# These change how the original computes, not what. (dtype: half precision rounds there; here it is float32.)
WITHOUT_EFFECT = {
    "structure": _one_of(None, "linear", "recursive"),
    "is_template_graph": _flag(False),
    "dtype": _one_of("float32", "float16", "float64"),
}


class _Kind(NamedTuple):
    function: str  # the original's, which builds it
    options: dict[str, _Option]
    others: dict[str, _Option]  # of the other network: its function takes them, and makes no use of them


_G = _Kind("G_paper", {**SHARED, **GENERATOR}, DISCRIMINATOR)
_D = _Kind("D_paper", {**SHARED, **DISCRIMINATOR}, GENERATOR)
ROLES = {"G": _G, "D": _D, "Gs": _G}  # in the order of the file


def read_options(role: str, given: object) -> dict[str, Any]:
    """static_kwargs -> the options of our network, with the original's defaults. DataError names what is unknown."""
    if not isinstance(given, dict):
        raise DataError(f"{role}: damaged: its static_kwargs are {shown(given)}")
    kind = ROLES[role]
    known = {**kind.options, **kind.others, **WITHOUT_EFFECT}
    for name, value in given.items():
        if name not in known:
            raise DataError(
                f"{role}: has an option {shown(name)} that is not known here; its effect cannot be honoured"
            )
        if not known[name].allows(value):
            raise DataError(f"{role}: option {name}={shown(value)}: must be {known[name].words}")
    options = {name: given.get(name, option.default) for name, option in kind.options.items()}
    if "latent_size" in options and options["latent_size"] is None:
        options["latent_size"] = min(options["fmap_base"], options["fmap_max"])
    return options


# ---- variables -------------------------------------------------------------------------------------------------------


def name_in_original(name: str, resolution: int) -> str:
    """'8x8_Conv1/weight' -> '8x8/Conv1/weight', 'ToRGB_8x8/bias' -> 'ToRGB_lod2/bias' at a final 32x32."""
    layer, kind = name.rsplit("/", 1)
    if "RGB" not in layer:
        return f"{layer.replace('_', '/', 1)}/{kind}"
    prefix, size = layer.split("_")
    return f"{prefix}_lod{int(math.log2(resolution // int(size.split('x')[0])))}/{kind}"


def variable_shapes(role: str, options: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """The variables that a network with these options has in the original, at all resolutions; without 'lod'."""
    weights = (_discriminator if ROLES[role] is _D else _generator)(options)
    shapes = {f"{layer}/weight": shape for layer, (shape, _) in weights.items()}
    return shapes | {f"{layer}/bias": (maps,) for layer, (_, maps) in weights.items()}


def _maps(options: dict[str, Any]) -> Callable[[int], int]:
    """Feature maps at a resolution (2: the latents and the last hidden layer)."""
    from pgan_tf.networks.progressive import feature_maps

    return lambda size: feature_maps(size, options["fmap_base"], options["fmap_decay"], options["fmap_max"])


def _generator(options: dict[str, Any]) -> dict[str, tuple[tuple[int, ...], int]]:
    """{layer: (shape of its weight, size of its bias)}."""
    maps, final, colours = _maps(options), options["resolution"], options["num_channels"]
    inputs = options["latent_size"] + options["label_size"]
    shapes = {"4x4/Dense": ((inputs, 16 * maps(4)), maps(4)), "4x4/Conv": ((3, 3, maps(4), maps(4)), maps(4))}
    for size in _sizes(4, final):
        old, new = maps(size // 2), maps(size)
        if size > 4 and options["fused_scale"]:
            shapes[f"{size}x{size}/Conv0_up"] = ((3, 3, new, old), new)
        elif size > 4:
            shapes[f"{size}x{size}/Conv0"] = ((3, 3, old, new), new)
        if size > 4:
            shapes[f"{size}x{size}/Conv1"] = ((3, 3, new, new), new)
        shapes[_rgb("ToRGB", size, final)] = ((1, 1, new, colours), colours)
    return shapes


def _discriminator(options: dict[str, Any]) -> dict[str, tuple[tuple[int, ...], int]]:
    """{layer: (shape of its weight, size of its bias)}."""
    maps, final, colours = _maps(options), options["resolution"], options["num_channels"]
    statistics = 1 if options["mbstd_group_size"] > 1 else 0
    outputs = 1 + options["label_size"]
    shapes = {
        "4x4/Conv": ((3, 3, maps(4) + statistics, maps(4)), maps(4)),
        "4x4/Dense0": ((16 * maps(4), maps(2)), maps(2)),
        "4x4/Dense1": ((maps(2), outputs), outputs),
    }
    for size in _sizes(4, final):
        new, old = maps(size), maps(size // 2)
        shapes[_rgb("FromRGB", size, final)] = ((1, 1, colours, new), new)
        if size > 4:
            shapes[f"{size}x{size}/Conv0"] = ((3, 3, new, new), new)
            down = "Conv1_down" if options["fused_scale"] else "Conv1"
            shapes[f"{size}x{size}/{down}"] = ((3, 3, new, old), old)
    return shapes


def _sizes(first: int, last: int) -> list[int]:
    return [2**k for k in range(int(math.log2(first)), int(math.log2(last)) + 1)]


def _rgb(prefix: str, size: int, final: int) -> str:
    return f"{prefix}_lod{int(math.log2(final // size))}"


def check_shapes(role: str, found: dict[str, tuple], expected: dict[str, tuple]) -> None:
    """Exactly the variables that the options ask for, each of its shape."""
    for name, shape in expected.items():
        if name not in found:
            raise DataError(f"{role}: lacks the variable {name}, which its options ask for")
        if found[name] != shape or 0 in shape:
            raise DataError(f"{role}: {name} has the shape {found[name]}, its options ask for {shape}")
    for name in found:
        if name not in expected:
            raise DataError(f"{role}: has a variable {shown(name)}, which its options do not explain")
