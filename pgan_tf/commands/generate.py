"""The commands of generate.py that sample: stills and videos."""

from __future__ import annotations

import argparse
from pathlib import Path

from pgan_tf.commands import sampling
from pgan_tf.commands.flags import command, grid_size, whole

MOST_FRAMES = 100_000  # of a video
_VIDEOS = (".mp4", ".gif", ".webp")  # the keys of inference.pictures.video.FORMATS, which loads more

# The walks of the thesis on growing latent spaces (Sandstroem 2019, section 7.2): by --protocol, in place of flags.
PROTOCOL = {
    "walk": {"steps": 5, "walks": 4},  # in every set of dimensions
    "axis": {"dims": "1,2,5,90,195,250", "reach": 0.125, "steps": 4},  # those dimensions that the latents have
}


def add_commands(commands) -> None:
    """Adds them to argparse's sub-commands."""
    for name, (run, text, out, add_flags) in COMMANDS.items():
        sub = command(commands, name, run, text)
        sampling.add_network(sub, out)
        sampling.add_latents(sub)
        add_flags(sub)


def _add_images(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--num", type=whole(1, 1_000_000), metavar="N", help="how many (default: 64, or the rows of --latents)"
    )
    parser.add_argument("--format", choices=("png", "webp", "records"), default="png", help="records: a data set")


def _add_grid(parser: argparse.ArgumentParser) -> None:
    help = "columns x rows (default: 12x8 up to 64x64, fewer above)"
    parser.add_argument("--grid_size", type=grid_size, metavar="CxR", help=help)


