/**
 * Draws the pictures of docs/visualize.md and the tour's patterns: `npx tsx scripts/gallery.ts [NAME …] [--png FOLDER]`,
 * all of them unless some are named. Networks that are no part of the repository are looked for in the folder that
 * CONVLENS_DATA names (default: `shared` beside the checkout); pictures of absent ones are left as they are.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  encodeJpeg,
  encodePng,
  type Images,
  imagesSheet,
  type MadeImage,
  type Model,
  type Picture,
  resize,
  type VisualizeOptions,
  visualize,
} from "../src/index.ts";
import { embeddedPhotograph, openImage, openModel, platform } from "../src/node.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const data = process.env.CONVLENS_DATA ?? join(dirname(root), "shared");

interface Network {
  /** What it is called on a sheet of several networks. */
  readonly name: string;
  /** The id of an embedded network, or a path in the folder of large material. */
  readonly file: string;
  readonly open?: Parameters<typeof openModel>[1];
}

/** One run of `visualize`. */
interface Run {
  readonly network: Network;
  readonly options: Partial<VisualizeOptions>;
  /** Whether activations are compared with those of the embedded photograph, or it is dreamt on. */
  readonly photo?: true;
  /** In place of the label of a picture, or before the numbers of several. */
  readonly label?: string;
}

interface Entry {
  readonly name: string;
  /** Below docs/pictures. */
  readonly file: string;
  readonly runs: readonly Run[];
  /** Of a sheet of several runs. */
  readonly title?: string;
  readonly across?: number;
  /** Pictures of several runs are brought to this height and width. */
  readonly side?: number;
}

const cats: Network = { name: "cats-and-dogs", file: "cats-and-dogs" };
const cifar: Network = { name: "cifar10", file: "cifar10" };
const mobilenet: Network = {
  name: "MobileNetV2",
  file: "models/mobilenet_v2_1.0_224_keras_ptq_deq.onnx",
  open: { preprocessing: "tf", labels: "imagenet-1001" },
};
const squeezenet: Network = {
  name: "SqueezeNet",
  file: "models/squeezenet_v1.1_fp32.onnx",
  open: { preprocessing: "caffe", labels: "imagenet" },
};
const resnet8: Network = {
  name: "ResNet-8 (.h5)",
  file: "models/cifar10_resnet8_mlperf_tiny.h5",
  open: { preprocessing: "raw", labels: "cifar10" },
};
const lenet: Network = {
  name: "LeNet (.h5)",
  file: "models/cifar10_lenet_keras2.h5",
  open: {
    preprocessing: { scale: 1, mean: [125.307, 122.95, 113.865], std: [62.9932, 62.0887, 66.7048] },
    labels: "cifar10",
  },
};
const wakeWords: Network = {
  name: "MobileNet (.h5)",
  file: "models/vww_mobilenet_v1_0.25_96.h5",
  open: { preprocessing: "unit", labels: ["no person", "person"] },
};

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

