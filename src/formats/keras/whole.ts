/**
 * Inputs that a network declares as whole numbers (`Input(..., dtype="uint8")`). The graph computes in float32, which is
 * exact for them until Keras rounds (resizing) or wraps around (arithmetic in uint8), which are told apart here.
 */
import { isText } from "./json.ts";
import type { CallArgument, LayerSpec } from "./network.ts";

/** The type of an input in Keras where it is one of whole numbers. */
export function wholeType({ config }: LayerSpec): string | undefined {
  return isText(config.dtype) && /^u?int\d+$/.test(config.dtype) ? config.dtype : undefined;
}

/** What a layer makes of whole numbers: floating-point ones, whole ones, those only after rounding, others than float32 gives. */
export type WholeResult = "float" | "whole" | "rounded" | "different";

/** Layers that move, choose or leave out numbers. */
const moves =
  /^(MaxPooling|GlobalMaxPooling|ZeroPadding|Cropping|UpSampling|Resizing|Concatenate|Maximum|Minimum|Flatten|Reshape|Permute|RepeatVector|ReLU$|Dropout|SpatialDropout|GaussianDropout|Identity|GetItem|Transpose|Squeeze|ExpandDims|Stack|Split|Pad|Repeat|Tile|Flip|SlicingOpLambda$)/;
/** Functions of TensorFlow that do, in Keras 2. */
const movingFunctions = /^(concat|expand_dims|identity|pad|repeat|reshape|split|squeeze|stack|tile|transpose)$/;
const resizes = /^(Resizing|Resize|image\.resize|UpSampling2D)$/;
const adds =
  /^(__operators__\.|math\.|linalg\.)?(reduce_)?(add|addv2|subtract|sub|multiply|mul|average|negative|neg|square|pow|power|sum|dot|matmul)$/i;

const isWhole = (argument: CallArgument): boolean =>
  Array.isArray(argument) ? argument.every(isWhole) : typeof argument !== "number" || Number.isInteger(argument);

/** For a call all of whose values are whole numbers of a type. */
export function wholeResult(
  { className, config }: LayerSpec,
  args: readonly CallArgument[],
  type: string,
): WholeResult {
  const name = className === "TFOpLambda" && isText(config.function) ? config.function : className;
  const interpolation = config.interpolation ?? (name === "UpSampling2D" ? "nearest" : "bilinear");
  if (resizes.test(name) && interpolation !== "nearest")
    return name === "Resizing" && interpolation === "bilinear" ? "rounded" : "different";
  if (adds.test(name)) {
    if (!args.every(isWhole)) return "float";
    return /^int(32|64)$/.test(type) ? "whole" : "different";
  }
  const isActivation = className === "Activation" && /^(relu|linear|relu6)$/.test(String(config.activation));
  return moves.test(name) || movingFunctions.test(name) || isActivation ? "whole" : "float";
}
