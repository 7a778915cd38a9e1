/** `convlens filters`: convolution weights as pictures and arrays. */
import { join } from "node:path";
import { type Command, Option } from "commander";
import { filterSheets, filters, listText, shapeText, toJson, writeNpy } from "../../index.ts";
import {
  commonOptions,
  layerOption,
  type ModelFlags,
  modelOptions,
  type OutputFlags,
  outputOptions,
} from "../options.ts";
import { fileName, makeOutputs, pageName, wrote } from "../outputs.ts";
import { openRun } from "../run.ts";
import { print, printJson, terminalWidth } from "../terminal.ts";

interface Flags extends ModelFlags, OutputFlags {
  readonly layer: readonly string[];
  readonly scale: "filter" | "layer";
}

export function define(command: Command): void {
  command.argument("[model]", "the network, in place of --model");
  layerOption(command, filters.options.layers);
  command.addOption(
    new Option("--scale <of>", "what becomes black and white: the extremes of each filter, or of the layer")
      .choices(["filter", "layer"])
      .default("filter"),
  );
  outputOptions(command, "where the pictures go (default: convlens-out)");
  command.option("--npy", "also write LAYER.kernel.npy, LAYER.bias.npy … in their framework's shapes");
  modelOptions(command);
  commonOptions(command);
  command
    .addHelpText(
      "after",
      `
Files: LAYER.png (LAYER.p2.png and on where one page does not hold all).

Examples:
  $ convlens filters                                    # the demo network's first convolution
  $ convlens filters resnet50.onnx --scale layer
  $ convlens filters --layer 'conv2d*' --npy --out weights`,
    )
    .action(run);
}

async function run(file: string | undefined, flags: Flags): Promise<void> {
  const { model, terminal } = await openRun(file === undefined ? [] : [file], flags, "model");
  const folder = flags.out ?? "convlens-out";
  const options = flags.layer.length > 0 ? { layers: flags.layer } : {};
  const result = await terminal.time("filters", () => filters.run(model, {}, options));
  for (const note of result.notes) terminal.note(`note: ${note}`);
  const outputs = makeOutputs();
  const drawn = new Set<string>();
  for (const named of result.tensors) {
    const { layer, part, tensor } = named;
    const base = join(folder, fileName(layer.name));
    // The first array of two axes or more is the kernel; later ones (a separable layer's) get their own name.
    if (tensor.dims.length >= 2 && tensor.dims.length <= 4 && tensor.data.length > 0) {
      const bias = result.tensors.find((other) => other.layer === layer && other.part === "bias");
      const name = drawn.has(layer.name) ? `${base}.${fileName(part)}` : base;
      drawn.add(layer.name);
      const pages = filterSheets(named, bias, { layout: model.sourceLayout, scale: flags.scale });
      for (const [page, picture] of pages.entries()) await outputs.writePicture(pageName(name, page), picture);
    }
    if (flags.npy) await outputs.write(`${base}.${fileName(filePart(part))}.npy`, writeNpy(tensor));
  }
  const written = await outputs.commit();
  if (flags.json) printJson(toJson(result));
  else {
    const rows = result.tensors.map(({ layer, part, tensor }) => ({
      layer: layer.name,
      array: part,
      shape: shapeText(tensor.dims),
    }));
    print(listText({ rows }, { width: terminalWidth() }));
  }
  terminal.note(wrote(written, folder));
}

/** Files have one name for what Keras calls kernel and PyTorch weight. */
const filePart = (part: string): string => (part === "weight" ? "kernel" : part);
