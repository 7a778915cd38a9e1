/** Grad-CAM by hand on a map of 4 x 4 places and 3 channels: the gradients of the lecture, feature maps made up here. */

/** Rows of four that rise by 0.1 to the right and downwards, from `first`. */
const rising = (first: number): number[][] =>
  [0, 1, 2, 3].map((row) => [0, 1, 2, 3].map((column) => first + (row + column) / 10));

const gradients = [rising(0.1), rising(0.5), rising(1.0)];
const activations = [
  [
    [9, 6, 0, 0],
    [6, 3, 0, 0],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ],
  [
    [0, 0, 0, 0],
    [0, 2, 2, 0],
    [0, 2, 2, 0],
    [0, 0, 0, 0],
  ],
  [
    [-4, -4, -3, 0],
    [-4, -3, 0, 1],
    [-3, 0, 2, 2],
    [0, 1, 2, 3],
  ],
];

const show = (title: string, map: readonly (readonly number[])[]): void => {
  console.log(`${title}\n${map.map((row) => row.map((x) => x.toFixed(2).padStart(6)).join("")).join("\n")}\n`);
};
const mean = (map: readonly (readonly number[])[]): number => map.flat().reduce((a, b) => a + b) / map.flat().length;

// 1. How much does the score rise with each channel? The mean of its gradients, never a number copied from a slide.
const weights = gradients.map(mean);
console.log(`weights: ${weights.map((w) => w.toFixed(2)).join(", ")}\n`);

// 2. Each channel times its weight, and their sum.
const sum = activations[0]!.map((row, y) =>
  row.map((_, x) => weights.reduce((total, w, k) => total + w * activations[k]![y]![x]!, 0)),
);
show("weighted sum", sum);

// 3. ReLU: only what speaks for the class.
const positive = sum.map((row) => row.map((x) => Math.max(x, 0)));
show("after ReLU", positive);

// 4. Divided by the maximum, for the picture: from 0 to 1. A map of zeros stays one.
const most = Math.max(...positive.flat());
show(
  "heat map",
  positive.map((row) => row.map((x) => (most > 0 ? x / most : 0))),
);
