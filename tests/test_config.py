"""Options are declared once: the flags, the JSON and the refusals follow from the fields."""

import dataclasses
import json
from pathlib import Path

import pytest
from absl import flags

from pgan_tf import flagfiles
from pgan_tf.config import (
    FIELDS,
    SECTIONS,
    Config,
    ConfigError,
    option_names,
    parse_grid_size,
)
from pgan_tf.former import FORMER
from pgan_tf.option import option_text, parse_dict, taken
from pgan_tf.option_flags import define_flags, given_options
from pgan_tf.programs import start, train


@pytest.fixture
def flag_values():
    """Our options, as flags of a registry of their own; parse(...) reads a command line."""
    values = flags.FlagValues()
    define_flags(flags, values)

    def parse(*arguments) -> dict:
        values.unparse_flags()
        values(["program", *arguments])
        return {name: values[name].value for name in option_names()}

    parse.registry = values
    return parse


def test_no_option_is_declared_twice():
    names = option_names()
    assert len(names) == len(set(names)) == sum(len(dataclasses.fields(kind)) for kind in SECTIONS.values())


def test_every_option_has_help():
    for kind in SECTIONS.values():
        for field in dataclasses.fields(kind):
            assert field.metadata["help"], field.name


def test_every_option_is_a_flag_with_its_default(flag_values):
    assert Config.from_values(flag_values()) == Config()
    for name in option_names():
        assert flag_values.registry[name].help


def test_flags_make_a_config(flag_values):
    config = Config.from_values(
        flag_values(
            "--minibatch_dict=4:128, 8:64", "--g_lrate_dict={1024: 0.0015}", "--mirror_augment", "--nofused_scale",
            "--precision=bfloat16", "--total_kimg=12", "--desc=a run", "--tick_kimg_dict=",
        )
    )  # fmt: skip
    assert config.growth.minibatch_dict == {4: 128, 8: 64}
    assert config.growth.g_lrate_dict == {1024: 0.0015}
    assert config.data.mirror_augment
    assert not config.model.fused_scale
    assert config.optim.precision == "bfloat16"
    assert config.growth.total_kimg == 12.0
    assert config.run.desc == "a run"
    assert config.growth.tick_kimg_dict == {}


def test_flags_survive_their_own_writing(flag_values):
    """What a flag file of a run says is what the run had."""
    values = flag_values("--minibatch_dict=4:128,8:64", "--wgan_target=750", "--mirror_augment")
    written = [flag_values.registry[name].serialize() for name in option_names()]
    assert flag_values(*[line for entry in written for line in entry.splitlines() if line]) == values


@pytest.mark.parametrize(
    "argument",
    [
        "--minibatch_dict=4",
        "--minibatch_dict=4:a",
        "--minibatch_dict={4,8}",
        "--loss=none",
        "--total_kimg=x",
        "--D_repeats=1.5",
    ],
)
def test_flags_refuse_what_they_cannot_read(flag_values, argument):
    with pytest.raises(flags.IllegalFlagValueError, match=argument.split("=")[0].strip("-")):
        flag_values(argument)


CHANGES = dict(
    dataset="data", resolution=64, minibatch_dict={4: 128, 8: 64}, g_lrate_dict={32: 0.002}, tick_kimg_dict={},
    precision="bfloat16", mirror_augment=True, wgan_target=750.0, seed=7, max_label_size=-1,
)  # fmt: skip


@pytest.mark.parametrize("values", [{}, CHANGES])
def test_json_round_trip(values):
    config = Config.from_values(values)
    text = config.to_json()
    assert Config.from_json(text) == config
    assert json.loads(text).keys() == SECTIONS.keys()
    for name, value in values.items():
        assert config.values()[name] == value


OLD = Path(__file__).parent / "golden" / "config_0.1.0.json"


def test_a_run_of_an_older_version_goes_on():
    """Options that came later have their defaults, and all others are those of the file."""
    values = Config.read(OLD).values()
    then = {name: value for section in json.loads(OLD.read_text()).values() for name, value in section.items()}
    newer = {name for name in option_names() if FIELDS[name].metadata["since"]}
    assert newer == values.keys() - then.keys()
    assert then.keys() - values.keys() == FORMER.keys()  # which are said by their names of today
    assert {name: values[name] for name in newer} == {name: Config().values()[name] for name in newer}
    assert values["fmap_base"] == then["fmap_base"] == 16
    assert values["total_kimg"] == then["total_kimg"] == 0.3


