"""The suite file: what is to be compared.

    title = "Eight systems on emoji"
    baseline = "Baseline"                 # the row that the others are compared with
    seeds = [1000, 2000, 3000]            # of every row
    total_kimg = 100                      # each run's budget, thousands of images; left out: the flagfile's own
    metrics = ["swd", "is", "fid"]
    images = 1130                         # of each set in a measurement
    extractor = "efficientnet-lite0"      # of features; left out: the best that can be had

    [rows]
    "Baseline" = "configs/cpu/baseline.flags"
    "Res Block G" = "configs/cpu/resblock_g.flags"

A row's run is called like its flagfile. Everything is checked when the file is read: nothing starts that cannot end.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from absl import flags

from pgan_tf import flagfiles
from pgan_tf.config import FIELDS, Config, ConfigError
from pgan_tf.data.dataset import RecordDataset
from pgan_tf.errors import reason
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.extractors import EXTRACTORS
from pgan_tf.metrics.registry import named
from pgan_tf.option import shown
from pgan_tf.option_flags import define_flags, flag_options
from pgan_tf.text import read_text
from pgan_tf.training.rundir import file_name

REQUIRED = {"title": str, "baseline": str, "seeds": list, "metrics": list, "images": int, "rows": dict}
MOST_IMAGES = 10**7
OPTIONAL = {"total_kimg": (int, float), "extractor": str, "results": str, "report": str}


@dataclass(frozen=True)
class Row:
    """A line of the table. `name` is that of its runs; `config` is the flagfile's, with the suite's budget."""

    title: str
    name: str
    flagfile: Path
    config: Config


@dataclass(frozen=True)
class Suite:
    """See the module. `results`: folder of the run folders. `report`: the Markdown file that the table goes to."""

    title: str
    baseline: str
    seeds: tuple[int, ...]
    metrics: tuple[str, ...]
    images: int
    extractor: str
    total_kimg: float | None
    results: Path
    report: Path
    rows: tuple[Row, ...]

    @property
    def runs(self) -> list[tuple[Row, int]]:
        """Every (row, seed), all rows of the first seed first: a suite that is stopped early has whole tables."""
        return [(row, seed) for seed in self.seeds for row in self.rows]

    @property
    def dataset(self) -> str:
        """The data set that all rows share."""
        return self.rows[0].config.data.dataset


def read_suite(path: Path) -> Suite:
    """Reads and checks a suite file. Raises ConfigError (or MetricError for a metric's name), one line."""
    values = _parse(path)
    _check_keys(path, values)
    seeds, titles = tuple(values["seeds"]), list(values["rows"])
    most = FIELDS["seed"].metadata["maximum"]
    if not seeds or any(type(seed) is not int or not 0 <= seed <= most for seed in seeds) or len({*seeds}) < len(seeds):
        raise ConfigError(f"{path}: seeds = {shown(values['seeds'])}: give different whole numbers from 0 to {most}")
    if not 2 <= values["images"] <= MOST_IMAGES:
        raise ConfigError(f"{path}: images = {shown(values['images'])}: metrics need at least 2, at most {MOST_IMAGES}")
    if values["baseline"] not in titles:
        raise ConfigError(
            f"{path}: baseline = {shown(values['baseline'])!r} is not among the rows: {', '.join(titles)}"
        )
    budget = values.get("total_kimg")
    rows = tuple(_row(path, title, flagfile, budget) for title, flagfile in values["rows"].items())
    _check_rows(path, rows)
    extractor = values.get("extractor", "")
    if extractor and extractor not in EXTRACTORS:
        raise ConfigError(f"{path}: extractor = {shown(extractor)!r}: the known ones are {', '.join(EXTRACTORS)}")
    return Suite(
        values["title"], values["baseline"], seeds, _metrics(path, values["metrics"]), values["images"], extractor,
        budget, Path(values.get("results", f"results/{path.stem}")).expanduser(),
        Path(values.get("report", f"docs/results/{path.stem}.md")).expanduser(), rows,
    )  # fmt: skip


def _parse(path: Path) -> dict:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(read_text(path).replace("\r\n", "\n"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such suite file; see configs/cpu/columbia.toml for one") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {reason(error)}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text; a suite is a file of TOML") from None
    except RecursionError:
        raise ConfigError(f"{path}: is not TOML of a suite: lists within lists") from None
    except ValueError as error:  # a row given twice, a number of a thousand digits
        raise ConfigError(f"{path}: is not TOML: {flagfiles.fault(error)}") from None


def _check_keys(path: Path, values: dict) -> None:
    known = REQUIRED | OPTIONAL
    for key in REQUIRED:
        if key not in values:
            raise ConfigError(f"{path}: {key} is missing; see configs/cpu/columbia.toml for a whole suite")
    for key, value in values.items():
        if key not in known:
            raise ConfigError(f"{path}: unknown key {key!r}: the known ones are {', '.join(known)}")
        if not isinstance(value, known[key]) or isinstance(value, bool):
            raise ConfigError(f"{path}: {key} = {shown(repr(value))}: of the wrong kind; see configs/cpu/columbia.toml")
        if isinstance(value, str) and (not value or not value.isprintable()):
            raise ConfigError(f"{path}: {key} = {shown(repr(value))}: must be a line of text")


def _metrics(path: Path, given: list) -> tuple[str, ...]:
    if not given or not all(isinstance(name, str) for name in given) or len(set(given)) != len(given):
        raise ConfigError(f"{path}: metrics = {shown(given)}: name at least one, and each once")
    try:
        return tuple(named(",".join(given)))
    except MetricError as error:
        raise ConfigError(f"{path}: metrics = {shown(given)}: {error}") from None


def check_images(suite: Suite) -> None:
    """Looks into the data set, before days are spent on it: are there as many images as the metrics are to get?

    Raises ConfigError where there are not, or where there is no data set; DataError where it is damaged.
    """
    if not Path(suite.dataset).exists():
        recipe = flagfiles.data_recipe(suite.rows[0].flagfile)
        raise ConfigError(f"{suite.dataset}: there is no such data set; make it first" + (recipe and f": {recipe}"))
    half = RecordDataset(suite.dataset).count // 2
    if suite.images > half:
        raise ConfigError(f"images = {suite.images}: at most {half}, half of those in {suite.dataset}; the row Reals2 "
                          "holds one half against the other")  # fmt: skip


def _row(path: Path, title: str, flagfile: object, budget: float | None) -> Row:
    if not isinstance(flagfile, str):
        raise ConfigError(f"{path}: row {title!r}: {shown(repr(flagfile))} is no flagfile's name")
    changes = {} if budget is None else {"total_kimg": budget}
    file = flagfiles.find(flagfile, named_in=path, about=f"row {title!r}: ")
    name = file_name(file.stem)
    try:
        return Row(title, name, file, read_flagfile(file).replace(desc=name, **changes))
    except ConfigError as error:
        raise ConfigError(f"{path}: row {title!r}: {error}") from None


def read_flagfile(path: Path) -> Config:
    """The options of a flagfile, as train.py would take them. ConfigError: one that cannot be."""
    values = flags.FlagValues()
    define_flags(flags, values)
    try:
        _, *others = values(["train.py", *flagfiles.read(path)])
    except (flags.Error, ValueError) as error:
        raise ConfigError(f"{path}: {flagfiles.fault(error)}") from None
    if others:
        raise ConfigError(f"{path}: {others[0]}: options begin with --")
    try:
        return Config.from_values(flag_options(values))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _check_rows(path: Path, rows: tuple[Row, ...]) -> None:
    names: dict[str, Row] = {}
    for row in rows:
        if row.name in names:
            other = names[row.name]
            raise ConfigError(
                f"{path}: rows {other.title!r} and {row.title!r} would both make runs called {row.name!r} "
                f"({other.flagfile}, {row.flagfile}); rename a flagfile"
            )
        names[row.name] = row
        if row.config.data != rows[0].config.data:
            raise ConfigError(f"{path}: row {row.title!r} has other data options than {rows[0].title!r}; scores of "
                              "different data cannot be compared")  # fmt: skip
        if row.config.growth.total_kimg != rows[0].config.growth.total_kimg:
            raise ConfigError(f"{path}: row {row.title!r} sees {row.config.growth.total_kimg:g} thousand images, "
                              f"{rows[0].title!r} {rows[0].config.growth.total_kimg:g}; set total_kimg")  # fmt: skip
