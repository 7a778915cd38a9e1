/** A `Model` over a file: the table of layers, runs, predictions and weights. */
import { webgpu } from "../autodiff/overlays/webgpu.ts";
import { ConvlensError } from "../core/errors.ts";
import type { Layer, Layout } from "../core/layers.ts";
import type { Engine, EngineOptions, Platform, RunOptions } from "../core/platform.ts";
import { arrayTypes, type ElementType, float32, sizeOf, type Tensor, toFloat32, transpose } from "../core/tensor.ts";
import type { ModelFile } from "../formats/format.ts";
import { inputLayout } from "../formats/onnx/layout.ts";
import { inferShapes, withShapes } from "../graph/infer.ts";
import type { Preprocessing } from "./card.ts";
import { checkFeeds } from "./feeds.ts";
import { findLayers } from "./find-layers.ts";
import { runGradient } from "./gradients.ts";
import { chooseHead, classCount, findHeads, type Head } from "./heads.ts";
import { findClass } from "./labels.ts";
import { completeLayers, layoutAxes, plainLayers } from "./layers.ts";
import type { Feeds, Label, Model, ModelInput, ModelPrediction } from "./model.ts";
import { preparePicture } from "./preprocess.ts";
import { checkRoom } from "./room.ts";
import { type NamedActivation, scoreClasses, vectors } from "./scores.ts";
import { makeSessions } from "./sessions.ts";
import { readWeight } from "./weights.ts";

/** What a model is made of, all chosen. */
export interface ModelParts {
  readonly platform: Platform;
  readonly engine: Engine;
  readonly engineOptions: EngineOptions;
  readonly file: ModelFile;
  readonly inputs: readonly ModelInput[];
  readonly preprocessing: Preprocessing;
  readonly guessedMode: string | undefined;
  readonly labels: readonly Label[] | undefined;
  readonly notes: readonly string[];
  readonly head: string | undefined;
  readonly activation: NamedActivation | undefined;
  readonly cardActivation: NamedActivation | undefined;
}

/** The inputs as a file declares them. Throws `model-invalid` where there is none. */
export function modelInputs({ graph, source, format, sourceLayout, declared = {} }: ModelFile): readonly ModelInput[] {
  if (graph.inputs.length === 0) throw new ConvlensError("model-invalid", `"${source.name}" has no input`);
  return graph.inputs.map((name) => {
    const info = graph.values.get(name);
    return {
      name,
      shape: info?.shape ?? [],
      layout: format === "onnx" ? inputLayout(graph, name) : sourceLayout,
      type: info?.type ?? "float32",
      ...(declared[name] === undefined ? {} : { declared: declared[name] }),
    };
  });
}

/** The shapes of one picture's inputs; open sides are those of the preprocessing. */
export function pictureDims(inputs: readonly ModelInput[], { size }: Preprocessing): Record<string, number[]> {
  const open = ({ shape, layout }: ModelInput, axis: number): number => {
    const [heightAt, widthAt] = layout === "NHWC" ? [1, 2] : [2, 3];
    if (shape.length !== 4 || axis === 0) return 1;
    return axis === heightAt ? size[0] : axis === widthAt ? size[1] : 3;
  };
  return Object.fromEntries(inputs.map((input) => [input.name, input.shape.map((n, axis) => n ?? open(input, axis))]));
}

/** Networks that leave their input size open may still want one size: the error then says how to name it. */
function atOpenSize<T>(inputs: readonly ModelInput[], infer: () => T): T {
  try {
    return infer();
  } catch (error) {
    const isOpen = inputs.some(({ shape }) => shape.slice(1).includes(null));
    if (!isOpen || !(error instanceof ConvlensError) || error.code !== "model-invalid") throw error;
    throw new ConvlensError(
      "model-invalid",
      `${error.message}; its input size is open: name the right one with --size`,
    );
  }
}

/** The engine with the device that the sessions ask for, where that is not its default. */
const engineName = ({ name }: Engine, { device }: EngineOptions): string =>
  device === undefined ? name : name.replace(/\([^()]*\)$/, `(${device})`);

const once = <T>(make: () => T): (() => T) => {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};

/** More at once would take much memory for little more speed. */
const MOST_WORKERS = 8;

