"""Passes through norms and weights on one and on two logical CPUs, compared; run by test_replicas.py.

TensorFlow must be told of its devices before it starts: therefore a process of its own. Prints, for each layer, how far
apart outputs, gradients by inputs and parameters, and gradients of the squared gradient are, and whether the copies of
what is kept are equal on the replicas, and to those of one device; as JSON.
"""

import json

import numpy as np
import tensorflow as tf
from layers.test_norms import LAYERS, NORMS, OPTIONS
from layers.test_weights import Weighted

SAMPLES = 8


def make(strategy, name: str):
    with strategy.scope():
        if name == "spectral":
            layer = Weighted("spectral", dtype="float64")
            layer.build((4, 4))
            return layer
        layer = NORMS[name].layer(**OPTIONS.get(name, {}), dtype="float64")
        layer.build((None, 3, 3, 4))
    for i, variable in enumerate(layer.trainable_variables):
        variable.assign(1 + 0.3 * np.random.RandomState(i).standard_normal(variable.shape))
    return layer


def outputs(layer, x: tf.Tensor) -> tf.Tensor:
    if isinstance(layer, Weighted):
        return x @ layer(layer.weight.value, training=True)
    return layer(x, training=True)


def derivatives(layer, x: tf.Tensor, weights: tf.Tensor) -> dict[str, tf.Tensor]:
    """Of one replica's share. Those by parameters are to be summed over the replicas."""
    parameters = [v.value for v in layer.trainable_variables]
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = outputs(layer, x)
            total = tf.reduce_sum(tf.sin(y) * weights)
        slope = inner.gradient(total, x)
        steepness = tf.reduce_sum(tf.square(slope))
    found = {"y": y, "slope": slope, "second": outer.gradient(steepness, x)}
    for i, parameter in enumerate(parameters):
        for name, value in (("slope", total), ("second", steepness)):
            found[f"parameter {i} {name}"] = outer.gradient(value, parameter, unconnected_gradients="zero")
    return found


def run(name: str, devices: list[str], x: np.ndarray, weights: np.ndarray) -> tuple[dict, list]:
    """Everything, as of one device; and the copies of what the layer keeps, [variable][replica]."""
    strategy = tf.distribute.MirroredStrategy(devices)
    layer, count = make(strategy, name), len(devices)

    def replica(x, weights):
        i = tf.distribute.get_replica_context().replica_id_in_sync_group
        rows = tf.range(i, SAMPLES, count)
        return derivatives(layer, tf.gather(x, rows), tf.gather(weights, rows))

    @tf.function
    def steps():
        for _ in tf.range(2):
            strategy.run(replica, args=(2 * x, weights))
        return strategy.run(replica, args=(x, weights))

    found = {}
    for key, value in steps().items():
        parts = [part.numpy() for part in strategy.experimental_local_results(value)]
        found[key] = sum(parts) if "parameter" in key else np.stack(parts, 1).reshape(-1, *parts[0].shape[1:])
    kept = [strategy.experimental_local_results(v.value) for v in layer.non_trainable_variables]
    return found, [[copy.numpy() for copy in copies] for copies in kept]


def compare(name: str) -> dict:
    random = np.random.RandomState(0)
    shape = (SAMPLES, 4) if name == "spectral" else (SAMPLES, 3, 3, 4)
    x, weights = random.standard_normal(shape), random.standard_normal(shape)
    (one, kept), (two, copies) = (run(name, d, x, weights) for d in (["CPU:0"], ["CPU:0", "CPU:1"]))
    return {
        "difference": max(np.abs(two[key] - one[key]).max() / (1 + np.abs(one[key]).max()) for key in one),
        "kept": max([0.0, *(np.abs(a - b).max() for (a,), (b, _) in zip(kept, copies, strict=True))]),
        "agree": all(np.array_equal(a, b) for a, b in copies),
    }


def refusal() -> str:
    """What a compiled function of two replicas with batch norm says."""
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    layer = make(strategy, "batch")

    @tf.function(jit_compile=True)
    def compiled():
        return layer(tf.ones([2, 3, 3, 4], tf.float64), training=True)

    def replica():
        return compiled()

    try:
        tf.function(strategy.run)(replica)
    except ValueError as error:
        return str(error)
    return ""


def main() -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    names = [name for name in LAYERS if not NORMS[name].reference]
    print(json.dumps({**{name: compare(name) for name in [*names, "spectral"]}, "refusal": refusal()}))


if __name__ == "__main__":
    main()
