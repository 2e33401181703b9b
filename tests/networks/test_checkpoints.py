"""The averaged generator of a run that has no snapshot yet: that of its newest checkpoint."""

import json
import shutil

import numpy as np
import pytest

from pgan_tf.config import Config
from pgan_tf.evaluation import snapshots
from pgan_tf.inference.load import load_generator
from pgan_tf.networks import checkpoints
from pgan_tf.networks.saved import NetworkError, digest, generator_file, load_network
from pgan_tf.stages import Fade, layer_stage
from pgan_tf.training import checkpoint, export
from pgan_tf.training.state import Counters, StageState

CONFIG = Config.from_values({"fmap_base": 16, "fmap_max": 4, "latent_size": 4, "precision": "bfloat16"})


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(run folder with two checkpoints, the state of the newest, in a fade of 0.25)."""
    folder = tmp_path_factory.mktemp("results") / "00000-run-s1000"
    folder.mkdir()
    (folder / "config.json").write_text(CONFIG.to_json())
    state, random = StageState(layer_stage(8, True), CONFIG, num_channels=1, label_size=3), np.random.RandomState(0)
    for images in (256, 512):
        for variable in state.ema.trainable_variables:
            variable.assign(random.standard_normal(variable.shape))
        checkpoint.save(folder / "checkpoints", state, Counters(images=images), 2, Fade(0.25))
    return folder, state


def test_it_is_that_of_a_snapshot_of_the_same_moment(trained, tmp_path):
    folder, state = trained
    export.save_generator(state.ema, Fade(0.25), tmp_path / "network-000000.keras")
    expected, (network, path, config) = load_network(tmp_path / "network-000000.keras"), load_generator(folder)
    assert path == folder / "checkpoints" / "000000.512"
    assert config == CONFIG
    assert network.get_config() == expected.get_config()
    for name, variable in expected.parameters_by_name().items():
        np.testing.assert_array_equal(network.parameters_by_name()[name], variable, err_msg=name)


def test_it_has_what_is_not_trained_too(tmp_path):
    config = CONFIG.replace(g_norm="batch")
    state, random = StageState(layer_stage(4), config, num_channels=1, label_size=0), np.random.RandomState(0)
    names = state.ema.variables_by_name()
    assert names.keys() > state.ema.parameters_by_name().keys()
    for variable in names.values():
        variable.assign(random.uniform(1, 2, variable.shape))
    network = checkpoints.load_generator(checkpoint.save(tmp_path, state, Counters(images=1000), 1))
    for name, variable in network.variables_by_name().items():
        np.testing.assert_array_equal(variable, names[name], err_msg=name)


def test_it_is_measured_with_its_time(trained):
    folder, _ = trained
    for which in ("latest", "all", str(folder / "checkpoints" / "000000.512")):
        (found,) = snapshots.find(folder, which)
        assert found.about() == {"images": 512, "kimg": 0.512, "fakes_sha256": digest(found.path)}
    assert digest(folder / "checkpoints" / "000000.256") != digest(folder / "checkpoints" / "000000.512")


def test_a_snapshot_comes_first_and_a_checkpoint_may_be_named(trained, tmp_path):
    folder, state = trained
    copy = shutil.copytree(folder, tmp_path / "run")
    export.save_generator(state.ema, Fade(), copy / "network-000000.keras")
    assert generator_file(copy) == copy / "network-000000.keras"
    assert load_generator(copy / "checkpoints" / "000000.256").path.name == "000000.256"


def test_damaged_ones_and_those_of_an_earlier_version(trained, tmp_path, capsys):
    copy = shutil.copytree(trained[0], tmp_path / "run")
    newest, older = copy / "checkpoints" / "000000.512", copy / "checkpoints" / "000000.256"
    next(newest.glob("state.data*")).write_bytes(b"")
    assert generator_file(copy) == older
    assert "000000.512 is damaged" in capsys.readouterr().err
    record = json.loads((older / "counters.json").read_text())
    del record["generator"]
    (older / "counters.json").write_text(json.dumps(record))
    manifest = json.loads((older / "manifest.json").read_text())
    manifest["counters.json"] = [(older / "counters.json").stat().st_size, checkpoint.crc_of(older / "counters.json")]
    (older / "manifest.json").write_text(json.dumps(manifest))
    for path, reason in ((newest, "damaged"), (copy, "an earlier version's"), (older, "an earlier version's")):
        with pytest.raises(NetworkError, match=reason) as error:
            load_generator(path)
        assert "\n" not in str(error.value)
    assert checkpoint.read_counters(older)[1].images == 256
