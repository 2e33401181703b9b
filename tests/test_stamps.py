"""The times in the names of a run's files: one for each moment, in order, and the original's wherever they suffice."""

import pytest

from pgan_tf.stamps import in_time, kimg, stamp


def names(ends: list[int]) -> list[str]:
    return [stamp(images, before) for images, before in zip(ends, [-1, *ends], strict=False)]


@pytest.mark.parametrize("tick", [1, 48, 256, 999, 1000, 1001, 1500, 10_048, 160_000])
def test_no_two_moments_of_a_run_share_a_name(tmp_path, tick):
    """From the start to an end that comes early in a tick; whole thousands stay as they were."""
    ends = [*range(0, 40 * tick + 1, tick), 40 * tick + max(tick // 3, 1)]
    found = names(ends)
    assert len(set(found)) == len(ends)
    if tick >= 1000:
        assert found[:-1] == [f"{images // 1000:06d}" for images in ends[:-1]]
    for kind in ("network-{}.keras", "fakes{}.png"):
        for name in found:
            (tmp_path / kind.format(name)).touch()
        assert in_time(tmp_path, kind.format("*")) == [tmp_path / kind.format(name) for name in found]
        for name, images in zip(found, ends, strict=True):
            assert kimg(tmp_path / kind.format(name)) == (images / 1000 if "." in name else images // 1000)


@pytest.mark.parametrize(
    "name", ["network-best.keras", "fakes.png", "reals.png", "network-1.2.keras", "network-000001.keras.png",
             "fakes000001.0001.png", "fakes٣.png", ".tmp7-network-000001.keras"],
)  # fmt: skip
def test_other_names_say_no_time(tmp_path, name):
    (tmp_path / name).touch()
    assert kimg(tmp_path / name) is None
    assert in_time(tmp_path, "*") == []
