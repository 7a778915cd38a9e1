/**
 * Turns a Keras network and its weights into a graph and a table of layers: calls in the order of their inputs, nested
 * networks run flattened, one row for each layer as `model.summary()` has them, and one for each inner layer.
 */
import { ConvlensError } from "../../core/errors.ts";
import type { Layout } from "../../core/layers.ts";
import { nearest } from "../../core/nearest.ts";
import type { Constant, Graph, Shape } from "../../graph/graph.ts";
import type { LayerRecord } from "../format.ts";
import { type Construction, construct } from "./context.ts";
import { isCount, isFields } from "./json.ts";
import type { Argument, KerasLayer, LayerCall } from "./layer.ts";
import { emitters } from "./layers/index.ts";
import { type Call, type CallArgument, type LayerSpec, type Network, refsOfCall, type TensorRef } from "./network.ts";
import { wholeResult, wholeType } from "./whole.ts";

/** A layer's weights, by its full path. */
export type WeightsOf = (path: string) => { readonly weights: readonly Constant[]; readonly names: readonly string[] };

export interface Emitted {
  readonly graph: Graph;
  readonly layers: readonly LayerRecord[];
  readonly sourceLayout: Layout;
  /** The types in Keras of inputs that are whole numbers there, by name. */
  readonly declared: Readonly<Record<string, string>>;
}

/** A value of the graph, and the row of the table that it comes from. */
interface Value {
  readonly value: string;
  readonly owner: string;
  /** Its type in Keras where that is one of whole numbers. */
  readonly whole?: string | undefined;
}

interface Row {
  readonly name: string;
  readonly class: string;
  readonly layout: Layout;
  readonly inputs: Set<string>;
  readonly trainable: boolean;
  /** The path of the nested model that it is in. */
  readonly within?: string;
  output: string;
  weights: LayerRecord["weights"];
}

const emptyRow = (layer: LayerSpec, path: string, trainable: boolean): Row => ({
  name: path + layer.name,
  class: layer.className,
  layout: "NCHW",
  inputs: new Set(),
  trainable,
  ...(path === "" ? {} : { within: path.slice(0, -1) }),
  output: "",
  weights: [],
});

interface Emission {
  readonly file: string;
  readonly graph: Construction;
  readonly weightsOf: WeightsOf;
  readonly rows: Map<string, Row>;
  readonly sourceLayout: Layout;
}

/** `kerasVersion` is the major one. Throws `model-invalid` and `model-unsupported`, naming layer, class and file. */
export function emitNetwork(network: Network, weightsOf: WeightsOf, file: string, kerasVersion: number): Emitted {
  const sourceLayout = layoutOf(network, file);
  const graph = construct(file, sourceLayout, kerasVersion);
  const emission: Emission = { file, graph, weightsOf, rows: new Map(), sourceLayout };
  const inputs = network.inputs.map((ref) => {
    const layer = network.layers.find(({ name }) => name === ref.layer)!;
    const value = graph.input(layer.name, inputShape(layer, file));
    if (!network.isSequential)
      emission.rows.set(layer.name, { ...emptyRow(layer, "", true), output: layer.name, layout: sourceLayout });
    return { value, owner: layer.name, whole: wholeType(layer) };
  });
  const declared = inputs.flatMap(({ owner, whole }) => (whole === undefined ? [] : [[owner, whole] as const]));
  const outputs = emitLayers(network, inputs, "", true, emission).map((output) => output.value);
  return { ...finish(network, outputs, emission), declared: Object.fromEntries(declared) };
}

