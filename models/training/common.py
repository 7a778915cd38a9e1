"""What both training programs share: reading the data, the learning rate, averaged weights, the log.

Data is read from the folder named by --data or the environment variable CONVLENS_DATA:

    cats-dogs/train.tar       train/cat.N.jpg and train/dog.N.jpg, N from 0 to 1000
    cifar10/train.tar.gz      train/<class>/<number>.jpg, 5,000 pictures a class
    cifar10/test.tar.gz       test/<class>/<number>.jpg, 1,000 pictures a class
"""

import argparse
import copy
import io
import math
import os
import tarfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

CIFAR10_LABELS = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
CATS_AND_DOGS_LABELS = ["cat", "dog"]

# Photographs whose number is below this are held out: 200 cats and 200 dogs.
HELD_OUT_BELOW = 200


def arguments(description: str) -> argparse.ArgumentParser:
    """The options that both programs understand."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, default=os.environ.get("CONVLENS_DATA"), help="folder with cats-dogs/ and cifar10/ (or set CONVLENS_DATA)")
    parser.add_argument("--work", type=Path, default=Path("work"), help="folder for checkpoints, caches and logs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2, help="on a busy machine one is faster than two")
    return parser


def parse(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Parses the command line and prepares folder, seed and threads."""
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the data folder with --data or CONVLENS_DATA")
    options.data = Path(options.data)
    options.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    return options


def pictures_in(archive: Path):
    """Yields (name, RGB picture) for every JPEG of a tar archive, sorted by name."""
    with tarfile.open(archive) as tar:
        members = sorted((m for m in tar.getmembers() if m.name.endswith(".jpg")), key=lambda m: m.name)
        for member in members:
            yield member.name, Image.open(io.BytesIO(tar.extractfile(member).read())).convert("RGB")


def cifar10(data: Path, split: str, cache: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """CIFAR-10 pictures as uint8 [N, 32, 32, 3] and their classes; decoded once, then read from `cache`."""
    stored = cache / f"cifar10-{split}.pt"
    if not stored.exists():
        pixels, labels = [], []
        for name, picture in pictures_in(data / "cifar10" / f"{split}.tar.gz"):
            pixels.append(np.asarray(picture))
            labels.append(CIFAR10_LABELS.index(name.split("/")[-2]))
        torch.save((torch.from_numpy(np.stack(pixels)), torch.tensor(labels)), stored)
    return torch.load(stored)


def cats_and_dogs(data: Path, held_out: bool) -> list[tuple[Image.Image, int]]:
    """The held-out photographs (number below HELD_OUT_BELOW) or all the others, with 0 = cat, 1 = dog."""
    photographs = []
    for name, picture in pictures_in(data / "cats-dogs" / "train.tar"):
        kind, number, _ = name.split("/")[-1].split(".")
        if (int(number) < HELD_OUT_BELOW) == held_out:
            photographs.append((picture, CATS_AND_DOGS_LABELS.index(kind)))
    return photographs


def one_cycle(epoch: float, warm_up: float, epochs: int) -> float:
    """Share of the peak learning rate: up linearly for `warm_up` epochs, then down along a cosine to zero."""
    if epoch < warm_up:
        return 0.04 + 0.96 * epoch / warm_up
    return 0.5 * (1 + math.cos(math.pi * (epoch - warm_up) / (epochs - warm_up)))


class Average:
    """An exponential moving average of a network's weights; `network` is what gets evaluated and shipped."""

    def __init__(self, network: torch.nn.Module, decay: float):
        self.network = copy.deepcopy(network).eval()
        self.decay = decay
        self.steps = 0

    @torch.no_grad()
    def update(self, network: torch.nn.Module) -> None:
        self.steps += 1
        # At the start the average follows closely, so that the random initial weights are soon forgotten.
        share = 1 - min(self.decay, self.steps / (self.steps + 10))
        for mine, theirs in zip(self.network.state_dict().values(), network.state_dict().values()):
            if mine.dtype.is_floating_point:
                mine.lerp_(theirs, share)
            else:
                mine.copy_(theirs)


class Log:
    """One line an epoch, on the screen and in a file. `lines` goes into checkpoints, so that a resumed log continues."""

    def __init__(self, path: Path, lines: list[str] = ()):
        self.path, self.lines = path, list(lines)
        seconds = int(self.lines[-1].split()[-2]) if self.lines else 0
        self.start = time.time() - seconds

    def line(self, text: str) -> None:
        self.lines.append(f"{text}  {time.time() - self.start:.0f} s")
        print(self.lines[-1], flush=True)
        self.path.write_text("\n".join(self.lines) + "\n")


def save(path: Path, **state) -> None:
    """Writes a checkpoint so that a stop in the middle of writing loses nothing."""
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)
