#!/usr/bin/env python3
"""Images per second of pro_gan_pytorch's training step, for a comparison on the same machine.

    python -m venv peer && peer/bin/pip install torch numpy pillow tqdm && peer/bin/pip install --no-deps pro-gan-pth
    peer/bin/python benchmarks/peer_pro_gan_pytorch.py

32x32 (their depth 5) with the widths of `--fmap_base=2048 --fmap_max=128`, minibatch 16, no fade, EMA included. The
packages that its training loop wants besides (torchvision, tensorboard) are stubbed: only its step is timed.
"""

from __future__ import annotations

import sys
import time
from unittest import mock

for name in ("torchvision", "torchvision.utils", "torchvision.transforms", "torch.utils.tensorboard"):
    sys.modules[name] = mock.MagicMock()

import torch
from pro_gan_pytorch import networks

networks.nf.__defaults__ = (2048, 1.0, 1, 128)  # fmap_base, fmap_decay, fmap_min, fmap_max

from pro_gan_pytorch.gan import ProGAN
from pro_gan_pytorch.losses import WganGP

# Its transposed convolution calls a private method of torch that has gained an argument since.
padding = torch.nn.modules.conv._ConvTransposeNd._output_padding
torch.nn.modules.conv._ConvTransposeNd._output_padding = lambda *arguments: padding(*arguments, 2)

MINIBATCH, STEPS, DEPTH = 16, 10, 5


def main() -> None:
    device = torch.device("cpu")
    gan = ProGAN(
        networks.Generator(DEPTH, latent_size=128), networks.Discriminator(DEPTH, latent_size=128), device=device
    )
    gan.gen.train(), gan.dis.train()
    g_optimizer, d_optimizer = (
        torch.optim.Adam(network.parameters(), lr=0.001, betas=(0.0, 0.99), eps=1e-8) for network in (gan.gen, gan.dis)
    )
    images = torch.rand(MINIBATCH, 3, 32, 32) * 2 - 1
    times = []
    for _ in range(STEPS):
        began = time.monotonic()
        latents = torch.randn(MINIBATCH, 128)
        gan.optimize_discriminator(WganGP(), d_optimizer, latents, images, DEPTH, 1.0)
        gan.optimize_generator(WganGP(), g_optimizer, latents, images, DEPTH, 1.0)
        times.append(time.monotonic() - began)
    parameters = [sum(p.numel() for p in network.parameters()) for network in (gan.gen, gan.dis)]
    median = sorted(times[2:])[len(times[2:]) // 2]
    print(f"pro_gan_pytorch: {MINIBATCH / median:.1f} images/s, {parameters[0]:,} and {parameters[1]:,} parameters")


if __name__ == "__main__":
    main()
