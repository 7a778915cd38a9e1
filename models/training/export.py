"""Writes the two trained networks as ONNX files with their cards, and measures the files that were written.

    python export.py cats-and-dogs --data DATA --work WORK
    python export.py cifar10 --data DATA --work WORK

The graphs are written node by node with onnx.helper, so that every layer a person wants to look into keeps a node and a
readable name. Kernels are stored as float16, each followed by a Cast to float32, which halves the file; vectors (biases,
batch normalisation) stay float32. `convlens.layers` in the metadata lists the layers as their framework names them.
"""

import argparse
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

import cats_and_dogs
import cifar10
import common


class Graph:
    """Collects nodes, stored weights and layer rows; every value is named like its node."""

    def __init__(self):
        self.nodes, self.initializers, self.rows = [], [], []

    def node(self, kind: str, name: str, inputs: list[str], output: str | None = None, **attributes) -> str:
        """Adds a node and returns the name of its output."""
        output = output or name
        self.nodes.append(helper.make_node(kind, inputs, [output], name=name, **attributes))
        return output

    def weight(self, name: str, array: np.ndarray) -> str:
        """Stores a weight; returns the name of the float32 value."""
        array = np.array(array, np.float32, order="C")
        if array.ndim < 2:
            self.initializers.append(numpy_helper.from_array(array, name))
            return name
        self.initializers.append(numpy_helper.from_array(array.astype(np.float16), f"{name}/float16"))
        return self.node("Cast", f"{name}/cast", [f"{name}/float16"], name, to=TensorProto.FLOAT)

    def layer(self, name: str, kind: str, output: str, inputs: list[str], weights: list[dict] = (), spatial: bool = True) -> str:
        """Adds a row to the table of layers; returns the layer's name."""
        row = {"name": name, "class": kind, "output": output}
        if spatial:
            row["layout"] = "NCHW"
        row["inputs"] = inputs
        if weights:
            row |= {"weights": list(weights), "trainable": True}
        self.rows.append(row)
        return name

    def model(self, name: str, source_layout: str, inputs: tuple[str, list], outputs: tuple[str, list], about: str) -> onnx.ModelProto:
        """The finished, checked model."""
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info(inputs[0], TensorProto.FLOAT, inputs[1])],
            [helper.make_tensor_value_info(outputs[0], TensorProto.FLOAT, outputs[1])],
            self.initializers,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10, producer_name="convlens", doc_string=about)
        table = {"version": 1, "sourceLayout": source_layout, "layers": self.rows}
        helper.set_model_props(model, {"convlens.layers": json.dumps(table, separators=(",", ":"))})
        model = onnx.shape_inference.infer_shapes(model, strict_mode=True)
        onnx.checker.check_model(model, full_check=True)
        return model


def export_cats_and_dogs(network: cats_and_dogs.CatsAndDogs, about: str) -> onnx.ModelProto:
    """The Keras network: NHWC input, convolutions inside in NCHW, kernels of dense layers as Keras stores them."""
    graph = Graph()
    value = graph.node("Transpose", "conv2d_input/nchw", ["conv2d_input"], perm=[0, 3, 1, 2])
    before = "conv2d_input"
    for index, convolution in enumerate(network.convolutions):
        suffix = f"_{index}" if index else ""
        name = f"conv2d{suffix}"
        kernel = graph.weight(f"{name}/kernel", convolution.weight.numpy())
        bias = graph.weight(f"{name}/bias", convolution.bias.numpy())
        value = graph.node("Conv", name, [value, kernel, bias], kernel_shape=[3, 3], strides=[1, 1], pads=[0, 0, 0, 0])
        value = graph.node("Relu", f"{name}/relu", [value])
        weights = [{"name": "kernel", "value": kernel, "axes": [2, 3, 1, 0]}, {"name": "bias", "value": bias}]
        before = graph.layer(name, "Conv2D", value, [before], weights)
        name = f"max_pooling2d{suffix}"
        value = graph.node("MaxPool", name, [value], kernel_shape=[2, 2], strides=[2, 2])
        before = graph.layer(name, "MaxPooling2D", value, [before])

    value = graph.node("Transpose", "flatten/nhwc", [value], perm=[0, 2, 3, 1])
    value = graph.node("Flatten", "flatten", [value], axis=1)
    before = graph.layer("flatten", "Flatten", value, [before], spatial=False)
    value = graph.node("Dropout", "dropout", [value, graph.weight("dropout/rate", np.array(0.5))])
    before = graph.layer("dropout", "Dropout", value, [before], spatial=False)

    for name, module, activation, output in [
        ("dense", network.dense, "Relu", "dense/relu"),
        ("dense_1", network.dense_1, "Sigmoid", "dense_1"),
    ]:
        kernel = graph.weight(f"{name}/kernel", module.weight.numpy().T)
        bias = graph.weight(f"{name}/bias", module.bias.numpy())
        sum_ = graph.node("Gemm", name, [value, kernel, bias], f"{name}/logit" if output == name else name)
        value = graph.node(activation, f"{name}/{activation.lower()}", [sum_], output)
        weights = [{"name": "kernel", "value": kernel}, {"name": "bias", "value": bias}]
        before = graph.layer(name, "Dense", value, [before], weights, spatial=False)

    size = cats_and_dogs.SIZE
    return graph.model("cats-and-dogs", "NHWC", ("conv2d_input", ["N", size, size, 3]), ("dense_1", ["N", 1]), about)


