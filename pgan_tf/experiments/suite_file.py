"""The suite file: what is to be compared.

    title = "Eight systems on emoji"
    baseline = "Baseline"                 # the row that the others are compared with
    seeds = [1000, 2000, 3000]            # of every row
    total_kimg = 100                      # each run's budget, thousands of images; left out: the flagfile's own
    equal = "time"                        # the rows' own budgets differ, for they take equal time; left out: "images"
    metrics = ["swd", "is", "fid"]
    images = 1130                         # of each set in a measurement
    extractor = "efficientnet-lite0"      # of features; left out: the best that can be had
    snapshots = "last"                    # those that are measured; left out: all, for curves over time
    neighbors = "Res Block G"             # the row whose nearest neighbours are shown; left out: of none
    held_out = 0.25                       # share of the data to measure against, of which no row has seen any: at most
                                          # the rows' --holdout; left out: all of it
    source_kimg = 12000                   # length of the runs that are repeated, for the share that ours are of it

    [rows]
    "Baseline" = "configs/cpu/baseline.flags"
    "Res Block G" = "configs/cpu/resblock_g.flags"

    [datasets]                            # every row on each of these; left out: on the flagfiles' own
    "Swiss roll" = "datasets/swissroll"
    "8 Gaussians" = "datasets/gaussians8"

    [metrics]                             # in place of the list above: for each data set its own
    "Swiss roll" = ["swiss_roll", "wasserstein"]
    "8 Gaussians" = ["mixture", "wasserstein"]

A row's run is called like its flagfile, and after that like the folder of its data set where there are [datasets].
Everything is checked when the file is read: nothing starts that cannot end.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

from pgan_tf import flagfiles
from pgan_tf.config import FIELDS, Config, ConfigError
from pgan_tf.data.points import has_points
from pgan_tf.errors import reason
from pgan_tf.evaluation.sets import open_set
from pgan_tf.experiments.suite import Comparison, Row, Suite
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.extractors import EXTRACTORS
from pgan_tf.metrics.registry import PLANAR, named, resolved
from pgan_tf.option import shown
from pgan_tf.option_flags import read_options
from pgan_tf.places import check_on_disk
from pgan_tf.text import read_text
from pgan_tf.training.rundir import file_name

REQUIRED = {"title": str, "baseline": str, "seeds": list, "metrics": (list, dict), "images": int, "rows": dict}
OPTIONAL = {
    "total_kimg": (int, float), "equal": str, "extractor": str, "snapshots": str, "neighbors": str,
    "source_kimg": (int, float), "held_out": (int, float), "results": str, "report": str, "datasets": dict,
}  # fmt: skip
MOST_IMAGES = 10**7
EQUAL = ("images", "time")  # what all rows get
SNAPSHOTS = {"all": False, "last": True}  # whether the last ones alone are measured


def read_suite(path: Path) -> Suite:
    """Reads and checks a suite file. Raises ConfigError, one line."""
    values = _parse(path)
    _check_keys(path, values)
    _check_values(path, values)
    results = Path(check_on_disk(values.get("results", f"results/{path.stem}"), "the results of a suite")).expanduser()
    report = Path(check_on_disk(values.get("report", f"docs/results/{path.stem}.md"), "a report")).expanduser()
    if "datasets" in values:
        folders = _datasets(path, values["datasets"])
        comparisons = tuple(_comparison(path, values, results, title, folder) for title, folder in folders.items())
    else:
        comparisons = (_comparison(path, values, results),)
    _check_names(path, [row for part in comparisons for row in part.rows])
    return Suite(values["title"], results, report, comparisons)


def _check_values(path: Path, values: dict) -> None:
    """ConfigError for what is of the right kind, but cannot be."""
    seeds, titles, extractor = values["seeds"], list(values["rows"]), values.get("extractor", "")
    most = FIELDS["seed"].metadata["maximum"]
    if not seeds or any(type(seed) is not int or not 0 <= seed <= most for seed in seeds) or len({*seeds}) < len(seeds):
        raise ConfigError(f"{path}: seeds = {shown(seeds)}: give different whole numbers from 0 to {most}")
    if not 2 <= values["images"] <= MOST_IMAGES:
        raise ConfigError(f"{path}: images = {shown(values['images'])}: metrics need at least 2, at most {MOST_IMAGES}")
    for title in titles:
        _check_title(path, "rows", title)
    for key in ("baseline", "neighbors"):
        if key in values and values[key] not in titles:
            raise ConfigError(f"{path}: {key} = {shown(values[key])!r} is not among the rows: {', '.join(titles)}")
    if "source_kimg" in values and not 0 < values["source_kimg"] < math.inf:
        raise ConfigError(f"{path}: source_kimg = {shown(values['source_kimg'])}: give thousands of images above 0")
    if extractor and extractor not in EXTRACTORS:
        raise ConfigError(f"{path}: extractor = {shown(extractor)!r}: the known ones are {', '.join(EXTRACTORS)}")
    if values.get("snapshots", "all") not in SNAPSHOTS:
        raise ConfigError(f"{path}: snapshots = {shown(values['snapshots'])!r}: give {' or '.join(SNAPSHOTS)}")
    if values.get("equal", "images") not in EQUAL:
        raise ConfigError(f"{path}: equal = {shown(values['equal'])!r}: give {' or '.join(EQUAL)}")
    if isinstance(values["metrics"], dict) and set(values["metrics"]) != set(values.get("datasets", {})):
        raise ConfigError(f"{path}: [metrics] must have a line for each of [datasets], and no other; or give a list")


def _datasets(path: Path, folders: dict) -> dict[str, str]:
    """{title: folder}. ConfigError for what is none, or none at all."""
    if not folders:
        raise ConfigError(f"{path}: [datasets] names none; give a title and a folder on each line, or leave it out")
    for title, folder in folders.items():
        if not isinstance(folder, str) or not folder.isprintable() or not file_name(Path(folder).name):
            raise ConfigError(f"{path}: data set {shown(title)!r}: {shown(repr(folder))} is no folder's name")
        _check_title(path, "datasets", title)
    return folders


def _check_title(path: Path, table: str, title: str) -> None:
    if not title.strip() or not title.isprintable():
        raise ConfigError(f"{path}: [{table}] {shown(repr(title))}: a title must be a line of text")


def _comparison(path: Path, values: dict, results: Path, title: str = "", folder: str = "") -> Comparison:
    """The rows on the data set in `folder`, or on that of their flagfiles."""
    name = file_name(Path(folder).name)
    changes = {"dataset": folder} if folder else {}
    changes |= {"total_kimg": values["total_kimg"]} if "total_kimg" in values else {}
    rows = tuple(_row(path, row, flagfile, name, changes) for row, flagfile in values["rows"].items())
    _check_alike(path, rows, values.get("equal", "images"))
    held_out, holdout = values.get("held_out", 0), rows[0].config.data.holdout
    if not 0 <= held_out <= holdout:
        raise ConfigError(f"{path}: held_out = {held_out:g}: the rows hold out {holdout:g} of their data (--holdout); "
                          "give at most that")  # fmt: skip
    given = values["metrics"][title] if isinstance(values["metrics"], dict) else values["metrics"]
    metrics = _for_data(path, _metrics(path, given), rows[0].config.data.dataset)
    return Comparison(
        title, name, values["baseline"], tuple(values["seeds"]), metrics, values["images"],
        values.get("extractor", ""), SNAPSHOTS[values.get("snapshots", "all")], values.get("neighbors", ""),
        values.get("source_kimg"), held_out, results, rows,
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


def _metrics(path: Path, given: object) -> tuple[str, ...]:
    names = given if isinstance(given, list) else []
    if not names or not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise ConfigError(f"{path}: metrics = {shown(given)}: name at least one, and each once")
    try:
        return tuple(named(",".join(names)))
    except MetricError as error:
        raise ConfigError(f"{path}: metrics = {shown(given)}: {error}") from None


def _for_data(path: Path, metrics: tuple[str, ...], dataset: str) -> tuple[str, ...]:
    """The metrics with those that fit the points of the data set in place of PLANAR."""
    if PLANAR not in metrics:
        return metrics
    if not has_points(dataset):
        raise ConfigError(f"{path}: metrics = {PLANAR}: {dataset} holds no points to choose them by; name the metrics")
    return resolved(metrics, open_set(dataset).truth)


def _row(path: Path, title: str, flagfile: object, dataset: str, changes: dict) -> Row:
    """`dataset`: becomes a part of its runs' names."""
    if not isinstance(flagfile, str):
        raise ConfigError(f"{path}: row {title!r}: {shown(repr(flagfile))} is no flagfile's name")
    file = flagfiles.find(flagfile, named_in=path, about=f"row {title!r}: ")
    name = "-".join(filter(None, [file_name(file.stem), dataset]))
    try:
        return Row(title, name, file, read_flagfile(file).replace(desc=name, **changes))
    except ConfigError as error:
        raise ConfigError(f"{path}: row {title!r}: {error}") from None


