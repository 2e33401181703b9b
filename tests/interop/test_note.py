"""The note of an export: its lines draw the latents that the network was trained with."""

import numpy as np
import pytest

from pgan_tf.interop import note
from pgan_tf.latents import LATENTS
from pgan_tf.networks import Generator


@pytest.mark.parametrize("kind", LATENTS)
def test_the_latents_of_the_note_are_the_networks(kind):
    network = Generator(resolution=4, fmap_base=16, fmap_max=4, latent_size=300, latents=kind)
    found = {"np": np}
    exec(note.code("{inputs}", "g.onnx", network), found)
    latents = found["latents"]
    assert (latents.shape, latents.dtype) == ((8, 300), np.float32)
    deviation = {"gaussian": 1.0, "uniform": 3**-0.5, "sphere": 300**-0.5}[kind]
    assert latents.std() == pytest.approx(deviation, rel=0.1)
    assert (np.abs(latents).max() > 1) == (kind == "gaussian")
    page = note.page(note.ONNX, "g.onnx", network, "run", "0")
    assert f"Latents are drawn from {note.DISTRIBUTIONS[kind][0]}." in page
