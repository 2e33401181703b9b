"""Labels, dimensions and latents that users write."""

import os

import numpy as np
import pytest

from pgan_tf.inference.errors import GenerateError
from pgan_tf.inference.inputs import (
    draw_latents,
    label_rows,
    parse_dims,
    read_latents,
    save_latents,
)
from pgan_tf.latents import dims_name, doubling_dims


@pytest.mark.parametrize(
    ("text", "expected"), [("2", [2, 2, 2, 2, 2]), ("0,2", [0, 2, 0, 2, 0]), ("all", [0, 1, 2, 0, 1])]
)
def test_labels_come_in_turn(text, expected):
    assert np.array_equal(label_rows(text, 3, 5, seed=1), np.eye(3, dtype=np.float32)[expected])


@pytest.mark.parametrize("text", ["", "random"])
def test_random_labels_depend_on_seed_and_row_only(text):
    many = label_rows(text, 10, 300, seed=1)
    assert np.array_equal(label_rows(text, 10, 40, seed=1), many[:40])
    assert not np.array_equal(label_rows(text, 10, 300, seed=2), many)
    assert (many.sum(axis=1) == 1).all()
    assert (many.sum(axis=0) > 10).all()


def test_a_network_without_labels_takes_none():
    assert label_rows("", 0, 4, seed=1).shape == (4, 0)
    for text in ("3", "all", "random"):
        with pytest.raises(GenerateError, match=r"without labels"):
            label_rows(text, 0, 4, seed=1)


@pytest.mark.parametrize(
    ("text", "message"), [("3", "no class 3"), ("0,17", "no class 17"), ("-1", "from 0 to 2"), ("cat", "from 0 to 2")]
)
def test_labels_that_are_none_are_refused(text, message):
    with pytest.raises(GenerateError, match=message):
        label_rows(text, 3, 4, seed=1)


def test_dimensions_are_counted_from_one():
    assert parse_dims("1-8, 9-16,20", 20) == [range(8), range(8, 16), range(19, 20)]
    assert [dims_name(dims) for dims in parse_dims("1-8,20", 20)] == ["1-8", "20"]


@pytest.mark.parametrize("text", ["0-3", "1-21", "21", "a", "", "1--3", "-3", "1,,2", "1.5"])
def test_dimensions_that_are_none_are_refused(text):
    with pytest.raises(GenerateError, match=r"^--dims=.* 1 to 20"):
        parse_dims(text, 20)


def test_a_range_of_dimensions_that_runs_backwards_is_said_to():
    with pytest.raises(GenerateError, match=r"^--dims=8-1: 8-1 runs backwards; write 1-8$"):
        parse_dims("8-1", 20)


def test_the_sets_of_a_growing_latent_space():
    names = [dims_name(dims) for dims in doubling_dims(256)]
    assert names == ["1-8", "9-16", "17-32", "33-64", "65-128", "129-256"]
    assert [dims_name(dims) for dims in doubling_dims(20)] == ["1-8", "9-16", "17-20"]
    assert [dims_name(dims) for dims in doubling_dims(3)] == ["1-3"]


def test_a_seed_may_be_as_long_as_a_clock_in_nanoseconds():
    first, second = (draw_latents(2, 4, seed=seed) for seed in (1_795_337_250_123_456_789, 2**70 + 1))
    assert np.isfinite(first).all()
    assert not np.array_equal(first, second)


def test_latents_come_back_from_their_file(tmp_path):
    latents = draw_latents(5, 20, seed=1)
    save_latents(tmp_path / "z.npy", latents)
    assert np.array_equal(read_latents(tmp_path / "z.npy", 20), latents)
    assert [path.name for path in tmp_path.iterdir()] == ["z.npy"]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 19)), "19 numbers; this network's latents 20"),
        (np.zeros(20), r"\[20\]; it must hold numbers \[N,20\]"),
        (np.zeros((0, 20)), r"\[0, 20\]"),
        (np.zeros((2, 20), complex), "complex"),
        (np.full((2, 20), "a"), "must hold numbers"),
        (np.array([[0.0] * 20, [np.nan] * 20]), "row 1 .* not finite"),
        (np.array([[0.0] * 20, [0.0] * 20, [np.inf] * 20]), "row 2 .* not finite"),
        (np.array([[1e300] * 20]), "row 0 .* not finite"),
    ],
)
def test_latents_that_do_not_fit_are_refused(tmp_path, array, message):
    np.save(tmp_path / "z.npy", array)
    with pytest.raises(GenerateError, match=message):
        read_latents(tmp_path / "z.npy", 20)


def test_a_file_that_holds_no_latents_is_refused(tmp_path):
    (tmp_path / "text.npy").write_text("no array")
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    np.savez(tmp_path / "several.npz", a=np.zeros((2, 20)))
    (tmp_path / "empty.npy").touch()
    os.mkfifo(tmp_path / "pipe.npy")  # opening it would wait for ever
    for name in ("pipe.npy", "text.npy", "objects.npy", "several.npz", "empty.npy", "absent.npy", "."):
        with pytest.raises(GenerateError, match=f"--latents={tmp_path}.*"):
            read_latents(tmp_path / name, 20)
