"""tensorflow-gan's formulae and ours agree; without it, or where it is slow, ours are used."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from pgan_tf.metrics import frechet, inception_score, kid, tfgan
from pgan_tf.metrics.errors import MetricError
from pgan_tf.metrics.frechet import Statistics

SMALL = {"subsets": 5, "subset_size": 100}


@pytest.fixture(scope="module")
def data(golden):
    return golden("metrics_formulae.npz")


@pytest.fixture
def forgotten():
    """tensorflow-gan has to be looked for again, before and after the test."""
    tfgan._formulae.cache_clear()
    yield
    tfgan._formulae.cache_clear()


@pytest.fixture
def absent(forgotten, monkeypatch):
    """A machine without tensorflow-gan."""
    monkeypatch.setattr(tfgan, "PathFinder", SimpleNamespace(find_spec=lambda name: None))


@pytest.fixture
def ours_fail(monkeypatch):
    """Our formulae may not be called: what still works goes through tensorflow-gan."""

    def fail(*_, **__):
        raise AssertionError("ours was called")

    monkeypatch.setattr(frechet, "frechet_distance", fail)
    monkeypatch.setattr(inception_score, "inception_score", fail)
    monkeypatch.setattr(kid, "kernel_inception_distance", fail)


def everything(module_f, module_i, module_k, data):
    a, b = Statistics.of(data["A"]), Statistics.of(data["B"])
    return {
        "fid": module_f.frechet_distance(a, b),
        "is": module_i.inception_score(data["L"]),
        "is unshuffled": module_i.inception_score(data["L"], splits=3, shuffle=False),
        "is of another seed": module_i.inception_score(data["L"], seed=1),
        "kid": module_k.kernel_inception_distance(data["A"], data["B"], **SMALL),
        "kid of another seed": module_k.kernel_inception_distance(data["A"], data["B"], **SMALL, seed=1),
    }


def test_it_is_installed():
    assert tfgan.available()


@pytest.mark.fidelity
def test_both_agree(data, request):
    ours = everything(frechet, inception_score, kid, data)
    request.getfixturevalue("ours_fail")
    theirs = everything(tfgan, tfgan, tfgan, data)
    for name, value in ours.items():
        np.testing.assert_allclose(theirs[name], value, rtol=1e-10, err_msg=name)


@pytest.mark.fidelity
def test_equals_pytorch_fid(data):
    result = tfgan.frechet_distance(Statistics.of(data["A"]), Statistics.of(data["B"]))
    assert result == pytest.approx(float(data["d64_fid_pytorchfid"]), rel=1e-10)


def test_without_it_ours_are_used(data, absent):
    assert not tfgan.available()
    assert everything(tfgan, tfgan, tfgan, data) == everything(frechet, inception_score, kid, data)


def test_a_broken_installation_is_as_good_as_none(data, forgotten, monkeypatch):
    def broken(name):
        raise AttributeError("module 'tensorflow' has no attribute 'estimator'")

    monkeypatch.setattr(tfgan.importlib, "import_module", broken)
    before = set(sys.modules)
    assert not tfgan.available()
    assert not {name for name in set(sys.modules) - before if name.startswith("tensorflow_gan")}


def test_its_import_leaves_no_trace(forgotten):
    assert tfgan.available()
    assert not [name for name in sys.modules if name == "tensorflow_gan" or name.startswith("tensorflow_gan.")]


def test_the_whole_package_is_used_where_it_is_imported_already(forgotten, monkeypatch):
    marker = ModuleType("marker")
    monkeypatch.setitem(sys.modules, tfgan.FORMULAE, marker)
    assert tfgan._formulae() is marker


def test_an_empty_package_of_others_is_put_back(forgotten, monkeypatch):
    marker = ModuleType("tensorflow_gan")
    monkeypatch.setitem(sys.modules, "tensorflow_gan", marker)
    assert tfgan.available()
    assert sys.modules["tensorflow_gan"] is marker


def test_many_features_take_our_faster_route(monkeypatch):
    calls = []
    monkeypatch.setattr(frechet, "frechet_distance", lambda a, b: calls.append(len(a.mu)) or 0.0)
    for features in (tfgan.MAX_FEATURES, tfgan.MAX_FEATURES + 1):
        statistics = Statistics(np.zeros(features), np.eye(features), 9)
        assert tfgan.frechet_distance(statistics, statistics) == pytest.approx(0, abs=1e-9)
    assert calls == [tfgan.MAX_FEATURES + 1]


def test_other_kernels_are_ours(data):
    options = {**SMALL, "kernel": "gaussian"}
    expected = kid.kernel_inception_distance(data["A"], data["B"], **options)
    assert tfgan.kernel_inception_distance(data["A"], data["B"], **options) == expected


def test_refuses_the_same(data):
    with pytest.raises(MetricError, match="64 features against 3"):
        tfgan.frechet_distance(Statistics.of(data["A"]), Statistics.of(data["A"][:, :3]))
    with pytest.raises(MetricError, match="9 images do not fill 10 splits"):
        tfgan.inception_score(data["L"][:9])
    with pytest.raises(MetricError, match="do not fill subsets of 1000"):
        tfgan.kernel_inception_distance(data["A"][:999], data["B"])
