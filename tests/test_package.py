"""The package as installed: what the wheel and the sdist hold, and that it works from any folder."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pgan_tf import called, flagfiles
from pgan_tf.programs import start

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ["pgan_tf", "metrics", "configs", "docs", "examples", "notebooks", "benchmarks", "tests", ".ci"]
LEFT = shutil.ignore_patterns("__pycache__", "*.egg-info", "golden", ".*_cache")
BUILD = "import sys; from setuptools import build_meta as b; b.build_{0}(sys.argv[1])"


def build(kind: str, source: Path, out: Path) -> Path:
    """A wheel or an sdist of a folder, made offline and in this environment."""
    out.mkdir(exist_ok=True)
    subprocess.run([sys.executable, "-c", BUILD.format(kind), out], cwd=source, check=True, capture_output=True)
    return next(out.glob("*.whl" if kind == "wheel" else "*.tar.gz"))


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """A copy of the checkout, for building leaves folders behind."""
    folder = tmp_path_factory.mktemp("source")
    for path in ROOT.iterdir():
        if path.is_file() and path.name != ".git":  # a file in a worktree
            shutil.copy(path, folder)
    for name in SOURCES:
        shutil.copytree(ROOT / name, folder / name, ignore=LEFT)
    return folder


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory) -> dict[str, bytes]:
    return contents(build("wheel", source, tmp_path_factory.mktemp("wheel")))


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def modules(folder: str) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*.py")}


def test_the_wheel_claims_one_name(wheel):
    """`metrics`, `train`, `evaluate`, `generate` belong to others."""
    names = {name.split("/")[0] for name in wheel}
    assert {name for name in names if not name.endswith(".dist-info")} == {"pgan_tf"}
    top = next(content for name, content in wheel.items() if name.endswith("top_level.txt"))
    assert top.decode().split() == ["pgan_tf"]


def test_the_wheel_holds_every_module_and_configuration(wheel):
    wanted = modules("pgan_tf") | {f"pgan_tf/{name}" for name in modules("metrics")}
    wanted |= {f"pgan_tf/configs/{name}.flags" for name in flagfiles.known()}
    wanted |= {f"pgan_tf/configs/{name}.toml" for name in flagfiles.known(flagfiles.SUITE)}
    wanted |= {"pgan_tf/interop/web/page.html"}
    assert {name for name in wheel if ".dist-info" not in name} == wanted
    for name in flagfiles.known():
        assert wheel[f"pgan_tf/configs/{name}.flags"] == (ROOT / "configs" / f"{name}.flags").read_bytes()


def test_its_metadata(wheel):
    metadata = next(content for name, content in wheel.items() if name.endswith("/METADATA")).decode()
    entries = next(content for name, content in wheel.items() if name.endswith("/entry_points.txt")).decode()
    for name in start.PROGRAMS:
        assert f"{called.installed(name)} = pgan_tf.programs.start:{name}\n" in entries
    version = re.search(r"^Version: (.*)$", metadata, re.M)[1]
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_sdist_is_complete_and_makes_the_same_wheel(source, wheel, tmp_path):
    shutil.unpack_archive(build("sdist", source, tmp_path / "sdist"), tmp_path)
    unpacked = next(tmp_path.glob("pgan_tf-*"))
    there = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    copied = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    ours = {name for name in copied if not re.match(r"build/|.*\.egg-info/|\.gitignore|\.coverage", name)}
    assert ours <= there, sorted(ours - there)
    assert contents(build("wheel", unpacked, tmp_path / "again")) == wheel


@pytest.fixture(scope="module")
def elsewhere(wheel, tmp_path_factory):
    """`elsewhere(code, *words)` runs Python with the installed package, in a folder with a user's own modules."""
    site, folder = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("elsewhere")
    for name, content in wheel.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_bytes(content)
    for name in ("metrics", "train", "evaluate", "generate", "configs"):
        (folder / f"{name}.py").write_text("raise SystemExit('the user has a module of this name')\n")
    paths = [str(site), *(path for path in sys.path if path.endswith("-packages"))]

    def run(code: str, *words) -> subprocess.CompletedProcess:
        prologue = f"import sys; sys.path[:] = ['', *{paths!r}, *sys.path[1:]]\n"
        prologue += f"sys.path[:] = [path for path in sys.path if path != {str(ROOT)!r}]\n"
        command = [sys.executable, "-c", prologue + code, *map(str, words)]
        return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)

    return run


ENVIRONMENT = {"PATH": "/usr/bin:/bin", "TF_CPP_MIN_LOG_LEVEL": "3", "COLUMNS": "100"}
PROGRAM = "sys.argv[0] = '/usr/bin/' + sys.argv.pop(1); from pgan_tf.programs import start\n"
PROGRAM += "getattr(start, sys.argv.pop(1))()"


def test_it_is_the_installed_one_that_runs(elsewhere):
    code = "sys.argv[0] = 'pgan-x'\nimport pgan_tf, pgan_tf.metrics.swd as swd\nfrom pgan_tf import flagfiles\n"
    code += "print(pgan_tf.CHECKOUT, pgan_tf.__path__, swd.__file__, flagfiles.find('cpu/rr'))"
    done = elsewhere(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("None ")
    assert str(ROOT) not in done.stdout


@pytest.mark.parametrize("name", start.PROGRAMS)
def test_every_installed_program_explains_itself(name, elsewhere):
    done = elsewhere(PROGRAM, called.installed(name), name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"  {called.installed(name)} " in done.stdout
    assert name != "train" or "--fmap_max=512" in done.stdout


def test_the_installed_programs_find_the_configurations(elsewhere):
    done = elsewhere(PROGRAM, "pgan-train", "train", "--flagfile=quickstart")
    assert done.stderr == (
        "error: datasets/mnist: there is no such data set; make it first: pgan-dataset create_mnist datasets/mnist\n"
    )
    done = elsewhere(PROGRAM, "pgan-experiment", "experiment", "run", "cpu/columbia", "--dry_run")
    assert re.search("error: datasets/emoji32: .*pgan-dataset create_emoji datasets/emoji32", done.stderr)
