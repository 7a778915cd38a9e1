/**
 * A network's architecture in one form, whatever Keras wrote it: layers with their calls, and for each call the tensors
 * it is given. Sequential models are chains of calls; nested models are layers that hold a network.
 */
import { ConvlensError } from "../../core/errors.ts";
import { type Fields, isCount, isFields, isText } from "./json.ts";

/** Output `tensor` of call `node` of a layer. */
export interface TensorRef {
  readonly layer: string;
  readonly node: number;
  readonly tensor: number;
}

/** An argument as the file gives it, its tensors as references. */
export type CallArgument =
  | null
  | boolean
  | number
  | string
  | readonly CallArgument[]
  | { readonly kind: "ref"; readonly ref: TensorRef }
  | {
      readonly kind: "slice";
      readonly start: CallArgument;
      readonly stop: CallArgument;
      readonly step: CallArgument;
    }
  | { readonly kind: "object"; readonly fields: Fields };

export interface Call {
  readonly args: readonly CallArgument[];
  readonly kwargs: Readonly<Record<string, CallArgument>>;
}

export interface LayerSpec {
  readonly name: string;
  readonly className: string;
  readonly config: Fields;
  /** Operations on tensors (`x + 3`), which Keras 3 lists among the layers and which own no weights. */
  readonly isOperation: boolean;
  /** Empty for inputs. */
  readonly calls: readonly Call[];
  readonly network?: Network;
}

export interface Network {
  readonly name: string;
  readonly className: string;
  /** Its summary has no row for the input, and `model.layers` none either. */
  readonly isSequential: boolean;
  readonly layers: readonly LayerSpec[];
  readonly inputs: readonly TensorRef[];
  readonly outputs: readonly TensorRef[];
}

const MOST_LAYERS = 20_000;
const DEEPEST = 20;

/** What reading needs to name the place of an error. */
interface Place {
  readonly file: string;
  readonly depth: number;
}

const invalid = ({ file }: Place, what: string): ConvlensError =>
  new ConvlensError("model-invalid", `the architecture in "${file}" is damaged: ${what}; save the model again`);

const sequentialClass = /^(.*>)?Sequential$/;

/** Reads `{ class_name, config }` as Keras writes it in `model_config`, `config.json` and `to_json()`. */
export function readNetwork(model: unknown, file: string): Network {
  const place = { file, depth: 0 };
  if (!isFields(model) || !isText(model.class_name)) throw invalid(place, "it has no class_name");
  const network = readModel(model.class_name, model.config, undefined, place);
  if (!network)
    throw new ConvlensError(
      "model-unsupported",
      `"${file}" holds a model of class ${JSON.stringify(model.class_name)}, whose layers are written in Python and not in the file; ` +
        "rebuild it as a functional or Sequential model and save that",
    );
  return network;
}

/** The network of a configuration; `undefined` where it is no model's. */
function readModel(className: string, config: unknown, name: string | undefined, at: Place): Network | undefined {
  const isList = Array.isArray(config);
  if (!isList && !(isFields(config) && Array.isArray(config.layers))) return undefined;
  if (at.depth > DEEPEST) throw invalid(at, "models are nested too deeply");
  const entries = (isList ? config : (config as Fields).layers) as readonly unknown[];
  if (entries.length > MOST_LAYERS) throw invalid(at, `${entries.length} layers`);
  const fields: Fields = isList ? {} : (config as Fields);
  const own = name ?? (isText(fields.name) ? fields.name : className.toLowerCase());
  if (isList || sequentialClass.test(className) || fields.input_layers === undefined)
    return readSequential(own, className, entries, fields, at);
  return readFunctional(own, className, entries, fields, at);
}