function finish(
  network: Network,
  outputs: readonly string[],
  { graph, rows, sourceLayout }: Emission,
): Omit<Emitted, "declared"> {
  // Outputs are in Keras' order, and no value is an output twice.
  const ends: string[] = [];
  const context = graph.contextFor({ name: "output", className: "", config: {}, weights: [], weightNames: [] });
  for (const value of outputs) {
    const own = context.toKeras(value);
    ends.push(ends.includes(own) ? graph.alias(own, "output") : own);
  }
  const wanted = new Map([...rows.values()].map((row) => [row.output, row.name]));
  outputs.forEach((value, i) => {
    const name = wanted.get(value);
    // A layer that is turned for the output keeps its name for what users get.
    if (name !== undefined && ends[i] !== value) wanted.set(ends[i]!, name).set(value, `${name}/nchw`);
  });
  const built = graph.finish(network.name, ends, wanted);
  const layers = inOrder(network, "", rows).map(
    (row): LayerRecord => ({
      name: row.name,
      class: row.class,
      output: built.nameOf(row.output),
      layout: row.layout,
      inputs: [...row.inputs],
      weights: row.weights,
      trainable: row.trainable,
      ...(row.within === undefined ? {} : { within: row.within }),
    }),
  );
  return { graph: built.graph, layers, sourceLayout };
}

/** The rows as the file lists the layers, those of a nested model behind its own. */
const inOrder = (network: Network, path: string, rows: ReadonlyMap<string, Row>): readonly Row[] =>
  network.layers.flatMap((layer) => {
    const row = rows.get(path + layer.name);
    return row ? [row, ...(layer.network ? inOrder(layer.network, `${path}${layer.name}/`, rows) : [])] : [];
  });

/** A window over space; other layers say `channels_last` whatever the model is. */
const spatial = /Conv|Pool|Padding|Cropping|UpSampling/;

/** The order of axes that the spatial layers state. */
function layoutOf(network: Network, file: string): Layout {
  const found = new Map<string, string>();
  const look = ({ layers }: Network): void => {
    for (const { name, className, config, network: inner } of layers) {
      if (inner) look(inner);
      else if (spatial.test(className) && typeof config.data_format === "string") found.set(config.data_format, name);
    }
  };
  look(network);
  if (found.size > 1)
    throw new ConvlensError(
      "model-unsupported",
      `"${file}" mixes orders of axes: ${[...found].map(([format, name]) => `layer "${name}" is ${format}`).join(", ")}; build it with one`,
    );
  return found.has("channels_first") ? "NCHW" : "NHWC";
}

function inputShape({ name, config }: LayerSpec, file: string): Shape {
  const given = config.batch_shape ?? config.batch_input_shape;
  const shape = Array.isArray(given)
    ? given
    : Array.isArray(config.shape)
      ? [config.batch_size ?? null, ...config.shape]
      : undefined;
  if (!shape)
    throw new ConvlensError(
      "model-invalid",
      `"${file}" does not state the shape of its input "${name}"; build the model with an Input layer and save it again`,
    );
  if (shape.length === 0 || !shape.every((n) => n === null || (isCount(n) && n > 0 && n <= 2 ** 24)))
    throw new ConvlensError(
      "model-invalid",
      `input "${name}" of "${file}" has the shape ${JSON.stringify(shape).slice(0, 80)}`,
    );
  // Keras' fixed batch sizes are a habit of training, and no layer that is read depends on them.
  return [null, ...(shape.slice(1) as (number | null)[])];
}

const keyOf = ({ layer, node }: TensorRef): string => `${node} ${layer}`;

/** Emits all calls of a network on given inputs. Gives its outputs. */
function emitLayers(
  network: Network,
  inputs: readonly Value[],
  path: string,
  trainable: boolean,
  emission: Emission,
): readonly Value[] {
  const { file } = emission;
  const known = new Map<string, readonly Value[]>();
  network.inputs.forEach((ref, i) => {
    const value = inputs[i];
    if (!value)
      throw new ConvlensError(
        "model-invalid",
        `"${network.name}" in "${file}" takes ${network.inputs.length} inputs and is called with ${inputs.length}`,
      );
    const layer = network.layers.find(({ name }) => name === ref.layer)!;
    // A nested model's input is a row of its own, and the first thing its layers are connected to.
    const isInner = path !== "" && !network.isSequential;
    const own = isInner
      ? { ...value, value: emission.graph.alias(value.value, path + layer.name), owner: path + layer.name }
      : value;
    if (isInner) {
      const row = { ...emptyRow(layer, path, trainable), output: own.value };
      row.inputs.add(value.owner);
      emission.rows.set(row.name, row);
    }
    known.set(keyOf(ref), [own]);
  });
  emitInOrder(network, known, file, (layer, call) => emitCall(layer, call, known, path, trainable, emission));
  return network.outputs.map((ref) => pick(ref, known, file));
}

