import { unzlibSync } from "fflate";
import { expect, test } from "vitest";
import { encodeApng } from "./apng.ts";
import { decodeImage } from "./index.ts";

const picture = (red: number) => ({
  width: 3,
  height: 2,
  data: Uint8ClampedArray.from({ length: 24 }, (_, i) => (i % 4 === 0 ? red + i : i % 4 === 3 ? 255 : 9 * i)),
});

/** Chunks by type, in order. */
function chunks(file: Uint8Array): { type: string; body: Uint8Array }[] {
  const found: { type: string; body: Uint8Array }[] = [];
  const view = new DataView(file.buffer, file.byteOffset);
  for (let at = 8; at < file.length; ) {
    const length = view.getUint32(at);
    found.push({
      type: String.fromCharCode(...file.subarray(at + 4, at + 8)),
      body: file.subarray(at + 8, at + 8 + length),
    });
    at += 12 + length;
  }
  return found;
}

test("the first frame is what programs without APNG show; the others follow in order", async () => {
  const frames = [picture(1), picture(60), picture(120)];
  const file = encodeApng(frames, 100);
  const { picture: shown } = await decodeImage(file, { codec: async () => undefined });
  expect(shown.data).toEqual(frames[0]!.data);
  const all = chunks(file);
  expect(all.map(({ type }) => type)).toEqual(["IHDR", "acTL", "fcTL", "IDAT", "fcTL", "fdAT", "fcTL", "fdAT", "IEND"]);
  // Sequence numbers count fcTL and fdAT together.
  const numbered = all.filter(({ type }) => /^f/.test(type));
  expect(numbered.map(({ body }) => new DataView(body.buffer, body.byteOffset).getUint32(0))).toEqual([0, 1, 2, 3, 4]);
  const last = unzlibSync(all.at(-2)!.body.subarray(4));
  expect([last[0], last[1]]).toEqual([1, 120]);
});

test("frames of other sizes, or none, are refused", () => {
  expect(() => encodeApng([], 100)).toThrow(/one size/);
  expect(() => encodeApng([picture(1), { ...picture(1), width: 2, height: 3 }], 100)).toThrow(/one size/);
});