/** Name, class and configuration of one entry of `layers`; calls follow. */
function readEntry(entry: unknown, index: number, at: Place): Omit<LayerSpec, "calls"> {
  if (!isFields(entry) || !isText(entry.class_name)) throw invalid(at, `layer ${index} has no class_name`);
  const className = entry.class_name;
  const config = isFields(entry.config) ? entry.config : {};
  const name = isText(entry.name) ? entry.name : isText(config.name) ? config.name : undefined;
  if (!name) throw invalid(at, `layer ${index} (${className}) has no name`);
  const network = readModel(className, entry.config, name, { ...at, depth: at.depth + 1 });
  const isOperation = isText(entry.module) && /\.ops(\.|$)/.test(entry.module);
  const built = isFields(entry.build_config) ? { build_config: entry.build_config } : {};
  return { name, className, config: { ...built, ...config }, isOperation, ...(network ? { network } : {}) };
}

function checkNames(layers: readonly LayerSpec[], at: Place): void {
  const names = new Set<string>();
  for (const { name } of layers) {
    if (names.has(name)) throw invalid(at, `two layers are called "${name}"`);
    names.add(name);
  }
}

const refTo = (layer: string): TensorRef => ({ layer, node: 0, tensor: 0 });
const argument = (ref: TensorRef): CallArgument => ({ kind: "ref", ref });

/** Layers one after another; the input is a layer of its own, or implied by the first layer's shape. */
function readSequential(
  name: string,
  className: string,
  entries: readonly unknown[],
  fields: Fields,
  at: Place,
): Network {
  const read = entries.map((entry, i) => readEntry(entry, i, at));
  const [first] = read;
  if (!first) throw invalid(at, `the model "${name}" has no layers`);
  const input =
    first.className === "InputLayer"
      ? first
      : impliedInput(`${first.name}_input`, inputShape(first) ?? fields.build_input_shape);
  const rest = first.className === "InputLayer" ? read.slice(1) : read;
  const layers: LayerSpec[] = [{ ...input, calls: [] }];
  for (const layer of rest) {
    const previous = layers.at(-1)!;
    layers.push({ ...layer, calls: [{ args: [argument(refTo(previous.name))], kwargs: {} }] });
  }
  checkNames(layers, at);
  return {
    name,
    className,
    isSequential: true,
    layers,
    inputs: [refTo(input.name)],
    outputs: [refTo(layers.at(-1)!.name)],
  };
}

const impliedInput = (name: string, shape: unknown): Omit<LayerSpec, "calls"> => ({
  name,
  className: "InputLayer",
  config: { name, batch_shape: shape ?? null },
  isOperation: false,
});

/** The input shape that a first layer states, batch included: its own, or that of the model it is. */
function inputShape({ config, network }: Omit<LayerSpec, "calls">): unknown {
  const own = config.batch_input_shape ?? config.batch_shape;
  if (own !== undefined) return own;
  if (network) {
    const input = network.layers.find((layer) => layer.name === network.inputs[0]?.layer);
    return input && inputShape(input);
  }
  return isFields(config.build_config) ? config.build_config.input_shape : undefined;
}

function readFunctional(
  name: string,
  className: string,
  entries: readonly unknown[],
  fields: Fields,
  at: Place,
): Network {
  const read = entries.map((entry, i) => readEntry(entry, i, at));
  const names = new Set(read.map((layer) => layer.name));
  const layers = read.map((layer, i): LayerSpec => {
    const nodes = (entries[i] as Fields).inbound_nodes ?? [];
    if (!Array.isArray(nodes)) throw invalid(at, `layer "${layer.name}" has no list of inbound_nodes`);
    const fail = (what: string): ConvlensError => invalid(at, `layer "${layer.name}" (${layer.className}): ${what}`);
    return { ...layer, calls: nodes.map((node) => readCall(node, names, fail)) };
  });
  checkNames(layers, at);
  const ends = (what: "input_layers" | "output_layers"): readonly TensorRef[] => {
    const found = refsIn(fields[what]);
    if (found.length === 0) throw invalid(at, `the model "${name}" has no ${what}`);
    return found;
  };
  const network = {
    name,
    className,
    isSequential: false,
    layers,
    inputs: ends("input_layers"),
    outputs: ends("output_layers"),
  };
  return withCallNumbers(network, at);
}

