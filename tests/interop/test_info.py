"""network_tool.py info: the numbers on the terminal are those of the network."""

import io
import json

import numpy as np
import nv_pickles
import pytest
import rich.console

from pgan_tf.config import Config
from pgan_tf.interop import info, nvidia
from pgan_tf.layers.norms import NORMS
from pgan_tf.networks import FAMILIES, Discriminator, Generator
from pgan_tf.programs import start
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training import checkpoint, export
from pgan_tf.training.state import Counters, StageState


@pytest.fixture
def say(capsys, monkeypatch):
    """Runs the command on a terminal of 80 columns -> what it printed."""

    def call(*arguments) -> str:
        monkeypatch.setenv("COLUMNS", "80")
        assert start.run("network_tool", ["info", *map(str, arguments)]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        assert max(map(len, out.splitlines())) <= 80
        return out

    return call


def words(text: str) -> str:
    """Text without the ways it is broken into lines."""
    return " ".join(text.split())


@pytest.mark.parametrize(("kind", "options"), [
    (Generator, {}), (Generator, {"fused_scale": False, "g_block": "residual"}), (Discriminator, {}),
    (Discriminator, {"fused_scale": False, "label_size": 3, "minibatch_statistics": "moments"}),
], ids=str)  # fmt: skip
def test_the_table_has_every_layer_with_its_numbers(kind, options):
    network = kind(resolution=16, fading=True, fmap_base=64, fmap_max=8, **options)
    table = info.layer_table(network)
    names, outputs, weights, parameters = (list(column.cells) for column in table.columns)
    assert names == list(dict.fromkeys(name.rsplit("/", 1)[0] for name in network.parameters_by_name()))
    assert sum(int(cell.replace(",", "")) for cell in parameters) == network.count_params()
    assert table.columns[-1].footer == f"{network.count_params():,}"
    shapes = {layer.name: layer.weight.shape for layer in network.layers if layer.trainable_variables}
    assert weights == ["x".join(map(str, shapes[name])) for name in names]
    assert outputs == [sizes_of(network)[name] for name in names]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_table_has_the_norms_of_every_family(family, norm):
    """A row for each layer with parameters, and all parameters in one of them."""
    for kind, option in ((FAMILIES[family].generator, "g_norm"), (FAMILIES[family].discriminator, "d_norm")):
        network = kind(resolution=8, **{option: norm}, reference_batch=0)
        names, _, _, parameters = (list(column.cells) for column in info.layer_table(network).columns)
        assert names == list(dict.fromkeys(name.rsplit("/", 1)[0] for name in network.parameters_by_name()))
        assert sum(int(cell.replace(",", "")) for cell in parameters) == network.count_params()


def sizes_of(network) -> dict[str, str]:
    """What each layer really puts out, seen from outside while the network computes."""
    seen = {}

    def watched(layer, call):
        def compute(x, **moment):
            y = call(x, **moment)
            seen[layer.name] = "x".join(map(str, y.shape[1:]))
            return y

        return compute

    for layer in network.layers:
        if layer.trainable_variables:
            layer.call = watched(layer, layer.call)
    if isinstance(network, Generator):
        network(np.zeros([1, network.latent_size + network.label_size], np.float32))
    else:
        network(np.zeros([1, 16, 16, 3], np.float32))
    return seen


def test_a_file(tmp_path, say):
    network = Generator(resolution=8, fading=True, alpha=0.3, fmap_base=64, fmap_max=8, label_size=2)
    network.save(tmp_path / "g.keras")
    out = words(say(tmp_path / "g.keras"))
    assert info.sha256(tmp_path / "g.keras") in out
    assert "generator, 8x8, 3 channel(s), fading in with alpha 0.3, float32" in out
    assert "label_size 2, fmap_base 64" in out
    assert f"total │ │ │ {network.count_params():,}" in out


def test_a_pickle_and_its_folder(tmp_path, say):
    path = tmp_path / "n.pkl"
    path.write_bytes(nv_pickles.network_file(nv_pickles.tiny(0.25)))
    out = words(say(path))
    assert info.sha256(path) in out
    assert "lod 0.25 of a final 8x8" in out
    for network, role in (("Gs", "averaged generator"), ("G", "generator"), ("D", "discriminator")):
        assert f"network {network}: {role}" in out
    assert out.count("ToRGB_4x4") == out.count("FromRGB_4x4") == 1
    assert "27 belong to layers not used at this lod" not in out  # a fade from 4 to 8 uses both
    nvidia.import_nvidia(path, tmp_path / "out", lod=0.0)
    out = words(say(tmp_path / "out"))
    assert info.sha256(path) in out
    assert "imported from n.pkl" in out
    assert "lod 0 of a final 8x8; the file's was 0.25" in out
    for part in nvidia.PARTS.values():
        assert f"network {part.file}: {part.what}" in out
        assert info.sha256(tmp_path / "out" / part.file) in out
    assert "27 belong to layers not used at this lod" in words(say_at_lod_zero(path, say))


def say_at_lod_zero(path, say) -> str:
    path.write_bytes(nv_pickles.network_file(nv_pickles.tiny(0.0)))
    return say(path)


@pytest.fixture
def run(tmp_path):
    """The folder of a run at 0.5 of a fade to 8x8, with a snapshot and a checkpoint; no training."""
    config = Config.from_values(
        {"fmap_base": 32, "fmap_max": 8, "total_kimg": 2.0, "minibatch_dict": {4: 8, 8: 4}, "desc": "a[b]c"}
    )
    folder = tmp_path / "00000-run-s1000"
    folder.mkdir()
    (folder / "config.json").write_text(config.to_json())
    state = StageState(layer_stage(8, True), config, 3, 0)
    export.save_generator(state.ema, Fade(0.5), folder / "network-000001.keras")
    checkpoint.save(folder / "checkpoints", state, Counters(images=1000), 1, Fade(0.5))
    rows = [{"tick": 1, "kimg": 1.0, "lod": 0.5}, {"metric": "swd", "value": 3.0}]
    cut = '{"tick": 2, "ki'  # the line that a kill cut off
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + cut)
    return folder