def test_an_older_version_is_no_excuse(tmp_path):
    """What a run of an older version has to have, and what it may not have, are said as for any other."""
    changes = {
        "the option fmap_max is missing": lambda sections: sections["model"].pop("fmap_max"),
        "the option resampling is in 'run'": lambda sections: sections["run"].update(resampling="auto"),
        "unknown option 'speed'": lambda sections: sections["run"].update(speed=8),
        r"--seed=\d+: must be at most .*, or, where an older version wrote it, change that value":
            lambda sections: sections["run"].update(seed=2**64),
    }  # fmt: skip
    for line, change in changes.items():
        sections = json.loads(OLD.read_text())
        change(sections)
        (tmp_path / "config.json").write_text(json.dumps(sections))
        with pytest.raises(ConfigError, match=line):
            Config.read(tmp_path / "config.json")


def test_defaults_stay_where_they_are():
    """A dictionary of one config is not another's."""
    first = Config()
    first.growth.tick_kimg_dict[4] = 0
    assert Config().growth.tick_kimg_dict[4] == 160


def test_no_metrics_can_be_said():
    assert Config.from_values({"metrics": "none"}) == Config()


def test_replace_changes_what_it_names_and_nothing_else():
    config = Config.from_values(CHANGES)
    changed = config.replace(seed=8, fmap_max=64)
    differing = {name for name, value in config.values().items() if changed.values()[name] != value}
    assert differing == {"seed", "fmap_max"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.run.seed = 3


REFUSALS = [
    (dict(nonsense=1), "unknown option 'nonsense'.*fmap_base"),
    (dict(loss="other"), "--loss=other: choose one of.*wgan"),
    (dict(precision="int8"), "--precision=int8: choose one of.*bfloat16"),
    (dict(fmap_max=0), "--fmap_max=0: must be at least 1"),
    (dict(unroll_steps=-1), "--unroll_steps=-1: must be at least 0"),
    (dict(unroll_steps=1, precision="float16"), "--unroll_steps.*--precision=bfloat16"),
    (dict(minibatch_statistics="moments_as_coded", precision="float16"), "moments_as_coded has no loss scale"),
    (dict(real_target=0.9), "--real_target=0.9 is for --loss=minimax or non_saturating; lsgan has --lsgan_b"),
    (dict(real_target=0.5, loss="minimax"), "--real_target=0.5: must be above 0.5"),
    (dict(loss="hinge", d_noise=0.2), "--d_noise=0.2.*least squares: add --loss=lsgan"),
    (dict(optimizer="lion"), "--optimizer=lion: choose one of adam, rmsprop, sgd"),
    (dict(momentum=0.9), "--momentum=0.9: Adam's is --adam_beta1; or choose --optimizer=rmsprop or sgd"),
    (dict(momentum=1.0, optimizer="sgd"), "--momentum=1.0: must be below 1"),
    (dict(rmsprop_rho=0.99), "--rmsprop_rho=0.99 is for --optimizer=rmsprop"),
    (dict(clip=-0.1, constraint="clip", penalty="none"), "--clip=-0.1: must be above 0"),
    (dict(adversarial_weight=0.0), "--adversarial_weight=0: nothing is left for the generator to aim at; add"),
    (dict(latents="sphere", latent_size=1), "--latents=sphere --latent_size=1: a sphere of one component is -1 and 1"),
    (dict(history_weight=0.1, unroll_steps=1), "--unroll_steps cannot look ahead at a mean over past steps"),
    (dict(clip=0.1), "--clip=0.1: add --constraint=clip"),
    (dict(constraint="clip", penalty="none", clip=0.0), "--clip=0.0: must be above 0"),
    (dict(constraint="clip", penalty="none", d_weights="spectral"), "--constraint=clip beside --d_weights=spectral"),
    (dict(constraint="clip", penalty="none"), "--clip=0.01 beside --d_weights=equalized.*add --d_weights=plain"),
    (dict(constraint="clip", clip=1.0), "--constraint=clip takes the place of --penalty=gradient: add --penalty=none"),
    (dict(regularizer="other"), "--regularizer=other: choose one of none, repelling, repelling_as_coded"),
    (dict(repelling_features="latents"), "--repelling_features=latents: choose one of critic, generator"),
    (dict(repelling_weight=-1.0), "--repelling_weight=-1.0: must be at least 0"),
    (dict(lsgan_b=float("nan")), "--lsgan_b=nan: must be a number"),
    (dict(loss="lsgan", d_noise=-0.2), "--d_noise=-0.2: must be at least 0"),
    (dict(loss="lsgan", d_noise=float("inf")), "--d_noise=inf: must be a number"),
    (dict(d_noise=0.2), "--d_noise=0.2.*least squares: add --loss=lsgan"),
    (dict(loss="lsgan_as_coded"), "--loss=lsgan_as_coded has no penalties: add --penalty=none --wgan_epsilon=0"),
    (dict(loss="lsgan_as_coded", penalty="none"), "--loss=lsgan_as_coded.*--wgan_epsilon=0"),
    (dict(loss="lsgan_as_coded", wgan_epsilon=0.0), "--loss=lsgan_as_coded.*--penalty=none"),
    (dict(widening="zeros", grow="channels"), "--widening=zeros: .*leave out channels"),
    (dict(widening="zeros", grow="latent", g_weights="plain"), "--widening=zeros: .*--normalize_latents=false"),
    (dict(widening="zeros", grow="latent", normalize_latents=False), "--widening=zeros: .*--g_weights=plain"),
    (dict(repelling_weight=float("inf")), "--repelling_weight=inf: must be a number"),
    (dict(ema_halflife_kimg=-1.0), "--ema_halflife_kimg=-1.0: must be at least 0"),
    (dict(wgan_lambda=-1.0), "--wgan_lambda=-1.0: must be at least 0"),
    (dict(g_lrate_base=float("nan")), "--g_lrate_base=nan"),
    (dict(lod_initial_resolution=12), "--lod_initial_resolution=12.*power of two"),
    (dict(total_kimg=0.0), "--total_kimg=0"),
    (dict(wgan_target=0.0), "--wgan_target=0: .*above 0"),
    (dict(adam_beta1=1.0), "adam_beta1"),
    (dict(adam_beta2=1.5), "adam_beta2"),
    (dict(minibatch_dict={5: 16}), "--minibatch_dict: 5:16"),
    (dict(minibatch_dict={4: -16}), "--minibatch_dict: 4:-16"),
    (dict(minibatch_dict={"4": 16}), "--minibatch_dict"),
    (dict(metrics="swd", best_metric="fid"), "--best_metric=fid: is not among --metrics=swd; add it there"),
    (dict(best_metric="fid"), "--best_metric=fid: is not among --metrics=; add it there"),
    (dict(grid_size="10"), "--grid_size=10.*10x6"),
    (dict(grid_size="0x6"), "--grid_size=0x6"),
]


@pytest.mark.parametrize(("values", "message"), REFUSALS, ids=str)
def test_refusals_name_the_option_and_the_way_out(values, message):
    with pytest.raises(ConfigError, match=message) as caught:
        Config.from_values(values)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("flag", "answer"),
    [
        ("--regularizer=attraction", "<none|repelling|repelling_as_coded>"),
        ("--g_block=dense", "<plain|residual>"),
        ("--d_block=dense", "<plain|residual>"),
        ("--minibatch_statistics=range", "<stddev|moments|moments_as_coded|discrimination>"),
        ("--loss=cross", "<wgan|lsgan|"),
        ("--unroll_step=1", "Did you mean: unroll_steps"),
        ("--unroll_steps=one", "unroll_steps=one"),
        ("--flagfile=missing.flags", "missing.flags"),
    ],
)
def test_flags_that_cannot_be_read_are_one_line_and_status_2(flag, answer, capsys):
    assert start.run("train", [flag]) == 2
    train.FLAGS.unparse_flags()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert answer in err


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", {}),
        ("  ", {}),
        ("4:128,8:64", {4: 128, 8: 64}),
        ("4: 128, 8: 64,", {4: 128, 8: 64}),
        ("{4: 128}", {4: 128}),
        ("1024:0.0015", {1024: 0.0015}),
    ],
)
def test_dictionaries(text, value):
    assert parse_dict(text) == value


