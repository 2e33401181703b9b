"""A trained generator by Python: the pictures of a seed are the same, whoever asks and however."""

import numpy as np
import pytest
from PIL import Image

import pgan_tf
from pgan_tf.programs import start


@pytest.fixture(scope="module")
def generator(trained):
    return trained[0].generator


def test_a_seed_means_the_same_pictures(generator):
    images = generator.sample(5, seed=3)
    assert (images.dtype, images.shape) == (np.uint8, (5, 8, 8, 3))
    assert (generator.shape, generator.classes, generator.latent_size) == ((8, 8, 3), 3, 8)
    np.testing.assert_array_equal(images[:2], generator.sample(2, seed=3))
    assert (images != generator.sample(5, seed=4)).any()
    np.testing.assert_array_equal(
        generator.draw(generator.latents(3, seed=3), [1, 2]), generator.sample(3, seed=3, label=(1, 2))
    )


def test_the_command_makes_the_same(generator, trained, tmp_path, capsys):
    out = tmp_path / "made"
    assert start.run("generate", ["images", str(trained[0].folder), str(out), "--num=3", "--seed=3", "--labels=2"]) == 0
    made = [np.asarray(Image.open(out / f"{i:06d}.png")) for i in range(3)]
    np.testing.assert_array_equal(generator.sample(3, seed=3, label=2), made)


def test_a_way_is_closed_and_begins_at_the_first_seed(generator):
    frames = generator.interpolate([1, 2], 8, label=0)
    np.testing.assert_array_equal(frames[0], generator.sample(1, seed=1, label=0)[0])
    np.testing.assert_array_equal(frames[4], generator.sample(1, seed=2, label=0)[0])
    assert frames.shape == (8, 8, 8, 3)


@pytest.mark.parametrize("kind", [np.int32, np.int64, np.uint8])
def test_numbers_may_be_numpys(generator, kind):
    images = generator.sample(2, seed=7, label=1)
    np.testing.assert_array_equal(generator.sample(kind(2), seed=kind(7), label=kind(1)), images)
    np.testing.assert_array_equal(generator.sample(2, seed=7, label=np.array(1), truncation=np.float32(1)), images)
    np.testing.assert_array_equal(generator.sample(2, seed=7, label=np.array([1, 1])), images)
    seeds = (kind(seed) for seed in (1, 2))
    np.testing.assert_array_equal(generator.interpolate(seeds, kind(4), 0), generator.interpolate([1, 2], 4, 0))
    assert pgan_tf.image_grid(images, columns=kind(1)).size == (64, 128)


def test_truncation_ends_at_one_picture(generator):
    images = generator.sample(3, label=1, truncation=0)
    assert (images == images[:1]).all()


def test_a_grid_is_a_picture(generator):
    picture = pgan_tf.image_grid(generator.sample(6), columns=3)
    assert picture.size == (3 * 64, 2 * 64)
    assert pgan_tf.image_grid(np.zeros((20, 8, 8, 1), np.uint8)).size == (12 * 64, 2 * 64)


REFUSED = {
    "class": (lambda g: g.sample(1, label=3), "the network has no class 3"),
    "number": (lambda g: g.sample(0), "samples=0: must be a whole number, 1 or more"),
    "room": (lambda g: g.sample(10**12), "out of memory"),
    "whole seed": (lambda g: g.sample(1, seed="x"), "seed=x: must be a whole number"),
    "seed": (lambda g: g.sample(1, seed=-1), "seed=-1: must be a whole number, 0 or more"),
    "truncation": (lambda g: g.sample(1, truncation=2), "truncation=2: must be a number, from 0 to 1"),
    "latents": (lambda g: g.draw(np.zeros((2, 5))), "latents [2, 5]: this network takes [n, 8]"),
    "true": (lambda g: g.sample(True), "samples=True: must be a whole number"),
    "text": (lambda g: g.sample(1, truncation="0.5"), "truncation=0.5: must be a number"),
    "half a class": (lambda g: g.sample(1, label=3.0), "label=3.0: must be a whole number"),
    "no class": (lambda g: g.sample(1, label=[]), "label=[]: names no class"),
    "not finite": (lambda g: g.draw(np.full((2, 8), np.nan)), "latents: row 0 holds numbers that are not finite"),
    "every seed": (lambda g: g.interpolate([1, -2], 4), "seed=-2: must be a whole number, 0 or more"),
    "not square": (lambda g: pgan_tf.image_grid(np.zeros((3, 8, 12, 1), np.uint8)), "uint8 [3, 8, 12, 1]"),
    "frames": (lambda g: g.interpolate([1, 2], 0), "frames=0: must be a whole number, 1 or more"),
    "seeds": (lambda g: g.interpolate([1], 3), "give two seeds or more"),
    "file": (lambda g: pgan_tf.Generator.open("gone.keras"), "gone.keras: no such file or folder"),
    "columns": (lambda g: pgan_tf.image_grid(g.sample(3), columns=2.5), "columns=2.5: must be a whole number"),
    "images": (lambda g: pgan_tf.image_grid(np.zeros((2, 4, 4, 3))), "images: float64 [2, 4, 4, 3]"),
}


@pytest.mark.parametrize(("act", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_one_line(act, said, generator, one_line):
    one_line(lambda: act(generator), said)
