"""Networks with every norm: what is said of a sample depends on others only where the norm says so, and a saved network
is the network.
"""

import keras
import numpy as np
import pytest

from pgan_tf.layers.norms import NORMS
from pgan_tf.networks import Discriminator, Generator

OPTIONS = dict(resolution=8, fading=True, alpha=0.3, fmap_base=64, fmap_max=8, dtype="float64", reference_batch=8)


def network(kind, norm: str, **options):
    """With random values in all variables; variances are positive."""
    made = kind(**OPTIONS, **{"g_norm" if kind is Generator else "d_norm": norm}, **options)
    random = np.random.RandomState(0)
    for name, variable in made.variables_by_name().items():
        values = random.standard_normal(variable.shape)
        variable.assign(np.abs(values) + 0.5 if "variance" in name else values)
    return made


def samples(made, count: int, seed: int = 1) -> np.ndarray:
    shape = made.sample_shape if isinstance(made, Discriminator) else (made.latent_size,)
    return np.random.RandomState(seed).standard_normal([count, *shape])


def said(made, x, training=False) -> np.ndarray:
    out = made(x, training=training)
    return np.array(out.scores if isinstance(made, Discriminator) else out)


@pytest.mark.parametrize("kind", [Generator, Discriminator])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("training", [False, True])
def test_whether_a_sample_depends_on_the_others(kind, norm, training):
    made = network(kind, norm, **({"mbstd_group_size": 0} if kind is Discriminator else {}))
    x = samples(made, 4)
    others = np.concatenate([x[:1], samples(made, 3, seed=2)])
    alone = np.allclose(said(made, x, training)[0], said(made, others, training)[0], rtol=1e-9, atol=1e-9)
    assert alone == (NORMS[norm].together == 1 or not training)


@pytest.mark.parametrize("kind", [Generator, Discriminator])
@pytest.mark.parametrize("norm", NORMS)
def test_saved_networks_come_back(kind, norm, tmp_path):
    made = network(kind, norm)
    made.save(tmp_path / "n.keras")
    again = keras.saving.load_model(tmp_path / "n.keras")
    for name, variable in made.variables_by_name().items():
        np.testing.assert_array_equal(again.variables_by_name()[name], variable, err_msg=name)
    np.testing.assert_array_equal(said(again, samples(made, 4)), said(made, samples(made, 4)))


@pytest.mark.parametrize("norm", NORMS)
def test_the_first_layer_and_the_later_ones_are_the_network(norm):
    """As truncation takes it apart."""
    made = network(Generator, norm)
    z = samples(made, 4)
    np.testing.assert_allclose(made.synthesize(made.project(z)), made(z), rtol=1e-9, atol=1e-9)


def test_the_reference_batch_is_what_a_virtual_batch_norm_goes_by():
    for kind in (Generator, Discriminator):
        made = network(kind, "virtual_batch")
        before = said(made, samples(made, 4))
        made.reference.samples.assign(samples(made, 8, seed=3))
        assert np.abs(said(made, samples(made, 4)) - before).max() > 1e-3


def test_groups_of_the_statistics_do_not_mix_with_the_reference_batch():
    made = network(Discriminator, "virtual_batch", mbstd_group_size=2)
    x = samples(made, 4)  # samples 0 and 2 are a group
    changed = x.copy()
    changed[[1, 3]] += 1
    np.testing.assert_allclose(said(made, x)[[0, 2]], said(made, changed)[[0, 2]], rtol=1e-9)
