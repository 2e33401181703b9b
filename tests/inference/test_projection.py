"""Projection: the latent of an image is found, never worse than the best start, the same for the same seed."""

import numpy as np
import pytest
import tensorflow as tf
from pgan_tf.metrics.extractors import efficientnet_lite0

from pgan_tf.grids import to_uint8
from pgan_tf.inference.search import perceptual, projection
from pgan_tf.inference.search.projection import Search, pixel_loss, project
from pgan_tf.networks import Generator

SIZES = {"resolution": 8, "fmap_base": 64, "fmap_max": 8}
SEARCH = Search(steps=150, candidates=64, starts=4)


def generator(**options) -> Generator:
    return Generator(**{**SIZES, "seed": 3, **options})


def drawn(network: Generator, seed: int = 11, label: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """An image float32 [R,R,C] of the network, and its latent [L] on the sphere."""
    latent = np.random.default_rng(seed).standard_normal([1, network.latent_size]).astype(np.float32)
    latent = projection.kept(network, tf.constant(latent))
    labels = np.eye(max(network.label_size, 1), network.label_size, dtype=np.float32)[[label or 0]]  # [1,K]
    return network((latent, labels)).numpy()[0], latent.numpy()[0]


def test_an_image_of_the_network_is_found_again():
    """The distance of the best start falls at least a hundredfold, and the latent is the one that made the image."""
    network = generator()
    target, latent = drawn(network)
    result = project(network, pixel_loss(target), SEARCH)
    assert result.found.loss < result.way[0].loss / 100
    assert np.corrcoef(result.found.latent[0], latent)[0, 1] > 0.99
    np.testing.assert_allclose(result.found.image.astype(int), to_uint8(target), atol=3)
    assert (result.steps, result.interrupted) == (150, False)


def test_what_is_said_of_the_result_holds():
    """Loss, image, latent and label belong together."""
    network = generator(label_size=3)
    target, _ = drawn(network, label=1)
    loss = pixel_loss(target)
    found = project(network, loss, SEARCH._replace(steps=30)).found
    images = network((found.latent, found.label))
    assert found.loss == pytest.approx(float(loss(images)[0]), rel=1e-4)
    np.testing.assert_array_equal(found.image, to_uint8(images.numpy())[0])
    assert (found.latent.shape, found.label.shape) == ((1, 8), (1, 3))


@pytest.mark.parametrize("rate", [0.1, 1000.0])
def test_the_result_is_never_worse_than_the_best_start_nor_than_the_way(rate):
    network = generator()
    target = np.random.default_rng(0).uniform(-1, 1, [8, 8, 3]).astype(np.float32)  # nothing that it could make
    seen = []
    search = SEARCH._replace(steps=20, learning_rate=rate)
    result = project(network, pixel_loss(target), search, watch=lambda *call: seen.append(call))
    losses = [found.loss for found in result.way.values()]
    assert losses == sorted(losses, reverse=True)
    assert result.found.loss <= losses[-1]
    assert [call[:3] for call in seen[:2]] == [("candidates", 32, 64), ("candidates", 64, 64)]
    assert [call[:3] for call in seen[2:]] == [("steps", step, 20) for step in range(1, 21)]
    assert [call[3] for call in seen] == sorted((call[3] for call in seen), reverse=True)
    assert list(result.way) == [0, 1, 3, 8]


def test_the_starts_are_the_best_candidates():
    """With no steps the result is the best of all random latents, which are tried with each label."""
    network = generator(label_size=3)
    target, _ = drawn(network, label=2)
    few, more = (project(network, pixel_loss(target), Search(0, count, 1)).found.loss for count in (3, 150))
    assert more < few
    labels = np.eye(3, dtype=np.float32)
    single = [project(network, pixel_loss(target), Search(0, 50, 1), labels[[k]]).found.loss for k in range(3)]
    assert more == pytest.approx(min(single), rel=1e-5)


def test_labels_are_found_or_taken_as_given():
    network = generator(label_size=3)
    weights = network.dense.weight
    weights.assign(weights * np.r_[np.ones(8), np.full(3, 4)][:, None].astype(np.float32))  # labels matter
    target, _ = drawn(network, label=2)
    assert project(network, pixel_loss(target), SEARCH).found.label[0].tolist() == [0, 0, 1]
    given = np.eye(3, dtype=np.float32)[[0]]
    result = project(network, pixel_loss(target), SEARCH, given)
    assert result.found.label[0].tolist() == [1, 0, 0]
    assert result.found.loss > 0


def test_the_same_seed_finds_the_same_latent():
    network = generator()
    target, _ = drawn(network)
    first, again, other = (
        project(network, pixel_loss(target), SEARCH._replace(steps=20, seed=seed)).found.latent for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("normalize", [True, False])
def test_latents_stay_on_the_sphere_where_the_network_normalises_them(normalize):
    network = generator(normalize_latents=normalize, label_size=3)
    target = np.ones([8, 8, 3], np.float32)
    result = project(network, pixel_loss(target), SEARCH._replace(steps=40))
    lengths = [float(np.sqrt(np.mean(found.latent**2))) for found in (result.way[0], result.found)]
    if normalize:
        assert lengths == pytest.approx([1, 1], rel=1e-5)
    else:
        assert max(abs(length - 1) for length in lengths) > 1e-3


def test_an_interruption_keeps_the_best_so_far():
    network = generator()
    target, _ = drawn(network)

    def interrupt(what: str, done: int, total: int, loss: float) -> None:
        if (what, done) == ("steps", 30):
            raise KeyboardInterrupt

    result = project(network, pixel_loss(target), SEARCH, watch=interrupt)
    assert (result.steps, result.interrupted) == (30, True)
    assert result.found.loss < result.way[0].loss
    assert list(result.way) == [0, 8, 22]


def test_the_learning_rate_rises_and_falls():
    """Linearly over the first twentieth, by half a cosine over the last quarter."""
    rates = [projection.rate_at(part) for part in (0, 0.025, 0.05, 0.4, 0.75, 0.875, 1)]
    assert rates == pytest.approx([0, 0.5, 1, 1, 1, 0.5, 0], abs=1e-12)


def test_the_terms_of_a_loss_are_weighted():
    images = tf.constant(np.random.default_rng(0).uniform(-1, 1, [3, 8, 8, 3]).astype(np.float32))
    black, white = pixel_loss(np.full([8, 8, 3], -1, np.float32)), pixel_loss(np.ones([8, 8, 3], np.float32))
    middle = np.zeros([8, 8, 3], np.float32)
    expected = 2 * np.square(images + 1).mean(axis=(1, 2, 3)) + 3 * np.square(images - 1).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(projection.combined(middle, [(2, black), (3, white)])(images), expected, rtol=1e-6)
    np.testing.assert_array_equal(projection.combined(middle, [(1, black), (0, None)])(images), black(images))


def test_what_a_picture_cannot_show_does_not_count():
    """Beyond black and white is black and white, if the target is; and it pulls back as before if it is not."""
    target = np.zeros([8, 8, 1], np.float32)
    target[:4], target[4:6] = 1, -1
    loss = projection.combined(target, [(1, pixel_loss(target))])
    images = np.stack([target, 3 * target, -3 * target, target + 2.0])
    assert loss(tf.constant(images)).numpy() == pytest.approx([0, 0, 12, 2], abs=1e-6)


def test_the_picture_shows_target_result_and_way():
    network = generator()
    target, _ = drawn(network)
    result = project(network, pixel_loss(target), SEARCH._replace(steps=20))
    page = projection.picture(to_uint8(target), result)
    assert page.dtype == np.uint8
    assert page.shape[1] > 6 * 96  # target, found, best start, three steps


# ---- features --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def target():
    coarse = np.random.default_rng(1).uniform(-0.8, 0.8, [4, 4, 3])
    return coarse.repeat(4, 0).repeat(4, 1).astype(np.float32)  # [16,16,3]


@pytest.fixture(scope="module")
def feature_loss(target):
    return perceptual.feature_loss(target)


def test_features_are_zero_at_the_target_and_grow_with_the_difference(target, feature_loss):
    noise = np.random.default_rng(2).standard_normal(target.shape).astype(np.float32)
    images = tf.constant(np.stack([target, target + 0.02 * noise, target + 0.2 * noise]))
    distances = feature_loss(images).numpy()
    assert distances[0] < 1e-6
    assert distances[0] < distances[1] < distances[2]


def test_the_distance_is_that_of_the_activations_of_the_pictures(target, feature_loss):
    """By hand, from 0..255: mean over places of the squared difference of unit vectors, mean over the five widths."""
    other = np.random.default_rng(3).uniform(-1, 1, target.shape).astype(np.float32)
    maps = efficientnet_lite0.load_maps(perceptual.input_size(16))
    pairs = zip(*(maps(tf.constant((image[None] + 1) * 127.5)) for image in (target, other)), strict=True)
    distances = []
    for ours, theirs in pairs:
        a, b = (np.asarray(one, np.float64) for one in (ours, theirs))
        a, b = (one / np.sqrt(np.square(one).sum(-1, keepdims=True) + 1e-8) for one in (a, b))
        distances.append(np.square(a - b).sum(-1).mean())
    assert float(feature_loss(tf.constant(other[None]))[0]) == pytest.approx(np.mean(distances), rel=1e-4)


def test_features_lead_to_the_target(target, feature_loss):
    """Descent on the pixels themselves, from grey, where each step may only go down: the loss can be followed."""
    images, length, losses = tf.zeros([1, *target.shape]), 1.0, []

    @tf.function
    def gradient_of(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            loss = tf.reduce_sum(feature_loss(images))
        gradient = tape.gradient(loss, images)
        return loss, gradient / tf.norm(gradient)

    loss, direction = gradient_of(images)
    for _ in range(30):
        losses.append(float(loss))
        ahead = images - length * direction
        loss_ahead, direction_ahead = gradient_of(ahead)
        if loss_ahead < loss:
            images, loss, direction, length = ahead, loss_ahead, direction_ahead, 1.5 * length
        else:
            length /= 3
    assert losses[-1] < losses[0] / 2


def test_each_image_has_its_own_distance(target, feature_loss):
    images = tf.random.stateless_uniform([3, *target.shape], [1, 2], -1, 1)
    alone = [float(feature_loss(images[i : i + 1])[0]) for i in range(3)]
    np.testing.assert_allclose(feature_loss(images), alone, rtol=1e-4)


def test_grey_images_have_features():
    grey = np.random.default_rng(1).uniform(-1, 1, [8, 8, 1]).astype(np.float32)
    colour = grey.repeat(3, axis=-1)
    other = np.random.default_rng(2).uniform(-1, 1, [1, 8, 8, 1]).astype(np.float32)
    ours = perceptual.feature_loss(grey)(tf.constant(other))
    theirs = perceptual.feature_loss(colour)(tf.constant(other.repeat(3, axis=-1)))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize(("resolution", "size"), [(4, 64), (32, 64), (64, 128), (128, 224), (1024, 224)])
def test_the_size_at_which_features_are_taken(resolution, size):
    assert perceptual.input_size(resolution) == size
