"""The command line of network_tool.py itself."""

import subprocess
import sys
from pathlib import Path

import keras
import nv_pickles
import pytest

from pgan_tf.commands.network import COMMANDS
from pgan_tf.programs import start

ROOT = Path(__file__).resolve().parents[1]


def test_help_loads_no_tensorflow():
    """So that it is there at once."""
    code = (
        "import sys, runpy\nsys.argv = ['network_tool.py', '--help']\n"
        "try:\n    runpy.run_path('network_tool.py', run_name='__main__')\n"
        "except SystemExit as end:\n    assert end.code == 0\n"
        "assert not {'tensorflow', 'keras', 'numpy', 'rich'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(f"    {name} " in done.stdout for name, *_ in COMMANDS)


@pytest.mark.parametrize("arguments", [[], ["paint"], ["import"], ["import", "torch", "a", "b"], ["info"],
                                       ["import", "nvidia", "a.pkl", "out", "--lod=high"]], ids=str)  # fmt: skip
def test_wrong_arguments(arguments, capsys):
    assert start.run("network_tool", arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.endswith("--help\n")
    assert error.count("\n") == 1


def test_import_says_what_it_made(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("n.pkl").write_bytes(nv_pickles.network_file(nv_pickles.tiny(0.25)))
    assert start.run("network_tool", ["import", "nvidia", "n.pkl", "out", "--lod=0.5"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    network = keras.saving.load_model("out/generator_ema.keras")
    parameters = f"{network.count_params():,} parameters"
    assert (
        first == f"out/generator_ema.keras: averaged generator, 8x8 (lod 0.5, fading in with alpha 0.5), {parameters}"
    )
    assert start.run("network_tool", ["import", "nvidia", "n.pkl", "out"]) == 2
    assert capsys.readouterr().err == "error: out: exists already; add --overwrite, or choose another folder\n"
    assert start.run("network_tool", ["import", "nvidia", "n.pkl", "out", "--overwrite"]) == 0
    assert keras.saving.load_model("out/generator_ema.keras").alpha == 0.75


def test_an_unwritable_place(tmp_path, capsys):
    (tmp_path / "n.pkl").write_bytes(nv_pickles.network_file(nv_pickles.tiny()))
    assert (
        start.run("network_tool", ["import", "nvidia", str(tmp_path / "n.pkl"), str(tmp_path / "n.pkl" / "out")]) == 2
    )
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert "Not a directory" in err
    assert err.count("\n") == 1


def test_interrupted(tmp_path, capsys, monkeypatch):
    (tmp_path / "n.pkl").write_bytes(nv_pickles.network_file(nv_pickles.tiny()))

    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("pgan_tf.interop.card.write", stop)
    assert start.run("network_tool", ["import", "nvidia", str(tmp_path / "n.pkl"), str(tmp_path / "out")]) == 130
    assert capsys.readouterr().err == "error: interrupted; nothing was written\n"
    assert [path.name for path in tmp_path.iterdir()] == ["n.pkl"]
