"""Every option of a run, declared once.

A field of one of the dataclasses below is an option: its name is the flag, its default the flag's default, its
metadata the help text and the allowed values. `option_flags` makes absl flags of them and reads these back, `to_json`
and `from_json` keep them in the run folder. The names and defaults are those of the original ProGAN where it has the
option. Imports nothing slow.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from pathlib import Path
from typing import Any

from pgan_tf.former import FORMER, meant, translated
from pgan_tf.option import ConfigError, option, parse_grid_size, shown, taken
from pgan_tf.recipes import DECIDED, RECIPES, fallen, unsaid, with_recipe
from pgan_tf.rules import combinations
from pgan_tf.text import decode

of_progressive, of_dcgan, of_mlp = (
    functools.partial(option, families=(family,)) for family in ("progressive", "dcgan", "mlp")
)
of_all_images = functools.partial(option, families=("progressive", "dcgan"))
with_blocks = functools.partial(option, families=("dcgan", "mlp"))
LATENT_SIZES = {"dcgan": 100, "mlp": 32}  # where --latent_size is 0; of other families as their feature maps
NO_METRICS = "none"  # what --metrics is where a flagfile's are not wanted


@dataclasses.dataclass(frozen=True)
class Data:
    """The images."""

    dataset: str = option("", "folder of multi-resolution TFRecords, made by dataset_tool.py", path=True)
    resolution: int = option(0, "final resolution of the networks; 0 = that of the data set", minimum=0, maximum=2**14)
    max_label_size: int = option(
        0, "label components to use: 0 = train without labels, -1 = all", minimum=-1, maximum=2**20
    )
    mirror_augment: bool = option(False, "mirror half of the real images, at random")
    holdout: float = option(
        0.0, "share of the data that is never trained on, so that D's scores of it show overfitting (0.1)", minimum=0,
        below=1, since="0.2.0",
    )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Model:
    """The networks. An option with a `part` is one of that network, by this name also in its own file."""

    family: str = option(
        "progressive", "which networks: progressive = of images that grow, dcgan = of images of any size, mlp = dense "
        "ones of points in the plane", choices=["progressive", "dcgan", "mlp"], since="0.2.0",
    )  # fmt: skip
    fmap_base: int = of_progressive(
        8192,
        "feature maps: min(fmap_base / 2^(stage * fmap_decay), fmap_max)",
        minimum=1,
        maximum=2**20,
        part="both",
    )
    fmap_decay: float = of_progressive(
        1.0,
        "log2 of the factor by which the feature maps shrink per stage",
        minimum=0,
        maximum=16,
        part="both",
    )
    fmap_max: int = of_all_images(512, "most feature maps in any layer", minimum=1, maximum=2**16, part="both")
    latent_size: int = option(
        0, "components of a latent; 0 = min(fmap_base, fmap_max), for dcgan 100, for mlp 32", minimum=0, maximum=2**20,
        part="generator",
    )  # fmt: skip
    latents: str = option(
        "gaussian", "distribution of the latents: standard normal, uniform in -1..1, or on the sphere of radius 1",
        choices=["gaussian", "uniform", "sphere"], part="generator",
    )  # fmt: skip
    normalize_latents: bool = option(
        True, "put the latents on the hypersphere before the first layer", part="generator"
    )
    g_weights: str = option(
        "equalized", "generator's weights: equalized learning rate (scaled at run time), plain, or spectral norm",
        choices=["equalized", "plain", "spectral"], since="0.2.0", part="generator",
    )  # fmt: skip
    d_weights: str = option(
        "equalized", "discriminator's weights", choices=["equalized", "plain", "spectral"], since="0.2.0",
        part="discriminator",
    )  # fmt: skip
    initializer: str = option(
        "he", "what weights are drawn from, but those with an equalized learning rate: He's normal with the gains of "
        "the layers, with the same in all (he_2015) or that of a published code; normal of --init_stddev; Glorot's "
        "uniform", choices=["he", "he_2015", "he_as_coded", "normal", "glorot"], since="0.2.0", part="both",
    )  # fmt: skip
    init_stddev: float = option(
        0.02, "standard deviation of --initializer=normal", above=0, maximum=1000, since="0.2.0", part="both"
    )
    g_norm: str = option(
        "pixel", "generator's normalisation", choices=["none", "pixel", "batch", "virtual_batch", "layer"],
        since="0.2.0", part="generator",
    )  # fmt: skip
    d_norm: str = option(
        "none", "discriminator's normalisation", choices=["none", "pixel", "batch", "virtual_batch", "layer"],
        since="0.2.0", part="discriminator",
    )  # fmt: skip
    reference_batch: int = option(
        64, "samples in the reference batch of virtual batch norm", minimum=2, maximum=2**16, since="0.2.0", part="both"
    )
    pixelnorm_epsilon: float = option(
        1e-8, "added to the mean square in the pixel norm", above=0, maximum=1, part="both"
    )
    g_activation: str = option(
        "leaky_relu", "generator's activation", choices=["leaky_relu", "relu", "tanh", "linear"], since="0.2.0",
        part="generator",
    )  # fmt: skip
    d_activation: str = option(
        "leaky_relu", "discriminator's activation", choices=["leaky_relu", "relu", "tanh", "linear"], since="0.2.0",
        part="discriminator",
    )  # fmt: skip
    g_output: str = option(
        "linear", "what the generator ends with", choices=["linear", "tanh"], since="0.2.0", part="generator"
    )
    widening: str = option(
        "all", "which weights fade in where --grow makes layers wider: all that are new, or those of a published code; "
        "none that begin as zeros, with new latents", choices=["all", "as_coded", "zeros"], since="0.2.0", part="both",
        families=("progressive", "mlp"),
    )  # fmt: skip
    fused_scale: bool = of_progressive(
        True,
        "resample inside the convolution (as in the original's code); false = beside it",
        part="both",
    )
    mbstd_group_size: int = option(
        4, "samples in a group of the minibatch statistics; 0 = none", minimum=0, maximum=2**20, part="discriminator"
    )
    minibatch_statistics: str = option(
        "stddev", "what D is told of a group; moments adds skewness and kurtosis, _as_coded those of a published code; "
        "discrimination compares its samples",
        choices=["stddev", "moments", "moments_as_coded", "discrimination"], part="discriminator",
    )  # fmt: skip
    g_block: str = of_progressive(
        "plain",
        "generator's blocks: residual adds identity skips",
        choices=["plain", "residual"],
        part="generator",
    )
    d_block: str = of_progressive(
        "plain", "discriminator's blocks", choices=["plain", "residual"], part="discriminator"
    )
    residual_blocks: int = of_progressive(
        1, "residual blocks per resolution, one after another", minimum=1, maximum=32, part="both"
    )
    image_maps: int = of_dcgan(
        64, "feature maps next to the image, twice as many with each halving", minimum=1, maximum=2**16, since="0.2.0",
        part="both",
    )  # fmt: skip
    d_image_maps: int = of_dcgan(
        0, "those of the discriminator; 0 = as many as of the generator", minimum=0, maximum=2**16, since="0.2.0",
        part="discriminator",
    )  # fmt: skip
    stage_kernel: int = of_dcgan(
        4, "side of the kernels that change the resolution: 4, or 3", minimum=3, maximum=4, since="0.2.0", part="both"
    )
    g_last: str = of_dcgan(
        "strided", "what makes the image: strided = the last change of the resolution, plain = a convolution behind it",
        choices=["strided", "plain"], since="0.2.0", part="generator",
    )  # fmt: skip
    hidden_units: int = of_mlp(32, "units of a hidden layer", minimum=1, maximum=2**16, since="0.2.0", part="both")
    g_layers: int = of_mlp(
        2, "hidden layers of the generator, before its residual blocks", minimum=1, maximum=1000, since="0.2.0",
        part="generator",
    )  # fmt: skip
    d_layers: int = of_mlp(
        2, "hidden layers of the discriminator", minimum=1, maximum=1000, since="0.2.0", part="discriminator",
    )  # fmt: skip
    g_blocks: int = with_blocks(
        0, "residual blocks of two layers in the generator; with dcgan in each hidden stage", minimum=0, maximum=1000,
        since="0.2.0", part="generator",
    )  # fmt: skip
    d_blocks: int = with_blocks(
        0, "residual blocks of two layers in the discriminator", minimum=0, maximum=1000, since="0.2.0",
        part="discriminator",
    )  # fmt: skip
    init_from: str = option(
        "", "start from trained networks: an imported network, a run, or a generator's .keras", path=True
    )
    d_noise: float = option(
        0.0, "strength of the noise in D that goes with lsgan (paper: 0.2); 0 = none", minimum=0, maximum=1000
    )

    @property
    def latent_components(self) -> int:
        """`latent_size`, or what its 0 stands for."""
        return self.latent_size or LATENT_SIZES.get(self.family) or min(self.fmap_base, self.fmap_max)


@dataclasses.dataclass(frozen=True)
class ScheduleOptions:
    """The schedule: what grows, how long, how fast, how many at a time. Dictionaries go by resolution."""

    grow: str = option(
        "layers", "what grows while the images' detail doubles: any of these with commas between, or none",
        choices=["layers", "latent", "channels"], combination=True, since="0.2.0",
    )  # fmt: skip
    total_kimg: float = option(15000.0, "length of the run in thousands of real images", above=0, maximum=1e9)
    lod_initial_resolution: int = option(4, "resolution to start at", minimum=4, maximum=2**14)
    lod_training_kimg: float = option(600.0, "thousands of images to stabilise each resolution", minimum=0, maximum=1e9)
    lod_transition_kimg: float = option(600.0, "thousands of images to fade in each resolution", minimum=0, maximum=1e9)
    lod_training_kimg_dict: dict = option(
        {}, "stabilise other lengths: 4:100,8:200 (resolution:kimg)", minimum=0, maximum=1e9
    )
    lod_transition_kimg_dict: dict = option(
        {}, "fade other lengths, keyed by the resolution that fades in", minimum=0, maximum=1e9
    )
    minibatch_base: int = option(16, "images in a global minibatch", minimum=1, maximum=2**20)
    minibatch_dict: dict = option(
        {}, "other minibatches: 4:128,8:64 (resolution:images)", minimum=1, maximum=2**20, whole=True
    )
    max_minibatch_per_device: dict = option(
        {}, "most images at once on one device, 4 or 256:16,512:8,1024:4; a larger minibatch is taken in parts",
        minimum=1, maximum=2**20, whole=True, everywhere=True,
    )  # fmt: skip
    accumulate: bool = option(
        True, "keep the minibatch where it is above --max_minibatch_per_device and add up the gradients of its parts; "
        "false = a smaller minibatch, as in 0.1.0", since="0.2.0",
    )  # fmt: skip
    minibatch_repeats: int = option(4, "rounds between two looks at the schedule", minimum=1, maximum=1000)
    D_repeats: int = option(1, "discriminator steps to a generator step", minimum=1, maximum=1000)
    minibatch_updates: int = option(
        1, "steps of each network with one minibatch and its latents: the discriminator's, then the generator's",
        minimum=1, maximum=1000, since="0.2.0",
    )  # fmt: skip
    g_lrate_base: float = option(0.001, "generator's learning rate", minimum=0, maximum=1000)
    g_lrate_dict: dict = option(
        {}, "other generator learning rates: 1024:0.0015 (resolution:rate)", minimum=0, maximum=1000
    )
    d_lrate_base: float = option(0.001, "discriminator's learning rate", minimum=0, maximum=1000)
    d_lrate_dict: dict = option({}, "other discriminator learning rates", minimum=0, maximum=1000)
    lrate_rampdown: float = option(
        0.0, "share of --total_kimg, at the end, in which both learning rates fall evenly to 0; for short runs",
        minimum=0, maximum=1, since="0.2.0",
    )  # fmt: skip
    tick_kimg_base: float = option(160.0, "thousands of images to a tick (a line of the log)", above=0, maximum=1e9)
    tick_kimg_dict: dict = option(
        {4: 160, 8: 140, 16: 120, 32: 100, 64: 80, 128: 60, 256: 40, 512: 20, 1024: 10},
        "other tick lengths",
        above=0,
        maximum=1e9,
    )


@dataclasses.dataclass(frozen=True)
class Loss:
    """What is minimised."""

    recipe: str = option(
        "paper", "defaults of loss, penalty and augmentation: paper, or small_data for some thousand images and fewer",
        choices=["paper", "small_data"], since="0.2.0",
    )  # fmt: skip
    loss: str = option(
        "wgan", "adversarial loss",
        choices=["wgan", "lsgan", "lsgan_as_coded", "minimax", "non_saturating", "hinge", "relativistic"],
    )  # fmt: skip
    lsgan_a: float = option(
        0.0, "least squares: score that the discriminator is to give to fakes", minimum=-1e6, maximum=1e6
    )
    lsgan_b: float = option(
        1.0, "least squares: score that the discriminator is to give to reals", minimum=-1e6, maximum=1e6
    )
    lsgan_c: float = option(
        1.0, "least squares: score that the generator is to get for fakes", minimum=-1e6, maximum=1e6
    )
    real_target: float = option(
        1.0, "minimax, non_saturating: what D is to say of reals, below 1 = one-sided label smoothing (0.9)",
        above=0.5, maximum=1, since="0.2.0",
    )  # fmt: skip
    penalty: str = option(
        "gradient", "penalty on the discriminator's gradient: between reals and fakes, at reals (r1), at fakes (r2)",
        choices=["gradient", "r1", "r2", "r1_r2", "none"],
    )  # fmt: skip
    penalty_gamma: float = option(
        10.0, "weight of r1, r2 and r1_r2: half of this times the squared norm", above=0, maximum=1e9, since="0.2.0"
    )
    penalty_interval: int = option(
        1, "k: the penalty in every k-th discriminator step, k times as heavy", minimum=1, maximum=10**6, since="0.2.0"
    )
    wgan_lambda: float = option(10.0, "weight of the gradient penalty", minimum=0, maximum=1e9)
    wgan_target: float = option(1.0, "gradient norm that the penalty pulls to (CIFAR-10: 750)", minimum=0, maximum=1e6)
    wgan_epsilon: float = option(
        0.001, "weight of the drift term, the squared scores of the reals", minimum=0, maximum=1e9
    )
    cond_weight: float = option(1.0, "weight of the label terms (AC-GAN)", minimum=0, maximum=1e9)
    l2_weight: float = option(
        0.0, "weight decay of both networks: half of this times the squares of all that they learn (1e-5)",
        minimum=0, maximum=1e9, since="0.2.0",
    )  # fmt: skip
    history_weight: float = option(
        0.0, "historical averaging: weight of the squared distance of both networks from their means over the stage",
        minimum=0, maximum=1e9, since="0.2.0",
    )  # fmt: skip
    feature_matching_weight: float = option(
        0.0, "feature matching: weight of the squared distance between D's mean features of reals and of fakes, for G",
        minimum=0, maximum=1e9, since="0.2.0",
    )  # fmt: skip
    adversarial_weight: float = option(
        1.0, "weight of --loss for the generator; 0 = it has another aim, --feature_matching_weight", minimum=0,
        maximum=1e9, since="0.2.0",
    )  # fmt: skip
    unroll_steps: int = option(0, "discriminator steps that the generator's step looks ahead", minimum=0, maximum=32)
    regularizer: str = option(
        "none", "term of the generator's loss that pushes fakes apart",
        choices=["none", "repelling", "repelling_as_coded"],
    )  # fmt: skip
    repelling_weight: float = option(1.0, "weight of the repelling regularizer", minimum=0, maximum=1e9)
    repelling_features: str = option(
        "critic", "features it acts on: last hidden layer of the critic or of the generator",
        choices=["critic", "generator"],
    )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Augment:
    """What the discriminator sees reals and fakes through."""

    augment: str = of_all_images(
        "none", "what D sees reals and fakes through: diffaugment = always another colour, place and hole; ada = "
        "more of its transforms the more D learns by heart", choices=["none", "diffaugment", "ada"], since="0.2.0",
    )  # fmt: skip
    diffaugment_policy: str = of_all_images(
        "color,translation,cutout", "transforms of --augment=diffaugment: any of these with commas between",
        choices=["color", "translation", "cutout"], combination=True, since="0.2.0",
    )  # fmt: skip
    ada_pipeline: str = of_all_images(
        "pixels,geometry,color", "transforms of --augment=ada: pixels = mirrored, quarter turns, whole steps; "
        "geometry = scaled, turned, moved", choices=["pixels", "geometry", "color"], combination=True, since="0.2.0",
    )  # fmt: skip
    ada_target: float = of_all_images(
        0.6, "ada: mean sign of D's scores of reals to hold", minimum=-1, maximum=1, since="0.2.0"
    )
    ada_kimg: float = of_all_images(
        500.0, "ada: thousands of images in which its probability goes from 0 to 1", above=0, maximum=1e9, since="0.2.0"
    )


@dataclasses.dataclass(frozen=True)
class Optim:
    """How it is minimised."""

    optimizer: str = option("adam", "optimizer of both networks", choices=["adam", "rmsprop", "sgd"], since="0.2.0")
    adam_beta1: float = option(0.0, "Adam: decay of the first moment", minimum=0, below=1)
    adam_beta2: float = option(0.99, "Adam: decay of the second moment", minimum=0, below=1)
    adam_epsilon: float = option(1e-8, "Adam: added to the root of the second moment", above=0, maximum=1)
    rmsprop_rho: float = option(0.9, "rmsprop: decay of the mean square", minimum=0, below=1, since="0.2.0")
    momentum: float = option(0.0, "rmsprop, sgd: decay of the steps before", minimum=0, below=1, since="0.2.0")
    constraint: str = option(
        "none", "what holds D's weights after each step: clip = to -clip..clip, as in the first WGAN",
        choices=["none", "clip"], since="0.2.0",
    )  # fmt: skip
    clip: float = option(0.01, "largest weight of D with --constraint=clip", above=0, maximum=1e6, since="0.2.0")
    G_smoothing: float = option(0.999, "decay per step of the averaged (EMA) generator", minimum=0, maximum=1)
    ema_halflife_kimg: float = option(
        0.0, "EMA by half-life in thousands of images, for short runs; 0 = G_smoothing", minimum=0, maximum=1e9
    )
    ema_rampup: float = option(
        0.05, "half-life is at most this share of the images of the stage so far", minimum=0, maximum=1e6
    )
    precision: str = option(
        "float32", "arithmetic; bfloat16 and float16 keep float32 weights; auto = what is fast on the machine",
        choices=["auto", "float32", "bfloat16", "float16", "float64"],
    )  # fmt: skip
    resampling: str = option(
        "strided", "how convolutions that resample, and small ones, are computed, the function is the same; auto = the "
        "fastest here", choices=["auto", "strided", "shuffled", "products"], since="0.2.0",
    )  # fmt: skip
    remat: bool = of_all_images(
        False, "keep of each block no more than its input for gradients, and compute the rest again: less memory, "
        "about half as much time again", since="0.2.0",
    )  # fmt: skip
    jit: bool = option(False, "compile with XLA: the gradient functions, or whole rounds of small networks")
    nan: str = option(
        "stop", "on a loss or gradient that is not finite: stop, or skip the update", choices=["stop", "skip"]
    )


@dataclasses.dataclass(frozen=True)
class Run:
    """Where it goes and how it is watched."""

    result_dir: str = option("results", "folder of the run folders", minimum=1, path=True)
    desc: str = option("", "name of the run, part of the folder's name; default: the data set's", maximum=100)
    seed: int = option(1000, "every random number of the run follows from it", minimum=0, maximum=2**63 - 1)
    strategy: str = option(
        "mirrored", "mirrored = all visible devices, single = the first, multi_worker = those of several processes or "
        "machines", choices=["mirrored", "single", "multi_worker"],
    )  # fmt: skip
    deterministic: bool = option(False, "the same numbers from every run, bit for bit (a little slower)")
    image_snapshot_ticks: int = option(1, "ticks between two picture grids; 0 = none", minimum=0, maximum=10**9)
    network_snapshot_ticks: int = option(
        10, "ticks between two network-*.keras; 0 = only at the end", minimum=0, maximum=10**9
    )
    checkpoint_ticks: int = option(1, "ticks between two checkpoints", minimum=1, maximum=10**9)
    checkpoint_minutes: float = option(10.0, "and at least every so many minutes", minimum=0, maximum=1e6)
    checkpoints_kept: int = option(3, "how many checkpoints to keep", minimum=1, maximum=10**6)
    grid_size: str = option(
        "", "columns x rows of the picture grids, e.g. 10x6; default: 12x8 up to 64x64, fewer above"
    )
    metrics: str = option("", "metrics to watch while training, e.g. swd,fid, or none; see docs/metrics.md")
    metrics_ticks: int = option(
        5, "ticks between two measurements; there is one more at the end", minimum=1, maximum=10**9
    )
    metrics_images: int = option(2048, "images of each set in a measurement", minimum=2, maximum=10**7)
    best_metric: str = option("", "metric that chooses network-best.keras; default: the first of --metrics")
    extractor: str = option("", "feature extractor of FID and its kin; default: the best that can be had")
    weight_histograms: bool = option(False, "write histograms of all weights to TensorBoard")


# By their names in config.json; `growth` is the schedule's since the first version.
SECTIONS = {
    "data": Data, "model": Model, "growth": ScheduleOptions, "loss": Loss, "augment": Augment, "optim": Optim,
    "run": Run,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Config:
    """All options of a run; see the sections."""

    data: Data = dataclasses.field(default_factory=Data)
    model: Model = dataclasses.field(default_factory=Model)
    growth: ScheduleOptions = dataclasses.field(default_factory=ScheduleOptions)
    loss: Loss = dataclasses.field(default_factory=Loss)
    augment: Augment = dataclasses.field(default_factory=Augment)
    optim: Optim = dataclasses.field(default_factory=Optim)
    run: Run = dataclasses.field(default_factory=Run)
    # The options that were named, also those at their defaults: a preset leaves them alone.
    said: frozenset[str] = dataclasses.field(default=frozenset(), compare=False, repr=False)

    @classmethod
    def from_values(cls, values: dict[str, Any], complete: bool = True) -> Config:
        """Config from {option name: value}; options that are not named have the defaults of their recipe.

        complete: False where a preset is to add others: only with these can be said whether all go together.
        Raises ConfigError for an unknown name or a value out of its range.
        """
        known = {name: section for section in SECTIONS for name in _names(section)}
        values = translated(values, known)
        said = frozenset(values)
        values = with_recipe(values)
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise ConfigError(f"unknown option {unknown[0]!r}: the known ones are {', '.join(sorted(known))}")
        parts: dict[str, dict] = {section: {} for section in SECTIONS}
        if values.get("metrics") == NO_METRICS:
            values = {**values, "metrics": ""}
        for name, value in values.items():
            parts[known[name]][name] = taken(FIELDS[name], value)
        config = cls(**{section: kind(**parts[section]) for section, kind in SECTIONS.items()}, said=said)
        if complete:
            config.validate()
        return config

    def replace(self, **values) -> Config:
        """A copy in which the named options have other values; by another recipe also those that it decides."""
        kept = self.values()
        if values.get("recipe", self.loss.recipe) != self.loss.recipe:
            kept = {name: value for name, value in kept.items() if name in self.said or name not in DECIDED}
        else:
            for name in fallen(kept, values) - self.said:
                del kept[name]
        changed = Config.from_values({**kept, **values})
        return dataclasses.replace(changed, said=self.said | translated(values, FIELDS).keys())

    def goes_with(self, **values) -> bool:
        """Whether other values of the named options go with the others."""
        try:
            self.replace(**values)
        except ConfigError:
            return False
        return True

    def values(self) -> dict[str, Any]:
        """{option name: value} over all sections."""
        return {name: value for section in SECTIONS for name, value in vars(getattr(self, section)).items()}

    def changes(self) -> dict[str, Any]:
        """What to say to get these options: those that differ from the defaults, or from those of their recipe."""
        values, defaults = self.values(), Config().values()
        usual = {**defaults, **unsaid(values)}
        return {name: value for name, value in values.items() if value != defaults[name] or value != usual[name]}

    def to_json(self) -> str:
        sections = {section: dataclasses.asdict(getattr(self, section)) for section in SECTIONS}
        return json.dumps(sections, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Config:
        """The options that `to_json` wrote: all of them, each in its section. ConfigError, or ValueError: no JSON.

        An older version of the package wrote those that it had; the others have their defaults.
        """
        try:
            sections = json.loads(text, object_pairs_hook=_once)
        except RecursionError:
            raise ConfigError("lists within lists") from None
        if not isinstance(sections, dict) or not all(isinstance(section, dict) for section in sections.values()):
            raise ConfigError("is not sections of options")
        _check_places(sections)
        values = {name: value for section in sections.values() for name, value in section.items()}
        for name, value in values.items():
            if isinstance(value, dict):  # JSON turns the resolutions into strings
                values[name] = {int(key) if _is_whole(key) else key: item for key, item in value.items()}
        config = cls.from_values({**cls().values(), **meant(values), **translated(values, FIELDS)})
        return dataclasses.replace(config, said=frozenset())  # the file does not tell what was said

    @classmethod
    def read(cls, path: Path) -> Config:
        """The options in a run's config.json. Raises OSError where there is none, ConfigError where it is damaged."""
        content = path.read_bytes()
        try:
            return cls.from_json(decode(content))
        except ValueError as error:  # not JSON, or not what a run writes
            reason = str(error).splitlines()[0]
            raise ConfigError(f"{path}: cannot be read as a run's options ({reason}); put it back as it was, "
                              "or, where an older version wrote it, change that value") from None  # fmt: skip

    def validate(self) -> None:
        """Raises ConfigError for values that no data set and no machine could make work."""
        for section in SECTIONS:
            for name, value in vars(getattr(self, section)).items():
                taken(FIELDS[name], value)
        self._check_family()
        for wrong, message in combinations(self):
            if wrong:
                raise ConfigError(message)
        if self.run.grid_size:
            parse_grid_size(self.run.grid_size)

    def _check_family(self) -> None:
        """ConfigError for an option that only other families have."""
        defaults = Config().values()
        for name, value in self.values().items():
            if value != defaults[name] and not belongs(name, self.model.family):
                families = " or ".join(FIELDS[name].metadata["families"])
                said = f"--{name}: "
                if value == RECIPES[self.loss.recipe].get(name):
                    said = f"--recipe={self.loss.recipe}: its --{name} "
                raise ConfigError(f"{said}is an option of --family={families}, not of {self.model.family}")