/** See `Model.workers`. Two for each thread: while one waits for JavaScript's part of the work, the other computes. */
function makeWorkers(parts: ModelParts, count: number): readonly Model[] {
  const { workers } = parts.engine;
  const { threads = workers?.cores ?? 1, device = "cpu" } = parts.engineOptions;
  const number = Math.min(count, 2 * threads, MOST_WORKERS);
  if (!workers || device !== "cpu" || threads < 2 || number < 2) return [];
  return Array.from({ length: number }, () => {
    const engine = workers.open();
    const engineOptions = { ...parts.engineOptions, threads: Math.max(1, Math.floor(threads / number)) };
    const model = makeModel({ ...parts, engine, engineOptions });
    const release = async (): Promise<void> => {
      await model.release();
      await engine.close();
    };
    return { ...model, release };
  });
}

export function makeModel(parts: ModelParts): Model {
  const { platform, engine, file, inputs, preprocessing, labels } = parts;
  const { graph, source, sourceLayout } = file;
  const notes = [...parts.notes];
  const name = engineName(engine, parts.engineOptions);
  const sessions = makeSessions(file, engine, parts.engineOptions, (text) => notes.push(text));
  const plain = once(() => plainLayers(file));
  const heads = once(() => findHeads(graph));
  const head = (): Head => chooseHead(heads(), parts.head, source.name);

  const roomy = new Set<string>();
  /** The feeds, checked; that their shapes leave room is worked out once for each set of shapes. */
  const checked = (feeds: Feeds, taken: readonly ModelInput[] = inputs): Record<string, Tensor> => {
    const tensors = checkFeeds(taken, feeds);
    const dims = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tensor.dims]));
    const key = JSON.stringify(dims);
    if (!roomy.has(key) && file.opaque === undefined && taken === inputs) checkRoom(graph, dims);
    roomy.add(key);
    return tensors;
  };

  /** The value that a name means (a layer's output, any value of the graph, a scope) and the order of its axes. */
  const resolve = (name: string): { value: string; layout: Layout } => {
    // A value as it is stored, also where a layer has its name.
    if (name.startsWith("value:")) return { value: name.slice(6), layout: sourceLayout };
    const isValue = graph.inputs.includes(name) || graph.nodes.some((node) => node.outputs.includes(name));
    const own = plain().find((layer) => layer.name === name) ?? plain().find((layer) => layer.output === name);
    if (!own && isValue) return { value: name, layout: sourceLayout };
    const [layer, second] = own ? [own] : findLayers(plain(), [name]);
    if (!layer || second) throw new ConvlensError("layer-unknown", `"${name}" means several layers: name one`);
    return { value: layer.output, layout: layer.layout };
  };

  const run = async (
    feeds: Feeds,
    options: RunOptions & { readonly outputs?: readonly string[] } = {},
  ): Promise<Record<string, Tensor<"float32">>> => {
    const wanted = (options.outputs ?? graph.outputs).map((name) => ({ name, ...resolve(name) }));
    const values = [...new Set(wanted.map(({ value }) => value))];
    const results = await sessions.run(checked(feeds), values, options);
    return Object.fromEntries(
      wanted.map(({ name, value, layout }) => {
        const raw = results[value]!;
        const tensor = float32(raw.dims, toFloat32(raw));
        const axes = layoutAxes(tensor.dims.length, layout, sourceLayout);
        return [name, axes ? transpose(tensor, axes) : tensor];
      }),
    );
  };

  const layers = once(async (): Promise<readonly Layer[]> => {
    const dims = pictureDims(inputs, preprocessing);
    const [shaped, inferred] = atOpenSize(inputs, () => [withShapes(graph, dims), inferShapes(graph, dims)] as const);
    const shapes = new Map<string, { shape: readonly number[] }>(inferred);
    const unknown = plain()
      .map((layer) => layer.output)
      .filter((value) => !shapes.has(value));
    if (unknown.length === 0 || file.opaque !== undefined) return completeLayers(plain(), shaped, shapes, sourceLayout);
    // Operators without a shape rule: one pass with every such value exposed tells.
    checkRoom(graph, dims);
    const zeros = Object.fromEntries(
      inputs.map(({ name, type }) => [name, zeroTensor(type as ElementType, dims[name]!)]),
    );
    const probed = await sessions.run(zeros, [...new Set(unknown)]);
    const values = new Map(shaped.values);
    const isFree = inputs[0]!.shape[0] === null;
    for (const [name, tensor] of Object.entries(probed)) {
      shapes.set(name, { shape: tensor.dims });
      values.set(name, {
        type: tensor.type,
        shape: tensor.dims.map((n, axis) => (axis === 0 && n === 1 && isFree ? null : n)),
      });
    }
    return completeLayers(plain(), { ...shaped, values }, shapes, sourceLayout);
  });

  const predict = async (
    feeds: Feeds,
    options: RunOptions & { readonly top?: number } = {},
  ): Promise<readonly ModelPrediction[]> => {
    const chosen = head();
    // The engine's own names: a layer may be called like an output.
    const values = file.opaque === undefined ? [...new Set([chosen.output, chosen.logits])] : [chosen.output];
    const results = await sessions.run(checked(feeds), values, options);
    const outputs = vectors(results[chosen.output]!, source.name);
    const logits = vectors(results[chosen.logits] ?? results[chosen.output]!, source.name);
    const known = file.opaque === undefined ? chosen : { ...chosen, activation: undefined };
    const scoring = {
      head: known,
      wanted: parts.activation,
      card: parts.cardActivation,
      labels,
      top: options.top ?? 5,
    };
    return outputs.map((output, i) => scoreClasses(output, logits[i]!, scoring));
  };

  const gradient: Model["gradient"] = (feeds, options) => {
    mustOpen(file);
    return runGradient(
      {
        modelName: source.name,
        sessions,
        sourceLayout,
        // Asked for by those targets only that need it.
        head,
        activation: parts.activation ?? parts.cardActivation,
        scoring: { wanted: parts.activation, card: parts.cardActivation, labels },
        engineOverlay: /webgpu/i.test(name) ? webgpu : undefined,
        locate: resolve,
        resolve: (name) => {
          const { value, layout } = resolve(name);
          return { value, channelsLast: layout === "NHWC" };
        },
      },
      checked(feeds, options.anySize ? inputs.map(anySize) : inputs),
      options,
      inputs[0]!.name,
    );
  };

  const findTarget: Model["findTarget"] = async (what, of = "logit") => {
    if (what === "top") return { class: "top", of };
    const shapes = inferShapes(graph, pictureDims(inputs, preprocessing));
    const count = classCount(shapes.get(head().logits)?.shape) ?? labels?.length ?? Number.MAX_SAFE_INTEGER;
    // One output unit stands for two classes.
    return { class: findClass(labels, count === 1 ? 2 : count, what), of };
  };

  return {
    name: source.name,
    description: file.description,
    graph,
    opaque: file.opaque,
    sourceLayout,
    inputs,
    input: inputs[0]!,
    preprocessing,
    guessedMode: parts.guessedMode,
    labels,
    notes,
    fileNotes: file.notes,
    engineName: name,
    head,
    layers,
    findLayers: async (patterns) => findLayers(await layers(), typeof patterns === "string" ? [patterns] : patterns),
    sha256: once(() => platform.sha256(source)),
    prepare: (picture) => {
      const count = inputs[0]!.shape.length;
      if (count !== 4)
        throw new ConvlensError(
          "model-unsupported",
          `"${source.name}" takes no pictures: its input has ${count} axes, a picture needs 4; give a ready tensor`,
        );
      return preparePicture(picture, preprocessing);
    },
    run,
    predict,
    gradient,
    compute: async (own, feeds, options) => {
      mustOpen(file);
      return sessions.compute(own, feeds, options);
    },
    findTarget,
    weight: (layer, name) => readWeight(graph, layer, name),
    workers: (count) => makeWorkers(parts, count),
    release: () => sessions.release(),
  };
}

/** An input with its height and width open. */
function anySize(input: ModelInput): ModelInput {
  const channels = input.layout === "NHWC" ? 3 : 1;
  return { ...input, shape: input.shape.map((n, axis) => (axis === channels || input.shape.length !== 4 ? n : null)) };
}

function mustOpen({ opaque, source }: ModelFile): void {
  if (opaque !== undefined)
    throw new ConvlensError("model-unsupported", `"${source.name}" has no gradients: ${opaque}`);
}

function zeroTensor(type: ElementType, dims: readonly number[]): Tensor {
  return { type, dims, data: new arrayTypes[type](sizeOf(dims)) };
}