type Fail = (what: string) => ConvlensError;

/** One entry of `inbound_nodes`, in the form of Keras 3 or of Keras 2. */
function readCall(node: unknown, names: ReadonlySet<string>, fail: Fail): Call {
  if (isFields(node) && Array.isArray(node.args)) {
    const kwargs = isFields(node.kwargs) ? node.kwargs : {};
    return {
      args: node.args.map((arg) => readArgument(arg, fail)),
      kwargs: Object.fromEntries(Object.entries(kwargs).map(([key, arg]) => [key, readArgument(arg, fail)])),
    };
  }
  return readOldCall(node, names, fail);
}

/** An argument of Keras 3: tensors are objects with their history. */
function readArgument(value: unknown, fail: Fail): CallArgument {
  if (value === null || typeof value !== "object") return value as CallArgument;
  if (Array.isArray(value)) return value.map((item) => readArgument(item, fail));
  const fields = value as Fields;
  const config = isFields(fields.config) ? fields.config : {};
  if (fields.class_name === "__keras_tensor__") {
    const ref = refOf(config.keras_history);
    if (!ref) throw fail("a tensor without keras_history");
    return { kind: "ref", ref };
  }
  if (fields.class_name === "__slice__") {
    const part = (key: string): CallArgument => readArgument(config[key] ?? fields[key] ?? null, fail);
    return { kind: "slice", start: part("start"), stop: part("stop"), step: part("step") };
  }
  return { kind: "object", fields };
}

/** `[layer, node, tensor]`, perhaps with keyword arguments behind. */
function refOf(value: unknown): TensorRef | undefined {
  if (!Array.isArray(value) || value.length < 3) return undefined;
  const [layer, node, tensor] = value as unknown[];
  return isText(layer) && isCount(node) && isCount(tensor) ? { layer, node, tensor } : undefined;
}

/** All references of a list, an object (by sorted key, as Keras flattens) or a single one. */
function refsIn(value: unknown): readonly TensorRef[] {
  const ref = refOf(value);
  if (ref) return [ref];
  if (Array.isArray(value)) return value.flatMap(refsIn);
  if (!isFields(value)) return [];
  return Object.keys(value)
    .sort()
    .flatMap((key) => refsIn(value[key]));
}

/** What Keras 2 writes for a first argument that is no tensor: `["_CONSTANT_VALUE", -1, value, kwargs]`. */
const CONSTANT = "_CONSTANT_VALUE";

/** A call of Keras 2: `[["layer", node, tensor, kwargs], …]`, or one such list alone (operations). */
function readOldCall(node: unknown, names: ReadonlySet<string>, fail: Fail): Call {
  const items: readonly unknown[] = Array.isArray(node)
    ? isText(node[0])
      ? [node]
      : node
    : isFields(node)
      ? Object.keys(node)
          .sort()
          .map((key) => node[key])
      : [];
  if (items.length === 0) throw fail("an empty entry of inbound_nodes");
  let kwargs: Fields = {};
  const given = items.map((item): CallArgument => {
    if (!Array.isArray(item)) throw fail(`${JSON.stringify(item)?.slice(0, 60)} is no tensor`);
    if (isFields(item[3])) kwargs = { ...item[3], ...kwargs };
    if (item[0] === CONSTANT) return readOldArgument(item[2], names);
    const ref = refOf(item);
    if (ref) return { kind: "ref", ref };
    const inner = refsIn(item);
    if (inner.length === 0) throw fail(`${JSON.stringify(item).slice(0, 60)} is no tensor`);
    return inner.map(argument);
  });
  return {
    args: given.length === 1 ? given : [given],
    kwargs: Object.fromEntries(Object.entries(kwargs).map(([key, arg]) => [key, readOldArgument(arg, names)])),
  };
}

