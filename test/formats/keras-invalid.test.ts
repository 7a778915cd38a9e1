/** Keras and TensorFlow.js files that contradict themselves: one clear line each, never a crash or a silent guess. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { strFromU8, strToU8, unzipSync, type Zippable, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { ConvlensError } from "../../src/core/errors.ts";
import type { ByteSource } from "../../src/core/platform.ts";
import { readModel } from "../../src/formats/index.ts";
import { nodePlatform } from "../../src/platform/node.ts";

const folder = join(dirname(fileURLToPath(import.meta.url)), "../fixtures/keras");
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(join(folder, name)));

async function failure(source: ByteSource): Promise<string> {
  const error = await readModel(source).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConvlensError)) throw new Error(`no ConvlensError but ${String(error)}`, { cause: error });
  expect(error.message).not.toContain("\n");
  return `${error.code}: ${error.message}`;
}
const open = (bytes: Uint8Array, name: string): Promise<ByteSource> => nodePlatform.open(bytes, name);

/** Any JSON of a file, changed in place by a test. */
// biome-ignore lint/suspicious/noExplicitAny: tests reach into it anywhere
type Json = any;

/** A .keras file with its config.json changed. */
function changed(name: string, change: (config: Json) => void): Promise<ByteSource> {
  const members = unzipSync(bytesOf(name));
  const config = JSON.parse(strFromU8(members["config.json"]!)) as Json;
  change(config);
  return open(zipSync({ ...members, "config.json": strToU8(JSON.stringify(config)) }, { level: 0 }), "m.keras");
}
const layerOf = (config: Json, name: string): Json =>
  config.config.layers.find((layer: Json) => layer.config.name === name);

describe("architectures", () => {
  it.each<[string, string, (config: Json) => void, string]>([
    [
      "a layer that Keras quantised",
      "sequential.keras3.keras",
      (config) => {
        layerOf(config, "dense").config.dtype = {
          module: "keras",
          class_name: "QuantizedDTypePolicy",
          config: { mode: "int8", source_name: "float32" },
        };
      },
      'model-unsupported: layer "dense" (Dense) of "m.keras" was quantised by Keras',
    ],
    [
      "a class that is not known",
      "sequential.keras3.keras",
      (config) => {
        layerOf(config, "pool").class_name = "MyPooling";
      },
      'model-unsupported: layer "pool" (MyPooling) of "m.keras" is of a class that Convlens does not know',
    ],
    [
      "weights of another shape than the configuration asks for",
      "sequential.keras3.keras",
      (config) => {
        layerOf(config, "conv").config.filters = 7;
      },
      'model-invalid: layer "conv" (Conv2D) of "m.keras" has a kernel of shape [3, 3, 3, 6] in the file',
    ],
    [
      "fewer weights than a layer has",
      "sequential.keras3.keras",
      (config) => {
        layerOf(config, "conv_2").config.use_bias = true;
      },
      'model-invalid: layer "conv_2" (Conv2D) of "m.keras" has 1 weights in the file, expected 2 (kernel, bias)',
    ],
    [
      "two layers of one name",
      "functional.keras3.keras",
      (config) => {
        config.config.layers[1].name = config.config.layers[0].name;
      },
      'model-invalid: the architecture in "m.keras" is damaged: two layers are called',
    ],
    [
      "a tensor from nowhere",
      "functional.keras3.keras",
      (config) => {
        layerOf(config, "relu6").inbound_nodes[0].args[0].config.keras_history[0] = "ghost";
      },
      'model-invalid: the architecture in "m.keras" is damaged: there is no layer "ghost"',
    ],
    [
      "a call that is not there",
      "functional.keras3.keras",
      (config) => {
        layerOf(config, "relu6").inbound_nodes[0].args[0].config.keras_history[1] = 4;
      },
      'model-invalid: the architecture in "m.keras" is damaged: layer "sum" is called 1 times and asked for call 5',
    ],
    [
      "an output that a layer does not have",
      "functional.keras3.keras",
      (config) => {
        layerOf(config, "relu6").inbound_nodes[0].args[0].config.keras_history[2] = 3;
      },
      'model-invalid: "m.keras" asks for output 3 of call 0 of layer "sum", which has 1',
    ],
    [
      "a circle",
      "functional.keras3.keras",
      (config) => {
        layerOf(config, "sum").inbound_nodes[0].args[0][0].config.keras_history[0] = "relu6";
      },
      'model-invalid: layer "sum" (Add) of "m.keras" takes its input from "relu6", which waits for it in turn',
    ],
    [
      "no shape of the input",
      "sequential.keras3.keras",
      (config) => {
        delete config.config.layers[0].config.batch_shape;
      },
      'model-invalid: "m.keras" does not state the shape of its input',
    ],
    [
      "a shape that is none",
      "sequential.keras3.keras",
      (config) => {
        config.config.layers[0].config.batch_shape = [null, -3, 12, 3];
      },
      "model-invalid: input",
    ],
    [
      "shapes that do not fit",
      "sequential.keras3.keras",
      (config) => {
        config.config.layers[0].config.batch_shape = [null, 12, 12, 4];
      },
      'model-invalid: layer "conv" (Conv2D) of "m.keras"',
    ],
    [
      "a model without layers",
      "sequential.keras3.keras",
      (config) => {
        config.config.layers = [];
      },
      "model-invalid: the architecture in",
    ],
    [
      "a model written in Python",
      "sequential.keras3.keras",
      (config) => {
        config.class_name = "MyModel";
        config.config = { units: 3 };
      },
      'model-unsupported: "m.keras" holds a model of class "MyModel", whose layers are written in Python',
    ],
    [
      "a number beyond float32",
      "sequential.keras3.keras",
      (config) => {
        layerOf(config, "norm").config.epsilon = 1e300;
      },
      'model-invalid: layer "norm" (BatchNormalization) of "m.keras": epsilon is 1e+300, more than float32 holds',
    ],
    [
      "both orders of axes",
      "sequential.keras3.keras",
      (config) => {
        layerOf(config, "conv_2").config.data_format = "channels_first";
      },
      'model-unsupported: "m.keras" mixes orders of axes',
    ],
  ])("%s", async (_, name, change, message) => {
    expect(await failure(await changed(name, change))).toContain(message);
  });

  it("JSON nested without end", async () => {
    const members = unzipSync(bytesOf("sequential.keras3.keras"));
    const deep = `{"class_name": "Sequential", "config": ${"[".repeat(50_000)}${"]".repeat(50_000)}}`;
    const bytes = zipSync({ ...members, "config.json": strToU8(deep) }, { level: 0 });
    expect(await failure(await open(bytes, "m.keras"))).toMatch(/^model-invalid: .*nested too deeply/);
  });

  it("models nested without end", async () => {
    let inner: Json = { class_name: "Dense", config: { name: "d" } };
    for (let i = 0; i < 30; i++) inner = { class_name: "Sequential", config: { name: `s${i}`, layers: [inner] } };
    const members = unzipSync(bytesOf("sequential.keras3.keras"));
    const bytes = zipSync({ ...members, "config.json": strToU8(JSON.stringify(inner)) }, { level: 0 });
    expect(await failure(await open(bytes, "m.keras"))).toMatch(/^model-invalid: .*nested too deeply/);
  });

  it("Infinity and NaN are numbers that Python writes", async () => {
    const members = unzipSync(bytesOf("sequential.keras3.keras"));
    const text = strFromU8(members["config.json"]!).replace('"rate": 0.5', '"rate": NaN, "most": [-Infinity, "NaN"]');
    expect(text).toContain("NaN,");
    const bytes = zipSync({ ...members, "config.json": strToU8(text) }, { level: 0 });
    expect((await readModel(await open(bytes, "m.keras"))).graph.outputs).toHaveLength(1);
  });
});

