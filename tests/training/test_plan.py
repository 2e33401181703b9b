"""What is refused before anything is built."""

import numpy as np
import pytest

from pgan_tf.config import Config, ConfigError
from pgan_tf.data import DatasetWriter
from pgan_tf.data.samples import open_samples
from pgan_tf.data.sources.planar import create_planar
from pgan_tf.networks.families import FAMILIES, Takes
from pgan_tf.training import begin
from pgan_tf.training.plan import (
    check_ladder,
    check_norms,
    check_resolution,
    check_samples,
    make_plan,
)


@pytest.mark.parametrize(("grows", "own"), [({"latent"}, "latent or none"), ((), "none")])
def test_a_family_grows_what_its_row_says(grows, own, monkeypatch):
    monkeypatch.setitem(FAMILIES, "progressive", FAMILIES["progressive"]._replace(grows=frozenset(grows)))
    for grow in (*grows, "none"):
        check_ladder(Config.from_values({"grow": grow}))
    with pytest.raises(ConfigError, match=f"--grow=layers,latent: --family=.* cannot grow layers; give {own}$"):
        check_ladder(Config.from_values({"grow": "layers,latent"}))


def test_records_of_one_resolution_are_to_be_completed(tmp_path):
    """As they are of StyleGAN, where only the largest were downloaded."""
    with DatasetWriter(tmp_path / "set", 16, 1) as writer:
        writer.add(np.zeros((16, 16, 1), np.uint8))
    for level in (2, 3):
        (tmp_path / "set" / f"set-r{level:02d}.tfrecords").unlink()
    message = r"lacks resolution 4; complete it: dataset_tool.py create_from_tfrecords NEW_FOLDER .*set"
    with pytest.raises(ConfigError, match=message):
        make_plan(Config.from_values({"dataset": str(tmp_path / "set")}))


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("images", {}, "holds 8 points in the plane, two_lines; these networks make images: give a data set of images"),
        ("points", {"grid_size": "2x2"}, "--grid_size is for images; "),
        ("points", {"mirror_augment": True}, "--mirror_augment is for images; "),
    ],
)
def test_points_and_what_is_for_images_do_not_go_together(kind, options, words, tmp_path):
    create_planar(tmp_path / "set", "two_lines", 8)
    config = Config.from_values({"dataset": str(tmp_path / "set"), **options})
    with pytest.raises(ConfigError, match=words) as error:
        check_samples(config, open_samples(config.data.dataset), Takes(kind, doubling=False))
    assert "\n" not in str(error.value)


def test_networks_that_make_points_take_no_images(tmp_path):
    with DatasetWriter(tmp_path / "set", 4, 1) as writer:
        writer.add(np.zeros((4, 4, 1), np.uint8))
    words = "holds 1 image of 4x4, grey; these networks make points: make points with .*: --family=.*progressive"
    with pytest.raises(ConfigError, match=words):
        check_samples(Config(), open_samples(tmp_path / "set"), Takes("points", doubling=False))


def test_a_run_on_points_is_refused_by_networks_of_images(tmp_path):
    create_planar(tmp_path / "set", "swissroll", 8)
    with pytest.raises(ConfigError, match="these networks make images"):
        make_plan(Config.from_values({"dataset": str(tmp_path / "set")}))


DOUBLING, OF_ANY_SIZE = Takes(), Takes(doubling=False)


@pytest.mark.parametrize(
    ("takes", "asked", "words"),
    [
        (DOUBLING, 12, "--resolution=12: a resolution is a power of two from 4 up"),
        (DOUBLING, 64, "--resolution=64: the images of .* have 16; make a larger set"),
        (OF_ANY_SIZE, 64, "--resolution=64: the images of .* have 16; make a larger set"),
        (OF_ANY_SIZE, 12, "--resolution=12: .* has 4, 8, 16; 0 = the largest"),
    ],
)
def test_a_resolution_is_one_of_the_data_set_s(takes, asked, words, tmp_path):
    with DatasetWriter(tmp_path / "set", 16, 1) as writer:
        writer.add(np.zeros((16, 16, 1), np.uint8))
    dataset = open_samples(str(tmp_path / "set"))
    for resolution in (0, 8, 16):
        check_resolution(resolution, dataset, takes)
    with pytest.raises(ConfigError, match=words):
        check_resolution(asked, dataset, takes)


