"""Explanations by the tools people use in Python; prints a JSON object of milliseconds, best of REPEATS.

Usage: explain.py torch NETWORK FOLDER REPEATS TASK ...   tasks: forward, gradient, gradcam, ig
       explain.py tensorflow REPEATS                      Grad-CAM of VGG16 in a compiled function
       explain.py cold NETWORK FOLDER PHOTOGRAPH OUT      one overlay, as a script would; prints its peak memory
FOLDER holds what networks.py wrote. pytorch-grad-cam and captum as their documentation shows; the gradient is taken
with frozen weights, which PyTorch computes faster.
"""
import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def best(repeats, run, patience=20):
    """Milliseconds of the fastest run after one that does not count; stops early when all take longer than `patience` seconds."""
    least, begin = float("inf"), time.perf_counter()
    for i in range(-1, repeats):
        start = time.perf_counter()
        run()
        if i >= 0:
            least = min(least, time.perf_counter() - start)
            if time.perf_counter() - begin > patience:
                break
    return least * 1000


def load(name, folder):
    import torch
    from networks import build

    net = build(name)
    net.load_state_dict(torch.load(os.path.join(folder, f"{name}.pt")))
    layers = {"vgg16": lambda: net.features[29], "resnet50": lambda: net.layer4[-1], "mobilenetv2": lambda: net.features[-1]}
    return net, layers[name]()


def with_torch(name, folder, repeats, *tasks):
    import torch
    from captum.attr import IntegratedGradients
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    net, layer = load(name, folder)
    x = torch.randn(1, 3, 224, 224)
    result = {}

    def forward():
        with torch.no_grad():
            net(x)

    def gradient():
        given = x.clone().requires_grad_()
        torch.autograd.grad(net(given)[0, 7], given)

    def timed(task, run, times=int(repeats)):
        if task in tasks:
            result[task] = best(times, run)

    if "gradcam" in tasks:
        with GradCAM(model=net, target_layers=[layer]) as cam:
            timed("gradcam", lambda: cam(input_tensor=x, targets=[ClassifierOutputTarget(7)]))
    net.requires_grad_(False)
    timed("forward", forward)
    timed("gradient", gradient)
    timed("ig", lambda: IntegratedGradients(net).attribute(x, target=7, n_steps=50, internal_batch_size=10), 1)
    return result


def with_tensorflow(repeats):
    import keras
    import tensorflow as tf

    net = keras.applications.VGG16(weights=None, classifier_activation=None)
    both = keras.Model(net.inputs, [net.get_layer("block5_conv3").output, net.output])

    @tf.function
    def gradcam(x):
        with tf.GradientTape() as tape:
            activations, scores = both(x)
            score = scores[:, 7]
        gradients = tape.gradient(score, activations)
        weights = tf.reduce_mean(gradients, axis=(1, 2), keepdims=True)
        return tf.nn.relu(tf.reduce_sum(weights * activations, axis=-1))

    x = tf.random.normal((1, 224, 224, 3))
    return {"gradcam": best(int(repeats), lambda: gradcam(x).numpy())}


def cold(name, folder, photograph, out):
    import numpy as np
    from PIL import Image
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.image import show_cam_on_image
    from torchvision import transforms

    net, layer = load(name, folder)
    picture = transforms.CenterCrop(224)(transforms.Resize(256)(Image.open(photograph).convert("RGB")))
    normalize = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    tensor = normalize(transforms.ToTensor()(picture))[None]
    with GradCAM(model=net, target_layers=[layer]) as cam:
        grayscale = cam(input_tensor=tensor, targets=None)[0]
    overlay = show_cam_on_image(np.float32(picture) / 255, grayscale, use_rgb=True)
    Image.fromarray(overlay).save(out)
    # Not getrusage: its maximum includes the process that started this one, where that was larger.
    with open("/proc/self/status") as status:
        peak = next(line for line in status if line.startswith("VmHWM"))
    return {"peakMiB": int(peak.split()[1]) / 1024}


run = {"torch": with_torch, "tensorflow": with_tensorflow, "cold": cold}[sys.argv[1]]
print(json.dumps(run(*sys.argv[2:])))