def read_flagfile(path: Path) -> Config:
    """The options of a flagfile, as train.py would take them. ConfigError: one that cannot be."""
    options = read_options(path)
    try:
        return Config.from_values(options)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _check_names(path: Path, rows: list[Row]) -> None:
    """ConfigError where runs of two rows could not be told apart."""
    names: dict[str, Row] = {}
    for row in rows:
        if row.name not in names:
            names[row.name] = row
            continue
        other = names[row.name]
        said = f"{path}: rows {other.title!r} and {row.title!r} would both make runs called {row.name!r} "
        if other.config.data != row.config.data:
            raise ConfigError(f"{said}({other.config.data.dataset}, {row.config.data.dataset}); rename a folder")
        raise ConfigError(f"{said}({other.flagfile}, {row.flagfile}); rename a flagfile")


def _check_alike(path: Path, rows: tuple[Row, ...], equal: str) -> None:
    """ConfigError where rows learn from other data, or longer."""
    first = rows[0]
    for row in rows:
        if row.config.data != first.config.data:
            raise ConfigError(f"{path}: row {row.title!r} has other data options than {first.title!r}; scores of "
                              "different data cannot be compared")  # fmt: skip
        if equal == "images" and row.config.growth.total_kimg != first.config.growth.total_kimg:
            raise ConfigError(
                f"{path}: row {row.title!r} sees {row.config.growth.total_kimg:g} thousand images, {first.title!r} "
                f'{first.config.growth.total_kimg:g}; set total_kimg, or equal = "time"'
            )
