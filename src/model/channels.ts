/** Some channels of a layer, computed alone. */
import type { Emitter } from "../autodiff/emitter.ts";
import { int } from "../graph/builder.ts";
import type { Node } from "../graph/graph.ts";
import { producers } from "../graph/walk.ts";

export const sliceOne = (emit: Emitter, value: string, at: number, axis: number): string =>
  emit.op("Slice", [value, emit.ints([at]), emit.ints([at + 1]), emit.ints([axis])]);

const pick = (emit: Emitter, value: string, channels: readonly number[], axis: number): string =>
  channels.length === 1
    ? sliceOne(emit, value, channels[0]!, axis)
    : emit.op("Gather", [value, emit.ints(channels)], { axis: int(axis) });

/** Operators that treat every channel alike, other inputs being scalars. */
const channelwise = new Set([
  ...[
    "Relu",
    "LeakyRelu",
    "Elu",
    "Selu",
    "Celu",
    "Sigmoid",
    "HardSigmoid",
    "HardSwish",
    "Tanh",
    "Softplus",
    "Softsign",
  ],
  ...["Clip", "Gelu", "Mish", "Identity", "Dropout", "ThresholdedRelu"],
]);

/**
 * Channels of a value, in the order given: behind an activation or a batch normalization the convolution itself is cut
 * down to their kernels, so that a channel costs a channel. Elsewhere the value is cut. `axis` counts channels.
 */
export const channelsOf = (emit: Emitter, value: string, channels: readonly number[], axis: number): string =>
  cut(emit, value, channels, axis, producers(emit.base), 0);

function cut(
  emit: Emitter,
  value: string,
  channels: readonly number[],
  axis: number,
  made: ReadonlyMap<string, Node>,
  depth: number,
): string {
  const node = made.get(value);
  const here = (): string => pick(emit, value, channels, axis);
  if (node?.domain !== "" || node.outputs[0] !== value || depth > 8) return here();
  const [x = "", ...rest] = node.inputs;
  const inner = (): string => cut(emit, x, channels, axis, made, depth + 1);
  if (channelwise.has(node.op)) return emit.op(node.op, [inner(), ...rest], node.attributes);
  if (axis !== 1) return here();
  const part = (weight: string): string => (weight === "" ? "" : pick(emit, weight, channels, 0));
  if (node.op === "BatchNormalization") return emit.op(node.op, [inner(), ...rest.map(part)], node.attributes);
  const group = node.attributes.group?.kind === "int" ? node.attributes.group.value : 1;
  if (node.op === "Conv" && group === 1) return emit.op("Conv", [x, ...rest.map(part)], node.attributes);
  return here();
}
