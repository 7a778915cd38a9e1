/** Feature maps as pictures: one channel with its axes, and the sheet of a whole layer. Writes two PNG files. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { activationSheets, activations, channelMap, encodePng, matshow } from "convlens";
import { embeddedPhotograph, openImage, openModel } from "convlens/node";

const folder = process.argv[2] ?? ".";
const model = await openModel("cats-and-dogs");
const { picture } = await openImage(await embeddedPhotograph());
const result = await activations.run(
  model,
  { feeds: model.prepare(picture).tensor },
  { layers: ["conv2d_1"], channels: [] },
);
const [conv] = result.tensors;

const { values, height, width } = channelMap(conv!.tensor, 7, model.sourceLayout);
const map = matshow(values, height, width, { title: "conv2d_1, channel 7" });
writeFileSync(join(folder, "channel.png"), await encodePng(map));

const [sheet] = activationSheets(conv!, { layout: model.sourceLayout });
writeFileSync(join(folder, "sheet.png"), await encodePng(sheet!));
console.log(`wrote channel.png and sheet.png; seen on the way: ${result.notes.join("; ") || "nothing odd"}`);
await model.release();
