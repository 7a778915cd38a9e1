"""Trains the cifar10 network: a small residual network, 759,594 parameters, for 32x32 pictures.

A 3x3 convolution to 32 channels, then three stages at 16x16, 8x8 and 8x8 places. Global average pooling stands before
one dense layer, so class activation maps apply directly, on a map of 8x8 places.

Three cycles of the learning rate: one with cutout, then two shorter ones with cutmix too. Each ends with a moving average
of its weights, and the next starts from the mean of those so far. The mean of all three is shipped (stochastic weight
averaging, arXiv:1803.05407), with batch-normalisation statistics measured afresh on training pictures.
"""

import copy
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

import common

MEAN = torch.tensor([0.4914, 0.4822, 0.4465])
STD = torch.tensor([0.2470, 0.2435, 0.2616])


class Cycle(NamedTuple):
    """Once up and down with the learning rate."""

    epochs: int
    warm_up: int
    rate: float  # at the peak
    cutmix: float  # share of the batches that are mixed; the others have a hole cut out of every picture


CYCLES = [Cycle(32, 12, 0.1, 0.0), Cycle(18, 1, 0.08, 0.7), Cycle(10, 1, 0.05, 0.5)]


class Residual(nn.Module):
    """relu(x + bn2(conv2(relu(bn1(conv1(x))))))"""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x + self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))


