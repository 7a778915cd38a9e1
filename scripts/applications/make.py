"""Writes models/applications: the networks of keras.applications that `convlens models pull` knows.

    python make.py ../../models/applications
One ID.json.gz with the architecture (Keras' own `to_json`) for each, and index.json with the rest. Address and checksum of
the weights are what Keras itself asks for, taken from its calls. Downloads nothing. Needs Keras 3 with TensorFlow.
"""
import gzip
import json
import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
from keras.src.utils import file_utils

folder = sys.argv[1]

# Network, preprocessing (imagenet_utils.py), year and authors, and the licence that the weights' authors give.
APACHE, CC_BY, MIT, BSD = "Apache-2.0", "CC-BY-4.0", "MIT", "BSD-3-Clause"
NETWORKS = [
    ("VGG16", "caffe", "Simonyan and Zisserman 2014", CC_BY),
    ("VGG19", "caffe", "Simonyan and Zisserman 2014", CC_BY),
    ("ResNet50", "caffe", "He and others 2015", MIT),
    ("ResNet101", "caffe", "He and others 2015", MIT),
    ("ResNet152", "caffe", "He and others 2015", MIT),
    ("ResNet50V2", "tf", "He and others 2016", None),
    ("ResNet101V2", "tf", "He and others 2016", None),
    ("ResNet152V2", "tf", "He and others 2016", None),
    ("InceptionV3", "tf", "Szegedy and others 2015", None),
    ("InceptionResNetV2", "tf", "Szegedy and others 2016", None),
    ("Xception", "tf", "Chollet 2016", None),
    ("MobileNet", "tf", "Howard and others 2017", APACHE),
    ("MobileNetV2", "tf", "Sandler and others 2018", APACHE),
    ("MobileNetV3Small", "raw", "Howard and others 2019", APACHE),
    ("MobileNetV3Large", "raw", "Howard and others 2019", APACHE),
    ("DenseNet121", "torch", "Huang and others 2016", BSD),
    ("DenseNet169", "torch", "Huang and others 2016", BSD),
    ("DenseNet201", "torch", "Huang and others 2016", BSD),
    ("NASNetMobile", "tf", "Zoph and others 2017", APACHE),
    ("NASNetLarge", "tf", "Zoph and others 2017", APACHE),
    ("EfficientNetB0", "raw", "Tan and Le 2019", APACHE),
    ("EfficientNetV2B0", "raw", "Tan and Le 2021", APACHE),
    ("EfficientNetV2S", "raw", "Tan and Le 2021", APACHE),
    ("ConvNeXtTiny", "raw", "Liu and others 2022", MIT),
]
# Keras publishes no checksum of these two: the size that its download bar shows is all that can be checked.
BYTES = {"MobileNet": 17225924, "MobileNetV2": 14536120}

asked = []


def get_file(fname, origin, file_hash=None, **_):
    asked.append((origin, file_hash))
    return fname


file_utils.get_file = get_file
keras.Model.load_weights = lambda self, *args, **kwargs: None
entries = []
for name, mode, authors, licence in NETWORKS:
    keras.backend.clear_session()
    asked.clear()
    model = getattr(keras.applications, name)(weights="imagenet")
    [(address, digest)] = asked
    entry = {
        "id": name.lower(),
        "title": f"{name} ({authors})",
        "address": address,
        "parameters": model.count_params(),
        "size": [n or 224 for n in model.input_shape[1:3]],
        "preprocessing": mode,
    }
    if digest:
        entry["md5" if len(digest) == 32 else "sha256"] = digest
    else:
        entry["bytes"] = BYTES[name]
    if licence:
        entry["licence"] = licence
    entries.append(entry)
    text = json.dumps(json.loads(model.to_json()), separators=(",", ":"))
    with open(os.path.join(folder, f"{name.lower()}.json.gz"), "wb") as file:
        # No time stamp: the same network gives the same bytes.
        file.write(gzip.compress(text.encode(), 9, mtime=0))
    print(name, len(text), address, digest, file=sys.stderr)
with open(os.path.join(folder, "index.json"), "w") as file:
    json.dump({"version": 1, "applications": entries}, file, indent=1)
    file.write("\n")
