"""Whole pictures of CelebA-HQ, every step of them, against the original procedure; see golden/README."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from pgan_tf.data.celebahq import process
from pgan_tf.data.celebahq.decode import decode_jpeg
from pgan_tf.data.celebahq.deltas import picture_md5
from pgan_tf.data.celebahq.geometry import padding
from pgan_tf.data.celebahq.resample import resize, transform_quad

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = json.loads((GOLDEN / "celebahq_cases.json").read_text())["cases"]
ELSEWHERE = {"000002.jpg": "000004.jpg", "000006.jpg": "000002.jpg", "000007.jpg": "000003.jpg"}  # in the fixture


def source(name: str) -> Path:
    path = GOLDEN / "celebahq_jpeg" / name
    return path if path.exists() else GOLDEN / "celebahq_fixture/CelebA/img_celeba" / ELSEWHERE.get(name, name)


def sha256(pixels: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


@pytest.mark.parametrize("name", CASES)
def test_every_step_is_the_original_s(name):
    pytest.importorskip("jpeglib")
    case, steps = CASES[name], {}
    cutout = process.start(decode_jpeg(source(case["file"])), np.reshape(case["landmarks"], (5, 2)))
    for step in ("shrunk", "cropped", "enlarged"):
        cutout = getattr(process, step)(cutout)
        steps[step] = cutout.image
    height, width = cutout.image.shape[:2]
    pad = padding(cutout.quad, cutout.border, cutout.zoom, width, height)
    assert pad == (tuple(case["pad"]) if case["pad"] else None)
    blended = {}
    if pad:
        mirrored = process.mirrored(cutout.image, pad)
        planes = [process.faded(mirrored[..., channel], pad, case["blur"]) for channel in range(3)]
        blended = {"pad_reflect": sha256(mirrored), "pad_final_f32": sha256(np.stack(planes, axis=-1))}
        image = np.rint(np.stack(planes, axis=-1)).clip(0, 255).astype(np.uint8)
        cutout = cutout._replace(image=image, quad=process.moved(cutout.quad, -pad[0], -pad[1]))
    steps["padded"] = cutout.image
    sampled = transform_quad(cutout.image, cutout.quad + np.float32(0.5), 4096, 4096)
    final = resize(sampled, 1024, 1024)
    assert {
        "after_shrink": sha256(steps["shrunk"]),
        "after_crop": sha256(steps["cropped"]),
        "after_superres": sha256(steps["enlarged"]),
        "after_pad": sha256(steps["padded"]),
        "quad4096": sha256(sampled),
        "final": sha256(final.transpose(2, 0, 1)),
        **blended,
    } == case["sha256"]
    assert picture_md5(final) == case["proc_md5"]
