"""--resampling=auto becomes what is faster, and changes no function."""

import dataclasses

import numpy as np
import pytest

from pgan_tf import resampling
from pgan_tf.config import Config, Optim
from pgan_tf.devices import Gpu, Hardware
from pgan_tf.growth import NetworkFactory
from pgan_tf.layers.fused import FORMS
from pgan_tf.stages import layer_stage

CPU = Hardware("a CPU", 2, frozenset({"avx2"}), (), (), ())
GPU = CPU._replace(gpus=(Gpu("a GPU", (8, 0)),))
AUTO = Config.from_values({"resampling": "auto"})


@pytest.mark.parametrize(
    ("shuffled", "products", "chosen"),
    [(0.5, 0.9, "strided"), (1.01, 1.04, "strided"), (2.0, 1.5, "shuffled"), (0.8, 1.3, "products")],
)
def test_auto_is_the_fastest_and_strided_where_they_are_alike(shuffled, products, chosen):
    gains = {"shuffled": shuffled, "products": products}
    config, words = resampling.resolve(AUTO, CPU, lambda precision: gains)
    assert config.optim.resampling == chosen
    measured = f"shuffled {shuffled:.2f}, products {products:.2f} times as fast as strided"
    assert words == f"{chosen} resampling (auto: {measured})"


def test_nothing_is_measured_where_nothing_is_to_choose():
    def never(precision):
        raise AssertionError

    assert resampling.resolve(Config(), CPU, never) == (Config(), "")
    named = Config.from_values({"resampling": "shuffled"})
    assert resampling.resolve(named, CPU, never) == (named, "")
    assert resampling.resolve(AUTO, GPU, never)[0].optim.resampling == "strided"


def test_the_forms_can_be_measured():
    gains = resampling.measured_gains("float32")
    assert list(gains) == [form for form in FORMS if form != "strided"]
    assert all(0 < gain < float("inf") for gain in gains.values())


@pytest.mark.parametrize("kind", ["generator", "discriminator"])
def test_networks_compute_the_same_in_all_forms(kind):
    results = []
    for form in FORMS:
        options = {"fmap_base": 64, "fmap_max": 8, "precision": "float64", "resampling": form}
        network = getattr(NetworkFactory(Config.from_values(options), 3, 0), kind)(layer_stage(16, True))
        x = np.random.RandomState(0).standard_normal([4, 8] if kind == "generator" else [4, 16, 16, 3])
        result = network(x, alpha=0.3)
        results.append((result if kind == "generator" else result.scores).numpy())
    strided, shuffled, products = results
    assert np.abs(strided - shuffled).max() <= 1e-12
    assert not np.array_equal(strided, shuffled)  # they are computed otherwise
    assert np.array_equal(strided, products)  # only gradients are


def test_the_table_is_what_the_option_offers():
    field = next(field for field in dataclasses.fields(Optim) if field.name == "resampling")
    assert list(field.metadata["choices"]) == ["auto", *FORMS]
    assert field.default == "strided"  # as runs had it before there was a choice
