/** Keras layers that are refused, and configurations, arguments and weights that nobody's Keras wrote. */
import { describe, expect, test } from "vitest";
import { ConvlensError } from "../../src/core/errors.ts";
import { refused } from "../../src/formats/keras/layers/refused.ts";
import { printGraph } from "../../src/graph/print.ts";
import { emitCase, type LayerCase, layerCases } from "./keras-fixtures.ts";

type Fields = Record<string, unknown>;
interface Model {
  readonly config: { readonly layers: { class_name: string; config: Fields; inbound_nodes: unknown[] }[] };
}

const caseOf = (name: string): LayerCase => layerCases.find((one) => one.name === name)!;

/** The case with its last layer changed. */
function changed(one: LayerCase, change: (layer: Model["config"]["layers"][number]) => void): LayerCase {
  const model = structuredClone(one.model) as Model;
  change(model.config.layers.at(-1)!);
  return { ...one, model };
}

function messageOf(one: LayerCase): string {
  try {
    emitCase(one);
  } catch (error) {
    if (error instanceof ConvlensError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "";
}

describe("refused by name", () => {
  test.each(Object.keys(refused))("%s", (className) => {
    const message = messageOf(
      changed(caseOf("Activation tanh"), (layer) => {
        layer.class_name = className;
        layer.config.name = "mine";
      }),
    );
    expect(message).toMatch(/^model-unsupported: layer ".+" \(\w+\) of "Activation tanh.keras" \w+ .+/);
    expect(message).toContain(`(${className})`);
  });
});

test("a class that is not known names the nearest", () => {
  const message = messageOf(
    changed(caseOf("MaxPooling2D valid"), (layer) => {
      layer.class_name = "MaxPool2D";
    }),
  );
  expect(message).toContain('(MaxPool2D) of "MaxPooling2D valid.keras" is of a class that Convlens does not know');
  expect(message).toContain("(nearest: MaxPooling2D)");
});

describe("entries as other versions write them", () => {
  const others: readonly [name: string, entry: Fields][] = [
    ["LeakyReLU 0.1", { negative_slope: null, alpha: 0.1 }],
    ["LeakyReLU 0.1", { negative_slope: { type: "ndarray", value: 0.1 } }],
    ["LeakyReLU 0.1", { negative_slope: { class_name: "__numpy__", config: { value: 0.1, dtype: "float32" } } }],
    ["Rescaling lists", { scale: { class_name: "__numpy__", config: { value: [0.5, 2, 3], dtype: "float32" } } }],
    ["Conv2D same", { kernel_size: 3, strides: 1, dilation_rate: null, groups: null, data_format: null }],
    ["MaxPooling2D valid", { pool_size: 2, strides: null }],
    ["Reshape", { newshape: [null, 8, 3] }],
    ["BatchNormalization -1", { axis: [3] }],
    ["Dense (5,)", { activation: { class_name: "function", config: "linear", module: "builtins" } }],
  ];
  test.each(others)("%s %j", (name, entry) => {
    const copy = changed(caseOf(name), (layer) => void Object.assign(layer.config, entry));
    expect(printGraph(emitCase(copy).graph)).toBe(printGraph(emitCase(caseOf(name)).graph));
  });
});

test("numbers before a value are operands, not a list of values", () => {
  const swapped = changed(caseOf("x + list"), (layer) => {
    (layer.inbound_nodes[0] as { args: unknown[] }).args.reverse();
  });
  const plain = changed(caseOf("x + list"), (layer) => {
    (layer.inbound_nodes[0] as { args: unknown[] }).args = [
      [1, 2, 3, 4],
      (layer.inbound_nodes[0] as { args: unknown[] }).args[0],
    ];
  });
  expect(printGraph(emitCase(plain).graph)).toBe(printGraph(emitCase(swapped).graph));
  expect(emitCase(plain).graph.nodes.some((node) => node.op === "Add" && node.inputs.length === 2)).toBe(true);
});

describe("wrong entries", () => {
  const wrong: readonly [name: string, entry: Fields, message: RegExp][] = [
    ["Conv2D valid", { padding: "full" }, /has padding "full", expected "valid" or "same"/],
    [
      "Conv2D valid",
      { kernel_size: [5, 5] },
      /has a kernel of shape \[3, 3, 4, 3\] in the file.*asks for \[5, 5, 4, 3\]/,
    ],
    ["Conv2D valid", { kernel_size: [3, 3, 3] }, /has kernel_size \[3,3,3\], expected 2 integers of 1 or more/],
    ["Conv2D valid", { use_bias: false }, /has 2 weights in the file, expected 1 \(kernel\)/],
    ["Conv2D groups", { groups: 3 }, /has 3 groups for 4 channels and 6 filters/],
    [
      "Conv2D valid",
      { activation: "rellu" },
      /has the activation "rellu", no function of Keras itself; nearest: "relu"/,
    ],
    ["Dense (5,)", { units: 0 }, /has units 0, expected an integer of 1 or more/],
    ["BatchNormalization -1", { axis: 7 }, /has axis 7, its input has 4 axes/],
    ["GroupNormalization -1 2", { groups: 3 }, /has 3 groups for 4 channels/],
    ["Reshape (24,)", { target_shape: [25] }, /48 elements cannot take the shape|cannot/],
    ["Permute (1, 2, 3)", { dims: [1, 2, 2] }, /has dims \[1, 2, 2\], expected an order of 1 to 3/],
    ["Cropping2D 1", { cropping: 2 }, /cuts 2 and 2 from a side of 4/],
    ["ZeroPadding2D 1", { padding: [[1, 2]] }, /has padding \[\[1,2\]\], expected sizes/],
    ["Resizing bilinear 4 6", { interpolation: "area" }, /has interpolation "area", expected "nearest" or "bilinear"/],
    ["MaxPooling2D valid", { data_format: "NCHW" }, /has data_format "NCHW"/],
  ];
  test.each(wrong)("%s %j", (name, entry, message) => {
    const found = messageOf(changed(caseOf(name), (layer) => void Object.assign(layer.config, entry)));
    expect(found).toMatch(message);
    expect(found).toContain(`of "${name}.keras"`);
    expect(found).not.toContain("\n");
  });
});

/** What a damaged or hostile file may hold in place of any entry. */
const hostile: readonly unknown[] = [
  null,
  -1,
  0,
  2.5,
  1e300,
  2 ** 40,
  true,
  "",
  "x",
  [],
  [[]],
  [1, 2, 3, 4, 5, 6, 7],
  [-3, null],
  {},
  { class_name: 5 },
];

describe("any entry replaced by anything gives a graph or one clear line", () => {
  // Each class once: cases of one class differ in values, not in what is read.
  const byClass = new Map<string, LayerCase>();
  for (const one of layerCases) {
    const layer = (one.model as Model).config.layers.at(-1)!;
    const kind = layer.config.function ?? layer.config.activation ?? layer.config.interpolation ?? "";
    byClass.set(`${one.version} ${layer.class_name} ${kind}`, one);
  }
  test.each([...byClass.entries()])("%s", (_, one) => {
    const layer = (one.model as Model).config.layers.at(-1)!;
    const tries = hostile.flatMap((value) => [
      ...Object.keys(layer.config)
        .filter((key) => key !== "name")
        .map((key) => changed(one, (copy) => void Object.assign(copy.config, { [key]: value }))),
      changed(one, (copy) => replaceLast(copy.inbound_nodes, value)),
    ]);
    for (const tried of tries) {
      const message = messageOf(tried);
      expect(message).not.toContain("\n");
      expect(message.length).toBeLessThan(1500);
    }
  });
});

/** Replaces the last keyword argument, or the last argument, of a call. */
function replaceLast(nodes: unknown[], value: unknown): void {
  const [call] = nodes as { args?: unknown[]; kwargs?: Fields }[];
  if (Array.isArray(call)) {
    const kwargs = (call.flat(9) as unknown[]).findLast((part) => typeof part === "object" && part !== null) as Fields;
    const key = kwargs && Object.keys(kwargs).at(-1);
    if (key !== undefined) kwargs[key] = value;
  } else if (call?.args) call.args[call.args.length - 1] = value;
}
