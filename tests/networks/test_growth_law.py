"""The law of growth, for every family and every ladder: a new stage at alpha = beta = tau = 0 computes what the stage
before computed, and the stage after a fade what the fade computed at its end. So with the average: its networks are
generators like the others.
"""

import itertools

import numpy as np
import pytest
import reference

from pgan_tf import growth
from pgan_tf.config import Config
from pgan_tf.layers.widening import Part, carried, is_new
from pgan_tf.stages import Fade, Size, Stage

NOT_YET = Fade(0.0, 0.0, 0.0)
LATENTS, CHANNELS = 16, 3
SIZES = {  # three rungs of every ladder
    "layers": [Size(4, 4, 0), Size(8, 8, 0), Size(16, 16, 0)],
    "latent": [Size(4, 16, 4), Size(8, 16, 8), Size(16, 16, 16)],
    "channels": [Size(4, 16, 0, 4, True), Size(8, 16, 0, 2, True), Size(16, 16, 0, 1, True)],
    "latent,channels": [Size(4, 16, 4, 4, True), Size(8, 16, 8, 2, True), Size(16, 16, 16, 1, True)],
    "layers,latent": [Size(4, 4, 4), Size(8, 8, 8), Size(16, 16, 16)],
    "layers,channels": [Size(4, 4, 0, 4), Size(8, 8, 0, 2), Size(16, 16, 0, 1)],
    "layers,latent,channels": [Size(4, 4, 4, 4), Size(8, 8, 8, 2), Size(16, 16, 16, 1)],
}
VARIANTS = {
    "paper": dict(),
    "labels": dict(label_size=3),
    "unfused": dict(fused_scale=False),
    "plain": dict(use_wscale=False, use_pixelnorm=False, normalize_latents=False, use_leakyrelu=False, g_output="tanh"),
    "residual": dict(g_block="residual", d_block="residual", residual_blocks=2, minibatch_statistics="moments"),
    "published moments": dict(minibatch_statistics="moments_as_coded", fmap_decay=0.5),
    "spectral": dict(d_weights="spectral", mbstd_group_size=0, latent_size=24),
    "thesis": dict(
        g_weights="plain",
        d_weights="plain",
        initializer="he_2015",
        g_norm="none",
        g_output="tanh",
        normalize_latents=False,
        mbstd_group_size=8,
    ),
    "batch norm": dict(g_norm="batch", d_norm="batch", g_weights="plain", d_weights="plain"),
}


def factory(variant: str, seed: int = 0) -> growth.NetworkFactory:
    """Makes both networks; another seed means other fresh values."""
    options = {"latent_size": LATENTS, "precision": "float64", "seed": seed, **VARIANTS[variant]}
    options |= {} if "family" in options else {"fmap_base": 64, "fmap_max": 16}  # 16 maps at 4x4, 8, 4
    labels = options.pop("label_size", 0)
    return growth.NetworkFactory(Config.from_values(options), CHANNELS, labels)


def randomize(network, seed: int) -> None:
    """Also the biases, which begin as zeros, and what is not trained."""
    random = np.random.RandomState(seed)
    for name, variable in network.variables_by_name().items():
        values = random.standard_normal(variable.shape)
        variable.assign(np.abs(values) if "variance" in name else values)


def stages(ladder: str) -> list[Stage]:
    """Two of each rung but the first: what is new fades in, then all is whole."""
    sizes = SIZES[ladder]
    later = [
        Stage(size, before)
        for before, now in itertools.pairwise(sizes)
        for size, before in ((now, before), (now, None))
    ]
    return [Stage(sizes[0]), *later]


def steps(ladder: str) -> list[tuple[Stage, Stage]]:
    return list(itertools.pairwise(stages(ladder)))


CASES = [("paper", ladder, *step) for ladder in SIZES for step in steps(ladder)] + [
    (variant, ladder, *step)
    for variant in VARIANTS if variant != "paper"
    for ladder in ("layers", "latent,channels", "layers,latent,channels") for step in steps(ladder)[:2]
]  # fmt: skip


POINTS = dict(family="mlp", g_layers=2, d_layers=2, g_blocks=1, d_blocks=1, hidden_units=16, label_size=3)
VARIANTS |= {
    "dense": dict(POINTS),
    "dense, normalised": dict(POINTS, g_norm="batch", d_norm="batch", initializer="normal", init_stddev=0.1),
}
CASES += [
    (variant, "latent,channels", *step)
    for variant in VARIANTS
    if "dense" in variant
    for step in steps("latent,channels")[:2]
]


def grown(kind: str, variant: str, old_stage: Stage, new_stage: Stage):
    """The network of a stage with random values, and that of the next, which has taken over what it can."""
    old, new = getattr(factory(variant), kind)(old_stage), getattr(factory(variant, seed=1), kind)(new_stage)
    randomize(old, 2)
    growth.carry(old, new)
    return old, new


def inputs(variant: str, resolution: int):
    random, made = np.random.RandomState(1), factory(variant).common
    latents = random.standard_normal([8, VARIANTS[variant].get("latent_size", LATENTS)])
    labels = np.eye(max(made["label_size"], 1))[random.randint(0, max(made["label_size"], 1), 8)]
    shape = [CHANNELS] if "dense" in variant else [resolution, resolution, CHANNELS]
    return (latents, labels[:, : made["label_size"]]), random.standard_normal([8, *shape])


def moment(new_stage: Stage) -> Fade:
    """When the new stage is to be like the old one: before its fade has begun, or where the old one's has ended."""
    return NOT_YET if new_stage.fading else Fade()