const entries: readonly Entry[] = [
  {
    name: "classes",
    file: "visualize/classes.jpg",
    title: "The image that maximises a class",
    across: 4,
    runs: (
      [
        ["bald eagle", 4],
        ["bald eagle", 5],
        ["African elephant", 0],
        ["daisy", 0],
      ] as const
    ).map(([target, seed]) => ({
      network: mobilenet,
      options: { targets: [target], seed },
      label: `${target}, seed ${seed}`,
    })),
  },
  {
    name: "small-classes",
    file: "visualize/small-classes.jpg",
    title: "Classes of small networks",
    across: 6,
    side: 150,
    runs: (
      [
        [cats, ["cat", "dog"]],
        [cifar, ["horse", "ship"]],
        [resnet8, ["horse", "ship"]],
        [lenet, ["horse", "ship"]],
        [wakeWords, ["person", "no person"]],
        [squeezenet, ["bald eagle", "daisy"]],
      ] as const
    ).flatMap(([network, targets]) => targets.map((target) => ({ network, options: { targets: [target] } }))),
  },
  {
    name: "compared",
    file: "visualize/compared.jpg",
    title: "One class, by preset and network",
    across: 5,
    side: 200,
    runs: (
      [
        [mobilenet, "bald eagle"],
        [squeezenet, "bald eagle"],
        [cats, "dog"],
        [resnet8, "horse"],
      ] as const
    ).flatMap(([network, target]) =>
      [
        { preset: "class" },
        // MACO's parameters in the views of the preset: its own six crops a step take minutes.
        { preset: "class", parameters: "phases" },
        { preset: "lucid", steps: 256 },
        { preset: "chollet" },
        { preset: "chollet3" },
      ].map((options) => ({
        network,
        options: { targets: [target], ...options },
        label: `${options.parameters ?? options.preset}: ${target}, ${network.name}`,
      })),
    ),
  },
  {
    name: "presets",
    file: "visualize/presets.jpg",
    title: "One channel, by preset and network",
    across: 5,
    side: 150,
    runs: (
      [
        [cats, "conv2d_2", 3],
        [cifar, "layer2/relu", 5],
        [resnet8, "activation_4", 7],
        [mobilenet, "conv_26/relu6", 4],
      ] as const
    ).flatMap(([network, layer, channel]) =>
      [
        { preset: "lucid", steps: 256 },
        { preset: "lucid", parameters: "phases", steps: 256 },
        { preset: "chollet" },
        { preset: "chollet2" },
        { preset: "chollet3" },
      ].map((options) => ({
        network,
        options: { layer, channels: [channel], ...options },
        label: `${options.parameters ?? options.preset}: ${layer} ${channel}`,
      })),
    ),
  },
  {
    name: "filters",
    file: "visualize/filters.jpg",
    runs: [{ network: cats, options: { layer: "conv2d_2", size: [96], steps: 96 }, photo: true }],
  },
  {
    name: "layers",
    file: "visualize/layers.jpg",
    runs: [
      {
        network: cats,
        options: { layer: "conv2d*", channels: [0, 2, 4, 6, 7], size: [64], steps: 24 },
        photo: true,
      },
    ],
  },
  {
    name: "book",
    file: "visualize/book.jpg",
    runs: [
      { network: cats, options: { layer: "conv2d_1", channels: range(64), preset: "chollet", batch: 16 }, photo: true },
    ],
  },
  {
    name: "keras",
    file: "visualize/keras.jpg",
    runs: [
      {
        network: resnet8,
        options: { layer: "activation_6", channels: range(64), preset: "chollet", batch: 16 },
      },
    ],
  },
  {
    name: "keras-filters",
    file: "visualize/keras-filters.jpg",
    title: "Filters of three Keras files",
    across: 6,
    runs: (
      [
        [lenet, "conv2d_2"],
        [resnet8, "activation_4"],
        [wakeWords, "activation_8"],
      ] as const
    ).map(([network, layer]) => ({
      network,
      options: { layer, channels: range(6), size: [96], steps: 128 },
      photo: true,
      label: layer,
    })),
  },
  {
    name: "imagenet-filters",
    file: "visualize/imagenet-filters.jpg",
    title: "Channels of MobileNetV2, from its first layers to its last",
    across: 4,
    runs: ["conv_5/relu6", "conv_23/relu6", "conv_63/relu6"].map((layer) => ({
      network: mobilenet,
      options: { layer, channels: range(4), size: [128], steps: 128 },
      photo: true,
      label: layer,
    })),
  },
  {
    name: "dream",
    file: "visualize/dream.jpg",
    runs: [{ network: cats, options: { preset: "dream", layer: "conv2d_1" }, photo: true }],
  },
  {
    name: "tour",
    file: "tour/visualize.png",
    runs: [{ network: cats, options: { layer: "conv2d_3", channels: range(8), steps: 128 }, photo: true }],
    across: 4,
  },
];

const pathOf = ({ file }: Network): string => (file.includes("/") ? join(data, file) : file);
const isThere = (network: Network): boolean => !network.file.includes("/") || existsSync(pathOf(network));