describe("HDF5", () => {
  it("every cut of a file is seen as such", async () => {
    const whole = bytesOf("sequential.keras2.h5");
    for (let length = 9; length < whole.length; length += 997)
      expect(await failure(await open(whole.slice(0, length), "m.h5")), `${length}`).toMatch(
        /^(file-truncated|model-invalid): "m\.h5" /,
      );
  });

  it("a file of another program", async () => {
    expect(await failure(await open(bytesOf("plain.h5"), "m.h5"))).toBe(
      'model-invalid: "m.h5" is an HDF5 file without a Keras model (its groups: table); save the model with model.save()',
    );
  });

  it("weights alone, without an architecture beside them", async () => {
    for (const name of ["weights.h5", "sequential.keras3.weights.h5"])
      expect(await failure(await open(bytesOf(name), "m.h5"))).toContain(
        'model-invalid: "m.h5" holds weights without the network',
      );
  });

  it("weights of another network", async () => {
    const architecture = await nodePlatform.open(join(folder, "nested.keras2.json"));
    const source = await nodePlatform.open(join(folder, "weights.h5"));
    await expect(readModel(source, { architecture })).rejects.toThrow(
      /they do not belong together|in the file, expected/,
    );
  });

  it("structures of the newest form that Keras never writes", async () => {
    expect(await failure(await open(bytesOf("dense.h5"), "m.h5"))).toContain(
      'model-unsupported: "m.h5" uses groups in HDF5\'s dense form',
    );
  });

  it("names that lead nowhere", async () => {
    const bytes = bytesOf("sequential.keras2.h5");
    // The name in the group's heap, not those in attributes: the last one of the file's beginning is `dense`.
    const text = Buffer.from(bytes.buffer);
    const at = text.indexOf("kernel:0\0");
    bytes[at] = "X".charCodeAt(0);
    expect(await failure(await open(bytes, "m.h5"))).toMatch(
      /^model-invalid: "m\.h5" is damaged: the weight ".*" of layer/,
    );
  });
});

