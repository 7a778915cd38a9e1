/** Pooling over windows and over whole sides. */
import { int, ints, text } from "../../../graph/builder.ts";
import type { LayerEmitter } from "../layer.ts";
import { channelsFirst, isChannelsFirst, needRank, sideAxes } from "./layout.ts";
import { onlyInput, settingsOf } from "./settings.ts";
import { noPadding, samePadding } from "./window.ts";

/**
 * Averages leave out what padding adds, as TensorFlow's do. Maxima state their padding by name: ONNX Runtime 1.30 fuses
 * a Pad with zeros into a MaxPool that states it by numbers, and zeros then no longer win over negative values.
 */
function windowPooling(op: "MaxPool" | "AveragePool", sides: number): LayerEmitter {
  return (layer, { inputs }, context) => {
    const settings = settingsOf(layer, context);
    const input = onlyInput(layer, inputs, context);
    needRank(layer, context, input, sides + 2);
    const kernel = settings.counts("pool_size", sides, 2);
    const hasStrides = (layer.config.strides ?? null) !== null;
    const window = {
      kernel,
      strides: hasStrides ? settings.counts("strides", sides) : kernel,
      dilations: new Array<number>(sides).fill(1),
    };
    const same = settings.choice("padding", ["valid", "same"], "valid") === "same";
    const output = channelsFirst(layer, context, input, (x) =>
      context.build.node(op, [x], {
        attributes: {
          kernel_shape: ints(kernel),
          strides: ints(window.strides),
          ...(op === "MaxPool"
            ? { auto_pad: text(same ? "SAME_UPPER" : "VALID") }
            : same
              ? samePadding(window, context.shapeOf(x).slice(2))
              : noPadding(sides)),
        },
      }),
    );
    return { outputs: [output], weights: context.weightRecords(layer, []) };
  };
}

function globalPooling(kind: "Average" | "Max", sides: number): LayerEmitter {
  return (layer, { inputs }, context) => {
    const { build } = context;
    const input = onlyInput(layer, inputs, context);
    const rank = sides + 2;
    needRank(layer, context, input, rank);
    const keep = settingsOf(layer, context).flag("keepdims", false);
    const isAhead = context.storedAxis(isChannelsFirst(layer, context) ? 1 : rank - 1, rank) === 1;
    let output: string;
    if (isAhead) {
      const pooled = build.node(`Global${kind}Pool`, [input]);
      output = keep ? pooled : build.node("Flatten", [pooled], { attributes: { axis: int(1) } });
    } else {
      const axes = sideAxes(layer, context, rank).map((axis) => context.storedAxis(axis, rank));
      output = build.node(kind === "Max" ? "ReduceMax" : "ReduceMean", [input, build.ints(axes)], {
        attributes: { keepdims: int(keep ? 1 : 0) },
      });
    }
    return { outputs: [output], weights: context.weightRecords(layer, []) };
  };
}

export const MaxPooling1D: LayerEmitter = windowPooling("MaxPool", 1);
export const MaxPooling2D: LayerEmitter = windowPooling("MaxPool", 2);
export const MaxPooling3D: LayerEmitter = windowPooling("MaxPool", 3);
export const AveragePooling1D: LayerEmitter = windowPooling("AveragePool", 1);
export const AveragePooling2D: LayerEmitter = windowPooling("AveragePool", 2);
export const AveragePooling3D: LayerEmitter = windowPooling("AveragePool", 3);
export const GlobalMaxPooling1D: LayerEmitter = globalPooling("Max", 1);
export const GlobalMaxPooling2D: LayerEmitter = globalPooling("Max", 2);
export const GlobalMaxPooling3D: LayerEmitter = globalPooling("Max", 3);
export const GlobalAveragePooling1D: LayerEmitter = globalPooling("Average", 1);
export const GlobalAveragePooling2D: LayerEmitter = globalPooling("Average", 2);
export const GlobalAveragePooling3D: LayerEmitter = globalPooling("Average", 3);
