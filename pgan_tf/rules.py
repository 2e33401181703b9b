"""Which values of several options cannot work together, whatever the data set and the machine."""

from __future__ import annotations

from pgan_tf.option import NONE

OF_ADA = ("ada_pipeline", "ada_target", "ada_kimg")
SIGNED = ("lsgan", "lsgan_as_coded", "minimax", "non_saturating", "hinge")  # losses with a border between real and fake


def no_float16(config) -> str:
    """The option that cannot be trained in float16, '' where there is none.

    Unrolled steps are not scaled, and no scale is low enough for derivatives of the statistics as coded.
    """
    if config.loss.unroll_steps > 0:
        return "--unroll_steps"
    coded = config.model.minibatch_statistics == "moments_as_coded" and config.model.mbstd_group_size > 0
    return "--minibatch_statistics=moments_as_coded" if coded else ""


# What cannot work, and what is said of it.
Combination = tuple[bool, str]


def combinations(config) -> list[Combination]:
    """[(whether something cannot work, what is said of it)] for a Config."""
    parts = (_growth, _penalty, _augmentation, _networks, _objective, _optimizer, _run)
    return [combination for part in parts for combination in part(config)]


def _growth(config) -> list[Combination]:
    initial = config.growth.lod_initial_resolution
    return [
        (
            not _is_resolution(initial),
            f"--lod_initial_resolution={initial}: a resolution is a power of two from 4 up",
        ),
    ]


def _penalty(config) -> list[Combination]:
    loss, usual = config.loss, type(config.loss)()
    return [
        (
            loss.penalty == "gradient" and loss.wgan_target == 0,
            "--wgan_target=0: the penalty is relative to it; give a gradient norm above 0",
        ),
        (
            loss.penalty_gamma != usual.penalty_gamma and not loss.penalty.startswith("r"),
            f"--penalty_gamma={loss.penalty_gamma:g} is for --penalty=r1, r2 or r1_r2; gradient has --wgan_lambda",
        ),
        (
            loss.penalty_interval > 1 and loss.penalty == "none",
            f"--penalty_interval={loss.penalty_interval}: there is no penalty; add --penalty=r1",
        ),
        (
            loss.penalty_interval > 1 and loss.unroll_steps > 0,
            "--unroll_steps looks ahead with the penalty in every step: give --penalty_interval=1",
        ),
    ]


def _augmentation(config) -> list[Combination]:
    augment, loss, usual = config.augment, config.loss, type(config.augment)()
    return [
        (
            augment.augment == "ada" and loss.loss not in SIGNED,
            f"--augment=ada goes by the sign of D's scores, which says nothing with --loss={loss.loss}: add "
            "--loss=non_saturating, or take --augment=diffaugment",
        ),
        (
            augment.augment == "diffaugment" and augment.diffaugment_policy == NONE,
            "--diffaugment_policy=none: nothing is left of the augmentation; write --augment=none",
        ),
        (
            augment.augment == "ada" and augment.ada_pipeline == NONE,
            "--ada_pipeline=none: nothing is left of the augmentation; write --augment=none",
        ),
        (
            augment.augment != "diffaugment" and augment.diffaugment_policy != usual.diffaugment_policy,
            f"--diffaugment_policy={augment.diffaugment_policy}: add --augment=diffaugment",
        ),
        *(
            (of_ada and augment.augment != "ada", f"--{name}: add --augment=ada")
            for name, of_ada in ((name, getattr(augment, name) != getattr(usual, name)) for name in OF_ADA)
        ),
        (
            augment.augment != "none" and loss.unroll_steps > 0,
            "--unroll_steps looks ahead without augmentation: give --augment=none",
        ),
    ]  # fmt: skip