/** A keyword argument of Keras 2: a list that names a layer, a call and a tensor is that tensor. */
function readOldArgument(value: unknown, names: ReadonlySet<string>): CallArgument {
  if (value === null || typeof value !== "object") return value as CallArgument;
  const ref = refOf(value);
  if (ref && names.has(ref.layer)) return { kind: "ref", ref };
  if (Array.isArray(value)) {
    if (value[0] === CONSTANT) return readOldArgument(value[2], names);
    return value.map((item) => readOldArgument(item, names));
  }
  const fields = value as Fields;
  if ("start" in fields && "stop" in fields && "step" in fields) {
    const part = (key: string): CallArgument => readOldArgument(fields[key], names);
    return { kind: "slice", start: part("start"), stop: part("stop"), step: part("step") };
  }
  return { kind: "object", fields };
}

/** All tensors of an argument, in order. */
function refsOf(arg: CallArgument): readonly TensorRef[] {
  if (Array.isArray(arg)) return arg.flatMap(refsOf);
  if (arg === null || typeof arg !== "object") return [];
  const item = arg as Exclude<CallArgument, null | boolean | number | string | readonly CallArgument[]>;
  if (item.kind === "ref") return [item.ref];
  return item.kind === "slice" ? [...refsOf(item.start), ...refsOf(item.stop), ...refsOf(item.step)] : [];
}

export const refsOfCall = ({ args, kwargs }: Call): readonly TensorRef[] =>
  [...args, ...Object.values(kwargs)].flatMap(refsOf);

/**
 * Keras 2 counts the calls of a nested model from 1 (its own making is call 0), everything else from 0. Here all count
 * from 0. Throws `model-invalid` for references to what is not there.
 */
function withCallNumbers(network: Network, at: Place): Network {
  const byName = new Map(network.layers.map((layer) => [layer.name, layer]));
  const all = [...network.layers.flatMap((layer) => layer.calls.flatMap(refsOfCall)), ...network.outputs];
  const highest = new Map<string, number>();
  for (const ref of all) highest.set(ref.layer, Math.max(ref.node, highest.get(ref.layer) ?? 0));
  const shift = new Map<string, number>();
  for (const [name, node] of highest) {
    const layer = byName.get(name);
    if (!layer) throw invalid(at, `there is no layer "${name}", from which others take their input`);
    const count = Math.max(1, layer.calls.length);
    const by = layer.network && node >= count ? 1 : 0;
    if (node - by >= count)
      throw invalid(at, `layer "${name}" is called ${count} times and asked for call ${node + 1}`);
    if (by > 0) shift.set(name, by);
  }
  for (const { layer } of network.inputs)
    if (!byName.has(layer)) throw invalid(at, `there is no layer "${layer}", an input of "${network.name}"`);
  if (shift.size === 0) return network;
  const moved = (ref: TensorRef): TensorRef => ({ ...ref, node: Math.max(0, ref.node - (shift.get(ref.layer) ?? 0)) });
  return {
    ...network,
    layers: network.layers.map((layer) => ({ ...layer, calls: layer.calls.map((call) => mapCall(call, moved)) })),
    outputs: network.outputs.map(moved),
  };
}

function mapCall(call: Call, change: (ref: TensorRef) => TensorRef): Call {
  const map = (arg: CallArgument): CallArgument => {
    if (Array.isArray(arg)) return arg.map(map);
    if (arg === null || typeof arg !== "object") return arg;
    const item = arg as Exclude<CallArgument, null | boolean | number | string | readonly CallArgument[]>;
    if (item.kind === "ref") return { kind: "ref", ref: change(item.ref) };
    return item.kind === "slice"
      ? { kind: "slice", start: map(item.start), stop: map(item.stop), step: map(item.step) }
      : item;
  };
  return {
    args: call.args.map(map),
    kwargs: Object.fromEntries(Object.entries(call.kwargs).map(([key, arg]) => [key, map(arg)])),
  };
}