@pytest.mark.parametrize(("variant", "ladder", "old_stage", "new_stage"), CASES, ids=str)
def test_generator_goes_on_where_it_was(variant, ladder, old_stage, new_stage):
    old, new = grown("generator", variant, old_stage, new_stage)
    x, _ = inputs(variant, 4)
    expected = old(x, **Fade()._asdict()).numpy()
    if expected.ndim == 4:
        expected = reference.enlarge(expected, new_stage.resolution // old_stage.resolution)
    after = new(x, **moment(new_stage)._asdict())
    np.testing.assert_allclose(after, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())
    if new_stage.fading:  # and what is new does say something, with all of it there
        randomize(new, 3)
        later = [new(x, **Fade(*parts)._asdict()).numpy() for parts in ((0, 0, 0), (1, 1, 0.5))]
        assert np.abs(later[0] - later[1]).max() > 1e-3


@pytest.mark.parametrize(("variant", "ladder", "old_stage", "new_stage"), CASES, ids=str)
def test_discriminator_goes_on_where_it_was(variant, ladder, old_stage, new_stage):
    old, new = grown("discriminator", variant, old_stage, new_stage)
    _, images = inputs(variant, new_stage.resolution)
    small = images if images.ndim == 2 else reference.shrink(images, new_stage.resolution // old_stage.resolution)
    before, after = old(small, **Fade()._asdict()), new(images, **moment(new_stage)._asdict())
    for ours, expected in zip(after[:2], before[:2], strict=True):  # what is said; of the features, those before
        np.testing.assert_allclose(ours, expected, rtol=1e-6, atol=1e-6)
    features = before.features.shape[1]
    np.testing.assert_allclose(after.features[:, :features], before.features, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(after.features[:, features:], 0, atol=1e-12)


@pytest.mark.parametrize("kind", ["generator", "discriminator"])
@pytest.mark.parametrize("ladder", SIZES)
def test_a_fade_is_one_way(ladder, kind):
    """Between its ends the outputs change with every part of the fade that the ladder has."""
    old_stage, new_stage = steps(ladder)[2]
    _, new = grown(kind, "paper", old_stage, new_stage)
    randomize(new, 3)
    x, images = inputs("paper", new_stage.resolution)
    value = {"generator": lambda fade: new(x, **fade), "discriminator": lambda fade: new(images, **fade).scores}[kind]
    half = np.array(value({"alpha": 0.5, "beta": 0.5, "tau": 0.25}))
    moves = {name: np.abs(value({"alpha": 0.5, "beta": 0.5, "tau": 0.25, name: 0.3}) - half).max() > 1e-9
             for name in ("alpha", "beta", "tau")}  # fmt: skip
    wider = "channels" in ladder or ("latent" in ladder and kind == "generator")
    assert moves == {"alpha": "layers" in ladder, "beta": wider, "tau": "channels" in ladder and kind != "generator"}


@pytest.mark.parametrize("variant", ["thesis", "dense"])
@pytest.mark.parametrize("fades", [True, False])
def test_new_latents_whose_weights_begin_as_zeros_need_no_fade(variant, fades, monkeypatch):
    """A column of zeros: at every moment of the next stage, with a fade or without, the same until it is trained."""
    old_size, new_size = SIZES["latent"][:2]
    monkeypatch.setitem(
        VARIANTS, "zeros", {**VARIANTS[variant], "widening": "zeros", "normalize_latents": False, "g_weights": "plain"}
    )
    old, new = grown("generator", "zeros", Stage(old_size), Stage(new_size, old_size if fades else None))
    x, _ = inputs(variant, 4)
    expected = old(x)
    for fade in (Fade(), NOT_YET, Fade(0.3, 0.3, 0.1)):
        np.testing.assert_allclose(new(x, **fade._asdict()), expected, rtol=1e-9, atol=1e-9)
    others = new.parameters_by_name()["4x4_Dense/weight" if variant == "thesis" else "Hidden0/weight"]
    others.assign(others + 1.0)
    assert np.abs(new(x) - expected).max() > 1e-3


def test_new_parts_lie_behind_old_ones():
    """[a b | c] of two parts becomes [a b . | c .]: each part grows at its end."""
    old = np.arange(1, 4) * np.array([[10], [20]])
    old_axes, new_axes = ((Part(2, 2),), (Part(2, 2), Part(1, 1))), ((Part(3, 2),), (Part(3, 2), Part(2, 1)))
    new = carried(old, old_axes, np.zeros([3, 5], int), new_axes)
    np.testing.assert_array_equal(new, [[10, 20, 0, 30, 0], [20, 40, 0, 60, 0], [0] * 5])
    np.testing.assert_array_equal(is_new(new_axes), new == 0)


def test_a_stage_before_its_fade_has_no_gradient_for_what_is_new_but_its_outputs():
    """At beta = 0 new weights do nothing: their gradient alone tells which are new."""
    import tensorflow as tf

    old_stage, new_stage = steps("latent,channels")[0]
    _, new = grown("generator", "paper", old_stage, new_stage)
    x, _ = inputs("paper", 4)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(tf.square(new(x, **NOT_YET._asdict())))
    names = list(new.parameters_by_name())
    gradients = dict(zip(names, tape.gradient(value, [v.value for v in new.trainable_variables]), strict=True))
    axes = new.axes_by_name()
    for name, gradient in gradients.items():
        fresh = is_new(axes[name])
        assert not np.any(gradient.numpy()[fresh]), name
        assert np.any(gradient.numpy()[~fresh]), name
