/** Ready input tensors: checked against what the network takes, and cast to its types. */
import { ConvlensError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { arrayTypes, type ElementType, float32, sizeOf, type Tensor } from "../core/tensor.ts";
import type { Feeds, ModelInput } from "./model.ts";

/** A tensor for each input. Throws `tensor-invalid`, naming what was expected and what was given. */
export function checkFeeds(inputs: readonly ModelInput[], feeds: Feeds): Record<string, Tensor> {
  const given = isTensor(feeds) ? { [inputs[0]!.name]: feeds } : feeds;
  for (const name of Object.keys(given))
    if (!inputs.some((input) => input.name === name)) {
      const names = inputs.map((input) => input.name);
      throw new ConvlensError(
        "tensor-invalid",
        `the network has no input "${name}": its inputs are ${names.map((n) => `"${n}"`).join(", ")}.${didYouMean(name, names)}`,
      );
    }
  return Object.fromEntries(
    inputs.map((input) => {
      const tensor = given[input.name];
      if (!tensor)
        throw new ConvlensError(
          "tensor-invalid",
          `the network's input "${input.name}" ${shown(input.shape)} is not given`,
        );
      checkShape(input, tensor);
      checkNumbers(input.name, tensor);
      return [input.name, cast(input, tensor)];
    }),
  );
}

/** Whether feeds are the one tensor of a network with one input. */
export const isTensor = (feeds: Feeds): feeds is Tensor => "dims" in feeds && Array.isArray(feeds.dims);

const shown = (shape: readonly (number | null)[]): string => `[${shape.map((n) => n ?? "N").join(", ")}]`;

/** The first axis counts pictures: any number of them may be given, whatever the file declares. */
function checkShape(input: ModelInput, { dims, data }: Tensor): void {
  // A file may leave the shape of its input unsaid: the engine then judges.
  const fits =
    input.shape.length === 0 ||
    (dims.length === input.shape.length &&
      dims.every(
        (n, axis) =>
          input.shape[axis] === null || n === input.shape[axis] || (axis === 0 && input.shape[0] === 1 && n > 0),
      ));
  if (!fits || dims.includes(0))
    throw new ConvlensError(
      "tensor-invalid",
      `input "${input.name}" has the shape ${shown(dims)}; the network takes ${shown(input.shape)} (${input.layout})`,
    );
  if (sizeOf(dims) !== data.length)
    throw new ConvlensError(
      "tensor-invalid",
      `input "${input.name}" has ${data.length} elements for the shape ${shown(dims)}`,
    );
}

function checkNumbers(name: string, { type, data }: Tensor): void {
  if (type !== "float32" && type !== "float64") return;
  const numbers = data as Float32Array;
  if (allFinite(numbers)) return;
  const at = numbers.findIndex((value) => !Number.isFinite(value));
  throw new ConvlensError(
    "tensor-invalid",
    `input "${name}" holds ${numbers[at]} at element ${at}; every element must be a finite number`,
  );
}

/**
 * In float64 no sum of float32 numbers overflows, so it is finite exactly when all of them are. Four sums, because one
 * addition need not wait for another.
 */
function allFinite(numbers: Float32Array): boolean {
  let [a, b, c, d] = [0, 0, 0, 0];
  const paired = numbers.length - (numbers.length % 8);
  for (let i = 0; i < paired; i += 8) {
    a += numbers[i]! + numbers[i + 1]!;
    b += numbers[i + 2]! + numbers[i + 3]!;
    c += numbers[i + 4]! + numbers[i + 5]!;
    d += numbers[i + 6]! + numbers[i + 7]!;
  }
  for (let i = paired; i < numbers.length; i++) a += numbers[i]!;
  return Number.isFinite(a + b + c + d);
}

/** Tensors of the input's own type pass; float32, what pictures become, is cast to it. */
function cast(input: ModelInput, tensor: Tensor): Tensor {
  const type = input.type as ElementType;
  if (tensor.type === type) return tensor;
  if (input.declared !== undefined && /^u?int\d+$/.test(tensor.type))
    return float32(tensor.dims, Float32Array.from(tensor.data as ArrayLike<number | bigint>, Number));
  const array = Object.hasOwn(arrayTypes, type) ? arrayTypes[type] : undefined;
  if (tensor.type !== "float32" || !array)
    throw new ConvlensError(
      "tensor-invalid",
      `input "${input.name}" is ${tensor.type}; the network takes ${input.type}: convert it, in numpy with .astype("${input.type === "bfloat16" ? "float32" : input.type}")`,
    );
  const from = tensor.data as Float32Array;
  const data = new array(from.length);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    for (let i = 0; i < from.length; i++) data[i] = BigInt(Math.round(from[i]!));
  else if (type === "float16") for (let i = 0; i < from.length; i++) data[i] = numberToHalf(from[i]!);
  else if (type === "float64") for (let i = 0; i < from.length; i++) data[i] = from[i]!;
  else
    for (let i = 0; i < from.length; i++) {
      const whole = Math.round(from[i]!);
      data[i] = whole;
      if (data[i] !== whole)
        throw new ConvlensError(
          "tensor-invalid",
          `input "${input.name}" holds ${from[i]}, which ${type} cannot hold: the preprocessing does not fit the network`,
        );
    }
  return { type, dims: tensor.dims, data };
}

const floatView = new Float32Array(1);
const bitsView = new Uint32Array(floatView.buffer);

/** The bits of the half-precision number nearest to a number (ties to even). */
function numberToHalf(value: number): number {
  floatView[0] = value;
  const bits = bitsView[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below 2^-14 halves are whole multiples of 2^-24; adding 0.5 makes the float32 unit exactly that, rounding included.
  if (magnitude < 0x38800000) {
    floatView[0] = Math.abs(value) + 0.5;
    return sign | (bitsView[0]! - 0x3f000000);
  }
  const odd = (magnitude >>> 13) & 1;
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13);
}
