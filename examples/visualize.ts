/** What two filters and a class look for, as pictures in a folder: gradient ascent with few steps. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodePng, imagesSheet, reachedText, visualize } from "convlens";
import { openModel } from "convlens/node";

const folder = process.argv[2] ?? ".";
const model = await openModel("cats-and-dogs");

const filters = await visualize.run(model, {}, { layer: "conv2d_2", channels: [0, 2, 3], size: [64], steps: 24 });
for (const made of filters.images) console.log(`${made.label}: ${made.dead ?? reachedText(made)}`);
await writeFile(join(folder, "filters.png"), encodePng(imagesSheet(filters)));

const dog = await visualize.run(model, {}, { targets: ["dog"], steps: 16 });
console.log(`dog: ${reachedText(dog.images[0]!)}`);
await writeFile(join(folder, "dog.png"), encodePng(dog.images[0]!.picture));
await model.release();
