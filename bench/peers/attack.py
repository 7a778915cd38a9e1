"""Candidates per second of one-pixel attacks on the CIFAR-10 network: torchattacks, and a bare batched PyTorch loop.

`attack.py BATCH`: prints {"torchattacks": ..., "torch": ...}. The network is the one that Convlens embeds, untrained.
"""
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "models" / "training"))
import torch
from cifar10 import SmallResNet

batch = int(sys.argv[1])
torch.manual_seed(0)
net = SmallResNet().eval()
judged = 0


class Counting(torch.nn.Module):
    def forward(self, x):
        global judged
        judged += len(x)
        return net(x)


def rate(run, repeats):
    """Candidates per second of the fastest of several runs."""
    global judged
    best = 0
    for _ in range(repeats):
        judged = 0
        start = time.perf_counter()
        run()
        best = max(best, judged / (time.perf_counter() - start))
    return best


counting = Counting().eval()
image = torch.rand(1, 3, 32, 32)
out = {}
with torch.no_grad():
    many = torch.rand(batch, 3, 32, 32)
    out["torch"] = rate(lambda: [counting(many) for _ in range(8)], 5)
try:
    import torchattacks

    label = net(image).argmax(1)
    wanted = 0

    def attack():
        # A wanted class that is never reached, so that every generation is made.
        search = torchattacks.OnePixel(counting, pixels=1, steps=3, popsize=400, inf_batch=batch)
        search._supported_mode = ["default", "targeted"]
        search._attack_success = lambda *_: False
        search(image, label)

    out["torchattacks"] = rate(attack, 3)
except ImportError:
    pass
print(json.dumps(out))
