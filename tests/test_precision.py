"""What --precision=auto becomes: by the hardware where it tells, measured where it does not."""

import pytest

from pgan_tf import precision
from pgan_tf.config import Config, ConfigError
from pgan_tf.devices import Gpu, Hardware

AVX2, BF16 = frozenset({"avx2", "avx512f"}), frozenset({"avx2", "avx512_bf16"})


def machine(flags=AVX2, capabilities=(), settings=()) -> Hardware:
    return Hardware("CPU", 2, flags, tuple(Gpu("GPU", c) for c in capabilities), (), settings)


def never(half):
    raise AssertionError("what the hardware tells is not measured")


KNOWN = {
    "float32": [
        machine(), machine(frozenset({"asimd", "fphp"})), machine(BF16, [(6, 1)]), machine(AVX2, [(3, 5)]),
        machine(BF16, [(9, 0), (6, 1)]),
    ],
    "bfloat16": [
        machine(BF16), machine(frozenset({"amx_bf16"})), machine(AVX2, [(8, 0)]), machine(AVX2, [(8, 9), (12, 0)]),
        machine(None, [(9, 0)], ("ONEDNN_MAX_CPU_ISA=AVX2",)),
    ],
    "float16": [machine(BF16, [(7, 0)]), machine(AVX2, [(7, 2)]), machine(AVX2, [(7, 5), (8, 6)])],
}  # fmt: skip
STUBBORN = [
    machine(None), machine(frozenset({"asimd", "bf16"})), machine(BF16, (), ("ONEDNN_MAX_CPU_ISA=AVX2",)),
    machine(BF16, (), ("TF_ENABLE_ONEDNN_OPTS=0",)), machine(AVX2, [None]), machine(BF16, [(9, 0), None]),
]  # fmt: skip


@pytest.mark.parametrize(("expected", "hardware"), [(name, m) for name, machines in KNOWN.items() for m in machines])
def test_known_hardware_decides(expected, hardware):
    assert precision.best(hardware, never).precision == expected


@pytest.mark.parametrize("hardware", STUBBORN)
@pytest.mark.parametrize(("gain", "expected"), [(1.5, "bfloat16"), (1.0, "float32"), (0.02, "float32"), (0, "float32")])
def test_a_stubborn_case_is_measured(hardware, gain, expected):
    assert precision.best(hardware, lambda half: gain).precision == expected


@pytest.mark.parametrize("asked", ["float32", "float64"])
def test_what_is_never_slow_by_emulation_is_not_measured(asked):
    config = Config.from_values({"precision": asked})
    assert precision.resolve(config, machine(), never) == (config, asked)


def test_auto_is_resolved_and_says_why():
    config, words = precision.resolve(Config.from_values({"precision": "auto", "seed": 7}), machine(BF16), never)
    assert config == Config.from_values({"precision": "bfloat16", "seed": 7})
    assert words == "bfloat16 (auto: the CPU has avx512_bf16)"


@pytest.mark.parametrize(
    ("asked", "hardware"),
    [("bfloat16", machine()), ("float16", machine(BF16)), ("bfloat16", machine(AVX2, [(7, 5)]))],
)
def test_a_slow_precision_by_name_is_obeyed_with_its_factor(asked, hardware):
    config = Config.from_values({"precision": asked})
    resolved, words = precision.resolve(config, hardware, lambda half: 0.02 if half == asked else 1 / 0)
    assert resolved == config
    assert "50 times slower than float32" in words
    assert "--precision=auto" in words
    assert precision.resolve(config, hardware, lambda half: 1.3) == (config, asked)


def test_a_precision_that_fails_is_refused():
    with pytest.raises(ConfigError, match="--precision=bfloat16: this machine cannot compute it; use --precision=auto"):
        precision.resolve(Config.from_values({"precision": "bfloat16"}), machine(), lambda half: 0.0)


def test_a_single_device_counts_alone():
    mixed, config = machine(AVX2, [(8, 0), (6, 0)]), Config.from_values({"precision": "auto"})
    assert precision.resolve(config, mixed, never)[0].optim.precision == "float32"
    single = config.replace(strategy="single")
    assert precision.resolve(single, mixed, never)[0].optim.precision == "bfloat16"


@pytest.mark.parametrize("options", [{"unroll_steps": 2}, {"minibatch_statistics": "moments_as_coded"}])
def test_what_has_no_float16_is_trained_in_float32(options):
    config = Config.from_values({"precision": "auto", **options})
    assert precision.resolve(config, machine(AVX2, [(7, 5)]), never)[0].optim.precision == "float32"


def test_a_gain_is_measured_on_this_machine(monkeypatch):
    monkeypatch.setattr(precision, "PROBE_SECONDS", 0.0001)
    assert precision.measured_gain("float32") > 0
