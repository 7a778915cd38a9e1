"""Gradient ascent by the tools people use in Python; prints a JSON object of seconds.

Usage: visualize.py chollet FOLDER STEPS LAYER     64 filters at 64 px on VGG16, the Keras book's generate_pattern, compiled
       visualize.py lucent FOLDER STEPS LAYER      16 channels at 128 px on MobileNetV2, torch-lucent as it comes
FOLDER holds what networks.py wrote. What is built or compiled before the first step is not counted.
"""
import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def timed(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def chollet(folder, steps, layer):
    import keras
    import numpy as np
    import tensorflow as tf
    import torch

    net = keras.applications.VGG16(weights=None, include_top=False, input_shape=(None, None, 3))
    given = list(torch.load(os.path.join(folder, "vgg16.pt")).values())
    weights = [w.numpy().transpose(2, 3, 1, 0) if w.ndim == 4 else w.numpy() for w in given]
    net.set_weights(weights[: len(net.get_weights())])
    part = keras.Model(net.inputs, net.get_layer(layer).output)

    @tf.function
    def step(data, index):
        with tf.GradientTape() as tape:
            tape.watch(data)
            loss = tf.reduce_mean(part(data)[:, :, :, index])
        grads = tape.gradient(loss, data)
        grads /= tf.sqrt(tf.reduce_mean(tf.square(grads))) + 1e-5
        return data + grads * 1.0

    def pattern(index, count):
        data = tf.constant((np.random.random((1, 64, 64, 3)) * 20 + 128.0).astype("float32"))
        for _ in range(count):
            data = step(data, tf.constant(index))
        return data.numpy()

    pattern(0, 2)
    return {"seconds": timed(lambda: [pattern(i, steps) for i in range(64)])}


def lucent(folder, steps, layer):
    import torch
    from lucent.optvis import objectives, param, render
    from networks import build

    net = build("mobilenetv2")
    net.load_state_dict(torch.load(os.path.join(folder, "mobilenetv2.pt")))
    torch.manual_seed(0)

    def run(objective, batch, count):
        # Without fixed_image_size it would enlarge each view to 224 pixels.
        render.render_vis(
            net, objective, lambda: param.image(128, batch=batch), thresholds=(count,), progress=False,
            show_image=False, fixed_image_size=128,
        )  # fmt: skip

    def alone(count, channels):
        for c in range(channels):
            run(f"{layer}:{c}", 1, count)

    def together(count):
        run(sum(objectives.channel(layer, c, batch=c) for c in range(16)), 16, count)

    alone(1, 2)
    together(1)
    return {"alone": timed(lambda: alone(steps, 16)), "together": timed(lambda: together(steps))}


task, folder, steps, layer = sys.argv[1:]
print(json.dumps({"chollet": chollet, "lucent": lucent}[task](folder, int(steps), layer)))
