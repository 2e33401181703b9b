#!/usr/bin/env python3
"""What pro_gan_pytorch has learnt after so many minutes of the processor: pictures, for evaluate.py to measure.

    OMP_NUM_THREADS=1 peer/bin/python benchmarks/peer_quality.py images.npy fakes.npy --minutes=12
    python evaluate.py --reals=datasets/mnist --fakes=fakes.npy --metrics=swd

peer: as in peer_pro_gan_pytorch.py. Its networks, loss, steps, learning rate (0.003), four steps with a minibatch, and
averaged generator, as its own training loop has them by default; the widths are those of `--fmap_base=512
--fmap_max=64 --latent_size=64`, the minibatch 16. It grows by the clock: at 32x32 the sizes before the last get 1/16,
1/8 and 1/4 of the minutes and the last one the rest, the first half of each is its fade-in. The clock runs in training,
and counts what the processor does for it in all threads: what else runs on the machine does not count.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from peer_pro_gan_pytorch import ProGAN, WganGP, networks, torch
from pro_gan_pytorch.custom_layers import update_average

networks.nf.__defaults__ = (512, 1.0, 1, 64)  # fmap_base, fmap_decay, fmap_min, fmap_max
LATENTS, MINIBATCH, REPEATS, RATE, FAKES = 64, 16, 4, 0.003, 4096


def sizes(depth: int) -> list[tuple[int, float, float]]:
    """(depth, its begin, its end) of the sizes, in shares of the time."""
    shares = [2.0 ** (size - depth - 1) for size in range(2, depth)]
    ends = [*np.cumsum(shares), 1.0]
    return list(zip(range(2, depth + 1), [0.0, *ends], ends, strict=False))


def train(gan: ProGAN, images: np.ndarray, seconds: float, rng: np.random.Generator) -> int:
    """Steps with minibatches of uint8 images [N,H,W,C] until the time is up. -> how many images the networks saw."""
    optimizers = [
        torch.optim.Adam(network.parameters(), lr=RATE, betas=(0.0, 0.99), eps=1e-8) for network in (gan.dis, gan.gen)
    ]
    gan.gen.train(), gan.dis.train()
    began, seen = time.process_time(), 0
    for depth, start, end in sizes(gan.depth):
        while (passed := (time.process_time() - began) / seconds) < end:
            alpha = min(1.0, 2 * (passed - start) / (end - start)) if depth > 2 else 1.0
            chosen = images[rng.integers(len(images), size=MINIBATCH)].transpose(0, 3, 1, 2)  # [16,H,W,C] -> [16,C,H,W]
            reals = torch.from_numpy(chosen.astype(np.float32, order="C") / 127.5 - 1)  # its penalty needs that order
            latents = torch.randn(MINIBATCH, LATENTS)
            for _ in range(REPEATS):
                gan.optimize_discriminator(WganGP(), optimizers[0], latents, reals, depth, alpha)
                update_average(gan.gen_shadow, gan.gen, beta=gan.ema_beta)
                gan.optimize_generator(WganGP(), optimizers[1], latents, reals, depth, alpha)
            seen += MINIBATCH * REPEATS
    return seen


def draw(generator, depth: int) -> np.ndarray:
    """FAKES pictures uint8 [N,H,W,C]."""
    with torch.no_grad():
        parts = [generator(torch.randn(64, LATENTS), depth, 1.0).numpy() for _ in range(FAKES // 64)]
    pictures = np.concatenate(parts).transpose(0, 2, 3, 1)  # [N,C,H,W] -> [N,H,W,C]
    return np.clip(np.rint(pictures * 127.5 + 127.5), 0, 255).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("images", help=".npy of uint8 [N,H,W,C], H = W a power of two")
    parser.add_argument("fakes", help=".npy that is written")
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--seed", type=int, default=1000)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    images = np.load(args.images)
    depth, channels = images.shape[1].bit_length() - 1, images.shape[3]
    gan = ProGAN(
        networks.Generator(depth, channels, latent_size=LATENTS),
        networks.Discriminator(depth, channels, latent_size=LATENTS), device=torch.device("cpu"),
    )  # fmt: skip
    seen = train(gan, images, 60 * args.minutes, np.random.default_rng(args.seed))
    np.save(args.fakes, draw(gan.gen_shadow.eval(), depth))
    print(f"pro_gan_pytorch: {seen:,} images in {args.minutes:g} minutes of the processor")


if __name__ == "__main__":
    main()