def _add_interpolate(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--seeds", type=sampling.seeds, metavar="S,S,..", help="go through these seeds' latents instead of at random")
    add("--grid_size", type=grid_size, metavar="CxR", help="columns x rows (default: 4x3 up to 128x128, fewer above)")
    add("--smoothing", type=sampling.positive_number, default=1.0, metavar="SECONDS", help="of the walk (default: 1)")
    sampling.add_video(parser)


def _add_training_video(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    text = "fakes: from the run's fakes*.png; of points also scores and latents"
    add("--source", choices=("networks", "fakes", "scores", "latents"), default="networks", help=text)
    add("--grid_size", type=grid_size, metavar="CxR", help="columns x rows (default: 12x8 up to 64x64, fewer above)")
    sampling.add_video(parser)


def _add_walk(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--dims", metavar="A-B,..", help="sets of latent dimensions, from 1 (default: 1-8,9-16,17-32,.. to the last)")
    add("--steps", type=whole(2, 1000), metavar="N", help="points of a walk (default: 5)")
    add("--walks", type=whole(1, 1000), metavar="N", help="walks in each set (default: 1; 4 if there is one set)")
    add("--protocol", action="store_true", help="the thesis': four walks of five points in every set")
    sampling.add_video(parser)


def _add_axis(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--dims", metavar="A-B,..", help="latent dimensions, a row each, from 1 (default: 1-8)")
    reach = "how far to go on both sides, for latents of unit length (default: 0.125)"
    add("--reach", type=sampling.positive_number, metavar="X", help=reach)
    add("--steps", type=whole(1, 1000), metavar="N", help="columns (default: 7)")
    text = "the thesis': dimensions 1, 2, 5, 90, 195, 250, each at four values within 0.125"
    add("--protocol", action="store_true", help=text)


def _add_style(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--dims", metavar="A-B,..", help="latent dimensions to copy, from 1 (default: the first half)")
    text = "a row for each set of --dims (default: 1-8,9-16,17-32,..), coarse to fine, all of one image on the left"
    add("--sets", action="store_true", help=text)
    add(
        "--grid_size",
        type=grid_size,
        default="6x4",
        metavar="CxR",
        help="sources above x sources on the left (default: 6x4)",
    )


def _images(args: argparse.Namespace) -> int:
    from pgan_tf.inference import output
    from pgan_tf.progress import track

    out = sampling.out_path(args, "images", "")
    output.check_folder(out, args.overwrite)
    if args.save_latents:
        output.check_file(Path(args.save_latents), [".npy"], args.overwrite)
        output.check_apart(Path(args.save_latents), out)
    drawing = sampling.open_drawing(args)
    count = args.num or drawing.given or 64
    latents, labels = drawing.latents(count), drawing.labels(count)
    shape = (drawing.network.resolution, drawing.network.resolution, drawing.network.num_channels)
    pictures = track(drawing.sampler.stream(latents, labels), count, "images")
    with output.new_output_folder(out, args.overwrite) as folder:
        output.IMAGE_FORMATS[args.format](folder, pictures, labels, shape)
    print(f"wrote {count} images to {out}")
    sampling.save_latents(args, latents)
    return 0


def _grid(args: argparse.Namespace) -> int:
    from pgan_tf import grids

    def make(drawing):
        from pgan_tf.inference.pictures.sheets import grid_picture

        return grid_picture(drawing, *_grid_size(args, drawing.network.resolution, grids.default_grid_size))

    return _still(args, "grid", make)


def _axis(args: argparse.Namespace) -> int:
    from pgan_tf import grids

    def make(drawing):
        from pgan_tf.inference.inputs import parse_dims
        from pgan_tf.inference.pictures.sheets import axis_picture

        size, steps = drawing.network.latent_size, args.steps or 7
        given = args.dims or f"1-{min(size, 8)}"
        if args.protocol:
            given = ",".join(dim for dim in given.split(",") if int(dim) <= size)
        dims = [dim for part in parse_dims(given, size) for dim in part]
        grids.check_size(steps, len(dims), drawing.network.resolution, "--steps={} for {} dimensions")
        return axis_picture(drawing, dims, args.reach or 0.125, steps)

    _apply_protocol(args, "axis")
    return _still(args, "axis", make)


def _apply_protocol(args: argparse.Namespace, command: str) -> None:
    """Fills in what --protocol stands for. GenerateError beside a flag that it takes the place of."""
    from pgan_tf.inference.errors import GenerateError

    if not args.protocol:
        return
    for name, value in PROTOCOL[command].items():
        if getattr(args, name) is not None:
            raise GenerateError(f"--{name}: --protocol says it; leave one of them out")
        setattr(args, name, value)


def _style(args: argparse.Namespace) -> int:
    from pgan_tf import grids

    def make(drawing):
        from pgan_tf.inference.inputs import parse_dims
        from pgan_tf.inference.pictures.sheets import sets_picture, style_picture
        from pgan_tf.latents import doubling_dims

        size = drawing.network.latent_size
        if args.sets:
            sets = parse_dims(args.dims, size) if args.dims else doubling_dims(size)
            columns, _ = args.grid_size
            grids.check_size(columns, len(sets) + 2, drawing.network.resolution, "{} columns, {} rows")
            return sets_picture(drawing, sets, columns)
        dims = parse_dims(args.dims or f"1-{max(1, size // 2)}", size)
        return style_picture(drawing, dims, *_grid_size(args, drawing.network.resolution))

    return _still(args, "style", make)


def _walk(args: argparse.Namespace) -> int:
    from pgan_tf import grids
    from pgan_tf.inference.errors import GenerateError

    def make(drawing):
        from pgan_tf.inference.pictures.sheets import walk_picture

        sets, each = _walks(args, drawing)
        grids.check_size(steps, len(sets) * each, drawing.network.resolution, "--steps={} for {} walks")
        return walk_picture(drawing, sets, each, steps)

    def film(drawing, count):
        from pgan_tf.inference import spaces
        from pgan_tf.inference.pictures import moving, sheets, walks

        sets, each = _walks(args, drawing)
        points, labels = sheets.walk_points(drawing, sets, each, steps)  # [rows,steps,L]
        latents = drawing.onto(walks.closed(points.swapaxes(0, 1), count, spaces.lerp))  # [T,rows,L]
        return latents, moving.frames(drawing, latents, labels, moving.in_rows(sheets.walk_names(sets, each)))

    _apply_protocol(args, "walk")
    steps = args.steps or 5
    still = sampling.out_path(args, "walk", ".png").suffix not in _VIDEOS
    if not still:
        return _video(args, "walk", film)
    for name in ("duration", "fps"):
        if getattr(args, name):
            raise GenerateError(f"--{name}: is of a video; name OUT .mp4, .gif or .webp, or leave it out")
    return _still(args, "walk", make, (".png", *_VIDEOS))


def _walks(args: argparse.Namespace, drawing) -> tuple[list[range], int]:
    """The sets of dimensions, and how many walks in each."""
    from pgan_tf.inference.inputs import parse_dims
    from pgan_tf.latents import doubling_dims

    size = drawing.network.latent_size
    sets = parse_dims(args.dims, size) if args.dims else doubling_dims(size)
    return sets, args.walks or (4 if len(sets) == 1 else 1)


def _interpolate(args: argparse.Namespace) -> int:
    from pgan_tf.inference.errors import GenerateError

    if args.seeds and args.latents:
        raise GenerateError("--seeds and --latents: give one of them; each says where the way leads through")

    def film(drawing, count):
        from pgan_tf.inference.pictures import moving

        columns, rows = _grid_size(args, drawing.network.resolution, moving.default_video_grid)
        cells = columns * rows
        if args.seeds:
            latents = moving.seed_walk(drawing, args.seeds, count, cells)
        elif drawing.given:
            latents = moving.file_walk(drawing, count, cells)
        else:
            latents = moving.smooth_walk(drawing, count, cells, args.smoothing * (args.fps or sampling.FPS))
        return latents, moving.frames(drawing, latents, drawing.labels(cells), moving.in_grid(columns))

    return _video(args, "interpolate", film)


def _grid_size(args: argparse.Namespace, resolution: int, default=None) -> tuple[int, int]:
    """Columns and rows: those asked for, or `default(resolution)`."""
    from pgan_tf import grids

    size = args.grid_size or default(resolution)
    grids.check_size(*size, resolution)
    return size


def _training_video(args: argparse.Namespace) -> int:
    return _FROM[args.source](args)


def _from_networks(args: argparse.Namespace) -> int:
    def film(_, count):
        from pgan_tf.inference.pictures import moving

        def draw(path: Path):
            return sampling.open_drawing(args, path, kind="")

        return moving.network_frames(Path(args.network), draw, lambda last: _sheet(args, last), count)

    return _video(args, "training_video", film, lambda _: None)


def _sheet(args: argparse.Namespace, last):
    """What a training video shows, by what its last network makes."""
    from pgan_tf import grids
    from pgan_tf.inference.errors import GenerateError
    from pgan_tf.inference.load import made_by
    from pgan_tf.inference.pictures import moving

    if made_by(last.network) == "images":
        return moving.image_sheet(last, *_grid_size(args, last.network.resolution, grids.default_grid_size))
    if args.grid_size:
        raise GenerateError("--grid_size: is for images; the points of a run are drawn over its data")
    return moving.point_sheet(last)


def _from_pictures(args: argparse.Namespace) -> int:
    from pgan_tf.inference.errors import GenerateError

    for name in ("labels", "latents", "save_latents", "grid_size", "truncation"):
        if getattr(args, name) not in (None, "", 1.0):
            raise GenerateError(
                f"--{name}: the run's {args.source}*.png are what they are; give it with --source=networks"
            )

    def film(_, count):
        from pgan_tf.inference.pictures import moving

        return None, moving.fakes_frames(Path(args.network), count, args.source)

    return _video(args, "training_video", film, lambda _: None)


def _still(args: argparse.Namespace, name: str, make, suffixes=sampling.STILLS) -> int:
    """One picture: `make(drawing)` returns the latents shown, [N,L], and it."""
    from pgan_tf.inference import output

    out = sampling.out_path(args, name, ".png")
    sampling.check_outputs(args, out, suffixes)
    latents, picture = make(sampling.open_drawing(args))
    output.save_picture(out, picture)
    print(f"wrote {out}")
    sampling.save_latents(args, latents)
    return 0


def _video(args: argparse.Namespace, name: str, film, opened=sampling.open_drawing) -> int:
    """A video: `film(opened(args), frames)` returns the latents shown, [..,L], and an iterator of the frames."""
    from pgan_tf.inference.errors import GenerateError
    from pgan_tf.inference.pictures import video
    from pgan_tf.progress import track

    out = sampling.out_path(args, name, ".mp4")
    sampling.check_outputs(args, out, video.FORMATS)
    video.ffmpeg()  # found to be missing before any work
    duration, fps = args.duration or sampling.DURATION, args.fps or sampling.FPS
    count = max(1, round(duration * fps))
    if count > MOST_FRAMES:
        raise GenerateError(f"--duration={duration:g} --fps={fps:g}: {count} frames; at most {MOST_FRAMES}")
    latents, frames = film(opened(args), count)
    video.write_video(out, track(frames, count, "video", "frames"), fps)
    print(f"wrote {out}")
    if latents is not None:
        sampling.save_latents(args, latents.reshape(-1, latents.shape[-1]))
    return 0


_FROM = {"networks": _from_networks, **dict.fromkeys(("fakes", "scores", "latents"), _from_pictures)}

_PICTURE, _VIDEO = "picture to write, .png or .webp", "video to write: .mp4, .gif or .webp"

COMMANDS = {  # name: (what runs it, what it does, what OUT is, its own flags)
    "images": (_images, "write images as files or as a data set", "folder to make", _add_images),
    "grid": (_grid, "write one picture of many images", _PICTURE, _add_grid),
    "interpolate": (
        _interpolate, "write a video of a closed way through the latents: a smoothed random walk, or through seeds",
        _VIDEO, _add_interpolate,
    ),
    "training_video": (
        _training_video, "write a video of what a run's snapshots make of the same latents",
        _VIDEO, _add_training_video,
    ),
    "walk": (
        _walk, "walk at random within sets of latent dimensions: rows are walks, columns their points; or a video",
        ".png for a picture; .mp4, .gif or .webp for a video", _add_walk,
    ),
    "axis": (
        _axis, "walk along latent coordinates: rows are dimensions, columns values of one", _PICTURE, _add_axis,
    ),
    "style": (
        _style, "copy latent dimensions: a matrix of the images on its left edge lending them to those above",
        _PICTURE, _add_style,
    ),
}  # fmt: skip