def _networks(config) -> list[Combination]:
    model, growth, loss = config.model, config.growth, config.loss
    return [
        (
            model.latents == "sphere" and model.latent_size == 1,
            "--latents=sphere --latent_size=1: a sphere of one component is -1 and 1; give at least 2",
        ),
        (
            model.residual_blocks > 1 and "residual" not in (model.g_block, model.d_block),
            f"--residual_blocks={model.residual_blocks}: needs --g_block=residual or --d_block=residual",
        ),
        (
            model.minibatch_statistics != "stddev" and model.mbstd_group_size < 2,
            f"--minibatch_statistics={model.minibatch_statistics}: needs --mbstd_group_size of at least 2",
        ),
        (
            bool(model.d_noise) and not loss.loss.startswith("lsgan"),
            f"--d_noise={model.d_noise} goes by scores near 0 and 1, those of least squares: add --loss=lsgan",
        ),
        (
            model.widening == "zeros" and "channels" in growth.grow,
            "--widening=zeros: new feature maps of zeros would never change; leave out channels in --grow",
        ),
        (
            model.widening == "zeros" and (model.normalize_latents or model.g_weights == "equalized"),
            "--widening=zeros: new latents count at once in --normalize_latents and in the scale of equalized weights; "
            "add --normalize_latents=false --g_weights=plain",
        ),
    ]


def _objective(config) -> list[Combination]:
    loss, usual = config.loss, type(config.loss)()
    return [
        (
            loss.loss == "lsgan_as_coded" and (loss.penalty != "none" or loss.wgan_epsilon != 0),
            "--loss=lsgan_as_coded has no penalties: add --penalty=none --wgan_epsilon=0",
        ),
        (
            loss.real_target != usual.real_target and loss.loss not in ("minimax", "non_saturating"),
            f"--real_target={loss.real_target:g} is for --loss=minimax or non_saturating; lsgan has --lsgan_b",
        ),
        (
            loss.adversarial_weight == 0 and loss.feature_matching_weight == 0,
            "--adversarial_weight=0: nothing is left for the generator to aim at; add --feature_matching_weight=1",
        ),
        (
            loss.unroll_steps > 0 and loss.history_weight != 0,
            "--unroll_steps cannot look ahead at a mean over past steps: leave out --history_weight",
        ),
    ]


def _optimizer(config) -> list[Combination]:
    optim, model, loss, usual = config.optim, config.model, config.loss, type(config.optim)()
    return [
        (
            optim.momentum != 0 and optim.optimizer == "adam",
            f"--momentum={optim.momentum:g}: Adam's is --adam_beta1; or choose --optimizer=rmsprop or sgd",
        ),
        (
            optim.rmsprop_rho != usual.rmsprop_rho and optim.optimizer != "rmsprop",
            f"--rmsprop_rho={optim.rmsprop_rho:g} is for --optimizer=rmsprop",
        ),
        (
            optim.clip != usual.clip and optim.constraint != "clip",
            f"--clip={optim.clip:g}: add --constraint=clip",
        ),
        (
            optim.constraint == "clip" and model.d_weights == "spectral",
            "--constraint=clip beside --d_weights=spectral: each bounds D's slope by itself; leave one of them out",
        ),
        (
            optim.constraint == "clip" and model.d_weights == "equalized" and optim.clip < 0.1,
            f"--clip={optim.clip:g} beside --d_weights=equalized, drawn with a standard deviation of 1: next "
            "to nothing is left of them; add --d_weights=plain, or a --clip of that size",
        ),
        (
            optim.constraint == "clip" and loss.penalty != "none",
            f"--constraint=clip takes the place of --penalty={loss.penalty}: add --penalty=none",
        ),
        (
            bool(no_float16(config)) and optim.precision == "float16",
            f"{no_float16(config)} has no loss scale for float16: use --precision=bfloat16 or float32",
        ),
        (
            optim.remat and optim.jit,
            "--remat: XLA would keep what is computed again; leave out --jit",
        ),
    ]


def _run(config) -> list[Combination]:
    run = config.run
    return [
        (
            bool(run.best_metric) and not {run.best_metric, "planar"} & {*run.metrics.replace(" ", "").split(",")},
            f"--best_metric={run.best_metric}: is not among --metrics={run.metrics}; add it there",
        ),
    ]


def _is_resolution(value: int) -> bool:
    return value >= 4 and value & (value - 1) == 0