def export_cifar10(network: cifar10.SmallResNet, about: str) -> onnx.ModelProto:
    """The PyTorch network: NCHW throughout, batch normalisation and additions kept as nodes of their own."""
    graph = Graph()
    values = {"input": "input"}  # layer name -> graph value

    def step(kind: str, name: str, inputs: list[str], node: str, weights: list[dict] = (), spatial=True, output=None, **attributes) -> str:
        operands = [values[i] for i in inputs] + [w["value"] for w in weights]
        values[name] = graph.node(node, name, operands, output, **attributes)
        return graph.layer(name, kind, values[name], inputs, weights, spatial)

    def parameters(name: str, module: torch.nn.Module, *kinds: str) -> list[dict]:
        rows = []
        for kind in kinds:
            rows.append({"name": kind, "value": graph.weight(f"{name}/{kind}", getattr(module, kind).numpy())})
            if kind.startswith("running"):
                rows[-1]["trainable"] = False
        return rows

    def convolution(name: str, before: str, module: torch.nn.Conv2d) -> str:
        return step("Conv2d", name, [before], "Conv", parameters(name, module, "weight"), kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])

    def normalisation(name: str, before: str, module: torch.nn.BatchNorm2d) -> str:
        weights = parameters(name, module, "weight", "bias", "running_mean", "running_var")
        return step("BatchNorm2d", name, [before], "BatchNormalization", weights, epsilon=module.eps)

    def relu(name: str, before: str) -> str:
        return step("ReLU", name, [before], "Relu")

    last = "input"
    for path in ("stem", "layer1", "layer2"):
        stage = network.get_submodule(path)
        last = convolution(f"{path}/conv", last, stage.conv)
        if stage.pool is not None:
            last = step("MaxPool2d", f"{path}/pool", [last], "MaxPool", kernel_shape=[2, 2], strides=[2, 2])
        last = relu(f"{path}/relu", normalisation(f"{path}/bn", last, stage.bn))
        for name in stage.blocks:
            block, prefix, shortcut = stage.get_submodule(name), f"{path}/{name}", last
            last = normalisation(f"{prefix}/bn1", convolution(f"{prefix}/conv1", last, block.conv1), block.bn1)
            last = relu(f"{prefix}/relu1", last)
            last = normalisation(f"{prefix}/bn2", convolution(f"{prefix}/conv2", last, block.conv2), block.bn2)
            last = step("Add", f"{prefix}/add", [shortcut, last], "Add")
            last = relu(f"{prefix}/relu2", last)
    last = step("AdaptiveAvgPool2d", "avgpool", [last], "GlobalAveragePool")
    last = step("Flatten", "flatten", [last], "Flatten", spatial=False, axis=1)
    step("Linear", "fc", [last], "Gemm", parameters("fc", network.fc, "weight", "bias"), spatial=False, output="logits", transB=1)
    return graph.model("cifar10", "NCHW", ("input", ["N", 3, 32, 32]), ("logits", ["N", 10]), about)


