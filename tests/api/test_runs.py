"""Runs by Python: trained, told of, stopped, gone on with, opened again."""

import json
import signal

import numpy as np
import pytest

import pgan_tf
from pgan_tf import UserError, presets
from pgan_tf.networks.checkpoints import paths
from pgan_tf.option_flags import read_options


def test_a_run_is_its_folder(trained, config):
    run, told = trained
    assert told == [(0.04, 0.04, 2), (0.08, 0.08, 3), (0.12, 0.12, 4)]  # beside the pictures of the first moment
    assert (run.kimg, run.signal) == (0.12, None)
    again = pgan_tf.Run.open(run.folder)
    assert again.ticks == run.ticks
    assert [tick["kimg"] for tick in run.ticks] == [0.04, 0.08, 0.12]
    assert repr(again) == f"Run({str(run.folder)!r}, 0.12 of 0.12 kimg)"
    kept = again.config.values()
    assert {name: kept[name] for name in config.changes()} == config.changes() | {"dataset": kept["dataset"]}
    options = read_options(run.folder / "flags.txt")
    assert options == config.changes()


def test_a_flagfile_with_options(tmp_path):
    config = pgan_tf.read_config("quickstart", total_kimg=3, dataset=tmp_path)
    assert config == pgan_tf.Config.from_values(
        {**read_options(pgan_tf.CHECKOUT / "configs" / "quickstart.flags"), "total_kimg": 3, "dataset": str(tmp_path)}
    )
    assert pgan_tf.read_config() == pgan_tf.Config()
    assert pgan_tf.read_config(recipe="small_data").loss.loss == "non_saturating"


def test_options_may_be_numpys(one_line):
    """As a sweep over np.geomspace has them; config.json can hold no others."""
    ours = dict(g_lrate_base=0.5, total_kimg=2.0, fmap_max=64, mirror_augment=True, minibatch_dict={4: 16})
    theirs = dict(g_lrate_base=np.float64(0.5), total_kimg=np.int64(2), fmap_max=np.int32(64),
                  mirror_augment=np.bool_(True), minibatch_dict={np.int64(4): np.int64(16)})  # fmt: skip
    config = pgan_tf.read_config(**ours)
    for same in (pgan_tf.read_config(**theirs), pgan_tf.Config().replace(**theirs)):
        assert same == config
        assert json.dumps(same.values()) == json.dumps(config.values())
    one_line(lambda: pgan_tf.read_config(fmap_max=np.float64(64)), "--fmap_max=64.0: must be a whole number")
    one_line(lambda: pgan_tf.read_config(fmap_max=np.array([64])), "must be a whole number")


def test_what_is_said_is_kept_apart_from_the_defaults():
    """A preset chooses the others; so `recipe="paper"`, which is the default, has to be told from no recipe."""
    config = pgan_tf.read_config(recipe="paper", fmap_base=64)
    assert config.said == {"recipe", "fmap_base"}
    assert config.replace(seed=1).said == {"recipe", "fmap_base", "seed"}
    assert pgan_tf.Config.from_json(config.to_json()) == config
    assert pgan_tf.Config.from_json(config.to_json()).said == pgan_tf.Config().said == frozenset()


@pytest.mark.parametrize(
    ("given", "recipe"), [({}, "small_data"), ({"recipe": "paper"}, "paper"), ({"loss": "wgan"}, "paper")]
)
def test_a_preset_leaves_alone_what_is_said(config, given, recipe, monkeypatch):
    from pgan_tf.training import launch

    prepared = []
    monkeypatch.setattr(launch, "prepare", lambda asked: prepared.append(asked))
    monkeypatch.setattr(launch, "train", lambda start, *_: (config.data.dataset, None))
    pgan_tf.train(pgan_tf.read_config(dataset=config.data.dataset, **given), preset="small")
    assert presets.recipe("small", presets.Facts(60, 16), prepared[0].given) == recipe


def stopped_at(kimg, config):
    """The run whose second tick a Ctrl-C comes in."""

    def on_tick(run, tick):
        if tick["kimg"] == kimg:
            signal.raise_signal(signal.SIGINT)

    return pgan_tf.train(config.replace(desc="stopped"), on_tick=on_tick)


def test_an_interrupt_saves_and_the_run_goes_on_to_the_same_numbers(config, trained, capsys):
    before = signal.getsignal(signal.SIGINT)
    run = stopped_at(0.08, config)
    assert run.signal == "SIGINT"
    assert signal.getsignal(signal.SIGINT) is before
    assert paths(run.folder / "checkpoints")[-1].name == "000000.080"
    assert "stopped by SIGINT after 0.1 kimg; saved" in capsys.readouterr().out
    run = run.resume()
    assert (run.signal, run.kimg) == (None, 0.12)
    assert len(run.generator.sample(1)) == 1
    np.testing.assert_allclose(
        [tick["loss/D"] for tick in run.ticks], [tick["loss/D"] for tick in trained[0].ticks], rtol=1e-3
    )


def test_what_on_tick_raises_is_raised_and_nothing_is_lost(config):
    runs = []

    def on_tick(run, tick):
        runs.append(run)
        if tick["kimg"] > 0.04:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        pgan_tf.train(config.replace(desc="raises"), on_tick=on_tick)
    assert paths(runs[-1].folder / "checkpoints")[-1].name == "000000.080"
    assert runs[-1].resume(total_kimg=0.09).config.growth.total_kimg == 0.09


REFUSED = {
    "unknown option": (lambda config: pgan_tf.read_config(nonsense=1), "unknown option 'nonsense'"),
    "wrong value": (lambda config: pgan_tf.read_config(fmap_max=0), "--fmap_max=0: must be at least 1"),
    "no such flagfile": (lambda config: pgan_tf.read_config("nothing"), "there is no flagfile 'nothing'"),
    "no data set": (lambda config: pgan_tf.train(config.replace(dataset="")), "dataset is missing"),
    "a name in place of options": (lambda config: pgan_tf.train("quickstart"), "'quickstart': train takes options"),
    "data set not there": (lambda config: pgan_tf.train(config.replace(dataset="gone")), "gone: there is no such"),
    "no preset": (lambda config: pgan_tf.train(config, preset="tiny"), "--preset=tiny: choose one of small, "),
    "hours alone": (lambda config: pgan_tf.train(config, hours=1), "--hours=1 goes with a preset"),
    "no run": (lambda config: pgan_tf.Run.open("gone"), "gone: no config.json there"),
    "cannot change": (lambda config: pgan_tf.train(config).resume(fmap_max=4), "--fmap_max cannot change"),
}


@pytest.mark.parametrize(("act", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_work_is_one_line(act, said, config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        act(config.replace(total_kimg=0.01, desc="refused"))
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