const opened = new Map<Network, Promise<Model>>();
function modelOf(network: Network): Promise<Model> {
  const model = opened.get(network) ?? openModel(pathOf(network), network.open);
  opened.set(network, model);
  return model;
}

async function made({ network, options, photo }: Run): Promise<Images> {
  const model = await modelOf(network);
  if (!photo) return visualize.run(model, {}, options);
  const { picture, name } = await openImage(await embeddedPhotograph());
  return visualize.run(model, { feeds: model.prepare(picture).tensor, name, isPicture: true }, options);
}

/** Several runs as one: what differs between them is listed. */
function together({ runs, title, across, side }: Entry, results: readonly Images[]): Images {
  const first = results[0]!;
  const all = results.flatMap((result, i) => result.images.map((image) => relabelled(image, result, runs[i]!)));
  const listed = (what: (result: Images) => unknown): string => [...new Set(results.map(what))].join(", ");
  const { options, model } = first.origin;
  const grid = { ...first.grid, margin: null, order: "rows" as const, across: across ?? first.grid.across };
  return {
    ...first,
    title: title ?? first.title,
    of: listed((result) => result.of),
    images: side === undefined ? all : all.map((image) => ({ ...image, picture: square(image.picture, side) })),
    grid,
    origin: {
      ...first.origin,
      model: { ...model, name: [...new Set(runs.map(({ network }) => network.name))].join(", ") },
      options: {
        ...options,
        preset: listed((result) => result.origin.options.preset),
        steps: listed((result) => result.origin.options.steps),
        seed: listed((result) => result.origin.options.seed),
      },
    },
  };
}

function relabelled(image: MadeImage, { of, images }: Images, { label, network }: Run): MadeImage {
  const number = images.length > 1 ? ` ${image.label.replace("channel ", "")}` : "";
  if (label !== undefined) return { ...image, label: `${label}${number}` };
  return {
    ...image,
    label: `${network.name} ${of === "classes" ? "" : `${of} `}${image.label.replace("channel ", "")}`,
  };
}

const square = (picture: Picture, side: number): Picture => resize(picture, side, side, "bicubic", "pil");

async function draw(entry: Entry, pngs: string | undefined): Promise<void> {
  const results: Images[] = [];
  for (const run of entry.runs) results.push(await made(run));
  const [first] = results;
  const result = results.length > 1 ? together(entry, results) : gridded(first!, entry.across);
  const sheet = imagesSheet(result);
  const path = join(root, "docs/pictures", entry.file);
  const bytes = path.endsWith(".png") ? encodePng(sheet) : await encodeJpeg(sheet, 72, platform.codec);
  writeFileSync(path, bytes);
  if (pngs !== undefined) writeFileSync(join(pngs, `${entry.name}.png`), encodePng(sheet));
  for (const { label, reached, probability, dead } of result.images)
    console.log(
      `  ${label}: ${dead ?? (probability === null ? reached.toPrecision(3) : `probability ${probability.toFixed(4)}`)}`,
    );
  for (const note of new Set(results.flatMap(({ notes }) => notes))) console.log(`  note: ${note}`);
  console.log(`${entry.file}: ${Math.round(bytes.length / 1024)} KiB, ${sheet.width} x ${sheet.height}`);
}

const gridded = (result: Images, across: number | undefined): Images =>
  across === undefined ? result : { ...result, grid: { ...result.grid, across } };

const { positionals, values } = parseArgs({ allowPositionals: true, options: { png: { type: "string" } } });
const unknown = positionals.filter((name) => !entries.some((entry) => entry.name === name));
if (unknown.length > 0)
  throw new Error(
    `no picture is called ${unknown.join(", ")}: there are ${entries.map(({ name }) => name).join(", ")}`,
  );
if (values.png !== undefined) mkdirSync(values.png, { recursive: true });
for (const entry of entries.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  const absent = entry.runs.map(({ network }) => network).find((network) => !isThere(network));
  if (absent) console.log(`${entry.file} stays as it is: there is no ${pathOf(absent)}`);
  else await draw(entry, values.png);
}
for (const model of opened.values()) await (await model).release();
