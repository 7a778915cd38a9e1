/**
 * Pillow's resampling of 8-bit pictures: fixed point, rounded and clipped to 8 bit after each pass. The two loops are
 * WASM with vector instructions (codecs/resize/resize.c), several times as fast as the same in JavaScript. A picture
 * goes there in bands of rows, so that its size does not matter.
 */
import { ConvlensError } from "../core/errors.ts";
import type { Picture } from "../core/picture.ts";
import { resampler } from "./resampler.generated.ts";
import type { Taps } from "./taps.ts";

interface Exports {
  readonly memory: WebAssembly.Memory;
  room(size: number): number;
  across(
    from: number,
    width: number,
    rows: number,
    starts: number,
    pairs: number,
    weights: number,
    most: number,
    to: number,
    count: number,
  ): void;
  down(from: number, width: number, pairs: number, weights: number, to: number): void;
}

const precision = 22;
/** About the bytes of one band: what lies in a processor's cache. */
const bandBytes = 2 ** 20;
/** WASM memory grows and never shrinks: beyond this it is given back. */
const keptBytes = 32 * 2 ** 20;
let kept: Exports | undefined;

function instance(): Exports {
  if (kept) return kept;
  const bytes = Uint8Array.from(atob(resampler), (c) => c.charCodeAt(0));
  kept = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Exports;
  return kept;
}

/** Lays out `sizes` bytes one after another, aligned, with some to spare behind each: where they begin. Throws `image-invalid`. */
function layOut(wasm: Exports, sizes: readonly number[]): number[] {
  const offsets = [0];
  for (const size of sizes) offsets.push(offsets.at(-1)! + ((size + 31) & ~15));
  const base = wasm.room(offsets.at(-1)!);
  if (base === 0) throw new ConvlensError("image-invalid", "a picture is too large to be resized: shrink it first");
  return offsets.map((offset) => base + offset);
}

const bytesOf = ({ data }: Picture): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.length);

/** Weights in fixed point, rounded half away from zero, in the order and the parts that resize.c takes. */
function packed({ weights, counts, width }: Taps): { pairs: Uint32Array; most: number; parts: Int16Array } {
  const most = (width + 1) >> 1;
  const pairs = Uint32Array.from(counts, (count) => (count + 1) >> 1);
  const parts = new Int16Array(counts.length * most * 4);
  for (let i = 0; i < counts.length; i++) {
    for (let k = 0; k < counts[i]!; k++) {
      const weight = weights[i * width + k]!;
      const fixed = Math.trunc(weight * (1 << precision) + (weight < 0 ? -0.5 : 0.5));
      const at = (i * most + (k >> 1)) * 4 + (k & 1);
      parts[at] = fixed & 0x7fff;
      parts[at + 2] = fixed >> 15;
    }
  }
  return { pairs, most, parts };
}

/** `undefined`: the axis stays. Pillow 13 takes the columns first when the height shrinks by more than twice what the width does (checked against it on thousands of sizes); earlier versions always took the rows first. */
export function resampleFixed(picture: Picture, rows: Taps | undefined, columns: Taps | undefined): Picture {
  if (!rows) return columns ? fixedRows(picture, columns, 0, picture.height) : picture;
  if (!columns) return fixedColumns(picture, rows);
  const lostHeight = picture.height - rows.starts.length;
  const lostWidth = picture.width - columns.starts.length;
  if (lostHeight > 0 && lostHeight > 2 * lostWidth) {
    const shrunk = fixedColumns(picture, rows);
    return fixedRows(shrunk, columns, 0, shrunk.height);
  }
  const end = rows.starts.at(-1)! + rows.counts.at(-1)!;
  return fixedColumns(fixedRows(picture, columns, rows.starts[0]!, end), rows);
}

/** Resamples the rows from `first` to before `end`; the others stay empty, as nothing reads them. */
function fixedRows(picture: Picture, taps: Taps, first: number, end: number): Picture {
  const wasm = instance();
  const { pairs, most, parts } = packed(taps);
  const source = bytesOf(picture);
  const count = taps.starts.length;
  const stride = picture.width * 4;
  const out = new Uint8ClampedArray(count * picture.height * 4);
  const band = Math.max(1, Math.floor(bandBytes / Math.max(stride, count * 4)));
  const sizes = [count * 4, count * 4, parts.byteLength, band * stride, band * count * 4];
  const [starts, pairsAt, weights, from, to] = layOut(wasm, sizes) as [number, number, number, number, number];
  const memory = wasm.memory.buffer;
  new Int32Array(memory, starts, count).set(taps.starts);
  new Uint32Array(memory, pairsAt, count).set(pairs);
  new Int16Array(memory, weights, parts.length).set(parts);
  const bytes = new Uint8Array(memory);
  for (let y = first; y < end; y += band) {
    const rows = Math.min(band, end - y);
    bytes.set(source.subarray(y * stride, (y + rows) * stride), from);
    wasm.across(from, picture.width, rows, starts, pairsAt, weights, most, to, count);
    out.set(bytes.subarray(to, to + rows * count * 4), y * count * 4);
  }
  if (memory.byteLength > keptBytes) kept = undefined;
  return { width: count, height: picture.height, data: out };
}

function fixedColumns(picture: Picture, taps: Taps): Picture {
  const wasm = instance();
  const { pairs, most, parts } = packed(taps);
  const source = bytesOf(picture);
  const height = taps.starts.length;
  const stride = picture.width * 4;
  const out = new Uint8ClampedArray(height * stride);
  const endOf = (y: number): number => taps.starts[y]! + taps.counts[y]!;
  /** As many outputs as fit a band with what they read. */
  const bandEnd = (y: number): number => {
    let end = y + 1;
    while (end < height && (endOf(end) - taps.starts[y]!) * stride <= bandBytes && (end - y) * stride < bandBytes)
      end++;
    return end;
  };
  for (let y = 0; y < height; ) {
    const end = bandEnd(y);
    const first = taps.starts[y]!;
    const rows = source.subarray(first * stride, endOf(end - 1) * stride);
    // One row more than there is: an odd number of rows is filled up with weight 0.
    const sizes = [(end - y) * most * 8, rows.length + stride, (end - y) * stride];
    const [weights, from, to] = layOut(wasm, sizes) as [number, number, number];
    const bytes = new Uint8Array(wasm.memory.buffer);
    new Int16Array(wasm.memory.buffer, weights).set(parts.subarray(y * most * 4, end * most * 4));
    bytes.set(rows, from);
    for (let i = y; i < end; i++) {
      const at = from + (taps.starts[i]! - first) * stride;
      wasm.down(at, picture.width, pairs[i]!, weights + (i - y) * most * 8, to + (i - y) * stride);
    }
    out.set(bytes.subarray(to, to + (end - y) * stride), y * stride);
    y = end;
  }
  if (wasm.memory.buffer.byteLength > keptBytes) kept = undefined;
  return { width: picture.width, height, data: out };
}
