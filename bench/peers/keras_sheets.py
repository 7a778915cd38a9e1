"""The lecture's listing (Chollet, Deep Learning with Python, 5.4): the first eight layers' feature maps, a sheet each.

Usage: keras_sheets.py make MODEL.keras          writes the network with random weights
       keras_sheets.py draw MODEL.keras PHOTOGRAPH FOLDER
"""
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras  # noqa: E402
from keras import layers  # noqa: E402


def make(path):
    keras.Sequential(
        [
            keras.Input((150, 150, 3)),
            *[
                layer
                for filters in (32, 64, 128, 128)
                for layer in (layers.Conv2D(filters, 3, activation="relu"), layers.MaxPooling2D())
            ],
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(512, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    ).save(path)


def draw(path, photograph, folder):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import numpy as np

    model = keras.models.load_model(path)
    image = keras.utils.load_img(photograph, target_size=(150, 150))
    tensor = np.expand_dims(keras.utils.img_to_array(image), axis=0) / 255.0
    chosen = model.layers[:8]
    activation_model = keras.Model(model.inputs, [layer.output for layer in chosen])
    activations = activation_model.predict(tensor, verbose=0)
    per_row = 16
    os.makedirs(folder, exist_ok=True)
    for layer, activation in zip(chosen, activations):
        channels, size = activation.shape[-1], activation.shape[1]
        rows = channels // per_row
        grid = np.zeros((size * rows, per_row * size))
        for row in range(rows):
            for column in range(per_row):
                tile = activation[0, :, :, row * per_row + column].copy()
                tile -= tile.mean()
                tile /= tile.std() + 1e-12
                tile = np.clip(tile * 64 + 128, 0, 255).astype("uint8")
                grid[row * size : (row + 1) * size, column * size : (column + 1) * size] = tile
        scale = 1.0 / size
        plt.figure(figsize=(scale * grid.shape[1], scale * grid.shape[0]))
        plt.title(layer.name)
        plt.grid(False)
        plt.imshow(grid, aspect="auto", cmap="viridis")
        plt.savefig(os.path.join(folder, layer.name + ".png"))
        plt.close()


make(*sys.argv[2:]) if sys.argv[1] == "make" else draw(*sys.argv[2:])
