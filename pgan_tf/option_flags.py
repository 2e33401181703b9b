"""Options as absl flags, and what flags say as options."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from pgan_tf import flagfiles
from pgan_tf.config import SECTIONS, option_names
from pgan_tf.former import FORMER, translated
from pgan_tf.option import ConfigError, option_text, parse_dict


def define_flags(flags, flag_values=None) -> None:
    """Makes an absl flag of every option. `flags` is absl's module, so that importing this file needs no absl.

    flag_values: where the flags belong; default: absl's own, of the command line.
    """
    flag_values = flags.FLAGS if flag_values is None else flag_values

    class DictParser(flags.ArgumentParser):
        syntactic_help = "resolution:value,..."

        def __init__(self, everywhere: bool):
            self.everywhere = everywhere

        def parse(self, argument):
            return argument if isinstance(argument, dict) else parse_dict(argument, self.everywhere)

        def flag_type(self):
            return "resolution:value,..."

    class DictSerializer(flags.ArgumentSerializer):
        def serialize(self, value):
            return option_text(value)

    define = {bool: flags.DEFINE_bool, int: flags.DEFINE_integer, float: flags.DEFINE_float, str: flags.DEFINE_string}
    for section, kind in SECTIONS.items():
        defaults = kind()
        for field in dataclasses.fields(kind):
            default = getattr(defaults, field.name)
            help_text = f"[{section}] {field.metadata['help']}"
            if isinstance(default, dict):
                parser = DictParser(field.metadata["everywhere"])
                flags.DEFINE(parser, field.name, default, help_text, flag_values, serializer=DictSerializer())
            elif field.metadata["choices"] and not field.metadata["combination"]:
                choices = list(field.metadata["choices"])
                flags.DEFINE_enum(field.name, default, choices, help_text, flag_values=flag_values)
            else:
                define[type(default)](field.name, default, help_text, flag_values=flag_values)
    for name, options in FORMER.items():
        help_text = f"[model] former name of {' and '.join(f'--{option}' for option in options)}"
        flags.DEFINE_bool(name, None, help_text, flag_values=flag_values)


def given_options(flag_values) -> dict[str, Any]:
    """{option: value} of the flags that are given."""
    given = {name: flag_values[name].value for name in (*option_names(), *FORMER) if flag_values[name].present}
    return translated(given, option_names())


def read_options(path: Path) -> dict[str, Any]:
    """{option: value} that a flagfile gives, as train.py would take them. ConfigError: a line that is none."""
    from absl import flags

    values = flags.FlagValues()
    define_flags(flags, values)
    try:
        _, *others = values(["train.py", *flagfiles.read(path)])
    except (flags.Error, ValueError) as error:
        raise ConfigError(f"{path}: {flagfiles.fault(error)}") from None
    if others:
        raise ConfigError(f"{path}: {others[0]}: options begin with --")
    return given_options(values)


def flag_lines(values: dict[str, Any]) -> str:
    """{option: value} as a flagfile."""
    return "".join(_flag_line(name, value) for name, value in values.items())


def _flag_line(name: str, value: Any) -> str:
    """A line of a flagfile. A path may be no line, or no text: config.json has it all the same."""
    line = f"--{name}={option_text(value)}"
    if line == line.strip() and len(line.splitlines()) == 1 and line.isprintable():
        return f"{line}\n"
    return f"# --{name} is {value!a}, which no flagfile can say; config.json has it\n"
