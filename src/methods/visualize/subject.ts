/** What is drawn: channels, neurons, directions or all of a layer, or classes; and the batches they are drawn in. */
import { ConvlensError } from "../../core/errors.ts";
import type { Layer } from "../../core/layers.ts";
import type { Model, Target } from "../../model/model.ts";
import { mapLayers } from "../explain/layer-choice.ts";
import {
  channelCount,
  channelObjective,
  classSum,
  directionObjective,
  diverse,
  type LayerTarget,
  layerObjective,
  mustHaveChannels,
  type Places,
  sumObjective,
  type Weighted,
} from "./objectives.ts";
import type { Preset } from "./presets.ts";

export interface SubjectOptions {
  readonly layer: string;
  readonly objective: string;
  readonly channels: readonly number[];
  readonly targets: readonly (string | number)[];
  readonly weights: readonly number[];
  readonly between: number;
  readonly position: readonly number[];
  readonly direction: readonly number[];
  readonly power: number;
  readonly copies: number;
  readonly diversity: number;
  readonly batch: number;
}

/** One picture. */
export interface Item {
  readonly label: string;
  /** What its own noise depends on, besides the seed. */
  readonly key: number;
  /** The class whose probability tells how good it is; `null` where it shows no class. */
  readonly class: number | null;
  /** Of the layer, where it shows one channel alone. */
  readonly channel?: number;
  /** Whether it avoids something, so that an objective of 0 may be a success. */
  readonly avoids?: true;
}

/** Pictures that are drawn at once. */
export interface Batch {
  /** `undefined` for classes. */
  readonly layer: Layer | undefined;
  readonly items: readonly Item[];
  readonly target: Target;
  /** The same objective without what pictures do to each other, for one picture or several. */
  readonly plain: Target;
}

export interface Subject {
  readonly name: string;
  readonly title: string;
  readonly notes: readonly string[];
  readonly batches: readonly Batch[];
  /** Pictures in a row of the sheet, where that follows from what they are of. */
  readonly across?: number;
}

/** Noise of copies of one picture. */
const copyKey = (key: number, copy: number): number => key + 100_003 * copy;
/** Groups of at most `size`, as even as they can be: they are drawn side by side. */
function grouped<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  const count = Math.ceil(all.length / size);
  const from = (i: number): number => Math.ceil((i * all.length) / count);
  return Array.from({ length: count }, (_, i) => all.slice(from(i), from(i + 1)));
}
const wrong = (message: string): never => {
  throw new ConvlensError("option-invalid", message);
};

/** Throws `option-invalid`, `layer-unknown` and `label-unknown`. */
export function subjectOf(model: Model, preset: Preset, options: SubjectOptions): Promise<Subject> {
  const { targets, layer, channels, objective } = options;
  if (targets.length === 0) return layerSubject(model, preset, options);
  if (layer !== "" || channels.length > 0 || objective !== "channel")
    wrong("a class and channels of a layer are two different pictures: leave out one of them");
  if (preset.octaves) wrong(`preset "${preset.id}" is of whole layers: leave out the class, or take another preset`);
  if (options.between > 0 || [options.position, options.direction].some(({ length }) => length > 0))
    wrong("between, position and direction are of a layer's channels: leave them out for classes");
  return classSubject(model, options);
}

async function classSubject(model: Model, options: SubjectOptions): Promise<Subject> {
  const { targets, weights, copies, diversity, batch } = options;
  if (diversity > 0) wrong("diversity is a matter of a layer's channels: leave it out for classes");
  if (targets.includes("top")) wrong("name a class: there is no photograph whose top class it could be");
  const found = await Promise.all(targets.map((what) => model.findTarget(what)));
  const classes = found.map((target) => ("class" in target ? Number(target.class) : 0));
  const nameOf = (index: number): string => model.labels?.[index]?.name ?? `class ${index}`;
  const all = (items: readonly Item[], target: Target): readonly Batch[] =>
    grouped(items, batch).map((some) => ({ layer: undefined, items: some, target, plain: target }));
  const copiesOf = (label: string, index: number): readonly Item[] =>
    Array.from({ length: copies }, (_, c) => ({
      label: copies > 1 ? `${label} (${c + 1})` : label,
      key: copyKey(index, c),
      class: index,
    }));
  const named = { name: "classes", notes: [] };
  if (weights.length === 0) {
    const title = `The image that maximises ${classes.map(nameOf).join(", ")}`;
    return { ...named, title, batches: classes.flatMap((index, i) => all(copiesOf(nameOf(index), index), found[i]!)) };
  }
  mustMatch(weights, classes.length, "classes");
  const label = sumText(classes.map(nameOf), weights);
  return {
    ...named,
    title: `The image that maximises ${label}`,
    batches: all(
      copiesOf(label, classes[0]!),
      classSum(
        classes.map((index, i) => ({ class: index, weight: weights[i]! })),
        label,
      ),
    ),
  };
}

