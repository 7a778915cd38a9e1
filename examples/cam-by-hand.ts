/** CAM by hand on a network that ends in global average pooling: F[0]*w[0] + F[1]*w[1] + … is what the method gives. */
import { cam, gradcam } from "convlens";
import { embeddedPhotograph, openImage, openModel } from "convlens/node";

const model = await openModel("cifar10");
const { picture } = await openImage(await embeddedPhotograph());
const feeds = model.prepare(picture).tensor;

// The feature maps before the pooling, [1, channels, height, width], and the class's row of the dense layer behind it.
const layer = "layer2/block2/relu2";
const F = (await model.run(feeds, { outputs: [layer] }))[layer]!;
const [, channels, height, width] = F.dims as [number, number, number, number];
const [answer] = await model.predict(feeds, { top: 1 });
const { index, label } = answer!.predictions[0]!;
const dense = (await model.layers()).find(({ name }) => name === "fc")!;
const weights = (await model.weight(dense, "weight"))!;
const w = weights.data.subarray(index * channels, (index + 1) * channels);

// F[0] * w[0] + F[1] * w[1] + …
const area = height * width;
const map = new Float64Array(area);
for (let k = 0; k < channels; k++) for (let i = 0; i < area; i++) map[i]! += F.data[k * area + i]! * w[k]!;

const largest = Math.max(...map.map(Math.abs));
const apart = (other: ArrayLike<number>, factor = 1): string => {
  const most = map.reduce((a, x, i) => Math.max(a, Math.abs(x - factor * other[i]!)), 0);
  return most < 1e-4 * largest ? "the same" : `${most} apart`;
};
const byMethod = await cam.run(model, { feeds }, { target: index });
const graded = await gradcam.run(model, { feeds }, { target: index, signed: true });
console.log(
  `${label}: ${channels} channels of ${height} x ${width}, map from ${Math.min(...map).toFixed(2)} to ${Math.max(...map).toFixed(2)}`,
);
console.log(`the method cam: ${apart(byMethod.map.data)}`);
console.log(`Grad-CAM times ${height} x ${width}: ${apart(graded.map.data, area)}`);
for (let y = 0; y < height; y++)
  console.log([...map.subarray(y * width, (y + 1) * width)].map((x) => x.toFixed(1).padStart(6)).join(""));
await model.release();
