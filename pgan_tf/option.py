"""What an option is: how it is declared, which values it takes, and how they are written."""

from __future__ import annotations

import dataclasses
import math
import os
import re
from collections.abc import Sequence
from typing import Any

from pgan_tf.errors import UserError

KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", dict: "resolution:value, ..."}
LONGEST_SHOWN = 60
NONE = "none"  # an option that combines none of its choices
EVERYWHERE = 0  # in a dictionary by resolution: at all others


class ConfigError(UserError, ValueError):
    """An option, or a combination of options, that cannot work. One line: what is wrong and what to change."""


def option(
    default,
    help: str,
    choices: Sequence[str] = (),
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    below: float | None = None,
    whole: bool = False,
    everywhere: bool = False,
    path: bool = False,
    since: str | None = None,
    combination: bool = False,
    part: str = "",
    families: Sequence[str] = (),
):
    """A dataclass field that is a flag. A dict default is written `4:128,8:64` on the command line.

    Its bounds are those of the value, of each value of a dictionary, or of the length of a text; `above` and `below`
    leave out the bound itself. `whole`: a dictionary's values are whole numbers. `everywhere`: one of them may stand
    without a resolution, for all that are not named. `path`: the text names a file or a
    folder, and ~ stands for the user's own. `since`: the version that brought the option; a run of an older one, whose
    config.json does not have it, has its default, which must therefore be what that version did; former.MEANT has those
    of which this is not so.
    `combination`: any of the choices in any order, with commas between, or none of them. `part`: the network whose
    option it is, 'generator', 'discriminator' or 'both', which gets it when it is built and keeps it in its file;
    `families`: the only families of networks that have it.
    """
    given = {
        "help": help, "choices": tuple(choices), "minimum": minimum, "maximum": maximum, "above": above, "below": below,
        "whole": whole, "everywhere": everywhere, "path": path, "since": since, "combination": combination,
        "part": part, "families": tuple(families),
    }  # fmt: skip
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata=given)
    return dataclasses.field(default=default, metadata=given)


def kind(field: dataclasses.Field) -> type:
    """The type of an option's values."""
    return dict if field.default is dataclasses.MISSING else type(field.default)


def plain(value: Any) -> Any:
    """numpy's scalars, as a sweep over np.geomspace has them, are Python's; so are those within a dictionary."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    return value.item() if type(value).__module__ == "numpy" and value.shape == () else value


def taken(field: dataclasses.Field, value: Any) -> Any:
    """The value as the option holds it. ConfigError unless it is of the option's type and within its bounds."""
    value = plain(value)
    if kind(field) is float and type(value) is int:
        value = float(value) if abs(value) < 1e300 else math.inf
    if type(value) is not kind(field):
        raise ConfigError(f"--{field.name}={shown(value)}: must be {KINDS[kind(field)]}")
    return _CHECKS[kind(field)](field, value)


def _number(field: dataclasses.Field, value: float) -> float:
    _check_bounds(field, value, f"--{field.name}={shown(value)}")
    return value


def _text(field: dataclasses.Field, value: str) -> str:
    name, choices = f"--{field.name}={shown(value)}", field.metadata["choices"]
    if field.metadata["combination"]:
        return _combination(name, value, choices)
    if choices and value not in choices:
        raise ConfigError(f"{name}: choose one of {', '.join(choices)}")
    if "\0" in value or (not field.metadata["path"] and re.search(r"[\0-\x1f\x7f]", value)):
        raise ConfigError(f"{name}: must be one line of text")
    if field.metadata["minimum"] and not value:
        raise ConfigError(f"{name}: must not be empty")
    if field.metadata["maximum"] and len(os.fsencode(value)) > field.metadata["maximum"]:
        raise ConfigError(f"{name}: at most {field.metadata['maximum']} bytes of text")
    return os.path.expanduser(value) if field.metadata["path"] else value


def _combination(name: str, value: str, choices: Sequence[str]) -> str:
    """The words of a combination in the order of the choices."""
    words = [word.strip() for word in value.split(",")]
    for word in words:
        if word not in choices and words != [NONE]:
            known = f"any of {', '.join(choices)} with commas between, or {NONE}"
            raise ConfigError(f"{name}: {known}; not {shown(word)!r}")
        if words.count(word) > 1:
            raise ConfigError(f"{name}: has {word} twice")
    return ",".join(word for word in choices if word in words) or NONE