@pytest.mark.parametrize("text", ["4", "4,8", "4:x", "4:'x'", "4.5:1", "'a':1", "4:True", "4:[1]", "__import__('os')"])
def test_what_is_not_a_dictionary(text):
    with pytest.raises((ValueError, SyntaxError)):
        parse_dict(text)


def test_a_value_for_all_resolutions():
    assert parse_dict("4", everywhere=True) == {0: 4}
    assert parse_dict("16,1024:4", everywhere=True) == {0: 16, 1024: 4}
    assert option_text({0: 16, 1024: 4}) == "16,1024:4"
    with pytest.raises(ConfigError, match="minibatch_dict: 0:4 is not resolution:value"):
        Config.from_values({"minibatch_dict": {0: 4}})
    config = Config.from_values({"max_minibatch_per_device": {0: 4}})
    assert Config.from_json(config.to_json()) == config


def test_an_older_run_with_a_limit_keeps_its_smaller_minibatches():
    """Its config.json does not know --accumulate; without a limit that says nothing."""
    for limits, kept in (({8: 4}, False), ({}, True)):
        sections = json.loads(Config.from_values({"max_minibatch_per_device": limits}).to_json())
        del sections["growth"]["accumulate"]
        assert Config.from_json(json.dumps(sections)).growth.accumulate == kept


