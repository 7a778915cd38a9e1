import { describe, expect, it } from "vitest";
import { measure, prediction, summary, tensor } from "../../test/render/make.ts";
import { listText, measureText, predictionText, summaryText } from "./terminal.ts";

const layer = (name: string, className: string, shape: number[], parameters: number, inputs: string[]) => ({
  ...tensor(name, className, [1, ...shape], []).layer,
  parameters,
  inputs,
});
const net = summary([
  layer("conv2d", "Conv2D", [148, 148, 32], 896, ["input"]),
  layer("a_layer_with_a_name_that_goes_on_and_on_and_ends_in_conv_17", "Conv2D", [1], 3211264, ["conv2d", "input"]),
]);

describe("text for terminals", () => {
  it("the table of layers", () => {
    expect(summaryText(net, { width: 90 })).toMatchInlineSnapshot(`
      "net.onnx
      Input: input (None, 150, 150, 3)

      Layer (class)                                Output shape            Param #  Connected to
      ──────────────────────────────────────────────────────────────────────────────────────────
      conv2d (Conv2D)                              (None, 148, 148, 32)        896  input
      a_layer_with_a…and_ends_in_conv_17 (Conv2D)  (None, 1)             3,211,264  conv2d,
                                                                                    input
      ──────────────────────────────────────────────────────────────────────────────────────────
      Total params: 3,453,121 (13.17 MiB as float32)
      Trainable params: 3,453,000
      Non-trainable params: 121
      Multiply-adds for one picture: 333.00 M
      Activations of one picture: 5.34 MiB"
    `);
  });
  it("tables fit the terminal where they can", () => {
    for (const width of [70, 80, 120]) {
      const lines = summaryText(net, { width }).split("\n");
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    }
    // What a reader types, the layer's name, keeps more than what it is connected to; shapes stay whole.
    const paths = Array.from({ length: 2 }, (_, i) => `/layer1/layer1.${i}/conv1/Conv`);
    const layers = paths.map((name) => ({
      ...net.layers[0]!,
      name,
      class: "Conv",
      inputs: ["/layer1/layer1.0/relu/Relu"],
    }));
    const narrow = summaryText({ ...net, layers }, { width: 80 });
    for (const i of [0, 1]) expect(narrow).toMatch(new RegExp(`^/layer1/\\S*${i}/conv1/Conv \\(Conv\\)`, "m"));
    expect(narrow).toContain("(None, 148, 148, 32)");
    expect(summaryText(net, { width: 200 })).toMatch(/conv2d,\n +input/);
  });
  it("in a narrow terminal the table of layers leaves connections out first, then parameters, and says so", () => {
    const table = (width: number) => {
      const lines = summaryText(net, { width }).split("\n");
      const rules = lines.flatMap((line, i) => (line.startsWith("─") ? [i] : []));
      for (const line of lines.slice(rules[0]! - 1, rules[1]! + 1)) expect(line.length).toBeLessThanOrEqual(width);
      return { head: lines[rules[0]! - 1]!.split(/ {2,}/), text: lines.join("\n") };
    };
    expect(table(74).head).toEqual(["Layer (class)", "Output shape", "Param #", "Connected to"]);
    expect(table(62).head).toEqual(["Layer (class)", "Output shape", "Param #"]);
    expect(table(62).text).toContain("\nNo room for: Connected to\n");
    expect(table(48).head).toEqual(["Layer (class)", "Output shape"]);
    expect(table(48).text).toContain("\nNo room for: Param #, Connected to\n");
    expect(table(30).text).toMatch(/^conv2\w* ?\S*…/m);
  });
  it("rows stand under the module of their exporter's path, named from there", () => {
    const path = (name: string, ...inputs: string[]) =>
      ({ ...layer(name, name.split("/").at(-1)!, [7, 7, 64], 10, inputs), isPath: true }) as const;
    const blocks = [0, 1].flatMap((i) => {
      const at = `/layer4/layer4.${i}`;
      const before = i === 0 ? "stem" : "/layer4/layer4.0/Add";
      return [
        path(`${at}/conv1/Conv`, before),
        path(`${at}/conv1/Relu`, `${at}/conv1/Conv`),
        path(`${at}/Add`, `${at}/conv1/Relu`, before),
      ];
    });
    const layers = [
      layer("stem", "Conv", [7, 7, 64], 10, ["input"]),
      ...blocks,
      path("/pool/Pool", "/layer4/layer4.1/Add"),
    ];
    const rows = (shown: typeof layers) => {
      const lines = summaryText({ ...net, layers: shown }, { width: 90 })
        .split("\n")
        .slice(5, -6);
      return `\n${lines.join("\n")}\n`;
    };
    expect(rows(layers)).toMatchInlineSnapshot(`
      "
      stem (Conv)                   (None, 7, 7, 64)       10  input
      /layer4/
        layer4.0/conv1/Conv (Conv)  (None, 7, 7, 64)       10  stem
        layer4.0/conv1/Relu (Relu)  (None, 7, 7, 64)       10  layer4.0/conv1/Conv
        layer4.0/Add (Add)          (None, 7, 7, 64)       10  layer4.0/conv1/Relu,
                                                               stem
        layer4.1/conv1/Conv (Conv)  (None, 7, 7, 64)       10  layer4.0/Add
        layer4.1/conv1/Relu (Relu)  (None, 7, 7, 64)       10  layer4.1/conv1/Conv
        layer4.1/Add (Add)          (None, 7, 7, 64)       10  layer4.1/conv1/Relu,
                                                               layer4.0/Add
      /pool/Pool (Pool)             (None, 7, 7, 64)       10  /layer4/layer4.1/Add
      "
    `);
    // A scope of more rows than one sees at a glance is shown by the scopes inside it.
    const more = Array.from({ length: 11 }, (_, i) => path(`/layer4/layer4.2/conv${i}/Conv`, "stem"));
    expect(rows([...blocks, ...more])).toMatch(/^\/layer4\/layer4\.0\/\n {2}conv1\/Conv \(Conv\)/m);
    expect(rows([...blocks, ...more])).toMatch(/^\/layer4\/layer4\.2\/\n {2}conv0\/Conv \(Conv\) .* stem$/m);
    // Names of a file's own table are names, whatever is in them.
    const own = blocks.map(({ isPath, ...rest }) => rest);
    expect(rows(own)).toMatch(/^\/layer4\/layer4\.0\/conv1\/Conv \(Conv\)/m);
    const dim = "\u001b[2m/layer4/\u001b[0m";
    expect(summaryText({ ...net, layers: blocks }, { color: true })).toContain(dim);
    const evil = { ...net, layers: blocks.map((l) => ({ ...l, name: l.name.replace("layer4", "\u001b[31m") })) };
    expect(summaryText(evil)).not.toContain("\u001b");
  });
  it("predictions with bars", () => {
    const result = prediction([
      ["Egyptian cat", 0.75, 3],
      ["猫 or a label too long for a narrow terminal", 0.2, 1],
      ["tiger", 0.0001, -2],
    ]);
    expect(predictionText(result, { width: 60 })).toMatchInlineSnapshot(`
      "0  Egyptian cat                 75.0 %  ███████████████
      1  猫 or a l… narrow terminal   20.0 %  ████
      2  tiger                       < 0.1 %"
    `);
    expect(
      predictionText(
        prediction([
          ["a", null, 4],
          ["b", null, -4],
        ]),
        { width: 60 },
      ),
    ).toMatchInlineSnapshot(`
      "0  a          4  ████████████████████████████████████████
      1  b         −4"
    `);
  });
  it("measures and lists", () => {
    expect(
      measureText(
        measure([
          ["conv2d", 0.25, 3],
          ["max_pooling2d", 1, 1200],
        ]),
      ),
    ).toMatchInlineSnapshot(`
      "Sparsity by depth

      Layer            zeros                            dead channels
      ───────────────────────────────────────────────────────────────
      conv2d          25.0 %  ██████                                3
      max_pooling2d  100.0 %  ████████████████████████          1,200"
    `);
    const rows = [
      { id: "cifar10", bytes: 1900000 },
      { id: "cats-and-dogs", bytes: 7000000, note: "demo" },
    ];
    expect(listText({ rows })).toMatchInlineSnapshot(`
      "id                 bytes  note
      ──────────────────────────────
      cifar10        1,900,000
      cats-and-dogs  7,000,000  demo"
    `);
    expect(listText({ rows: [] })).toBe("(nothing)");
  });
  it("colour only where asked for, and no control character from a file's names", () => {
    const evil = prediction([["\u001b[31mred\u0007\u009b2J", 0.5, 1]]);
    expect(predictionText(evil)).not.toMatch(/(?!\n)\p{Cc}/u);
    expect(summaryText({ ...net, title: "\u001b]0;x" })).not.toContain("\u001b");
    expect(predictionText(evil, { color: true })).toContain("\u001b[34m");
  });
});