/** One call that waits for `missing` other calls. */
interface Waiting {
  readonly layer: LayerSpec;
  readonly call: Call;
  readonly node: number;
  missing: number;
}

/** Emits each call as soon as all it takes is known; those that are ready in the file's order. */
function emitInOrder(
  network: Network,
  known: Map<string, readonly Value[]>,
  file: string,
  emit: (layer: LayerSpec, call: Call) => readonly Value[],
): void {
  const ready: Waiting[] = [];
  const dependents = new Map<string, Waiting[]>();
  const waiting = new Set<Waiting>();
  for (const layer of network.layers)
    for (const [node, call] of layer.calls.entries()) {
      const needed = new Set(
        refsOfCall(call)
          .map(keyOf)
          .filter((key) => !known.has(key)),
      );
      const item: Waiting = { layer, call, node, missing: needed.size };
      waiting.add(item);
      if (needed.size === 0) ready.push(item);
      for (const key of needed) {
        const list = dependents.get(key) ?? [];
        dependents.set(key, list);
        list.push(item);
      }
    }
  for (const item of ready) {
    const key = keyOf({ layer: item.layer.name, node: item.node, tensor: 0 });
    known.set(key, emit(item.layer, item.call));
    waiting.delete(item);
    for (const dependent of dependents.get(key) ?? []) if (--dependent.missing === 0) ready.push(dependent);
  }
  if (waiting.size > 0) throw stuck([...waiting], known, file);
}

function stuck(
  waiting: readonly { layer: LayerSpec; call: Call }[],
  known: ReadonlyMap<string, unknown>,
  file: string,
): ConvlensError {
  const { layer, call } = waiting[0]!;
  const missing = refsOfCall(call).find((ref) => !known.has(keyOf(ref)))!;
  const isLater = waiting.some((item) => item.layer.name === missing.layer);
  const why = isLater ? "which waits for it in turn" : "which is no layer before it";
  return new ConvlensError(
    "model-invalid",
    `layer "${layer.name}" (${layer.className}) of "${file}" takes its input from "${missing.layer}", ${why}; save the model again`,
  );
}

function pick(ref: TensorRef, known: ReadonlyMap<string, readonly Value[]>, file: string): Value {
  const value = known.get(keyOf(ref))?.[ref.tensor];
  if (value) return value;
  const count = known.get(keyOf(ref))?.length;
  throw new ConvlensError(
    "model-invalid",
    `"${file}" asks for output ${ref.tensor} of call ${ref.node} of layer "${ref.layer}", which ${count === undefined ? "is not there" : `has ${count}`}`,
  );
}