describe("zip archives", () => {
  const members = (): Zippable => unzipSync(bytesOf("sequential.keras3.keras"));
  it("a member is missing", async () => {
    const { "model.weights.h5": _, ...rest } = members();
    expect(await failure(await open(zipSync(rest), "m.keras"))).toBe(
      'model-invalid: "m.keras" has no "model.weights.h5" in it (metadata.json, config.json); save the model again',
    );
  });

  it("weights as NumPy arrays", async () => {
    const { "model.weights.h5": weights, ...rest } = members();
    const bytes = zipSync({ ...rest, "model.weights.npz": weights! });
    expect(await failure(await open(bytes, "m.keras"))).toContain("model-unsupported: ");
  });

  it("the end is missing", async () => {
    const bytes = bytesOf("sequential.keras3.keras");
    for (let length = 100; length < bytes.length; length += 1999)
      expect(await failure(await open(bytes.slice(0, length), "m.keras"))).toMatch(/^(file-truncated|model-invalid): /);
  });

  it("a member that unpacks to more than it states", async () => {
    const bytes = zipSync(members(), { level: 9 });
    const view = new DataView(bytes.buffer);
    // The unpacked size in the table, of the weights: the last member.
    const table = view.getUint32(bytes.length - 6, true);
    for (let at = table; view.getUint32(at, true) === 0x02014b50; ) {
      const name = strFromU8(bytes.subarray(at + 46, at + 46 + view.getUint16(at + 28, true)));
      if (name === "model.weights.h5") view.setUint32(at + 24, 3000, true);
      at += 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    }
    expect(await failure(await open(bytes, "m.keras"))).toBe(
      'model-invalid: "m.keras" is a damaged zip archive: "model.weights.h5" does not have the 3000 bytes it states; download or save it again',
    );
  });

  it("a bomb", async () => {
    const bytes = zipSync({ ...members(), "config.json": new Uint8Array(80 * 2 ** 20) }, { level: 9 });
    expect(await failure(await open(bytes, "m.keras"))).toContain('"config.json" has 83886080 bytes, expected at most');
  });
});

describe("TensorFlow.js", () => {
  const json = (): Json => JSON.parse(readFileSync(join(folder, "tfjs_keras2/model.json"), "utf8")) as Json;
  const shards: string[] = json().weightsManifest[0].paths;

  /** The model in a folder of its own, with its JSON and shards changed. */
  function copy(change: (model: Json) => void, files: Readonly<Record<string, Uint8Array | undefined>> = {}): string {
    const place = mkdtempSync(join(tmpdir(), "tfjs-"));
    const model = json();
    change(model);
    writeFileSync(join(place, "model.json"), JSON.stringify(model));
    for (const name of shards) {
      const bytes = name in files ? files[name] : bytesOf(`tfjs_keras2/${name}`);
      if (bytes) writeFileSync(join(place, name), bytes);
    }
    return place;
  }
  const opened = async (...args: Parameters<typeof copy>) => failure(await nodePlatform.open(copy(...args)));
  const asIs = (): void => {};

  it("a shard is missing", async () => {
    expect(await opened(asIs, { [shards[1]!]: undefined })).toContain(
      `file-missing: "model.json" names its weights "${shards[1]}", which is not beside it`,
    );
  });

  it("a shard is short", async () => {
    expect(await opened(asIs, { [shards[1]!]: bytesOf(`tfjs_keras2/${shards[1]}`).slice(4) })).toMatch(
      /^file-truncated: "model\.json" needs \d+ bytes of weights/,
    );
  });

  it.each(["../secret.bin", "/etc/passwd", "a/../../b.bin"])("a shard at %s", async (path) => {
    const message = await opened((model) => {
      model.weightsManifest[0].paths[0] = path;
    });
    expect(message).toContain(`model-invalid: "model.json" names "${path}", which is outside its own folder`);
  });

  it.each<[string, (model: Json) => void, string]>([
    ["no weights", (model) => delete model.weightsManifest, "holds an architecture without weights"],
    ["no network", (model) => (model.modelTopology = 3), "it has no modelTopology"],
    ["a type that is none", (model) => (model.weightsManifest[0].weights[0].dtype = "string"), 'is "string", expected'],
    ["a negative size", (model) => (model.weightsManifest[0].weights[0].shape = [-1]), "has the shape [-1]"],
    [
      "quantisation without scale",
      (model) => (model.weightsManifest[0].weights[0].quantization = { dtype: "uint8" }),
      "is quantised without scale and min",
    ],
    [
      "weights of whole numbers",
      (model) => (model.weightsManifest[0].weights[0].dtype = "int32"),
      'layer "conv" (Conv2D) of "model.json" has a kernel of int32 in the file, expected floating-point numbers',
    ],
    ["a weight too many", (model) => model.weightsManifest[0].weights.pop(), "in the file, expected"],
    ["names of other layers", (model) => (model.weightsManifest[0].weights[0].name = "other/kernel"), "do not belong"],
  ])("%s", async (_, change, message) => {
    expect(await opened((model) => void change(model))).toContain(message);
  });
});
