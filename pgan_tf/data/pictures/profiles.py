"""ICC profiles made of the few numbers that PNG and AVIF files tell their colours by."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

Curve = float | None  # of the light: the exponent from code values to it; None: that of sRGB

_D50 = np.array([0.9642, 1.0, 0.8249])  # XYZ, ICC's own white
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_D65 = (0.3127, 0.3290)
BT709 = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)  # x, y of white, red, green, blue; sRGB's
DISPLAY_P3 = (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
BT2020 = (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046)

# ITU-T H.273, coding-independent code points; what is not here is taken for sRGB's, as browsers do.
PRIMARIES = {9: BT2020, 12: DISPLAY_P3}
CURVES = {4: 2.2, 5: 2.8, 8: 1.0}
HDR_CURVES = frozenset([16, 18])  # PQ and HLG: brighter than any white


def from_code_points(primaries: int, curve: int) -> bytes | None:
    """The profile of H.273's numbers; None where that is sRGB."""
    if primaries not in PRIMARIES and curve not in CURVES:
        return None
    return rgb_profile(PRIMARIES.get(primaries, BT709), CURVES.get(curve))


def rgb_profile(xy: Sequence[float], curve: Curve) -> bytes | None:
    """An ICC profile of a screen. xy: as BT709 above. None where these are no colours of light.

    ICC.1:2010, the three-component matrix-based kind, its colours adapted to D50 as its annex E says.
    """
    columns = _matrix(xy)
    if columns is None:
        return None
    shape = struct.pack(">4s4xHxx", b"para", 0) + _fixed([curve]) if curve else _SRGB_CURVE
    xyz = {b"wtpt": _D50} | dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns.T, strict=True))
    tags = {name: b"XYZ \0\0\0\0" + _fixed(value) for name, value in xyz.items()}
    return _file(tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), shape))


def _matrix(xy: Sequence[float]) -> np.ndarray | None:
    """[3,3]: columns are XYZ of red, green and blue under D50."""
    x, y = np.array(xy, float).reshape(4, 2).T  # [4] each
    if not ((x > 0) & (y > 0.001) & (x + y <= 1)).all():
        return None
    xyz = np.stack([x / y, np.ones(4), (1 - x - y) / y])  # [3,4]
    white, colours = xyz[:, 0], xyz[:, 1:]
    if abs(np.linalg.det(colours)) < 1e-6:
        return None
    adapt = np.linalg.solve(_BRADFORD, np.diag(_BRADFORD @ _D50 / (_BRADFORD @ white)) @ _BRADFORD)
    matrix = adapt @ colours * np.linalg.solve(colours, white)
    return matrix if np.abs(matrix).max() < 30000 else None


def _fixed(values: Sequence[float]) -> bytes:
    """s15Fixed16Number."""
    return struct.pack(f">{len(values)}i", *(round(float(value) * 65536) for value in values))


_SRGB_CURVE = struct.pack(">4s4xHxx", b"para", 3) + _fixed([2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045])


def _file(tags: dict[bytes, bytes]) -> bytes:
    table, content, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += struct.pack(">4sII", name, at + len(content), len(data))
        content += data
    size = at + len(content)
    head = struct.pack(">I4xI4s4s4s12x4s", size, 0x04200000, b"mntr", b"RGB ", b"XYZ ", b"acsp")  # to byte 40
    head = head.ljust(68, b"\0") + _fixed(_D50)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + content
