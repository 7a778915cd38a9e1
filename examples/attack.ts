/** Fools the CIFAR-10 network by one pixel of a cat, writes the pictures into a folder, and asks again from the file. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { attackScene, attackText, encodePng, ranked, sceneToPicture } from "convlens";
import { embeddedPhotograph, openImage, openModel } from "convlens/node";

const folder = process.argv[2] ?? ".";
// The middle of the photograph, averaged down to 32 x 32.
const model = await openModel("cifar10", { fit: "crop", resize: "box" });
const { picture } = await openImage(await embeddedPhotograph());
const feeds = model.prepare(picture).tensor;

const attack = await ranked.run(model, { feeds, isPicture: true }, { maxQueries: 2000 });
console.log(attackText(attack));
await writeFile(join(folder, "attacked.png"), encodePng(attack.attacked));
await writeFile(join(folder, "attack.png"), encodePng(sceneToPicture(attackScene(attack))));

const saved = await openImage(await readFile(join(folder, "attacked.png")));
const [answer] = await model.predict(model.prepare(saved.picture).tensor);
console.log("opened again:", answer!.predictions[0]!.label);
await model.release();