function emitCall(
  layer: LayerSpec,
  call: Call,
  known: ReadonlyMap<string, readonly Value[]>,
  path: string,
  parentTrainable: boolean,
  emission: Emission,
): readonly Value[] {
  const { file, graph, rows, weightsOf } = emission;
  const name = path + layer.name;
  const trainable = parentTrainable && layer.config.trainable !== false;
  const given = refsOfCall(call).map((ref) => pick(ref, known, file));
  const row = rows.get(name) ?? emptyRow(layer, path, trainable);
  rows.set(name, row);
  for (const { owner } of given) row.inputs.add(owner);

  if (layer.network) {
    const outputs = emitLayers(layer.network, given, `${name}/`, trainable, emission);
    const own = outputs.map(({ value, whole }) => ({ value: graph.alias(value, name), owner: name, whole }));
    row.output = own[0]!.value;
    row.weights = innerWeights(rows, name);
    return own;
  }

  const emit = Object.hasOwn(emitters, layer.className) ? emitters[layer.className] : undefined;
  const title = `layer "${name}" (${layer.className}) of "${file}"`;
  if (!emit)
    throw new ConvlensError(
      "model-unsupported",
      `${title} is of a class that Convlens does not know${nearestClass(layer.className)}; export the model to ONNX instead (python -m tf2onnx.convert, or model.export("model.onnx", format="onnx") in Keras 3)`,
    );
  const policy = layer.config.dtype;
  if (isFields(policy) && /^Quantized/.test(String(policy.class_name)))
    throw new ConvlensError(
      "model-unsupported",
      `${title} was quantised by Keras, which Convlens does not read; save the model as it is before model.quantize()`,
    );
  const { weights, names } = weightsOf(name);
  const keras: KerasLayer = { name, className: layer.className, config: layer.config, weights, weightNames: names };
  const taken = new Set(given.map(({ value }) => value));
  try {
    const emitted = emit(keras, argumentsOf(call, known, file), graph.contextFor(keras));
    const context = graph.contextFor(keras);
    const type = given.every(({ whole }) => whole !== undefined) ? given[0]?.whole : undefined;
    const result =
      type === undefined ? "float" : wholeResult(layer, [...call.args, ...Object.values(call.kwargs)], type);
    if (result === "different")
      context.refuse(keras, `computes in ${type}, which rounds and wraps around: rescale or cast before it, in Keras`);
    const whole = result === "float" ? undefined : type;
    const outputs = emitted.outputs
      .map((value) => (taken.has(value) ? graph.alias(value, name) : value))
      .map((value) => (result === "rounded" ? context.build.node("Round", [value]) : value));
    for (const value of outputs) context.shapeOf(value);
    row.output = outputs[0]!;
    row.weights = emitted.weights;
    return outputs.map((value) => ({ value, owner: name, whole }));
  } catch (error) {
    // Contradictions of shapes name a node; people know the layer.
    if (!(error instanceof ConvlensError) || error.message.includes(title)) throw error;
    throw new ConvlensError(error.code, `${title}: ${error.message}`, { cause: error });
  }
}

function nearestClass(className: string): string {
  const [name] = nearest(className, Object.keys(emitters), 1);
  return name === undefined ? "" : ` (nearest: ${name})`;
}

/** The weights of a nested network's layers, under their paths in it. */
function innerWeights(rows: ReadonlyMap<string, Row>, name: string): LayerRecord["weights"] {
  return [...rows.values()]
    .filter((row) => row.within === name)
    .flatMap((row) =>
      row.weights.map((weight) => ({
        ...weight,
        name: `${row.name.slice(name.length + 1)}/${weight.name}`,
        trainable: row.trainable && weight.trainable !== false,
      })),
    );
}

function argumentsOf(call: Call, known: ReadonlyMap<string, readonly Value[]>, file: string): LayerCall {
  const convert = (arg: CallArgument): Argument => {
    if (Array.isArray(arg)) return arg.map(convert);
    if (arg === null || typeof arg !== "object") return arg;
    const item = arg as Exclude<CallArgument, null | boolean | number | string | readonly CallArgument[]>;
    if (item.kind === "ref") return { kind: "value", value: pick(item.ref, known, file).value };
    if (item.kind === "slice")
      return { kind: "slice", start: convert(item.start), stop: convert(item.stop), step: convert(item.step) };
    return item;
  };
  return {
    inputs: refsOfCall(call).map((ref) => pick(ref, known, file).value),
    args: call.args.map(convert),
    kwargs: Object.fromEntries(Object.entries(call.kwargs).map(([key, arg]) => [key, convert(arg)])),
  };
}
