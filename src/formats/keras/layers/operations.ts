/**
 * Operations that stand among a model's layers. Keras 3 lists each under its class (parameters in the configuration or
 * the call), Keras 2 as TFOpLambda with the name of a TensorFlow function, TensorFlow 2.0 to 2.3 as TensorFlowOpLayer
 * with a node of its graph.
 */
import type { Argument, LayerEmitter } from "../layer.ts";
import { arithmetic } from "./arithmetic.ts";
import { arrangement } from "./arrangement.ts";
import { type Operation, run } from "./operation.ts";

const operations: Readonly<Record<string, Operation>> = { ...arithmetic, ...arrangement };

/** Keras 3: arguments by place and name, parameters in the configuration. */
export const operation: LayerEmitter = (layer, call, context) => {
  if (!Object.hasOwn(operations, layer.className)) context.refuse(layer, "is an operation that is not supported");
  const { parameters, emit } = operations[layer.className]!;
  return run(layer, call, context, parameters, emit, layer.config);
};

/** Operations that are no layers too, for the registry. */
export const operationEmitters: Readonly<Record<string, LayerEmitter>> = Object.fromEntries(
  Object.keys(operations).map((name) => [name, operation]),
);

/** TensorFlow's functions: the operation, and what TensorFlow calls its parameters, in the operation's order. */
const tensorflow: Readonly<Record<string, readonly [operation: string, parameters: string]>> = {
  "__operators__.add": ["Add", "x y"],
  "__operators__.getitem": ["GetItem", "x slice_spec"],
  abs: ["Absolute", "x"],
  cast: ["Cast", "x dtype"],
  clip_by_value: ["Clip", "t clip_value_min clip_value_max"],
  "compat.v1.pad": ["Pad", "tensor paddings mode constant_values"],
  "compat.v1.squeeze": ["Squeeze", "input axis"],
  "compat.v1.transpose": ["Transpose", "a perm"],
  concat: ["Concatenate", "values axis"],
  expand_dims: ["ExpandDims", "input axis"],
  identity: ["Identity", "input"],
  "image.resize": ["Resize", "images size method antialias"],
  "linalg.matmul": ["Matmul", "a b"],
  "math.abs": ["Absolute", "x"],
  "math.add": ["Add", "x y"],
  "math.divide": ["Divide", "x y"],
  "math.exp": ["Exp", "x"],
  "math.l2_normalize": ["Normalize", "x axis order epsilon"],
  "math.log": ["Log", "x"],
  "math.maximum": ["Maximum", "x y"],
  "math.minimum": ["Minimum", "x y"],
  "math.multiply": ["Multiply", "x y"],
  "math.negative": ["Negative", "x"],
  "math.pow": ["Power", "x y"],
  "math.reciprocal": ["Reciprocal", "x"],
  "math.reduce_max": ["Max", "input_tensor axis keepdims"],
  "math.reduce_mean": ["Mean", "input_tensor axis keepdims"],
  "math.reduce_min": ["Min", "input_tensor axis keepdims"],
  "math.reduce_sum": ["Sum", "input_tensor axis keepdims"],
  "math.rsqrt": ["Rsqrt", "x"],
  "math.sigmoid": ["Sigmoid", "x"],
  "math.softplus": ["Softplus", "features"],
  "math.sqrt": ["Sqrt", "x"],
  "math.square": ["Square", "x"],
  "math.subtract": ["Subtract", "x y"],
  "math.tanh": ["Tanh", "x"],
  "math.truediv": ["TrueDivide", "x y"],
  "nn.bias_add": ["Add", "value bias"],
  "nn.depth_to_space": ["DepthToSpace", "input block_size"],
  "nn.elu": ["Elu", "features"],
  "nn.gelu": ["Gelu", "features approximate"],
  "nn.leaky_relu": ["LeakyRelu", "features alpha"],
  "nn.log_softmax": ["LogSoftmax", "logits axis"],
  "nn.relu": ["Relu", "features"],
  "nn.relu6": ["Relu6", "features"],
  "nn.selu": ["Selu", "features"],
  "nn.sigmoid": ["Sigmoid", "x"],
  "nn.silu": ["Silu", "features"],
  "nn.softmax": ["Softmax", "logits axis"],
  "nn.softsign": ["Softsign", "features"],
  "nn.space_to_depth": ["SpaceToDepth", "input block_size"],
  "nn.swish": ["Silu", "features"],
  "nn.tanh": ["Tanh", "x"],
  pad: ["Pad", "tensor paddings mode constant_values"],
  repeat: ["Repeat", "input repeats axis"],
  reshape: ["Reshape", "tensor shape"],
  split: ["Split", "value num_or_size_splits axis"],
  squeeze: ["Squeeze", "input axis"],
  stack: ["Stack", "values axis"],
  stop_gradient: ["StopGradient", "input"],
  tile: ["Tile", "input multiples"],
  transpose: ["Transpose", "a perm"],
};

