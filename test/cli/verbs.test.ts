/** Every verb as a process: what it prints, what it writes, in which shape. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readNpy, writeNpy } from "../../src/core/npy.ts";
import { float32 } from "../../src/core/tensor.ts";
import { changedModel, decodePngFile, smallModel, smallPng } from "./files.ts";
import { convlens, folder } from "./run.ts";

const dir = folder();
const at = (name: string) => join(dir, name);

beforeAll(async () => {
  writeFileSync(at("small.onnx"), await smallModel());
  writeFileSync(at("one.png"), await smallPng());
  writeFileSync(at("two.png"), await smallPng(20, 9));
  mkdirSync(at("other"));
  writeFileSync(at("other/one.png"), await smallPng(8, 8));
  writeFileSync(
    at("batch.npy"),
    writeNpy(
      float32(
        [3, 3, 8, 8],
        Array.from({ length: 576 }, (_, i) => Math.cos(i)),
      ),
    ),
  );
});

const run = (...args: string[]) => convlens(args, { cwd: dir });
const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await run(...args);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
};
const names = (path: string) => readdirSync(at(path)).sort();

it("keeps the home folder empty: the engine's own log of events is off", async () => {
  mkdirSync(at("home"));
  const { code, stderr } = await convlens(["predict", "small.onnx", "one.png", "--quiet"], {
    cwd: dir,
    env: { HOME: at("home"), XDG_CACHE_HOME: "", ORT_DISABLE_TELEMETRY: "" },
  });
  expect(code, stderr).toBe(0);
  expect(names("home")).toEqual([]);
});

describe("summary", () => {
  it("cuts no name where no terminal is", async () => {
    const name = `stage/${"block/".repeat(12)}relu`;
    writeFileSync(
      at("long.onnx"),
      await changedModel(({ graph }) => {
        for (const node of graph!.node) node.name = `${name}/${node.name}`;
      }),
    );
    const { stdout, stderr } = await run("summary", "long.onnx");
    expect(stdout, stderr).toContain(`${name}/`);
    expect(stdout).not.toContain("…");
  });

  it("prints the lecture's table for the demo network", async () => {
    const { code, stdout, stderr } = await run("summary");
    expect(code).toBe(0);
    expect(stderr).toBe("no --model: the demo network\n");
    expect(stdout).toMatch(/conv2d \(Conv2D\) +\(None, 148, 148, 32\) +896 +conv2d_input/);
    expect(stdout).toContain("Total params: 3,453,121");
  });

  it("gives JSON in the agreed shape, null for the batch axis", async () => {
    const summary = await json("summary", "small.onnx", "--json");
    expect(Object.keys(summary).slice(0, 2)).toEqual(["version", "kind"]);
    expect(summary).toMatchObject({
      version: 1,
      kind: "summary",
      totals: { parameters: 4 * 27 + 4 + 6 * 36 + 6 + 18 },
    });
    expect(summary.totals).toMatchObject({ trainable: summary.totals.parameters, nonTrainable: 0 });
    // 64 pixels x 27 x 4, 16 x 36 x 6, 6 x 3.
    expect(summary.totals.multiplyAdds).toBeGreaterThanOrEqual(64 * 27 * 4 + 16 * 36 * 6 + 18);
    const first = summary.layers.find((layer: { name: string }) => layer.name === "first");
    expect(first).toMatchObject({ class: "Conv", outputShape: [null, 4, 8, 8], parameters: 112, inputs: ["image"] });
  });
});

describe("predict", () => {
  it("takes the demo network and photograph when nothing is named", async () => {
    const { code, stdout, stderr } = await run("predict");
    expect(code).toBe(0);
    expect(stderr.split("\n").slice(0, 2)).toEqual(["no --model: the demo network", "no image: the demo photograph"]);
    expect(stdout).toMatch(/^0 +cat +\d+\.\d % +█/);
  });

  it("gives JSON in the agreed shape", async () => {
    const prediction = await json(
      "predict",
      "small.onnx",
      "one.png",
      "--json",
      "--top",
      "2",
      "--activation",
      "softmax",
    );
    expect(prediction).toMatchObject({ version: 1, kind: "prediction", input: "one.png", method: "predict" });
    expect(prediction.predictions).toHaveLength(2);
    expect(prediction.output).toHaveLength(3);
    const [best] = prediction.predictions;
    expect(Object.keys(best)).toEqual(["index", "label", "probability", "score"]);
    expect(best.score).toBeCloseTo(Math.max(...prediction.output), 6);
    const total = prediction.output.reduce((sum: number, x: number) => sum + Math.exp(x), 0);
    expect(best.probability).toBeCloseTo(Math.exp(best.score) / total, 6);
    expect(prediction.model.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it("says nothing of probabilities under --activation none", async () => {
    const { predictions } = await json("predict", "small.onnx", "one.png", "--json", "--activation", "none");
    expect(predictions[0].probability).toBeNull();
  });

  it("takes the model as a positional file or by --model, alike", async () => {
    const [a, b] = await Promise.all([
      run("predict", "one.png", "small.onnx", "--json"),
      run("predict", "one.png", "--json", "-m", "small.onnx"),
    ]);
    expect(a.stdout).toBe(b.stdout);
    const embedded = await json("predict", "cifar10", "one.png", "--json");
    expect([embedded.model.name, embedded.output.length]).toEqual(["cifar10.onnx", 10]);
  });

  it("answers a ready tensor as it answers the picture, and a batch as its rows", async () => {
    const rows = await json("predict", "small.onnx", "--tensor", "batch.npy", "--json");
    expect(rows.map((row: { input: string }) => row.input)).toEqual(["batch.npy[0]", "batch.npy[1]", "batch.npy[2]"]);
    const named = await json("predict", "small.onnx", "--tensor", "image=batch.npy", "--json");
    expect(named).toEqual(rows);
    const batch = readNpy(readFileSync(at("batch.npy")), "batch.npy");
    writeFileSync(at("row.npy"), writeNpy(float32([1, 3, 8, 8], batch.data.subarray(192, 384) as Float32Array)));
    const row = await json("predict", "small.onnx", "--tensor", "row.npy", "--json");
    for (const [i, x] of row.output.entries()) expect(x).toBeCloseTo(rows[1].output[i], 5);
  });

  it("gives the same bytes twice", async () => {
    const [a, b] = await Promise.all([
      run("predict", "small.onnx", "one.png", "--json", "--seed", "4"),
      run("predict", "small.onnx", "one.png", "--json", "--seed", "4"),
    ]);
    expect(a.stdout).toBe(b.stdout);
  });

  it("does the others when one of several pictures is broken, and ends with 2", async () => {
    writeFileSync(at("broken.png"), "no picture");
    const { code, stdout, stderr } = await run("predict", "small.onnx", "one.png", "broken.png", "two.png", "--json");
    expect(code).toBe(2);
    expect(JSON.parse(stdout).map((p: { input: string }) => p.input)).toEqual(["one.png", "two.png"]);
    expect(stderr).toMatch(/^convlens: "broken.png" .*$/m);
    expect(stderr).toContain("convlens: 1 of 3 pictures failed");
  });

  it("writes files where --out says, one folder a picture when there are several", async () => {
    expect((await run("predict", "small.onnx", "one.png", "-o", "p1", "--npy")).code).toBe(0);
    expect(names("p1")).toEqual(["predict.json", "predict.npy", "predict.png"]);
    const { stderr } = await run("predict", "small.onnx", "one.png", "--npy");
    expect(stderr).toContain("wrote 3 files to convlens-out\n");
    expect(names("convlens-out")).toEqual(["predict.json", "predict.npy", "predict.png"]);
    expect((await run("predict", "small.onnx", "one.png", "two.png", "-o", "p2")).code).toBe(0);
    expect(names("p2")).toEqual(["one", "two"]);
    expect((await run("predict", "small.onnx", "one.png", "other/one.png", "-o", "p3")).code).toBe(0);
    expect(names("p3")).toEqual(["one.png", "other%2Fone.png"]);
  });

  it("takes a tensor where the file leaves the shape of its input unsaid", async () => {
    writeFileSync(
      at("unsaid.onnx"),
      await changedModel(({ graph }) => {
        const { value } = graph!.input[0]!.type!;
        if (value.case === "tensorType") delete value.value.shape;
      }),
    );
    const [first] = await json("predict", "small.onnx", "--tensor", "batch.npy", "--json");
    writeFileSync(
      at("row.npy"),
      writeNpy(
        float32(
          [1, 3, 8, 8],
          Array.from({ length: 192 }, (_, i) => Math.cos(i)),
        ),
      ),
    );
    const unsaid = await json("predict", "unsaid.onnx", "--tensor", "row.npy", "--json");
    expect(unsaid.output).toHaveLength(first.output.length);
    for (const [i, value] of first.output.entries()) expect(unsaid.output[i]).toBeCloseTo(value, 5);
  });

  it("is silent under --quiet and tells durations under --timing", async () => {
    expect((await run("predict", "--quiet")).stderr).toBe("");
    expect((await run("predict", "--quiet", "--timing")).stderr).toMatch(/^(time: .* \d+\.\d{3} s\n)+$/);
  });
});

describe("activations", () => {
  it("writes the array of a layer after its activation, batch axis kept, in source layout", async () => {
    const { code, stdout } = await run("activations", "--layer", "conv2d", "--npy", "-o", "a1");
    expect(code).toBe(0);
    expect(stdout).toMatch(/conv2d +\d+\.\d %/);
    const { dims, data } = readNpy(readFileSync(at("a1/conv2d.npy")), "conv2d.npy");
    expect(dims).toEqual([1, 148, 148, 32]);
    expect((data as Float32Array).every((x) => x >= 0)).toBe(true);
    expect(names("a1")).toEqual(["conv2d.npy", "conv2d.png", "sparsity.json", "sparsity.png"]);
  });

  it("writes sheets of the first 8 layers when no layer is named", async () => {
    expect((await run("activations", "-o", "a2")).code).toBe(0);
    const wanted = ["conv2d", "conv2d_1", "conv2d_2", "conv2d_3", "max_pooling2d", "max_pooling2d_1"];
    expect(names("a2")).toEqual(
      [...wanted, "max_pooling2d_2", "max_pooling2d_3"]
        .map((name) => `${name}.png`)
        .concat("sparsity.json", "sparsity.png"),
    );
    const { rows } = JSON.parse(readFileSync(at("a2/sparsity.json"), "utf8"));
    expect(rows.map((row: { name: string }) => row.name)[0]).toBe("conv2d");
    for (const { values } of rows) {
      expect(values[0]).toBeGreaterThanOrEqual(0);
      expect(values[0]).toBeLessThan(1);
    }
  });

  it("counts zeros and dead channels as the array has them", async () => {
    await run("activations", "small.onnx", "one.png", "-l", "first_relu", "--npy", "-o", "a3");
    const { dims, data } = readNpy(readFileSync(at("a3/first_relu.npy")), "x");
    expect(dims).toEqual([1, 4, 8, 8]);
    const values = data as Float32Array;
    const zeros = values.filter((x) => x === 0).length / values.length;
    const dead = [0, 1, 2, 3].filter((c) => values.subarray(c * 64, c * 64 + 64).every((x) => x === 0)).length;
    const { rows } = JSON.parse(readFileSync(at("a3/sparsity.json"), "utf8"));
    expect(rows).toEqual([{ name: "first_relu", values: [zeros, dead, 4] }]);
  });

  it("draws single channels as pictures of their own and keeps only them in the array", async () => {
    const { code } = await run(
      "activations",
      "small.onnx",
      "one.png",
      "-l",
      "pool",
      "--channel",
      "3,0",
      "--npy",
      "-o",
      "a4",
    );
    expect(code).toBe(0);
    expect(names("a4").filter((name) => name.startsWith("pool"))).toEqual([
      "pool.channel-0.png",
      "pool.channel-3.png",
      "pool.npy",
    ]);
    const whole = await json("activations", "small.onnx", "one.png", "-l", "pool", "--npy", "-o", "a5", "--json");
    expect(whole.tensors[0].shape).toEqual([1, 4, 4, 4]);
    const all = readNpy(readFileSync(at("a5/pool.npy")), "x").data as Float32Array;
    const some = readNpy(readFileSync(at("a4/pool.npy")), "x");
    expect(some.dims).toEqual([1, 2, 4, 4]);
    expect([...(some.data as Float32Array)]).toEqual([...all.subarray(48, 64), ...all.subarray(0, 16)]);
    const picture = await decodePngFile(at("a4/pool.channel-3.png"));
    expect(picture.width).toBeGreaterThan(400);
  });

  it("takes patterns, several --layer and all, from one pass; odd names become file names", async () => {
    await run("activations", "small.onnx", "one.png", "-l", "first*", "-l", "pool", "--npy", "-o", "a6");
    expect(names("a6").filter((name) => name.endsWith(".npy"))).toEqual(["first.npy", "first_relu.npy", "pool.npy"]);
    const { code, stderr } = await run("activations", "small.onnx", "one.png", "-l", "all", "--npy", "-o", "a7");
    expect(code, stderr).toBe(0);
    expect(names("a7").every((name) => !/[/:*?"<>|]/.test(name))).toBe(true);
    expect(names("a7")).toContain("dense.npy");
  });

  it("gives JSON with shapes and ranges", async () => {
    const result = await json("activations", "small.onnx", "one.png", "-l", "first_relu", "--json", "-o", "a8");
    expect(result).toMatchObject({
      version: 1,
      kind: "tensors",
      what: "activations",
      options: { layers: ["first_relu"] },
    });
    expect(result.tensors).toMatchObject([{ layer: "first_relu", class: "Relu", part: "output", shape: [1, 4, 8, 8] }]);
    expect(result.tensors[0].range[0]).toBe(0);
  });
});

it("export says nothing about preparing pictures, which stays outside of its file", async () => {
  const { code, stderr } = await run("export", "small.onnx", "--method", "gradient", "-o", "exported.onnx");
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/preprocess|resized|--fit/)]);
});

describe("filters", () => {
  it("writes kernel and bias as the framework shapes them", async () => {
    const { code, stdout } = await run("filters", "--npy", "-o", "f1");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^conv2d +kernel +\(3, 3, 3, 32\)$/m);
    expect(names("f1")).toEqual(["conv2d.bias.npy", "conv2d.kernel.npy", "conv2d.png"]);
    expect(readNpy(readFileSync(at("f1/conv2d.kernel.npy")), "x").dims).toEqual([3, 3, 3, 32]);
    expect(readNpy(readFileSync(at("f1/conv2d.bias.npy")), "x").dims).toEqual([32]);
  });

  it("reads a layer's own weights and draws them by --scale", async () => {
    const result = await json("filters", "small.onnx", "-l", "second", "--npy", "-o", "f2", "--json");
    expect(result.tensors).toHaveLength(2);
    const kernel = names("f2").find((name) => readNpyDims(`f2/${name}`)?.length === 4)!;
    expect(readNpyDims(`f2/${kernel}`)).toEqual([6, 4, 3, 3]);
    const values = readNpy(readFileSync(at(`f2/${kernel}`)), "x").data as Float32Array;
    expect(values[5]).toBeCloseTo(Math.sin(5 * 1.3) / 3, 6);
    await run("filters", "small.onnx", "-l", "second", "--scale", "layer", "-o", "f3");
    expect(readFileSync(at("f3/second.png")).equals(readFileSync(at("f2/second.png")))).toBe(false);
  });
});

const readNpyDims = (name: string): readonly number[] | undefined =>
  name.endsWith(".npy") ? readNpy(readFileSync(at(name)), name).dims : undefined;

describe("notes on how pictures are treated", () => {
  const about = /preprocessing "|pictures are |input size/;
  it.each([["predict"], ["activations"], ["explain", "--method", "gradient"]])(
    "are there for pictures and not for ready tensors: %s",
    async (...verb) => {
      const picture = await run(...verb, "small.onnx", "one.png", "--json", "-o", "notes");
      expect(picture.stderr).toMatch(about);
      expect(picture.stdout).toMatch(about);
      const ready = await run(...verb, "small.onnx", "--tensor", "batch.npy", "--json", "-o", "notes");
      expect(ready.code, ready.stderr).toBe(0);
      expect(ready.stderr).not.toMatch(about);
      expect(ready.stdout).not.toMatch(about);
    },
  );
});
