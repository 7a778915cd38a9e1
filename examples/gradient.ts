/** Gradients of any score by any layer or the input, from one pass; and a score of one's own. */
import { float32 } from "convlens";
import { embeddedPhotograph, openImage, openModel } from "convlens/node";

const model = await openModel("cifar10");
const { picture } = await openImage(await embeddedPhotograph());
const { tensor } = model.prepare(picture);

// The top class and a contrast of two classes, by the input and by a layer: one forward pass serves them all.
const contrast = Array.from({ length: 10 }, (_, i) => (i === 3 ? 1 : i === 5 ? -1 : 0));
const { targets, values } = await model.gradient(tensor, {
  targets: [{ class: "top" }, { weights: contrast }],
  wrt: [model.input.name, "layer2/block2/relu2"],
  outputs: ["layer2/block2/relu2"],
});
for (const { explained, gradients } of targets) {
  const { label, score } = explained[0]!;
  const sizes = Object.entries(gradients).map(([name, { data }]) => `${name} ${Math.hypot(...data).toFixed(4)}`);
  console.log(`${label}: score ${score.toFixed(3)}; length of the gradient by ${sizes.join(", by ")}`);
}
console.log(`the layer's own output: ${values["layer2/block2/relu2"]!.dims.join(" x ")}`);

// A score of one's own: any nodes that give one number a picture. Here the entropy of the answer.
const entropy = await model.gradient(tensor, {
  targets: [
    {
      label: "entropy",
      score(emit, { logits }) {
        const log = emit.op("LogSoftmax", [logits]);
        return emit.neg(emit.sum(emit.mul(emit.op("Exp", [log]), log), [1], false));
      },
    },
  ],
});
const step = entropy.targets[0]!;
console.log(`entropy ${step.scores[0]!.toFixed(4)} nats`);

// Against the gradient the entropy falls: the network grows surer.
const slope = Object.values(step.gradients)[0]!.data;
const surer = tensor.data.map((x, i) => x - 0.5 * slope[i]!);
const [before] = await model.predict(tensor, { top: 1 });
const [after] = await model.predict(float32(tensor.dims, surer), { top: 1 });
const answer = ({ predictions: [best] }: typeof before & object): string =>
  `${best!.label} ${best!.probability!.toFixed(4)}`;
console.log(`${answer(before!)} becomes ${answer(after!)}`);

await model.release();