/** Names of TensorFlow functions that TFOpLambda may call. */
export const tensorflowFunctions: readonly string[] = Object.keys(tensorflow);

/** Keras 2: the TensorFlow function that `config.function` names, its first argument by place, the others by name. */
export const TFOpLambda: LayerEmitter = (layer, call, context) => {
  const name = layer.config.function;
  const entry = typeof name === "string" && Object.hasOwn(tensorflow, name) ? tensorflow[name] : undefined;
  if (!entry)
    return context.refuse(
      layer,
      `calls the TensorFlow function ${JSON.stringify(name ?? null)}, which is not supported`,
    );
  const [kind, renamed] = entry;
  const { parameters, emit } = operations[kind]!;
  const kwargs = Object.fromEntries(
    renamed
      .split(" ")
      .flatMap((own, i) => (Object.hasOwn(call.kwargs, own) ? [[parameters[i]!, call.kwargs[own]!]] : [])),
  );
  return run(layer, { ...call, kwargs: sizesToPlaces(kind, kwargs) }, context, parameters, emit, {});
};

/** tf.split takes the sizes of the parts, Keras the places between them. */
function sizesToPlaces(kind: string, kwargs: Readonly<Record<string, Argument>>): Readonly<Record<string, Argument>> {
  const sizes = kwargs.indices_or_sections;
  if (kind !== "Split" || !Array.isArray(sizes)) return kwargs;
  const places: number[] = [];
  for (const size of (sizes as number[]).slice(0, -1)) places.push((places.at(-1) ?? 0) + size);
  return { ...kwargs, indices_or_sections: places };
}

/** Nodes of TensorFlow's graph that models of TensorFlow 2.0 to 2.3 hold for arithmetic. */
const graphNodes: Readonly<Record<string, string>> = {
  Add: "Add",
  AddV2: "Add",
  Identity: "Identity",
  Maximum: "Maximum",
  Minimum: "Minimum",
  Mul: "Multiply",
  Neg: "Negative",
  RealDiv: "TrueDivide",
  Relu: "Relu",
  Relu6: "Relu6",
  Sigmoid: "Sigmoid",
  Sqrt: "Sqrt",
  Square: "Square",
  Sub: "Subtract",
  Tanh: "Tanh",
};

/** TensorFlow 2.0 to 2.3: `node_def` names the operation, `constants` holds the operands that are no values, by place. */
export const TensorFlowOpLayer: LayerEmitter = (layer, call, context) => {
  const op = opOf(layer.config.node_def);
  const constants = (layer.config.constants ?? {}) as Readonly<Record<string, Argument>>;
  const kind = op !== undefined && Object.hasOwn(graphNodes, op) ? graphNodes[op]! : undefined;
  if (!kind)
    return context.refuse(layer, `is the TensorFlow operation ${JSON.stringify(op ?? null)}, which is not supported`);
  const { parameters, emit } = operations[kind]!;
  const values = call.inputs.map((value): Argument => ({ kind: "value", value }));
  const args = parameters.map((_, i) => (Object.hasOwn(constants, i) ? constants[i]! : (values.shift() ?? null)));
  return run(layer, { inputs: call.inputs, args, kwargs: {} }, context, parameters, emit, {});
};

/** `node_def` is an object or its JSON. */
function opOf(nodeDef: unknown): string | undefined {
  try {
    const node = typeof nodeDef === "string" ? (JSON.parse(nodeDef) as unknown) : nodeDef;
    const op = (node as { readonly op?: unknown } | null)?.op;
    return typeof op === "string" ? op : undefined;
  } catch {
    return undefined;
  }
}