def test_a_family_says_which_sizes_it_makes(tmp_path):
    with DatasetWriter(tmp_path / "set", 27, 1, own_size=True) as writer:
        writer.add(np.zeros((27, 27, 1), np.uint8))
    options = {"dataset": str(tmp_path / "set"), "family": "dcgan"}
    with pytest.raises(ConfigError, match=r"--grow=layers: --family=dcgan cannot grow layers; give none$"):
        make_plan(Config.from_values(options))
    with pytest.raises(ConfigError, match="--family=dcgan: 27x27 cannot be halved"):
        make_plan(Config.from_values({**options, "grow": "none"}))


def test_images_of_another_size_are_for_networks_that_do_not_grow(tmp_path):
    with DatasetWriter(tmp_path / "set", 28, 1, own_size=True) as writer:
        writer.add(np.zeros((28, 28, 1), np.uint8))
    config = Config.from_values({"dataset": str(tmp_path / "set")})
    with pytest.raises(
        ConfigError, match=r"1 image of 28x28, grey; these networks double .*without --own_size, or add --family=dcgan"
    ) as error:
        make_plan(config)
    assert "\n" not in str(error.value)
    check_samples(config, open_samples(tmp_path / "set"), Takes("images", doubling=False))


@pytest.mark.parametrize(
    ("options", "devices", "words"),
    [
        (
            {"g_norm": "layer", "grow": "channels"},
            1,
            "--g_norm=layer: takes all features together; with",
        ),
        ({"d_norm": "layer", "grow": "layers,channels"}, 1, "--d_norm=layer: takes all features together"),
        (
            {"d_norm": "batch", "jit": True},
            2,
            "--d_norm=batch: is of the minibatch of all 2 devices",
        ),
        (
            {"d_norm": "virtual_batch", "reference_batch": 6},
            1,
            "--reference_batch=6: .* groups of --mbstd_group_size",
        ),
    ],
)
def test_norms_that_do_not_go_with_the_rest(options, devices, words):
    with pytest.raises(ConfigError, match=words):
        check_norms(Config.from_values(options), devices)


@pytest.mark.parametrize(
    ("options", "devices"),
    [
        ({"g_norm": "batch", "jit": True}, 1),
        ({"g_norm": "layer", "grow": "layers,latent"}, 1),
        ({"g_norm": "virtual_batch", "reference_batch": 6}, 2),
        ({"d_norm": "virtual_batch", "reference_batch": 6, "mbstd_group_size": 0}, 2),
    ],
)
def test_norms_that_do(options, devices):
    check_norms(Config.from_values(options), devices)


def test_presets_go_by_the_images_that_are_learned_from(tmp_path):
    with DatasetWriter(tmp_path / "set", 8, 1) as writer:
        for _ in range(10):
            writer.add(np.zeros((8, 8, 1), np.uint8))
    for held_out, images in (({}, 10), ({"holdout": 0.25}, 8), ({"holdout": 0.5}, 5)):
        assert begin.known_facts({"dataset": str(tmp_path / "set"), **held_out}).images == images


def test_labels_that_are_no_classes_are_not_learned_unless_somebody_says_so(tmp_path):
    """The softmax of a negative label has no bound below."""
    rows = {"classes": np.eye(3)[[0, 1]], "several": np.eye(3)[[0, 1]] + np.eye(3)[2], "numbers": -np.eye(3)[[0, 1]]}
    for name, labels in rows.items():
        with DatasetWriter(tmp_path / name, 8, 1) as writer:
            writer.add(np.zeros((8, 8, 1), np.uint8))
            writer.add(np.zeros((8, 8, 1), np.uint8))
            writer.add_labels(labels)
    found = {name: begin.known_facts({"dataset": str(tmp_path / name)}).label_size for name in rows}
    assert found == {"classes": 3, "several": 0, "numbers": 0}
    assert begin.known_facts({"dataset": str(tmp_path / "several"), "max_label_size": -1}).label_size == 3
    config = Config.from_values({"dataset": str(tmp_path / "numbers"), "max_label_size": -1, "minibatch_base": 4})
    with pytest.raises(ConfigError, match=r"labels of .*numbers have negative numbers, and are to be classes"):
        make_plan(config)
