/** The library in ten lines: open a network and a photograph, print the answer and the shape of a layer. */
import { embeddedPhotograph, openImage, openModel } from "convlens/node";

const model = await openModel("cats-and-dogs");
const { picture } = await openImage(await embeddedPhotograph());
const { tensor } = model.prepare(picture);

const [answer] = await model.predict(tensor);
for (const { label, probability } of answer!.predictions) console.log(label, probability!.toFixed(3));

const { conv2d_3 } = await model.run(tensor, { outputs: ["conv2d_3"] });
console.log("conv2d_3", conv2d_3!.dims.join(" x "));
await model.release();