def _dictionary(field: dataclasses.Field, value: dict) -> dict:
    whole = field.metadata["whole"]
    for key, item in value.items():
        name = f"--{field.name}: {shown(key)}:{shown(item)}"
        anywhere = type(key) is int and key == EVERYWHERE and field.metadata["everywhere"]
        if not anywhere and (type(key) is not int or not 4 <= key <= 2**14 or key & (key - 1)):
            raise ConfigError(f"{name} is not resolution:value (a power of two from 4 up)")
        if type(item) not in ((int,) if whole else (int, float)):
            raise ConfigError(f"{name}: must be {KINDS[int if whole else float]}")
        _check_bounds(field, item, name)
    return value


_CHECKS = {bool: lambda _, value: value, int: _number, float: _number, str: _text, dict: _dictionary}


def _check_bounds(field: dataclasses.Field, value: float, name: str) -> None:
    limits = field.metadata
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{name}: must be a number")
    if limits["minimum"] is not None and value < limits["minimum"]:
        raise ConfigError(f"{name}: must be at least {limits['minimum']:.15g}")
    if limits["maximum"] is not None and value > limits["maximum"]:
        raise ConfigError(f"{name}: must be at most {_written(limits['maximum'])}")
    if limits["above"] is not None and value <= limits["above"]:
        raise ConfigError(f"{name}: must be above {limits['above']:g}")
    if limits["below"] is not None and value >= limits["below"]:
        raise ConfigError(f"{name}: must be below {limits['below']:g}")


def _written(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"


def option_text(value: Any) -> str:
    """A value as it stands behind `--name=`."""
    if not isinstance(value, dict):
        return str(value)
    return ",".join(str(item) if key == EVERYWHERE else f"{key}:{item}" for key, item in value.items())


def shown(value: Any) -> str:
    """A value as it stands in a message: on one line, and not longer than that."""
    text = option_text(value) if isinstance(value, (str, int, float)) else repr(value)
    text = repr(text) if re.search(r"[\0-\x1f\x7f]", text) else text
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}... ({len(text)} characters)"


def whole_number(text: str) -> int | None:
    """'12' -> 12; None for what is no whole number, or one of a size that nothing has."""
    return int(text) if re.fullmatch(r"-?[0-9]{1,19}", text) else None


def parse_dict(text: str, everywhere: bool = False) -> dict[int, float]:
    """'4:128,8:64' or '{4: 128, 8: 64}' -> {4: 128, 8: 64}. Raises ValueError.

    everywhere: a value may stand without a resolution, '16,1024:4' -> {EVERYWHERE: 16, 1024: 4}.
    """
    inner = text.strip()
    inner = inner[1:-1] if inner.startswith("{") and inner.endswith("}") else inner
    values: dict[int, float] = {}
    pairs = inner.strip().removesuffix(",")
    for pair in pairs.split(",") if pairs else []:
        pair = f"{EVERYWHERE}:{pair}" if everywhere and ":" not in pair else pair
        key, colon, item = (part.strip() for part in pair.partition(":"))
        if not (colon and re.fullmatch(r"[0-9]{1,9}", key)):
            raise ValueError(f"{shown(text)!r} is not resolution:value, as in 4:128,8:64")
        if int(key) in values:
            raise ValueError(f"{shown(text)!r} gives {int(key)} two values")
        values[int(key)] = _parse_number(item, text)
    return values


def _parse_number(item: str, text: str) -> float:
    if re.fullmatch(r"-?[0-9]{1,18}", item):
        return int(item)
    if re.fullmatch(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", item):
        return float(item)
    raise ValueError(f"{shown(text)!r} is not resolution:value, as in 4:128,8:64")


def parse_grid_size(text: str) -> tuple[int, int]:
    """'10x6' -> (10, 6), columns and rows. ConfigError unless there are 1 to MOST_CELLS cells."""
    match = re.fullmatch(r"([0-9]{1,9})x([0-9]{1,9})", text.lower())
    columns, rows = map(int, match.groups()) if match else (0, 0)
    if columns * rows == 0:
        raise ConfigError(f"--grid_size={shown(text)}: write columns x rows, as in 10x6")
    if columns * rows > MOST_CELLS:
        raise ConfigError(f"--grid_size={shown(text)}: has {columns * rows} cells; at most {MOST_CELLS}, as in 100x100")
    return columns, rows


MOST_CELLS = 10_000
