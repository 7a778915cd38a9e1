"""VGG16 as .h5 and MobileNetV2 as .keras with random weights, and a prediction by Keras as a script would do it.

Usage: keras_files.py make FOLDER             (files that are there already are kept)
       keras_files.py predict FILE PHOTOGRAPH
"""
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import keras
import numpy as np

task, *args = sys.argv[1:]
if task == "make":
    os.makedirs(args[0], exist_ok=True)
    keras.utils.set_random_seed(0)
    for name, build in (("vgg16.h5", keras.applications.VGG16), ("mobilenetv2.keras", keras.applications.MobileNetV2)):
        path = os.path.join(args[0], name)
        if not os.path.exists(path):
            part = os.path.join(args[0], f"part-{name}")
            build(weights=None).save(part)
            os.rename(part, path)
else:
    model = keras.models.load_model(args[0], compile=False)
    picture = keras.utils.load_img(args[1], target_size=(224, 224))
    scores = model.predict(keras.utils.img_to_array(picture)[None] / 255, verbose=0)[0]
    print(np.argsort(scores)[::-1][:5])