def test_grid_size():
    assert parse_grid_size("10x6") == (10, 6)
    assert parse_grid_size("3X4") == (3, 4)


@pytest.mark.parametrize("flagfile", [["--flagfile={}"], ["--flagfile", "{}"]])
@pytest.mark.parametrize("last", [True, False])
def test_the_command_line_wins_wherever_it_names_the_flagfile(tmp_path, flag_values, flagfile, last):
    path = tmp_path / "some.flags"
    path.write_text("--total_kimg=7\n--fmap_max=32\n")
    words, flagfile = ["--total_kimg=3"], [word.format(path) for word in flagfile]
    argv = words + flagfile if last else flagfile + words
    parsed = flag_values(*flagfiles.first(argv))
    assert (parsed["total_kimg"], parsed["fmap_max"]) == (3, 32)


def test_the_largest_values_are_taken():
    """A bound is within what is allowed: of every option that has one, and of a grid's cells."""
    for field in FIELDS.values():
        for bound in ("minimum", "maximum"):
            if type(field.default) in (int, float) and field.metadata[bound] is not None:
                assert taken(field, type(field.default)(field.metadata[bound])) == field.metadata[bound]
    assert parse_grid_size("100x100") == (100, 100)


def test_moments_need_a_group():
    with pytest.raises(ConfigError, match="--mbstd_group_size of at least 2"):
        Config.from_values({"minibatch_statistics": "moments", "mbstd_group_size": 1})


@pytest.mark.parametrize(
    ("former", "today"),
    [
        ({"use_pixelnorm": False}, {"g_norm": "none"}),
        ({"use_pixelnorm": True}, {"g_norm": "pixel"}),
        ({"use_leakyrelu": False}, {"g_activation": "relu"}),
        ({"use_wscale": False}, {"g_weights": "plain", "d_weights": "plain"}),
        ({"use_wscale": False, "d_weights": "plain"}, {"g_weights": "plain", "d_weights": "plain"}),
    ],
)
def test_a_former_name_means_an_option_of_today(former, today):
    assert Config.from_values(former) == Config.from_values(today)
    values = flags.FlagValues()
    define_flags(flags, values)
    values(["program", *(f"--{name}={str(value).lower()}" for name, value in former.items())])
    assert Config.from_values(given_options(values)) == Config.from_values(today)
    assert Config().replace(**given_options(values)) == Config.from_values(today)


@pytest.mark.parametrize("wrong", [{"use_wscale": False, "d_weights": "spectral"}, {"use_pixelnorm": "no"}])
def test_a_former_name_beside_another_word_is_refused(wrong):
    name = next(iter(wrong))
    with pytest.raises(ConfigError, match=f"--{name}="):
        Config.from_values(wrong)
