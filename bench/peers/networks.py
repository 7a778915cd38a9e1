"""VGG16, ResNet-50 and MobileNetV2 with the same random weights for every tool: NAME.onnx and NAME.pt in a folder.

Usage: networks.py FOLDER      (networks that are there already are kept)
"""
import sys
import warnings
from pathlib import Path

import torch
import torchvision

names = {"vgg16": torchvision.models.vgg16, "resnet50": torchvision.models.resnet50, "mobilenetv2": torchvision.models.mobilenet_v2}


def build(name):
    return names[name](weights=None).eval()


def make(folder):
    warnings.filterwarnings("ignore")
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = folder / f"{name}.onnx"
        if path.exists() and (folder / f"{name}.pt").exists():
            continue
        torch.manual_seed(0)
        net = build(name)
        # Statistics of its own activations, as after training: signals neither die nor grow.
        net.train()
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 1.0
        with torch.no_grad():
            net(torch.randn(4, 3, 224, 224))
        net.eval()
        torch.save(net.state_dict(), folder / f"{name}.pt")
        axes = {"input": {0: "N"}, "scores": {0: "N"}}
        torch.onnx.export(
            net, (torch.randn(1, 3, 224, 224),), str(path), opset_version=17, dynamo=False,
            input_names=["input"], output_names=["scores"], dynamic_axes=axes,
        )  # fmt: skip


if __name__ == "__main__":
    make(Path(sys.argv[1]))