def belongs(name: str, family: str) -> bool:
    """Whether an option says something to a family of networks."""
    families = FIELDS[name].metadata["families"]
    return not families or family in families


def network_options(part: str, family: str) -> list[str]:
    """The names of the options that a family's generator or discriminator has."""
    return [
        field.name for field in dataclasses.fields(Model)
        if field.metadata["part"] in (part, "both") and belongs(field.name, family)
    ]  # fmt: skip


FIELDS = {field.name: field for kind in SECTIONS.values() for field in dataclasses.fields(kind)}


def _names(section: str) -> list[str]:
    return [field.name for field in dataclasses.fields(SECTIONS[section])]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. ConfigError for one that names something twice: which of the two was meant?"""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ConfigError(f"{shown(next(name for name in names if names.count(name) > 1))} is there twice")
    return found


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _check_places(sections: dict[str, dict]) -> None:
    """ConfigError unless every option is there, in its section, and no other; newer ones may be missing."""
    places = {name: section for section in SECTIONS for name in _names(section)} | dict.fromkeys(FORMER, "model")
    for section, values in sections.items():
        if section not in SECTIONS:
            raise ConfigError(f"{shown(section)}: there is no such section; they are {', '.join(SECTIONS)}")
        for name in values:
            if name not in places:
                raise ConfigError(f"unknown option {shown(name)!r}")
            if places[name] != section:
                raise ConfigError(f"the option {name} is in {section!r}, but belongs into {places[name]!r}")
    for name, field in FIELDS.items():
        section = places[name]
        if name not in sections.get(section, {}) and not field.metadata["since"]:
            default = json.dumps(Config().values()[name])
            raise ConfigError(f'the option {name} is missing; its default in {section!r} is "{name}": {default}')


def option_names() -> list[str]:
    """The names of all options, in the order of their declaration."""
    return [field.name for kind in SECTIONS.values() for field in dataclasses.fields(kind)]
