/** `convlens activations`: what the layers answer to a photograph. */
import { join } from "node:path";
import { type Command, Option } from "commander";
import {
  activationSheets,
  activations,
  channelMap,
  type Measure,
  matshow,
  measureChart,
  measureText,
  type NamedTensor,
  type Picture,
  sceneToPicture,
  shapeText,
  sparsity,
  type Tensors,
  toJson,
  writeNpy,
} from "../../index.ts";
import { keepingPass } from "../inputs.ts";
import {
  commonOptions,
  type InputFlags,
  inputOptions,
  layerOption,
  modelOptions,
  type OutputFlags,
  outputOptions,
  preprocessingHelp,
  readChannels,
} from "../options.ts";
import { fileName, makeOutputs, type Outputs, pageName, wrote } from "../outputs.ts";
import { forEachInput, openRun } from "../run.ts";
import { clean, print, printJson, type Terminal, terminalWidth, wantsColor } from "../terminal.ts";

interface Flags extends InputFlags, OutputFlags {
  readonly layer: readonly string[];
  readonly channel: readonly number[];
}

export function define(command: Command): void {
  command.argument("[files...]", "photographs (PNG, JPEG, WebP); a model file counts as --model");
  layerOption(command, activations.options.layers);
  command.addOption(
    new Option("--channel <list|range>", "single channels, each as a picture of its own: 3,4,7,30 or 0:64")
      .argParser(readChannels)
      .default([], "all"),
  );
  outputOptions(command, "where the pictures go (default: convlens-out)");
  command.option("--npy", "also write LAYER.npy, batch axis kept, in the layout of the model's own framework");
  modelOptions(command);
  inputOptions(command);
  commonOptions(command);
  command
    .addHelpText(
      "after",
      `
Files: LAYER.png, a sheet of all channels (LAYER.p2.png and on for layers of more than 256); with --channel
LAYER.channel-N.png (LAYER.png for a single channel); sparsity.png and sparsity.json: how empty the layers are.
Several photographs get a folder each.
${preprocessingHelp()}

Examples:
  $ convlens activations                                          # sheets of the demo network's first 8 layers
  $ convlens activations --layer conv2d --channel 3,4,7,30        # four channels with axes and colour bar
  $ convlens activations resnet50.onnx owl.jpg --layer all --npy  # every layer as an array, from one pass
  $ convlens activations cat.jpg --layer 'conv*' --layer dense --out maps`,
    )
    .action(run);
}

async function run(files: readonly string[], flags: Flags): Promise<void> {
  const opened = await openRun(files, flags, "image");
  const { terminal, several } = opened;
  const model = keepingPass(opened.model);
  const layers = flags.layer.length > 0 ? { layers: flags.layer } : {};
  const results: Tensors[] = [];
  await forEachInput(opened, async ({ name, folder }, { feeds, picture }) => {
    const input = { feeds, name, isPicture: picture !== undefined };
    const options = { ...layers, channels: flags.channel };
    const result = await terminal.time(`activations of ${name}`, () => activations.run(model, input, options));
    const sameLayers = { layers: result.origin.options.layers as readonly string[] };
    const measure = await sparsity.run(model, input, sameLayers);
    for (const note of result.notes) terminal.note(`note: ${note}`);
    const outputs = makeOutputs();
    await terminal.time("pictures", async () => {
      for (const named of result.tensors) {
        const base = join(folder, fileName(named.layer.name));
        await writePictures(outputs, base, named, flags.channel, model.sourceLayout, terminal);
        if (flags.npy) await outputs.write(`${base}.npy`, writeNpy(named.tensor));
      }
      await writeSparsity(outputs, folder, measure);
    });
    const written = await outputs.commit();
    results.push(result);
    if (!flags.json) {
      if (several) print(`${results.length > 1 ? "\n" : ""}${clean(name)}`);
      print(measureText(measure, { color: wantsColor(), width: terminalWidth() }));
    }
    terminal.note(wrote(written, folder));
  });
  if (flags.json) printJson(several ? results.map(toJson) : toJson(results[0]!));
}

async function writePictures(
  outputs: Outputs,
  base: string,
  named: NamedTensor,
  channels: readonly number[],
  layout: "NCHW" | "NHWC",
  terminal: Terminal,
): Promise<void> {
  const { layer, tensor } = named;
  const maps = tensor.dims.length >= (channels.length > 0 ? 4 : 2) && tensor.data.length > 0;
  if (!maps) {
    terminal.note(
      `note: no picture of ${layer.name}: its output has the shape ${shapeText(tensor.dims)}; --npy writes it`,
    );
    return;
  }
  if (channels.length === 0) {
    for (const [page, picture] of activationSheets(named, { layout }).entries())
      await outputs.writePicture(pageName(base, page), picture);
    return;
  }
  for (const [i, channel] of channels.entries()) {
    const suffix = channels.length > 1 ? `.channel-${channel}` : "";
    await outputs.writePicture(`${base}${suffix}.png`, onePicture(named, i, channel, layout));
  }
}

function onePicture(named: NamedTensor, index: number, channel: number, layout: "NCHW" | "NHWC"): Picture {
  const { values, height, width } = channelMap(named.tensor, index, layout);
  return matshow(values, height, width, { title: `${named.layer.name}, channel ${channel}` });
}

async function writeSparsity(outputs: Outputs, folder: string, measure: Measure): Promise<void> {
  await outputs.write(join(folder, "sparsity.json"), `${JSON.stringify(toJson(measure), undefined, 1)}\n`);
  if (measure.rows.length === 0) return;
  await outputs.writePicture(join(folder, "sparsity.png"), sceneToPicture(measureChart(measure)));
}
