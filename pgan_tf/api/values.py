"""Arguments that are numbers, as scripts have them: Python's or numpy's."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

from pgan_tf.option import ConfigError, shown


def whole(name: str, value: Any, least: int, most: float = math.inf) -> int:
    """The whole number that `value` is. ConfigError for another thing, or beyond the bounds, both included."""
    if not isinstance(value, Integral) or isinstance(value, bool) or not least <= value <= most:
        bounds = f"{least} or more" if most == math.inf else f"from {least} to {most}"
        raise ConfigError(f"{name}={shown(value)}: must be a whole number, {bounds}")
    return int(value)


def number(name: str, value: Any, least: float, most: float = math.inf) -> float:
    """The number that `value` is. ConfigError for another thing, or beyond the bounds, both included."""
    if not isinstance(value, Real) or isinstance(value, bool) or not least <= value <= most:
        bounds = f"{least:g} or more" if most == math.inf else f"from {least:g} to {most:g}"
        raise ConfigError(f"{name}={shown(value)}: must be a number, {bounds}")
    return float(value)
