"""Several devices train to the numbers of one."""

import pytest
import reference

CASES = [
    ("float64", 1e-9, ()),
    ("float32", 1e-5, ()),
    ("float64", 1e-9, ("regularizer=repelling", "repelling_features=critic")),
    ("float64", 1e-9, ("regularizer=repelling", "repelling_features=generator", "loss=lsgan")),
    (
        "float64",
        1e-9,
        ("loss=relativistic", "optimizer=rmsprop", "d_weights=spectral", "minibatch_statistics=discrimination"),
    ),
    (
        "float64",
        1e-9,
        ("loss=relativistic", "penalty=r1_r2", "penalty_interval=2", "wgan_epsilon=0", "d_weights=spectral"),
    ),
    ("float64", 1e-9, ("max_minibatch_per_device=4", "remat=true", "regularizer=repelling", "g_weights=spectral")),
    (
        "float64",
        1e-9,
        ("loss=non_saturating", "latents=uniform", "l2_weight=0.3", "history_weight=0.2", "feature_matching_weight=2"),
    ),
    ("float64", 1e-9, ("augment=diffaugment",)),
    (  # p is 1 from the fifth of six steps of D on
        "float64",
        1e-9,
        ("loss=non_saturating", "penalty=r1", "augment=ada", "ada_kimg=0.05", "ada_target=-1", "D_repeats=2"),
    ),
]


@pytest.mark.parametrize(("precision", "tolerance", "options"), CASES)
def test_two_replicas_train_to_the_numbers_of_one(precision, tolerance, options, fresh_process, record_property):
    printed = fresh_process(reference.TESTS / "training" / "two_devices.py", precision, *options)
    found = dict(line.split() for line in printed.splitlines() if len(line.split()) == 2)
    record_property("difference", float(found["difference"]))
    assert float(found["difference"]) < tolerance, printed
    assert float(found["metrics"]) < max(tolerance, 1e-4 if precision == "float32" else 0), printed
    assert found["moved"] == found["agree"] == found["skipped"] == found["together"] == "True", printed
