"""Options by the names that they had: older files, and users of the original, go on saying them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pgan_tf.option import ConfigError, shown

# {former name: {option: {former value: value}}}
FORMER = {
    "use_pixelnorm": {"g_norm": {True: "pixel", False: "none"}},
    "use_leakyrelu": {"g_activation": {True: "leaky_relu", False: "relu"}},
    "use_wscale": {
        "g_weights": {True: "equalized", False: "plain"},
        "d_weights": {True: "equalized", False: "plain"},
    },
}

# {option: (the one that it is about, what a config.json with that, but without the option, means by it)}
MEANT = {"accumulate": ("max_minibatch_per_device", False)}


def meant(stored: dict[str, Any]) -> dict[str, Any]:
    """Options that a config.json does not name, since it is older, and of which the default is not what was done."""
    return {name: value for name, (about, value) in MEANT.items() if name not in stored and stored.get(about)}


def translated(options: dict[str, Any], known: Collection[str]) -> dict[str, Any]:
    """`options` with those of FORMER said by their names of today, as far as these are among the `known`.

    ConfigError: both are given, and differ; or a former option has a value that it could not have.
    """
    result = {name: value for name, value in options.items() if name not in FORMER}
    for former in FORMER.keys() & options.keys():
        for name, values in FORMER[former].items():
            if type(options[former]) is not bool:
                raise ConfigError(f"--{former}={shown(options[former])}: must be true or false")
            value = values[options[former]]
            if name in known and result.setdefault(name, value) != value:
                raise ConfigError(
                    f"--{former}={str(options[former]).lower()} is --{name}={value}, but --{name} is {result[name]}; "
                    f"leave --{former} out"
                )
    return result