function mustMatch(weights: readonly number[], count: number, what: string): void {
  if (weights.length !== count || !weights.every(Number.isFinite))
    wrong(`${weights.length} weights are given for ${count} ${what}: one number for each`);
}

const sumText = (names: readonly string[], weights: readonly number[]): string =>
  names
    .map((name, i) => {
      const sign = weights[i]! < 0 ? (i > 0 ? " - " : "-") : i > 0 ? " + " : "";
      const size = Math.abs(weights[i]!);
      return `${sign}${size === 1 ? "" : `${size} x `}${name}`;
    })
    .join("");

async function layerSubject(model: Model, preset: Preset, options: SubjectOptions): Promise<Subject> {
  const { objective, channels: given, weights, between, copies, batch, direction, power, diversity } = options;
  if (preset.octaves) return dreamSubject(model, preset, options);
  const { layers, notes } = await layersOf(model, options.layer);
  if (layers.length > 1) return manyLayers(model, preset, options, layers);
  const layer = layers[0]!;
  const count = channelCount(layer, model.sourceLayout);
  mustHaveChannels(layer, given, count);
  const position = positionOf(options, layer);
  const places: Places = {
    at: objective === "neuron" || position ? "neuron" : "mean",
    ...(position ? { position } : {}),
    trim: preset.trim,
  };
  if (direction.length > 0 && direction.length !== count)
    wrong(`the direction has ${direction.length} numbers, but layer "${layer.name}" has ${count} channels`);
  if (objective === "direction" && direction.length === 0)
    wrong(`a direction is wanted: give ${count} numbers, one for each channel of layer "${layer.name}"`);
  if (objective !== "direction" && (direction.length > 0 || power !== 1))
    wrong(`direction and power belong to the objective "direction", but the objective is "${objective}"`);
  const place = position ? ` at (${position.join(", ")})` : objective === "neuron" ? ", middle" : "";

  /** Pictures, and what each raises; `undefined`: the same function of the layer for all of them. */
  const drawn: { item: Item; parts: Weighted | undefined }[] = [];
  const add = (label: string, key: number, parts: Weighted | undefined): void => {
    for (let c = 0; c < copies; c++)
      drawn.push({
        item: {
          label: copies > 1 ? `${label} (${c + 1})` : label,
          key: copyKey(key, c),
          class: null,
          ...(parts?.length === 1 && { channel: parts[0]!.channel }),
          ...(parts?.some(({ weight }) => weight < 0) && { avoids: true }),
        },
        parts,
      });
  };
  const same: LayerTarget | undefined =
    objective === "layer"
      ? layerObjective(layer, preset.trim)
      : objective === "direction"
        ? directionObjective(layer, direction, power, places)
        : undefined;
  if (same) {
    if (given.length > 0 || weights.length > 0 || between > 0)
      wrong(`the objective "${objective}" is of all channels: leave out channels, weights and between`);
    add(objective === "layer" ? `all of ${layer.name}` : `direction${place}`, 0, undefined);
  } else if (weights.length > 0) {
    mustMatch(weights, given.length, "channels");
    if (between > 0) wrong("weights and between exclude each other");
    const text = sumText(given.map(String), weights);
    add(
      `channels ${text}${place}`,
      given[0]!,
      given.map((channel, i) => ({ channel, weight: weights[i]! })),
    );
  } else if (between > 0) {
    const [a, b] = given;
    if (a === undefined || b === undefined || given.length !== 2) return wrong("name the two channels to go between");
    for (let i = 0; i < between; i++) {
      const t = between === 1 ? 0.5 : i / (between - 1);
      const parts = [
        { channel: a, weight: 1 - t },
        { channel: b, weight: t },
      ];
      // One noise for all: neighbours are alike.
      add(`${Math.round(100 * (1 - t))} % ${a}, ${Math.round(100 * t)} % ${b}`, a, parts);
    }
  } else {
    const channels = given.length > 0 ? given : Array.from({ length: Math.min(16, count) }, (_, i) => i);
    for (const channel of channels) add(`channel ${channel}${place}`, channel, [{ channel, weight: 1 }]);
  }
  const fixed = model.graph.values.get(model.graph.inputs[0]!)?.shape[0] === 1;
  if (diversity > 0 && drawn.length < 2) wrong("diversity needs several pictures at once: copies of 2 or more");
  if (diversity > 0 && (fixed || batch < 2))
    wrong(
      `diversity needs several pictures at once: ${fixed ? "this network takes one at a time" : "a batch of 2 or more"}`,
    );
  const batches = grouped(drawn, fixed ? 1 : batch).map((some): Batch => {
    const plain =
      same ??
      channelObjective(
        layer,
        some.map(({ parts }) => parts!),
        places,
      );
    const target = diversity > 0 && some.length > 1 ? diverse(plain, layer, some.length, diversity) : plain;
    return { layer, items: some.map(({ item }) => item), target, plain };
  });
  const title = same ? `What excites ${layer.name}` : `What channels of ${layer.name} look for`;
  return { name: layer.name, title, notes, batches };
}