def test_a_run(run, say):
    out = words(say(run))
    assert str(run) in out.replace(" ", "")
    assert "run 1.0 of 2 kimg, lod 0.5" in out
    assert "trained with fmap_base 32, fmap_max 8, total_kimg 2.0, minibatch_dict 4:8,8:4, desc a[b]c" in out
    assert "network network-000001.keras" in out
    assert info.sha256(run / "network-000001.keras") in out
    assert out.count("fading in with alpha 0.5") == 2  # the discriminator's too
    assert "network checkpoints/000001.000: discriminator" in out


def test_a_run_before_its_first_snapshot(run, say):
    (run / "network-000001.keras").unlink()
    (run / "metrics.jsonl").unlink()
    out = words(say(run))
    assert "run 0 of 2 kimg" in out
    assert "network checkpoints/000001.000: averaged generator" in out
    assert out.count("fading in with alpha 0.5") == 2


def test_the_colours_of_a_terminal_do_not_cost_columns(run, monkeypatch):
    terminal = io.StringIO()
    monkeypatch.setattr(info, "Console", lambda **kwargs: rich.console.Console(
        file=terminal, force_terminal=True, width=80, **kwargs))  # fmt: skip
    info.print_info(run)
    assert "\x1b[1m" in terminal.getvalue()
    assert "desc a[b]c" in words(terminal.getvalue())


REFUSALS = {
    "none": "give a run's folder, a .keras file",
    "empty": "give a run's folder, a .keras file",
    "text.keras": "cannot be loaded as a network",
    "young": "holds no network-*.keras yet",
    "card": "does not describe the folder",
    "damaged": "card.json: damaged",
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_no_network(name, tmp_path, capsys):
    for folder in ("empty", "young", "card", "damaged"):
        (tmp_path / folder).mkdir()
    (tmp_path / "text.keras").write_text("text")
    (tmp_path / "young" / "config.json").write_text(Config().to_json())
    (tmp_path / "card" / "card.json").write_text("{}")
    (tmp_path / "damaged" / "card.json").write_text("{")
    assert start.run("network_tool", ["info", str(tmp_path / name)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: {tmp_path / name}")
    assert REFUSALS[name] in err
    assert err.count("\n") == 1
