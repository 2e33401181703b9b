"""What evaluate.py does: the snapshots of a run, or two sets, measured one after the other; results as they come."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import tensorflow as tf

from pgan_tf.config import Config, ConfigError
from pgan_tf.data import identity
from pgan_tf.data.samples import is_data_set, open_samples
from pgan_tf.errors import reason
from pgan_tf.evaluation import results, snapshots
from pgan_tf.evaluation.evaluator import UNLIMITED, Evaluator, Request
from pgan_tf.evaluation.sets import ImageSet, StatisticsSet, in_order, open_set
from pgan_tf.files import make_folder, place_fault
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.registry import ASKS_GENERATOR
from pgan_tf.mirror import in_words
from pgan_tf.places import place
from pgan_tf.plain import plain_path
from pgan_tf.text import table_console


def _open(path: str | Path | np.ndarray, resolution: int | None, mirror: bool = False) -> ImageSet | StatisticsSet:
    """`open_set`, which says at once what the user should know of the set."""
    opened = open_set(path, resolution, mirror)
    for note in opened.notes if isinstance(opened, ImageSet) else ():
        print(f"note: {note}", file=sys.stderr)
    return opened


def is_own(run: Path, dataset: str | Path | np.ndarray) -> bool:
    """Whether a set is the data set that a run was trained on, wherever it lies now."""
    known = not isinstance(dataset, np.ndarray) and is_data_set(place(dataset))
    return known and identity.is_known(run, open_samples(dataset))


class RunReals:
    """A run with the images that it is measured against, and the others, where these are a part that it held out."""

    def __init__(
        self, folder: Path, dataset: str | Path | np.ndarray | None, resolution: int | None, held_out: float = 0.0
    ):
        """`dataset`: in place of the one that it was trained on. `resolution`: default the run's own. `held_out`: the
        share that is measured against, none of which the run has seen; 0 = all images."""
        try:
            self.config = Config.read(folder / "config.json")
        except (FileNotFoundError, NotADirectoryError):
            raise ConfigError(f"--run={folder}: no config.json there; give the folder of a run") from None
        except OSError as error:
            raise ConfigError(f"--run={folder}: its config.json cannot be read: {reason(error)}") from None
        if held_out > self.config.data.holdout:
            raise ConfigError(f"--held_out={held_out:g}: the run held out {self.config.data.holdout:g} of its images "
                              "(--holdout); give at most that")  # fmt: skip
        self.folder = folder
        path = identity.find(folder, self.config.data.dataset) if dataset is None else dataset
        if dataset is None and not place(path).exists():
            raise MetricError(f"{path}: the run's real images are not there; say by --dataset where they are now")
        if dataset is None and not held_out and identity.read(folder) and not is_own(folder, path):
            print(f"warning: {path}: holds other images now than those that {folder} was trained on; it is measured "
                  "against these; say by --dataset where its own are", file=sys.stderr)  # fmt: skip
        if held_out:
            self._check_own(held_out, path, dataset is None)
        images = _open(path, resolution or self.config.data.resolution or None)
        if not isinstance(images, ImageSet):
            raise MetricError(f"--dataset={path}: statistics do not say how large the images are; give the images")
        images = images.in_mirror() if self.config.data.mirror_augment else images
        self.others, self.images = images.parted(held_out) if held_out else (None, images)
        self.labels = None if isinstance(path, np.ndarray) else self._labels(place(path))

    def _check_own(self, held_out: float, dataset: str | Path | np.ndarray, recorded: bool) -> None:
        """ConfigError unless a set is what the run was trained on. `recorded`: it lies where the run says, which is
        enough where the run does not know what is in it."""
        if identity.has_changed(self.folder):
            raise ConfigError(f"--held_out={held_out:g}: the run had another data set before, whose images may be "
                              "among what it holds out now; leave --held_out out")  # fmt: skip
        if (recorded and not identity.read(self.folder)) or is_own(self.folder, dataset):
            return
        said = f"--held_out={held_out:g}: is of the images that the run was trained on, and "
        if recorded:
            raise ConfigError(f"{said}in {dataset} there are others now; give by --dataset the place of the run's own, "
                              "or leave --held_out out")  # fmt: skip
        name = "an array" if isinstance(dataset, np.ndarray) else dataset
        raise ConfigError(f"{said}{name} is not known to be these; leave --dataset out, or --held_out")

    def _labels(self, path: Path) -> np.ndarray | None:
        """The data set's labels, where the run's networks may want them."""
        if not self.config.data.max_label_size or not is_data_set(path):
            return None
        return open_samples(path).labels


class Sink:
    """Where results go: a file at once, and at the end, also that by an error or Ctrl-C, the terminal and TensorBoard.

    Knows what the file has already. `run`: the folder of the run whose curves they belong to. `quiet`: the terminal
    gets no table; `shown` has what would be in it.
    """

    def __init__(self, path: Path | None, run: Path | None = None, quiet: bool = False):
        self.path, self.run, self.quiet, self.shown, self.new = path, run, quiet, [], []
        self.doubts: list[str] = []  # what the reader of the table should know
        if path and (fault := place_fault(path.parent) or ("it is a folder" if path.is_dir() else "")):
            raise MetricError(f"--output={path}: cannot be written ({fault}); choose another place")
        self._known = results.read(path) if path else []

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *error) -> None:
        if self.run:
            _write_events(self.run, self.new)
        if self.shown:
            if not self.quiet:
                self.show()
            for doubt in dict.fromkeys(self.doubts):
                print(f"warning: {doubt}", file=sys.stderr)

    def known(self, identity: dict, renew: bool = False) -> bool:
        """Whether this measurement is in the file; it is then shown with the others.

        `renew`: it becomes the newest of its kind there, for whoever goes by the newest.
        """
        row = results.find(self._known, identity)
        if row:
            self.shown.append(row)
            if renew and row != [other for other in self._known if _kind(other) == _kind(row)][-1]:
                results.append(self.path, row)
        return row is not None

    def add(self, row: dict) -> None:
        if self.path:
            make_folder(self.path.parent)
            results.append(self.path, row)
        self.shown.append(row)
        self.new.append(row)

    def show(self) -> None:
        console = table_console()
        console.print(results.table(self.shown))
        used = [(row["extractor"], row.get("extractor_sha256", "?")) for row in self.shown if "extractor" in row]
        for name, sha256 in dict.fromkeys(used):
            console.print(f"{name}: weights with SHA-256 {sha256}", soft_wrap=True)
        if self.path:
            console.print(in_words(f"{len(self.new)} new results in {self.path}"), soft_wrap=True)


def _kind(row: dict) -> list:
    """What tells two baselines of one file apart, other than the content of the reals and the extractor."""
    return [row.get(key) for key in ("metric", "fakes", "count", "seed", "reals_mirrored", "reals_held_out")]


def measure_run(
    reals: RunReals, which: str, request: Request, output: Path | None, baselines: bool, quiet: bool = False
) -> list[dict]:
    """Measures snapshots of a run; one line of its metrics.jsonl (or of `output`) per metric, and TensorBoard.

    Returns the results, also those that were there already.
    """
    chosen = snapshots.find(reals.folder, which)
    evaluator = Evaluator(reals.images, request)
    with Sink(output or reals.folder / "metrics.jsonl", None if output else reals.folder, quiet) as sink:
        if baselines:
            measure_baselines(reals.images, request, sink, reals.others)
        sink.doubts += evaluator.doubts()
        for snapshot in chosen:
            about, todo = {**snapshot.about(), "reals_sha256": reals.images.digest}, []
            for metric in evaluator.request.metrics:
                if not sink.known({**about, **evaluator.identity(metric, snapshot.name)}):
                    todo.append(metric)
            if todo:
                fakes = snapshots.images(snapshot, reals.images.shape, reals.labels, request.seed)
                for row in evaluator.measure(snapshot.name, fakes, metrics=todo, **about):
                    sink.add(row)
    return sink.shown


def _write_events(folder: Path, rows: list[dict]) -> None:
    """The snapshots' results as curves beside the run's own."""
    rows = [row for row in rows if "images" in row]
    if rows:
        with plain_path(folder) as plain:
            writer = tf.summary.create_file_writer(plain)
            for row in rows:
                results.write_scalars(writer, row)
            writer.close()


def measure_sets(
    reals: str | np.ndarray | None, fakes: str | np.ndarray | None, resolution: int | None, request: Request,
    output: Path | None, baselines: bool, quiet: bool = False, mirror: bool = False, held_out: float = 0.0,
) -> list[dict]:  # fmt: skip
    """Holds one set against another. `mirror`: the reals, as a run with --mirror_augment sees them. `held_out`: of them
    only the share that runs with --holdout hold out. Returns the results, also those that were there already."""
    ours, others = None if reals is None else _open(reals, resolution, mirror), None
    if held_out:
        if not isinstance(ours, ImageSet):
            raise MetricError(f"--held_out={held_out:g}: statistics have no parts; give the images by --reals=SET")
        others, ours = ours.parted(held_out)
    theirs = None if fakes is None else _open(fakes, resolution)
    if theirs is None and not baselines:
        raise MetricError("--fakes is missing: the set to measure")
    with Sink(output, quiet=quiet) as sink:
        if baselines:
            if not isinstance(ours, ImageSet):
                raise MetricError("--baselines halves the real images: give --reals=SET with images")
            measure_baselines(ours, request, sink, others)
        if theirs is not None:
            _measure_set(ours, theirs, request, sink)
    return sink.shown


def measure_baselines(reals: ImageSet, request: Request, sink: Sink, others: ImageSet | None = None) -> None:
    """'Reals': the reals as if they were fakes. 'Reals2': one half of them against the other, or `others` of the same
    kind against all of them: what a perfect generator would get with so few images."""
    of_sets = tuple(metric for metric in request.metrics if metric not in ASKS_GENERATOR)
    if request.metrics and not of_sets:
        return
    request = replace(request, metrics=of_sets)
    _measure_set(reals, reals, request, sink, "Reals")
    if not others:
        half = min(reals.count // 2, request.images or UNLIMITED)
        sink.doubts += in_order(reals, half)
        reals, others = reals.part(0, half, reals.name), reals.part(half, half, reals.name)
    _measure_set(reals, others, request, sink, "Reals2")


def _measure_set(
    reals: ImageSet | StatisticsSet | None,
    fakes: ImageSet | StatisticsSet,
    request: Request,
    sink: Sink,
    name: str = "",
) -> None:
    for metric in request.metrics:
        if metric in ASKS_GENERATOR:
            raise MetricError(f"{metric} is of a generator, not of its samples; give --run")
    if isinstance(fakes, StatisticsSet):
        raise MetricError(f"{fakes.name}: holds statistics; they can stand for the reals, not for the fakes")
    evaluator, is_baseline = Evaluator(reals, request), bool(name)
    name = name or fakes.name
    sink.doubts += evaluator.doubts(fakes.count)
    sink.doubts += in_order(fakes, evaluator.most(fakes.count))
    about = {"fakes_sha256": fakes.digest, **({"reals_sha256": reals.digest} if reals else {})}
    identities = {metric: evaluator.identity(metric, name, fakes.count) for metric in evaluator.request.metrics}
    todo = [metric for metric, identity in identities.items() if not sink.known({**about, **identity}, is_baseline)]
    for row in evaluator.measure(name, fakes, fakes.count, metrics=todo, **about):
        sink.add(row)
