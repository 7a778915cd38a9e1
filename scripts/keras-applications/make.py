"""One network of keras.applications with random weights and statistics, as .h5 and .keras, and what Keras computes.

    python make.py NAME FOLDER
Writes NAME.h5, NAME.keras, NAME.x.npy (two pictures), NAME.y.npy (their scores, without softmax), NAME.0.npy … (outputs
of layers in between) and NAME.json (rows of the summary, parameters, those layers' names). Needs Keras 3 with TensorFlow.
"""
import json
import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np

name, folder = sys.argv[1:]
keras.utils.set_random_seed(0)
model = getattr(keras.applications, name)(weights=None, classifier_activation=None)
rng = np.random.default_rng(0)

# Pictures of coloured patches: noise of single pixels would average out to the same for all. Keras keeps every layer's
# values of a pass: at 600 x 600, EfficientNetB7's, eight pictures take more than 23 GB.
side = [n or 224 for n in model.input_shape[1:3]]
count = 8 if side[0] < 500 else 2
patches = lambda: np.kron(rng.uniform(0, 1, (8, 8, 3)), np.ones((-(-side[0] // 8), -(-side[1] // 8), 1)))
x = np.stack([patches() for _ in range(count)])
x = x[:, : side[0], : side[1]].astype("float32")
if any(type(layer).__name__ in ("Rescaling", "Normalization") for layer in model.layers[:4]):
    x *= 255

ranges = {"gamma": (0.8, 1.2), "beta": (-0.2, 0.2), "bias": (-0.1, 0.1), "mean": (0.3, 0.6), "variance": (0.05, 0.1)}
norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
for w in model.weights:
    kind = w.path.split("/")[-1]
    if kind in ranges:
        w.assign(rng.uniform(*ranges[kind], w.shape))
    elif kind == "kernel" and not norms and len(w.shape) == 4:
        # Keras' own start lets signals fade without batch normalization.
        w.assign(w * np.sqrt(1 + w.shape[3] / w.shape[2]))
for layer in model.layers:
    # Keras works with a copy of these weights.
    if isinstance(layer, keras.layers.Normalization):
        layer.finalize_state()
# Statistics near those of the pictures, so that every layer's output depends on them.
for layer in norms:
    layer.momentum = 0.0
if norms:
    model(x, training=True)
for layer in norms:
    for w in (layer.moving_mean, layer.moving_variance):
        w.assign(w * rng.uniform(0.8, 1.2, w.shape))

x = x[:2]
step = max(1, len(model.layers) // 15)
watched = [layer for layer in model.layers[1::step] if isinstance(layer.output, keras.KerasTensor)]
*between, y = keras.Model(model.inputs, [*[layer.output for layer in watched], model.output])(x, training=False)
size = lambda weights: int(sum(np.prod(w.shape) for w in weights))
stem = os.path.join(folder, name)
np.save(stem + ".x.npy", x)
np.save(stem + ".y.npy", np.asarray(y))
for i, value in enumerate(between):
    np.save(f"{stem}.{i}.npy", np.asarray(value))
with open(stem + ".json", "w") as f:
    about = {
        "rows": [[layer.name, type(layer).__name__, layer.count_params()] for layer in model.layers],
        "totals": [size(model.weights), size(model.trainable_weights)],
        "watched": [layer.name for layer in watched],
    }
    json.dump(about, f)
model.save(stem + ".h5", include_optimizer=False)
model.save(stem + ".keras")
