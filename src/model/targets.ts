/** Targets as graph nodes: what turns a network's outputs into the one number a picture that is explained. */

import { counting, type Emitter } from "../autodiff/emitter.ts";
import { ConvlensError } from "../core/errors.ts";
import { float32, int64, type Tensor } from "../core/tensor.ts";
import { int } from "../graph/builder.ts";
import { channelsOf, sliceOne } from "./channels.ts";
import type { Head } from "./heads.ts";
import type { HeadValues, Target } from "./model.ts";
import type { NamedActivation } from "./scores.ts";

export interface TargetParts {
  head(): Head;
  /** How logits become probabilities, where the graph does not say. */
  readonly activation: NamedActivation | undefined;
  /** The graph value of a layer and whether its channels come last. */
  resolve(layer: string): { readonly value: string; readonly channelsLast: boolean };
}

export interface TargetNodes {
  /** One number a picture, `[N]`. */
  readonly score: string;
  /** The class of each picture, int64 `[N]`, for class targets. */
  readonly classes?: string;
  /** What the graph must be fed besides, for a number of pictures. */
  readonly feeds: (count: number) => Readonly<Record<string, Tensor>>;
}

/** Appends the nodes of the `index`-th target. Classes and weights are inputs, so one graph serves all classes. */
export function appendTarget(emit: Emitter, target: Target, index: number, parts: TargetParts): TargetNodes {
  if ("score" in target) {
    const score = emit.reshape(target.score(emit, headValues(parts)), [-1]);
    return { score, feeds: () => ({}) };
  }
  if ("layer" in target) return { score: channelScore(emit, target, parts), feeds: () => ({}) };
  const { values, count } = classValues(emit, target.of ?? "logit", parts);
  if ("weights" in target) {
    const { weights } = target;
    if (weights.length !== count)
      throw new ConvlensError("option-invalid", `${weights.length} weights are given for ${count} classes`);
    const name = emit.input(`target_${index}`, { type: "float32", shape: [1, count] });
    const score = emit.sum(emit.mul(values, name), [1], false);
    return { score, feeds: () => ({ [name]: float32([1, count], weights) }) };
  }
  const name = emit.input(`target_${index}`, { type: "int64", shape: [null] });
  const wanted = target.class === "top" ? -1 : target.class;
  const feeds = (pictures: number): Record<string, Tensor> => ({
    [name]: int64([pictures], new Array<number>(pictures).fill(wanted)),
  });
  return { ...classScore(emit, values, count, name, target.of ?? "logit"), feeds };
}

/** The score of the class that `index` names, -1 for the best. One output unit stands for two classes, as in `predict`. */
export function classScore(
  emit: Emitter,
  values: string,
  count: number,
  index: string,
  of: "logit" | "probability",
): { score: string; classes: string } {
  const zero = emit.constant(int64([], [0]));
  const isOpen = emit.op("Less", [index, zero]);
  if (count === 1) {
    const best = emit.op("Cast", [emit.op("Greater", [emit.reshape(values, [-1]), of === "logit" ? 0 : 0.5])], {
      to: int(7),
    });
    const classes = emit.op("Where", [isOpen, best, index]);
    const isSecond = emit.op("Greater", [classes, zero]);
    const value = emit.reshape(values, [-1]);
    // Class 1 has the unit's value, class 0 the rest: -z, or 1 - p.
    const other = of === "logit" ? emit.neg(value) : emit.sub(1, value);
    return { score: emit.where(isSecond, value, other), classes };
  }
  const best = emit.op("ArgMax", [values], { axis: int(1), keepdims: int(0) });
  const classes = emit.op("Where", [isOpen, best, index]);
  const row = emit.constant(counting([1, count], count));
  const chosen = emit.where(emit.op("Equal", [emit.op("Unsqueeze", [classes, emit.ints([1])]), row]), 1, 0);
  return { score: emit.sum(emit.mul(values, chosen), [1], false), classes };
}

/** The scores of all classes as `[N, classes]`. Throws `model-unsupported` for a head that gives no vector. */
export function classValues(
  emit: Emitter,
  of: "logit" | "probability",
  { head: headOf, activation }: Pick<TargetParts, "head" | "activation">,
): { values: string; count: number } {
  const head = headOf();
  const shape = emit.shape(head.logits);
  const wide = shape.slice(1).filter((n) => n !== 1);
  const count = wide[0] ?? 1;
  if (wide.length > 1 || count === null || shape.length < 2)
    throw new ConvlensError(
      "model-unsupported",
      `the output "${head.output}" has the shape [${shape.map((n) => n ?? "N").join(", ")}]: no vector of classes, so there is no class to explain (the library can explain a channel of a layer)`,
    );
  const flat = (value: string): string => (shape.length === 2 ? value : emit.reshape(value, [-1, count]));
  if (of === "logit") return { values: flat(head.logits), count };
  if (head.activation === "log-softmax") return { values: emit.op("Exp", [flat(head.output)]), count };
  if (head.activation) return { values: flat(head.output), count };
  if (activation === "none")
    throw new ConvlensError(
      "option-invalid",
      "nothing says how this network's scores become probabilities: name a rule with --activation, or explain the logit",
    );
  const rule = activation ?? (count === 1 ? "sigmoid" : "softmax");
  const probabilities =
    rule === "softmax"
      ? emit.op("Softmax", [flat(head.logits)], { axis: int(1) })
      : emit.op("Sigmoid", [flat(head.logits)]);
  return { values: probabilities, count };
}

/** A score of one's own may need no head, where there are several. */
const headValues = ({ head }: TargetParts): HeadValues => ({
  get logits() {
    return head().logits;
  },
  get output() {
    return head().output;
  },
});

/** A channel's mean over its map, or its value at one place. */
function channelScore(
  emit: Emitter,
  { layer, channel, position }: Extract<Target, { layer: string }>,
  parts: TargetParts,
): string {
  const { value, channelsLast } = parts.resolve(layer);
  const shape = emit.shape(value);
  const channelAxis = channelsLast ? shape.length - 1 : 1;
  const count = shape[channelAxis];
  if (!Number.isInteger(channel) || channel < 0 || typeof count !== "number" || channel >= count)
    throw new ConvlensError(
      "option-invalid",
      `layer "${layer}" has no channel ${channel}: its ${count} channels are 0 to ${Number(count) - 1}`,
    );
  let one = channelsOf(emit, value, [channel], channelAxis);
  const places = shape.flatMap((_, axis) => (axis === 0 || axis === channelAxis ? [] : [axis]));
  if (position === undefined)
    return emit.op("ReduceMean", [one, emit.ints([channelAxis, ...places])], { keepdims: int(0) });
  if (places.length !== position.length)
    throw new ConvlensError("option-invalid", `layer "${layer}" has no positions of the form row, column`);
  places.forEach((axis, i) => {
    const at = position[i]!;
    const size = shape[axis];
    if (!Number.isInteger(at) || at < 0 || (typeof size === "number" && at >= size))
      throw new ConvlensError("option-invalid", `position ${position.join(", ")} lies outside layer "${layer}"`);
    one = sliceOne(emit, one, at, axis);
  });
  return emit.reshape(one, [-1]);
}