def answers(file: Path, x: np.ndarray) -> np.ndarray:
    """What the written file computes, in onnxruntime."""
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: part})[0] for part in np.array_split(x, max(1, len(x) // 100))])


def report(file: Path, measured: np.ndarray, expected: np.ndarray) -> None:
    """Prints how far float16 storage moves the probabilities from the float32 network's."""
    difference = np.abs(measured - expected).max(1)
    decide = lambda p: p.argmax(1) if p.shape[1] > 1 else p[:, 0] > 0.5
    changed = int((decide(measured) != decide(expected)).sum())
    print(
        f"{file.name}: {file.stat().st_size:,} bytes; probabilities differ from float32 by {np.median(difference):.1e} (median), "
        f"{difference.max():.1e} (largest); {changed} of {len(measured)} decisions change"
    )


def write(folder: Path, model: onnx.ModelProto) -> Path:
    file = folder / f"{model.graph.name}.onnx"
    onnx.save(model, file)
    return file


def write_card(file: Path, card: dict) -> None:
    card = {"version": 1, "id": file.stem} | card | {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    file.with_suffix(".card.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")


@torch.no_grad()
def ship_cats_and_dogs(options) -> None:
    state = torch.load(options.work / "cats-and-dogs.pt")
    network = cats_and_dogs.CatsAndDogs().eval()
    network.load_state_dict(state["average"])
    file = write(options.out, export_cats_and_dogs(network, "Cat or dog; the convnet of F. Chollet's lecture, trained for Convlens. Apache-2.0."))

    held_out = common.cats_and_dogs(options.data, True)
    x = torch.stack([cats_and_dogs.prepare(picture) for picture, _ in held_out])
    y = np.array([label for _, label in held_out])
    measured = answers(file, x.permute(0, 2, 3, 1).contiguous().numpy())
    report(file, measured, torch.sigmoid(torch.cat([network(part) for part in x.split(50)])).numpy())
    value = float(((measured[:, 0] > 0.5) == y).mean())
    print(f"held-out accuracy of the file: {value:.4f} ({len(y)} photographs)")
    write_card(
        file,
        {
            "title": "Cats and dogs",
            "description": "Tells a cat from a dog in a 150x150 photograph: four convolutions and two dense layers, the network of F. Chollet's lecture. "
            "Its one output is the probability of a dog.",
            "preprocessing": {
                "size": [150, 150],
                "resize": "nearest",
                "resizeLibrary": "pil",
                "fit": "stretch",
                "scale": 1 / 255,
                "mean": [0, 0, 0],
                "std": [1, 1, 1],
                "channels": "RGB",
                "layout": "NHWC",
            },
            "labels": common.CATS_AND_DOGS_LABELS,
            "activation": None,
            "licence": "Apache-2.0",
            "source": "trained by models/training/cats_and_dogs.py",
            "trainingData": "1,602 photographs (numbers 200 to 1000 of each class) of the Dogs vs. Cats collection (Asirra, Microsoft Research "
            "and Petfinder.com; Kaggle 2013). The convolutions were first trained on the 50,000 training pictures of CIFAR-10 "
            "(A. Krizhevsky, 2009), enlarged to about 64x64.",
            "accuracy": {
                "held-out": {
                    "value": round(value, 4),
                    "images": len(y),
                    "note": f"photographs number 0 to 199 of each class, never trained on, stretched to 150x150 by nearest pixel; weights: moving average "
                    f"at the end of epoch {state['epoch']}, a rule fixed before training; measured on this file. {options.note}".strip(),
                }
            },
        },
    )


@torch.no_grad()
def ship_cifar10(options) -> None:
    state = torch.load(options.work / "cifar10.pt")
    network = cifar10.SmallResNet().eval()
    network.load_state_dict(state["shipped"])
    file = write(options.out, export_cifar10(network, "Ten classes of 32x32 pictures; a small residual network trained for Convlens. Apache-2.0."))

    pixels, labels = common.cifar10(options.data, "test", options.work)
    x = cifar10.normalise(pixels)
    softmax = lambda logits: torch.softmax(torch.as_tensor(logits), 1).numpy()
    measured = answers(file, x.contiguous().numpy())
    report(file, softmax(measured), softmax(torch.cat([network(part) for part in x.split(500)])))
    value = float((measured.argmax(1) == labels.numpy()).mean())
    print(f"test accuracy of the file: {value:.4f} ({len(labels)} pictures)")
    write_card(
        file,
        {
            "title": "CIFAR-10",
            "description": "Tells ten kinds of animals and vehicles apart in 32x32 pictures: a small residual network with batch normalisation and "
            "global average pooling. Its outputs are logits.",
            "preprocessing": {
                "size": [32, 32],
                "resize": "bilinear",
                "resizeLibrary": "pil",
                "fit": "stretch",
                "scale": 1 / 255,
                "mean": [round(v, 4) for v in cifar10.MEAN.tolist()],
                "std": [round(v, 4) for v in cifar10.STD.tolist()],
                "channels": "RGB",
                "layout": "NCHW",
            },
            "labels": common.CIFAR10_LABELS,
            "activation": "softmax",
            "licence": "Apache-2.0",
            "source": "trained by models/training/cifar10.py",
            "trainingData": "the 50,000 training pictures of CIFAR-10 (A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009)",
            "accuracy": {
                "test": {
                    "value": round(value, 4),
                    "images": len(labels),
                    "note": f"all test pictures of CIFAR-10, one view each; weights: mean of the ends of three training cycles, "
                    f"{state['epoch']} epochs in all; measured on this file. {options.note}".strip(),
                }
            },
        },
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=["cats-and-dogs", "cifar10"])
    parser.add_argument("--data", type=Path, default=os.environ.get("CONVLENS_DATA"), help="folder with cats-dogs/ and cifar10/ (or set CONVLENS_DATA)")
    parser.add_argument("--work", type=Path, default=Path("work"), help="folder with the checkpoints")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent.parent, help="folder for the files")
    parser.add_argument("--note", default="", help="a sentence to add to the note beside the accuracy")
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the data folder with --data or CONVLENS_DATA")
    options.data = Path(options.data)
    {"cats-and-dogs": ship_cats_and_dogs, "cifar10": ship_cifar10}[options.network](options)
