"""Makes src/render/font.generated.ts: DejaVu Sans as antialiased glyphs, drawn once by FreeType; and the fixture
test/render/fixtures/text.json: a line of text as Pillow draws it.

Run: python scripts/font/make.py   (needs Pillow and matplotlib, which carries the font)
"""

import base64
import json
from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont, features

SIZES = [10, 12, 14, 18]
CHARACTERS = (
    "".join(chr(c) for c in [*range(0x20, 0x7F), *range(0xA1, 0x100)] if c != 0xAD)
    + "–—‘’“”•…‰→←↑↓−≈≠≤≥∞√Σαβγδεθλμπσ□"
)

path = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"
fonts = []
for size in SIZES:
    font = ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
    ascent, descent = font.getmetrics()
    boxes, pixels = [], []
    for c in CHARACTERS:
        mask, (left, top) = font.getmask2(c, mode="L", anchor="ls")
        width, height = mask.size
        # advance, left of the pen, top above the baseline, width, height
        boxes.append([round(font.getlength(c)), left, -top, width, height])
        pixels += [round(v * 15 / 255) for v in bytes(mask)]
    if len(pixels) % 2:
        pixels.append(0)
    packed = bytes(a << 4 | b for a, b in zip(pixels[::2], pixels[1::2]))
    fonts.append(
        {"size": size, "ascent": ascent, "descent": descent, "boxes": sum(boxes, []),
         "pixels": base64.b64encode(packed).decode()}
    )

lines = [
    "// Made by scripts/font/make.py; do not edit.",
    f"// DejaVu Sans 2.37, drawn by FreeType {features.version('freetype2')}. Free licence: (c) 2003 Bitstream, Inc.; glyphs from",
    "// Arev fonts (c) 2006 Tavmjong Bah; DejaVu changes are in the public domain. https://dejavu-fonts.github.io/License.html",
    "// boxes: advance, left, top, width, height of each character; pixels: 4-bit coverage, two a byte.",
    f"export const characters: string = {json.dumps(CHARACTERS, ensure_ascii=False)};",
    "export const sizes: readonly {",
    "  readonly size: number;",
    "  readonly ascent: number;",
    "  readonly descent: number;",
    "  readonly boxes: readonly number[];",
    "  readonly pixels: string;",
    "}[] = [",
]
for f in fonts:
    lines.append(
        f"  {{ size: {f['size']}, ascent: {f['ascent']}, descent: {f['descent']}, "
        f"boxes: {json.dumps(f['boxes'], separators=(',', ':'))}, pixels: \"{f['pixels']}\" }},"
    )
lines.append("];")
Path("src/render/font.generated.ts").write_text("\n".join(lines) + "\n", encoding="utf-8")

TEXT = "Conv2D (3×3), µ ≥ 0.5 – “Ærø”"
lines = []
for size in SIZES:
    font = ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
    image = Image.new("L", (round(font.getlength(TEXT)) + 8, 2 * size), 255)
    ImageDraw.Draw(image).text((4, round(1.4 * size)), TEXT, font=font, fill=0, anchor="ls")
    lines.append({"size": size, "width": image.width, "height": image.height, "pixels": base64.b64encode(image.tobytes()).decode()})
fixture = {"text": TEXT, "lines": lines}
Path("test/render/fixtures/text.json").write_text(json.dumps(fixture, separators=(",", ":")) + "\n", encoding="utf-8")
