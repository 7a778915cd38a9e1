/** Seeded damage to files: flipped bits, changed, lost, doubled and moved bytes, cut ends, numbers made huge. */

/** Uniform numbers in 0..1, the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Damage = (bytes: Uint8Array, below: (n: number) => number) => Uint8Array;

const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const at = (bytes: Uint8Array, below: (n: number) => number): [from: number, to: number] => {
  const from = below(bytes.length);
  return [from, Math.min(bytes.length, from + 1 + below(24))];
};

const damages: readonly Damage[] = [
  (bytes, below) => {
    for (let n = 1 + below(8); n > 0; n--) bytes[below(bytes.length)]! ^= 1 << below(8);
    return bytes;
  },
  (bytes, below) => {
    for (let n = 1 + below(4); n > 0; n--) bytes[below(bytes.length)] = [0, 1, 127, 128, 255, below(256)][below(6)]!;
    return bytes;
  },
  (bytes, below) => bytes.subarray(0, below(bytes.length)),
  (bytes, below) => {
    const [from, to] = at(bytes, below);
    return join(bytes.subarray(0, from), bytes.subarray(to));
  },
  (bytes, below) => {
    const [from, to] = at(bytes, below);
    return join(bytes.subarray(0, to), bytes.subarray(from));
  },
  (bytes, below) => {
    const [from, to] = at(bytes, below);
    const target = below(bytes.length);
    bytes.copyWithin(target, from, to);
    return bytes;
  },
  // A varint or a length with many high bits: sizes, counts, offsets.
  (bytes, below) => {
    const from = below(bytes.length);
    bytes.fill(255, from, Math.min(bytes.length, from + 1 + below(9)));
    return bytes;
  },
  (bytes, below) => {
    const [from, to] = at(bytes, below);
    bytes.fill(0, from, to);
    return bytes;
  },
];

/** A damaged copy of a file; one to three kinds of damage, chosen by the seed. */
export function mutate(file: Uint8Array, seed: number): Uint8Array {
  const next = random(seed);
  const below = (n: number) => Math.floor(next() * n);
  let bytes = file.slice();
  for (let n = 1 + below(3); n > 0 && bytes.length > 0; n--)
    bytes = damages[below(damages.length)]!(bytes, below).slice();
  return bytes;
}