class Stage(nn.Module):
    """A convolution to more channels, pooling to half the side where asked, and residual blocks."""

    def __init__(self, inputs: int, channels: int, pool: bool, blocks: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, channels, 3, padding=1, bias=False)
        self.pool = nn.MaxPool2d(2) if pool else None
        self.bn = nn.BatchNorm2d(channels)
        self.blocks = [f"block{number + 1}" for number in range(blocks)]
        for name in self.blocks:
            self.add_module(name, Residual(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        x = F.relu(self.bn(x if self.pool is None else self.pool(x)))
        for name in self.blocks:
            x = self.get_submodule(name)(x)
        return x


class SmallResNet(nn.Module):
    """Input [N, 3, 32, 32], normalised with MEAN and STD; output ten logits."""

    def __init__(self):
        super().__init__()
        self.stem = Stage(3, 32, pool=False, blocks=0)
        self.layer1 = Stage(32, 64, pool=True, blocks=1)
        self.layer2 = Stage(64, 128, pool=True, blocks=2)
        self.fc = nn.Linear(128, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.layer2(self.layer1(self.stem(x))).mean((2, 3)))


def normalise(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 [N, 32, 32, 3] to normalised [N, 3, 32, 32] (channels last in memory)."""
    return ((pixels.float() / 255 - MEAN) / STD).permute(0, 3, 1, 2)


def augment(padded: torch.Tensor, chosen: torch.Tensor, cutout: bool = True) -> torch.Tensor:
    """For each chosen picture its own crop of the padded [N, 40, 40, 3] pictures, its own mirror and its own cutout."""
    n = len(chosen)
    along = torch.arange(32)
    rows = torch.randint(0, 9, (n, 1)) + along
    columns = torch.randint(0, 9, (n, 1)) + torch.where(torch.rand(n, 1) < 0.5, along, 31 - along)
    x = normalise(padded[chosen[:, None, None], rows[:, :, None], columns[:, None, :]])
    if not cutout:
        return x
    hole_rows = (along - torch.randint(0, 32, (n, 1))).abs() < 5
    hole_columns = (along - torch.randint(0, 32, (n, 1))).abs() < 5
    return x.masked_fill_((hole_rows[:, :, None] & hole_columns[:, None, :])[:, None], 0)


def cutmix(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Replaces one square, the same in every picture, by another picture's; returns whose, and the share that is left."""
    order = torch.randperm(len(x))
    side = int(torch.randint(6, 25, ()))
    top, left = torch.randint(0, 33 - side, (2,)).tolist()
    x[:, :, top : top + side, left : left + side] = x[order, :, top : top + side, left : left + side]
    return x, order, 1 - side * side / 1024


@torch.no_grad()
def measure_statistics(network: SmallResNet, padded: torch.Tensor, batches: int = 60) -> None:
    """Batch-normalisation means and variances of the averaged weights, in float32 on augmented training pictures."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a plain mean over the batches
    network.train()
    for chosen in torch.randperm(len(padded))[: batches * 256].split(256):
        network(augment(padded, chosen))
    network.eval()


@torch.no_grad()
def accuracy(network: SmallResNet, pixels: torch.Tensor, labels: torch.Tensor) -> float:
    network.eval()
    right = sum((network(normalise(x)).argmax(1) == y).sum().item() for x, y in zip(pixels.split(500), labels.split(500)))
    return right / len(labels)


def mean_of(ends: list[dict]) -> dict:
    """The mean of several state dictionaries."""
    return {name: torch.stack([end[name].float() for end in ends]).mean(0).to(first.dtype) for name, first in ends[0].items()}


def train(options) -> None:
    """Writes cifar10.pt, whose "shipped" is what export.py ships."""
    pixels, labels = common.cifar10(options.data, "train", options.work)
    test = common.cifar10(options.data, "test", options.work)
    padded = F.pad(pixels.permute(0, 3, 1, 2).float(), (4, 4, 4, 4), mode="reflect").byte().permute(0, 2, 3, 1).contiguous()
    network = SmallResNet().to(memory_format=torch.channels_last)
    average = common.Average(network, 0.998)
    groups = [
        {"params": [p for p in network.parameters() if p.ndim > 1], "weight_decay": 5e-4},
        {"params": [p for p in network.parameters() if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True)
    checkpoint, first, lines = options.work / "cifar10.pt", 0, []
    ends = []  # the averaged weights at the end of each cycle
    if checkpoint.exists():
        state = torch.load(checkpoint)
        network.load_state_dict(state["network"])
        average.network.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        first, average.steps, lines = state["epoch"], state["steps"], state["log"]
        ends = state["ends"]
        torch.manual_seed(options.seed + first)  # other random numbers than those already used
    log = common.Log(options.work / "cifar10.log", lines)

    for number, cycle in enumerate(CYCLES):
        before = sum(c.epochs for c in CYCLES[:number])
        last = before + cycle.epochs
        if number > 0 and first <= before:
            network.load_state_dict(mean_of(ends))
            average = common.Average(network, 0.998)
        for epoch in range(max(first, before), last):
            text = f"epoch {epoch + 1}  {train_epoch(network, average, optimiser, padded, labels, cycle, epoch - before)}"
            shipped = average.network.state_dict()
            if epoch + 1 == last:
                measure_statistics(average.network, padded)
                ends.append(copy.deepcopy(average.network.state_dict()))
                mean = SmallResNet().to(memory_format=torch.channels_last)
                mean.load_state_dict(mean_of(ends))
                measure_statistics(mean, padded)
                shipped = mean.state_dict()
                text += f"  test accuracy {accuracy(average.network, *test):.4f}, of the mean of cycles {accuracy(mean, *test):.4f}"
            elif (epoch + 1) % 3 == 0:
                text += f"  test accuracy {accuracy(average.network, *test):.4f}"
            log.line(text)
            common.save(
                checkpoint,
                network=network.state_dict(),
                average=average.network.state_dict(),
                ends=ends,
                shipped=shipped,
                optimiser=optimiser.state_dict(),
                epoch=epoch + 1,
                steps=average.steps,
                log=log.lines,
            )


def train_epoch(network: SmallResNet, average: common.Average, optimiser, padded, labels, cycle: Cycle, epoch: int) -> str:
    """One pass over the training pictures; returns what the log says about it."""
    network.train()
    batch, steps = 128, len(padded) // 128
    total_loss, correct = 0.0, 0
    for step, chosen in enumerate(torch.randperm(len(padded))[: steps * batch].split(batch)):
        for group in optimiser.param_groups:
            group["lr"] = cycle.rate * common.one_cycle(epoch + step / steps, cycle.warm_up, cycle.epochs)
        y, share = labels[chosen], 1.0
        mixed = torch.rand(()).item() < cycle.cutmix
        x = augment(padded, chosen, cutout=not mixed)
        if mixed:
            x, order, share = cutmix(x)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            answer = network(x).float()
        loss = share * F.cross_entropy(answer, y, label_smoothing=0.1)
        if mixed:
            loss = loss + (1 - share) * F.cross_entropy(answer, y[order], label_smoothing=0.1)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        average.update(network)
        total_loss += loss.item()
        correct += (answer.argmax(1) == y).sum().item()
    return f"loss {total_loss / steps:.4f}  training accuracy {correct / (steps * batch):.4f}"


if __name__ == "__main__":
    train(common.parse(common.arguments(__doc__.splitlines()[0])))
