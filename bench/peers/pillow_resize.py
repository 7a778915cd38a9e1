"""Decodes each photograph and resizes it to 224x224 with Pillow; prints milliseconds per photograph, best of `repeats`."""
import io
import json
import sys
import time

from PIL import Image

repeats = int(sys.argv[1])
result = {}
for path in sys.argv[2:]:
    data = open(path, "rb").read()
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        Image.open(io.BytesIO(data)).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR).tobytes()
        best = min(best, time.perf_counter() - start)
    result[path] = best * 1000
print(json.dumps(result))
