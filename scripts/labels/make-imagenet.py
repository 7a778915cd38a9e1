"""Writes src/model/labels/imagenet.generated.ts: the 1000 ImageNet classes in order, each with its WordNet id.

Names and ids are facts of WordNet; timm (https://pypi.org/project/timm, Apache-2.0) lists both.
The short name is the first word of the synset, spaces kept, as Keras' decode_predictions has it.

    pip install --no-deps timm && python scripts/labels/make-imagenet.py
"""

import importlib.util
import json
from pathlib import Path

root = Path(__file__).resolve().parents[2]
info = Path(importlib.util.find_spec("timm").origin).parent / "data" / "_info"

lemmas = dict(
    line.split("\t", 1) for line in (info / "imagenet_synset_to_lemma.txt").read_text().splitlines() if line
)
synsets = (info / "imagenet_synsets.txt").read_text().split()
assert len(synsets) == 1000 and synsets == sorted(synsets)

lines = [f"{synset} {lemmas[synset].split(',')[0].strip()}" for synset in synsets]
target = root / "src" / "model" / "labels" / "imagenet.generated.ts"
target.write_text(
    "/** The 1000 ImageNet classes in order, WordNet id and name. Made by scripts/labels/make-imagenet.py. */\n"
    "export const imagenet: string = `" + "\n".join(lines).replace("`", "\\`") + "`;\n"
)
print(f"{len(lines)} classes -> {target.relative_to(root)}")
