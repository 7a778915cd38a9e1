/** Cases of convolutions and pools. */
import { int, ints, text } from "../../../src/graph/builder.ts";
import type { Attribute } from "../../../src/graph/graph.ts";
import { bent, type GradientCase, linear, w, x } from "./case.ts";

type Attributes = Readonly<Record<string, Attribute>>;
const map = x(["N", 4, 7, 6]);
const pads = (...values: number[]): Attributes => ({ pads: ints(values) });
const strides = (...values: number[]): Attributes => ({ strides: ints(values) });
const dilations = (...values: number[]): Attributes => ({ dilations: ints(values) });
const auto = (mode: string): Attributes => ({ auto_pad: text(mode) });
const group = (n: number): Attributes => ({ group: int(n) });

const conv = (weight: readonly number[], ...parts: Attributes[]): GradientCase =>
  linear("Conv", [map, w(weight)], Object.assign({}, ...parts));
const full = [6, 4, 3, 3] as const;

const convolutions: readonly GradientCase[] = [
  conv(full),
  conv(full, { kernel_shape: ints([3, 3]) }),
  conv(full, pads(1, 1, 1, 1)),
  conv(full, pads(0, 2, 1, 0)),
  conv(full, pads(2, 2, 2, 2)),
  // Wider than the kernel: the outermost windows see padding alone.
  conv(full, pads(4, 3, 5, 4)),
  conv(full, pads(4, 3, 5, 4), strides(2, 3)),
  conv([6, 4, 1, 1]),
  conv([6, 4, 1, 1], strides(2, 2)),
  conv([6, 4, 1, 1], strides(3, 2), pads(1, 0, 0, 1)),
  conv([5, 4, 2, 5], pads(0, 2, 1, 2)),
  conv(full, strides(2, 2)),
  conv(full, strides(2, 2), pads(1, 1, 1, 1)),
  conv(full, strides(2, 1), pads(1, 0, 1, 2)),
  conv(full, strides(1, 3)),
  conv(full, strides(4, 5)),
  conv(full, strides(4, 5), pads(1, 0, 0, 0)),
  conv(full, dilations(2, 2)),
  conv(full, dilations(2, 1), pads(2, 1, 2, 1)),
  conv(full, dilations(3, 2), pads(3, 2, 3, 2)),
  conv(full, dilations(2, 2), strides(2, 2), pads(1, 2, 2, 1)),
  conv([6, 2, 3, 3], group(2), pads(1, 1, 1, 1)),
  conv([6, 2, 3, 2], group(2), strides(2, 3), pads(1, 0, 2, 1)),
  conv([6, 2, 3, 3], group(2), dilations(2, 1)),
  conv([4, 1, 3, 3], group(4), pads(1, 1, 1, 1)),
  conv([4, 1, 3, 3], group(4), strides(2, 2), pads(1, 1, 1, 1)),
  conv([4, 1, 3, 3], group(4), dilations(2, 1), pads(2, 1, 2, 1)),
  conv([12, 1, 3, 3], group(4), pads(1, 1, 1, 1)),
  conv([8, 1, 3, 3], group(4), strides(2, 1)),
  ...["SAME_UPPER", "SAME_LOWER", "VALID"].flatMap((mode) => [
    conv(full, auto(mode)),
    conv([6, 4, 2, 4], auto(mode)),
    conv(full, auto(mode), strides(2, 2)),
    conv(full, auto(mode), strides(3, 4)),
  ]),
  // The bias is differentiable too; the kernel is not.
  linear("Conv", [map, w(full), x([6])], pads(1, 1, 1, 1)),
  linear("Conv", [x(["N", 3, 9]), w([5, 3, 4]), w([5])], { ...strides(2), ...pads(1, 2) }),
  linear("Conv", [x(["N", 3, 9]), w([5, 3, 4])], { ...dilations(2) }),
  linear("Conv", [x(["N", 4, 9]), w([4, 2, 3])], { ...group(2), ...auto("SAME_LOWER") }),
  linear("Conv", [x(["N", 2, 4, 5, 6]), w([3, 2, 2, 3, 3])], pads(0, 1, 1, 0, 1, 1)),
  linear("Conv", [x(["N", 2, 4, 5, 6]), w([4, 1, 3, 3, 3])], {
    ...group(2),
    ...strides(2, 1, 2),
    ...pads(1, 1, 1, 1, 1, 1),
  }),
];

const small = x(["N", 4, 3, 4]);
const transposed = (weight: readonly number[], ...parts: Attributes[]): GradientCase =>
  linear("ConvTranspose", [small, w(weight)], Object.assign({}, ...parts));
const kernel = [4, 3, 3, 3] as const;
const more = (...values: number[]): Attributes => ({ output_padding: ints(values) });

