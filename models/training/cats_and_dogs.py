"""Trains the cats-and-dogs network: the small convnet of F. Chollet's lecture, 3,453,121 parameters.

Two stages:

1. The four convolutions learn the ten CIFAR-10 classes from pictures enlarged to about 64 pixels (the stack is
   fully convolutional, so a global average and a linear layer stand in for the dense part, and are then dropped).
2. The whole network learns cats and dogs from 1,602 photographs, strongly augmented, with mixup and cutmix.

The shipped weights are the moving average at the end of the last epoch. That rule was fixed beforehand; the 400
held-out photographs are measured for the log only and select nothing.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

import common

SIZE = 150
CHANNELS = [3, 32, 64, 128, 128]


class CatsAndDogs(nn.Module):
    """Input [N, 3, 150, 150] in 0..1; output the logit of "dog" [N, 1] (the exported file ends in a sigmoid)."""

    def __init__(self):
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(i, o, 3) for i, o in zip(CHANNELS, CHANNELS[1:]))
        self.dropout = nn.Dropout(0.5)
        self.dense = nn.Linear(7 * 7 * 128, 512)
        self.dense_1 = nn.Linear(512, 1)
        for convolution in self.convolutions:
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
            nn.init.zeros_(convolution.bias)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        for convolution in self.convolutions:
            # max(relu(x)) = relu(max(x)): pooling first gives the same values and leaves ReLU a quarter of the work.
            x = F.relu(F.max_pool2d(convolution(x), 2))
        return x

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(x).permute(0, 2, 3, 1).flatten(1)  # Keras flattens height, width, channel
        return self.dense_1(F.relu(self.dense(self.dropout(x))))


def prepare(picture: Image.Image) -> torch.Tensor:
    """A photograph as the network wants it: stretched to 150x150, nearest pixel (as Keras' load_img), 0..1."""
    pixels = np.asarray(picture.resize((SIZE, SIZE), Image.Resampling.NEAREST))
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255


def random_views(count: int) -> torch.Tensor:
    """Random affine maps [count, 2, 3] from the 150x150 view to the photograph, both in -1..1."""
    angle = (torch.rand(count) * 2 - 1) * math.radians(15)
    zoom = torch.exp((torch.rand(count) * 2 - 1) * 0.25 - 0.10)  # 0.70 .. 1.16 of the photograph is seen
    stretch = torch.exp((torch.rand(count) * 2 - 1) * 0.15)
    mirror = torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    shift = (torch.rand(count, 2) * 2 - 1) * 0.2
    cos, sin = torch.cos(angle), torch.sin(angle)
    rows = [
        torch.stack([cos * zoom * stretch * mirror, -sin * zoom, shift[:, 0]], 1),
        torch.stack([sin * zoom * stretch * mirror, cos * zoom, shift[:, 1]], 1),
    ]
    return torch.stack(rows, 1)


PIXEL = (torch.arange(SIZE) + 0.5) * 2 / SIZE - 1
GRID = torch.stack([*torch.meshgrid(PIXEL, PIXEL, indexing="xy"), torch.ones(SIZE, SIZE)], -1)


def view(photograph: torch.Tensor, affine: torch.Tensor, samples: int) -> torch.Tensor:
    """Samples a uint8 photograph [H, W, 3] through an affine map; borders are reflected.

    One sample a pixel is what nearest-pixel resizing does to a photograph; four samples, spread over the pixel and
    averaged, resemble the smooth resizing of other programs. Training sees both.
    """
    height, width, _ = photograph.shape
    flat = photograph.reshape(-1, 3)
    offsets = [(0.0, 0.0)] if samples == 1 else [(a / SIZE, b / SIZE) for a in (-0.5, 0.5) for b in (-0.5, 0.5)]
    total = 0
    for dx, dy in offsets:
        where = (GRID + torch.tensor([dx, dy, 0.0])) @ affine.T
        where = (1 - (1 - where.abs()).abs()) * where.sign()  # reflect beyond -1..1
        x = ((where[..., 0] + 1) * (width / 2)).long().clamp_(0, width - 1)
        y = ((where[..., 1] + 1) * (height / 2)).long().clamp_(0, height - 1)
        total = total + flat.index_select(0, (y * width + x).reshape(-1)).float()
    return total.reshape(SIZE, SIZE, 3) / (255 * len(offsets))


def recolour(x: torch.Tensor) -> torch.Tensor:
    """Random brightness, contrast, saturation and tint for a batch [N, 3, H, W]."""
    jitter = lambda shape, strength: 1 + (torch.rand(shape) * 2 - 1) * strength
    n = len(x)
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * jitter((n, 1, 1, 1), 0.5)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = mean + (x - mean) * jitter((n, 1, 1, 1), 0.35)
    return (x * jitter((n, 1, 1, 1), 0.3) * jitter((n, 3, 1, 1), 0.08)).clamp_(0, 1)


def blend(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mixup for one third of the batches, cutmix for another third, nothing for the rest."""
    kind, order = torch.rand(()).item(), torch.randperm(len(x))
    if kind < 1 / 3:
        share = float(np.random.beta(0.4, 0.4))
        return x * share + x[order] * (1 - share), y * share + y[order] * (1 - share)
    if kind < 2 / 3:
        side = int(SIZE * math.sqrt(np.random.uniform(0.05, 0.45)))
        top, left = np.random.randint(0, SIZE - side + 1, 2)
        x = x.clone()
        x[:, :, top : top + side, left : left + side] = x[order, :, top : top + side, left : left + side]
        share = 1 - side * side / (SIZE * SIZE)
        return x, y * share + y[order] * (1 - share)
    return x, y


def pretrain(options) -> dict:
    """Stage 1: returns the weights of the convolutions after learning CIFAR-10 at about 64 pixels."""
    stored = options.work / "cats-and-dogs-pretrained.pt"
    if stored.exists():
        return torch.load(stored)
    log = common.Log(options.work / "cats-and-dogs-pretraining.log")
    pixels, labels = common.cifar10(options.data, "train", options.work)
    network = CatsAndDogs().to(memory_format=torch.channels_last)
    head = nn.Linear(CHANNELS[-1], 10)
    parameters = [*network.convolutions.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=1.5e-3, weight_decay=1e-2)
    batch, steps = 128, len(pixels) // 128
    for epoch in range(options.pretraining_epochs):
        correct, total_loss = 0, 0.0
        for step, chosen in enumerate(torch.randperm(len(pixels))[: steps * batch].split(batch)):
            for group in optimiser.param_groups:
                group["lr"] = 1.5e-3 * common.one_cycle(epoch + step / steps, 0.2 * options.pretraining_epochs, options.pretraining_epochs)
            x = pixels[chosen].permute(0, 3, 1, 2).float() / 255
            side = int(np.random.choice([52, 60, 68, 76]))
            x = F.interpolate(x, size=(side + 6, side + 6), mode="bilinear")
            top, left = np.random.randint(0, 7, 2)
            x = x[:, :, top : top + side, left : left + side]
            x = recolour(x.flip(3) if torch.rand(()) < 0.5 else x).contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                answer = head(network.features(x).mean((2, 3))).float()
            loss = F.cross_entropy(answer, labels[chosen], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total_loss += loss.item()
            correct += (answer.argmax(1) == labels[chosen]).sum().item()
        log.line(f"pre-training epoch {epoch + 1}  loss {total_loss / steps:.4f}  training accuracy {correct / (steps * batch):.4f}")
    common.save(stored, **network.convolutions.state_dict())
    return torch.load(stored)


@torch.no_grad()
def accuracy(network: CatsAndDogs, x: torch.Tensor, y: torch.Tensor) -> float:
    network.eval()
    answers = torch.cat([network(part) for part in x.split(50)])
    return ((answers[:, 0] > 0).float() == y).float().mean().item()


def train(options) -> None:
    """Stage 2; writes cats-and-dogs.pt, whose "average" is what export.py ships."""
    convolutions = pretrain(options)
    np.random.seed(options.seed)
    photographs = [(torch.from_numpy(np.asarray(p).copy()), label) for p, label in common.cats_and_dogs(options.data, False)]
    held_out = common.cats_and_dogs(options.data, True)
    held_out_x = torch.stack([prepare(p) for p, _ in held_out]).contiguous(memory_format=torch.channels_last)
    held_out_y = torch.tensor([float(label) for _, label in held_out])

    network = CatsAndDogs().to(memory_format=torch.channels_last)
    network.convolutions.load_state_dict(convolutions)
    average = common.Average(network, 0.998)
    optimiser = torch.optim.AdamW(network.parameters(), lr=options.rate, weight_decay=2e-2)
    checkpoint, first, lines = options.work / "cats-and-dogs.pt", 0, []
    if checkpoint.exists():
        state = torch.load(checkpoint)
        network.load_state_dict(state["network"])
        average.network.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        first, average.steps, lines = state["epoch"], state["steps"], state["log"]
        torch.manual_seed(options.seed + first)  # other random numbers than those already used
    log = common.Log(options.work / "cats-and-dogs.log", lines)

    batch, steps = 32, len(photographs) // 32
    for epoch in range(first, options.epochs):
        network.train()
        total_loss = 0.0
        for step, chosen in enumerate(torch.randperm(len(photographs))[: steps * batch].split(batch)):
            for group in optimiser.param_groups:
                group["lr"] = options.rate * common.one_cycle(epoch + step / steps, options.warm_up, options.epochs)
            samples = 1 if torch.rand(()) < 0.6 else 4
            affine = random_views(batch)
            x = torch.stack([view(photographs[i][0], a, samples) for i, a in zip(chosen.tolist(), affine)])
            y = torch.tensor([float(photographs[i][1]) for i in chosen.tolist()])
            x, y = blend(recolour(x.permute(0, 3, 1, 2)), y)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                answer = network(x.contiguous(memory_format=torch.channels_last)).float()
            loss = F.binary_cross_entropy_with_logits(answer[:, 0], y * 0.95 + 0.025)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
            average.update(network)
            total_loss += loss.item()
        text = f"epoch {epoch + 1}  loss {total_loss / steps:.4f}"
        if (epoch + 1) % 5 == 0 or epoch + 1 == options.epochs:
            text += f"  held-out accuracy {accuracy(average.network, held_out_x, held_out_y):.4f}"
        log.line(text)
        if "held-out" in text:
            common.save(
                checkpoint,
                network=network.state_dict(),
                average=average.network.state_dict(),
                optimiser=optimiser.state_dict(),
                epoch=epoch + 1,
                steps=average.steps,
                log=log.lines,
            )


if __name__ == "__main__":
    parser = common.arguments(__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=90)
    parser.add_argument("--warm-up", type=int, default=36, help="epochs of rising learning rate")
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument("--pretraining-epochs", type=int, default=12)
    train(common.parse(parser))