/** The first channels of each of several layers, unless some are named: a row for each layer. */
async function manyLayers(
  model: Model,
  preset: Preset,
  options: SubjectOptions,
  layers: readonly Layer[],
): Promise<Subject> {
  const given = options.channels.length > 0 || options.objective !== "channel";
  const all = await Promise.all(
    layers.map((layer) => {
      const count = channelCount(layer, model.sourceLayout);
      const channels = given ? options.channels : Array.from({ length: Math.min(FIRST, count) }, (_, i) => i);
      return layerSubject(model, preset, { ...options, layer: layer.name, channels });
    }),
  );
  const batches = all.flatMap(({ name, batches: own }) =>
    own.map((batch) => ({
      ...batch,
      items: batch.items.map((item) => ({ ...item, label: `${name} ${item.label}` })),
    })),
  );
  const rows = all.map(({ batches: own }) => own.reduce((sum, { items }) => sum + items.length, 0));
  return {
    name: `${layers.length} layers`,
    title: "What channels look for, layer by layer",
    notes: [],
    batches,
    // Only where rows are of one length do layers keep to them.
    ...(new Set(rows).size === 1 && preset.grid.order === "rows" ? { across: rows[0]! } : {}),
  };
}

/** Channels of each of several layers. */
const FIRST = 8;

/** Mixed2 to mixed5 of Inception v3, as the Keras book weighs them: how deep they lie among its convolutions. */
const dreamt: readonly (readonly [depth: number, weight: number])[] = [
  [0.28, 0.2],
  [0.32, 3],
  [0.43, 2],
  [0.53, 1.5],
];

async function dreamSubject(model: Model, { trim }: Preset, options: SubjectOptions): Promise<Subject> {
  const { channels, weights, between, direction, position, copies, diversity } = options;
  if (
    [channels, weights, direction, position].some(({ length }) => length > 0) ||
    between > 0 ||
    diversity > 0 ||
    copies > 1
  )
    wrong(
      "a dream is of whole layers: leave out channels, weights, between, direction, position, copies and diversity",
    );
  const all = options.layer === "" ? (await mapLayers(model, ["all"])).layers : [];
  const chosen =
    options.layer === ""
      ? dreamt.map(([depth, weight]) => ({ layer: all[Math.floor(depth * all.length)]!, weight }))
      : [{ layer: await oneLayer(model, options.layer), weight: 1 }];
  const flat = chosen.find(({ layer }) => layer.shape.length !== 4)?.layer;
  if (flat) wrong(`a dream works at several sizes, but layer "${flat.name}" has no maps: name a layer before it`);
  const parts = chosen.map(({ layer, weight }) => ({ weight, target: layerObjective(layer, trim) }));
  const target = sumObjective(parts);
  const names = [...new Set(chosen.map(({ layer }) => layer.name))].join(", ");
  const item = { label: "dream", key: 0, class: null };
  return {
    name: names,
    title: `A dream of ${names}`,
    notes: options.layer === "" ? [`layers ${names} were chosen by their depth; --layer takes one`] : [],
    batches: [{ layer: chosen[0]!.layer, items: [item], target, plain: target }],
  };
}

async function layersOf(model: Model, name: string): Promise<{ layers: readonly Layer[]; notes: readonly string[] }> {
  if (name === "" || name === "all") return mapLayers(model, name === "" ? [] : ["all"]);
  return { layers: await model.findLayers(name), notes: [] };
}

async function oneLayer(model: Model, name: string): Promise<Layer> {
  const { layers } = await layersOf(model, name);
  return layers.length > 1 ? wrong(`"${name}" means ${layers.length} layers: name one`) : layers[0]!;
}

function positionOf({ position, objective }: SubjectOptions, layer: Layer): readonly [number, number] | undefined {
  if (position.length === 0) return undefined;
  const [row, column] = position;
  if (
    row === undefined ||
    column === undefined ||
    position.length > 2 ||
    !position.every((n) => Number.isInteger(n) && n >= 0)
  )
    return wrong("a position is a row and a column, two whole numbers from 0");
  if (layer.shape.length !== 4) wrong(`layer "${layer.name}" has no rows and columns`);
  if (objective === "layer") wrong('the objective "layer" is of all places: leave out the position');
  return [row, column];
}