const transposedConvolutions: readonly GradientCase[] = [
  transposed(kernel),
  transposed(kernel, strides(2, 2)),
  transposed(kernel, strides(2, 3), pads(1, 0, 1, 1)),
  transposed(kernel, strides(2, 2), pads(1, 1, 1, 1), more(1, 1)),
  transposed(kernel, strides(3, 2), more(2, 0)),
  transposed(kernel, dilations(2, 1)),
  transposed(kernel, dilations(2, 3), more(1, 0), strides(2, 2)),
  transposed([4, 3, 2, 2], strides(2, 2)),
  transposed([4, 3, 1, 1], strides(2, 2)),
  transposed([4, 2, 3, 2], group(2), pads(1, 0, 0, 1)),
  transposed([4, 1, 3, 3], group(4), strides(2, 2), pads(1, 1, 1, 1)),
  ...["SAME_UPPER", "SAME_LOWER", "VALID"].flatMap((mode) => [
    transposed(kernel, auto(mode)),
    transposed(kernel, auto(mode), strides(2, 3)),
    transposed([4, 3, 4, 2], auto(mode), strides(3, 2)),
  ]),
  transposed(kernel, { output_shape: ints([6, 8]) }, strides(2, 2)),
  transposed(kernel, { output_shape: ints([5, 7]) }, strides(2, 2), auto("SAME_UPPER")),
  transposed(kernel, { output_shape: ints([6, 8]) }, strides(2, 2), auto("SAME_LOWER")),
  linear("ConvTranspose", [small, w(kernel), x([3])], strides(2, 2)),
  linear("ConvTranspose", [x(["N", 3, 5]), w([3, 2, 4]), w([2])], strides(3)),
  linear("ConvTranspose", [x(["N", 2, 2, 3, 2]), w([2, 3, 2, 2, 3])], {
    ...strides(2, 1, 2),
    ...pads(0, 1, 0, 1, 0, 1),
  }),
];

const window = { kernel_shape: ints([3, 2]), strides: ints([2, 2]) };
const three = { kernel_shape: ints([3, 3]) };
const ceil = { ceil_mode: int(1) };
const poolings: readonly Attributes[] = [
  { kernel_shape: ints([2, 2]) },
  { kernel_shape: ints([7, 6]) },
  { kernel_shape: ints([7, 2]), strides: ints([7, 2]) },
  { kernel_shape: ints([7, 3]), strides: ints([1, 3]) },
  { kernel_shape: ints([2, 3]), strides: ints([2, 3]) },
  { ...three, ...pads(1, 1, 1, 1) },
  { ...three, ...strides(2, 2), ...pads(1, 1, 1, 1) },
  { ...three, ...strides(2, 2), ...pads(1, 1, 1, 1), ...ceil },
  { ...three, ...strides(3, 2), ...pads(0, 1, 1, 2) },
  window,
  { ...window, ...pads(1, 0, 1, 1) },
  { ...window, ...ceil },
  { ...window, ...ceil, ...pads(1, 1, 0, 0) },
  { kernel_shape: ints([2, 2]), ...strides(3, 3), ...pads(1, 1, 1, 1), ...ceil },
  { kernel_shape: ints([1, 1]), ...strides(2, 2) },
  { ...three, ...dilations(2, 2) },
  { ...three, ...dilations(2, 1), ...pads(1, 1, 2, 0), ...strides(1, 2) },
  { ...window, ...dilations(2, 3) },
  { ...three, ...dilations(2, 1), ...strides(2, 2), ...ceil },
  ...["SAME_UPPER", "SAME_LOWER", "VALID"].flatMap((mode) => [
    { ...window, ...auto(mode) },
    { ...three, ...auto(mode) },
    { kernel_shape: ints([2, 2]), ...strides(3, 2), ...auto(mode) },
  ]),
];
const line = x(["N", 3, 9]);
const block = x(["N", 2, 4, 5, 4]);
const others = (op: typeof linear, name: string, attributes: Attributes = {}): GradientCase[] => [
  op(name, [line], { kernel_shape: ints([3]), ...strides(2), ...pads(1, 0), ...attributes }),
  op(name, [block], { kernel_shape: ints([2, 3, 2]), ...strides(2, 1, 2), ...pads(0, 1, 0, 0, 1, 1), ...attributes }),
];

export const windows: readonly GradientCase[] = [
  ...convolutions,
  ...transposedConvolutions,
  ...poolings.map((attributes) => bent("MaxPool", [map], attributes)),
  ...others(bent, "MaxPool"),
  bent("MaxPool", [map], window, { outputs: 2 }),
  ...poolings.flatMap((attributes) => [
    linear("AveragePool", [map], attributes),
    linear("AveragePool", [map], { ...attributes, count_include_pad: int(1) }),
  ]),
  ...others(linear, "AveragePool"),
  ...others(linear, "AveragePool", { count_include_pad: int(1) }),
  // Where the last window would begin in the padding, the engine's own shapes of LpPool contradict each other.
  ...poolings
    .filter(({ ceil_mode, pads: p }) => !(ceil_mode && p))
    .map((attributes) => bent("LpPool", [map], attributes)),
  ...others(bent, "LpPool"),
  bent("LpPool", [x(["N", 4, 7, 6], { avoid: [0] })], { ...window, p: int(1) }),
  bent("LpPool", [map], { ...window, p: int(3) }),
  ...[line, map, block].flatMap((one) => [
    linear("GlobalAveragePool", [one]),
    bent("GlobalMaxPool", [{ ...one, low: -10, high: 10 }]),
    bent("GlobalLpPool", [one]),
  ]),
  bent("GlobalLpPool", [{ ...map, avoid: [0] }], { p: int(1) }),
  bent("GlobalLpPool", [map], { p: int(3) }),
];
