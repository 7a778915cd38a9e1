"""Makes src/render/colormaps.generated.ts (256 entries a map, as matplotlib and OpenCV have them) and the fixture
test/render/fixtures/colormaps.json: values with matplotlib's own bytes for them.

Run: python scripts/colormaps/make.py   (needs numpy, matplotlib, opencv-python-headless)
"""

import base64
import hashlib
import json
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from matplotlib.colors import Normalize

NAMES = ["viridis", "magma", "inferno", "plasma", "cividis", "gray", "RdBu", "RdBu_r", "coolwarm", "turbo", "jet"]

tables = {name: matplotlib.colormaps[name](np.arange(256), bytes=True)[:, :3] for name in NAMES}
tables["opencv-jet"] = cv2.applyColorMap(np.arange(256, dtype=np.uint8), cv2.COLORMAP_JET).reshape(256, 3)[:, ::-1]

lines = [
    "// Made by scripts/colormaps/make.py; do not edit.",
    f"// The colour maps of matplotlib {matplotlib.__version__} and OpenCV {cv2.__version__}: 256 x RGB, base64.",
    "export const tables = {",
    *[f'  "{name}": "{base64.b64encode(t.astype(np.uint8).tobytes()).decode()}",' for name, t in tables.items()],
    "} as const;",
]
Path("src/render/colormaps.generated.ts").write_text("\n".join(lines) + "\n")

random = np.random.default_rng(0)
values = random.normal(size=200).astype(np.float32) * 3
values[:8] = [-1.5, 2.5, 0.5, -9, 9, np.inf, -np.inf, np.nan]
step = np.linspace(-1.5, 2.5, 257, dtype=np.float32)  # the very edges of the entries
values = np.concatenate([values, step, np.nextafter(step, np.float32(-9))])
norm = Normalize(-1.5, 2.5)
fixture = {
    "versions": {"matplotlib": matplotlib.__version__, "opencv": cv2.__version__},
    "sha256": {n: hashlib.sha256(t.astype(np.uint8).tobytes()).hexdigest() for n, t in tables.items()},
    "samples": {n: t[[0, 64, 128, 192, 255]].tolist() for n, t in tables.items()},
    "min": -1.5,
    "max": 2.5,
    "values": [None if np.isnan(v) else str(v) if np.isinf(v) else float(v) for v in values],
    "viridis": matplotlib.colormaps["viridis"](norm(values), bytes=True).reshape(-1).tolist(),
}
out = Path("test/render/fixtures/colormaps.json")
out.parent.mkdir(parents=True, exist_ok=True)
out.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
