/** The built package in headless Chromium on WASM gives what Node gives. */
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { float32 } from "../../src/core/tensor.ts";
import { encodeJpeg } from "../../src/image/index.ts";
import { openImage, openModel, platform } from "../../src/node.ts";
import type * as web from "../../src/web.ts";
import { chromiumFlags, chromiumPath } from "./chromium.ts";
import { servePackage } from "./serve.ts";

declare global {
  interface Window {
    convlens: typeof web;
  }
}

const photograph = fileURLToPath(new URL("../../models/photographs/chelsea.png", import.meta.url));
const keras = (name: string): string => fileURLToPath(new URL(`../fixtures/keras/${name}`, import.meta.url));
const layers = ["conv2d", "max_pooling2d_3", "dense", "dense_1"];

const floats = (base64: string): Float32Array => {
  const bytes = Buffer.from(base64, "base64");
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
};

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
};

describe.skipIf(!chromiumPath)("the package in Chromium", () => {
  let site: Awaited<ReturnType<typeof servePackage>>;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    const { picture } = await openImage(photograph);
    const jpeg = await encodeJpeg(picture, 90, (name) => platform.codec(name));
    const shards = (await readdir(keras("tfjs_keras2"))).map((name) => `tfjs_keras2/${name}`);
    const models = ["sequential.keras3.keras", "nested.keras2.h5", ...shards];
    const files = await Promise.all(models.map(async (name) => [name, await readFile(keras(name))] as const));
    site = await servePackage({
      "photo.png": await readFile(photograph),
      "photo.jpg": jpeg,
      ...Object.fromEntries(files),
    });
    browser = await chromium.launch({ executablePath: chromiumPath!, args: [...chromiumFlags] });
    page = await browser.newPage();
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith(site.url) && !/^(data|blob):/.test(request.url())) complaints.push(request.url());
    });
    await page.goto(site.url);
    await page
      .waitForFunction(() => window.convlens !== undefined)
      .catch((error) => {
        throw new Error(`the package does not load: ${complaints.join("; ")}`, { cause: error });
      });
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  it("predicts, and shows the same feature maps within 1e-4", async () => {
    const there = await page.evaluate(async (names) => {
      const { openModel, openImage } = window.convlens;
      const model = await openModel("cats-and-dogs");
      const { picture } = await openImage("photo.png");
      const { tensor } = model.prepare(picture);
      const [prediction] = await model.predict(tensor);
      const maps = await model.run(tensor, { outputs: names });
      const encode = (data: Float32Array): string => {
        const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
        let text = "";
        for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
        return btoa(text);
      };
      return {
        engine: model.engineName,
        sha256: await model.sha256(),
        summary: (await model.layers()).map(({ name, shape, parameters }) => ({ name, shape, parameters })),
        prediction: prediction!,
        tensor: encode(tensor.data),
        maps: names.map((name) => ({ dims: maps[name]!.dims, data: encode(maps[name]!.data) })),
      };
    }, layers);

    const model = await openModel("cats-and-dogs");
    const { tensor } = model.prepare((await openImage(photograph)).picture);
    const [prediction] = await model.predict(tensor);
    const maps = await model.run(tensor, { outputs: layers });
    expect(there.engine).toMatch(/^onnxruntime-web .*\(wasm\)$/);
    expect(there.sha256).toBe(await model.sha256());
    expect(there.summary).toEqual(
      (await model.layers()).map(({ name, shape, parameters }) => ({ name, shape, parameters })),
    );
    expect(worst(floats(there.tensor), tensor.data)).toBe(0);
    expect(worst(there.prediction.output, prediction!.output)).toBeLessThan(1e-4);
    expect(there.prediction.predictions.map(({ label }) => label)).toEqual(
      prediction!.predictions.map(({ label }) => label),
    );
    for (const [i, name] of layers.entries()) {
      expect(there.maps[i]!.dims).toEqual(maps[name]!.dims);
      expect(worst(floats(there.maps[i]!.data), maps[name]!.data)).toBeLessThan(1e-4);
    }
    await model.release();
  });

  it.each(["sequential.keras3.keras", "nested.keras2.h5", "tfjs_keras2/model.json"])(
    "%s opens from its address, and computes the same",
    async (name) => {
      const there = await page.evaluate(async (address) => {
        const model = await window.convlens.openModel(address);
        const dims = model.input.shape.map((n) => n ?? 1);
        const data = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => ((37 * i) % 101) / 101);
        const [result] = Object.values(await model.run({ type: "float32", dims, data }));
        return { names: (await model.layers()).map((layer) => layer.name), result: [...result!.data] };
      }, name);
      const model = await openModel(keras(name));
      const dims = model.input.shape.map((n) => n ?? 1);
      const data = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => ((37 * i) % 101) / 101);
      const [result] = Object.values(await model.run({ type: "float32", dims, data }));
      expect(there.names).toEqual((await model.layers()).map((layer) => layer.name));
      expect(worst(there.result, result!.data)).toBeLessThan(1e-5);
      await model.release();
    },
  );

  it.each(["tfjs_keras2", "sequential.keras3.keras", "nested.keras2.h5"])(
    "%s opens from the Files that were dropped, and computes the same",
    async (name) => {
      const paths = name.includes(".") ? [name] : (await readdir(keras(name))).map((file) => `${name}/${file}`);
      const there = await page.evaluate(async (addresses) => {
        const files = await Promise.all(
          addresses.map(async (path) => new File([await (await fetch(path)).blob()], path.replace(/.*\//, ""))),
        );
        const model = await window.convlens.openModel(files);
        const dims = model.input.shape.map((n) => n ?? 1);
        const data = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => ((37 * i) % 101) / 101);
        const [result] = Object.values(await model.run({ type: "float32", dims, data }));
        return { dims, data: [...data], result: [...result!.data] };
      }, paths);
      const model = await openModel(keras(name));
      const [result] = Object.values(await model.run(float32(there.dims, Float32Array.from(there.data))));
      expect(worst(there.result, result!.data)).toBeLessThan(1e-5);
      await model.release();
    },
  );

  it("decodes a JPEG to the same pixels, from an address and from a File", async () => {
    const sums = await page.evaluate(async () => {
      const { openImage } = window.convlens;
      const file = new File([await (await fetch("photo.jpg")).arrayBuffer()], "mine.jpg");
      const found = [];
      for (const what of ["photo.jpg", file]) {
        const { picture, name } = await openImage(what);
        let sum = 0;
        for (const [i, byte] of picture.data.entries()) sum = (sum * 31 + byte * ((i % 7) + 1)) % 1_000_000_007;
        found.push({ name, width: picture.width, height: picture.height, sum });
      }
      return found;
    });
    const response = await fetch(`${site.url}photo.jpg`);
    const { picture } = await openImage(new Uint8Array(await response.arrayBuffer()));
    let sum = 0;
    for (const [i, byte] of picture.data.entries()) sum = (sum * 31 + byte * ((i % 7) + 1)) % 1_000_000_007;
    const { width, height } = picture;
    expect(sums).toEqual([
      { name: "photo.jpg", width, height, sum },
      { name: "mine.jpg", width, height, sum },
    ]);
  });

  it("opens a network from a File, many passes at once, and says what is wrong in one line", async () => {
    const { equal, codes } = await page.evaluate(async () => {
      const { openModel } = window.convlens;
      const bytes = await (await fetch("models/cifar10.onnx")).arrayBuffer();
      const model = await openModel(new File([bytes], "cifar10.onnx"), { preprocessing: "unit" });
      const tensor = { type: "float32", dims: [1, 3, 32, 32], data: new Float32Array(3072).fill(0.5) } as const;
      const runs = await Promise.all([1, 2, 3].map(() => model.predict(tensor)));
      const codeOf = (error: { code?: string }): string => error.code ?? "none";
      const codes = await Promise.all([
        openModel("nothing.onnx").then(() => "opened", codeOf),
        openModel(new File(["hello"], "x.onnx")).then(() => "opened", codeOf),
        openModel("cifar10", { device: "tpu" })
          .then((net) => net.run(tensor))
          .then(() => "ran", codeOf),
      ]);
      await model.release();
      return { equal: runs.every((run) => JSON.stringify(run) === JSON.stringify(runs[0])), codes };
    });
    expect(equal).toBe(true);
    expect(codes).toEqual(["network-failed", "format-unknown", "option-invalid"]);
  });

  it("gives the same on WebGPU, where the browser has an adapter", async (context) => {
    // A processor plays the graphics card: slow, and exact enough for a small network.
    const software = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];
    const flags = chromiumFlags.filter((flag) => flag !== "--disable-gpu");
    const other = await chromium.launch({
      executablePath: chromiumPath!,
      args: [...flags, ...software, "--use-vulkan=swiftshader"],
    });
    try {
      const tab = await other.newPage();
      await tab.goto(site.url);
      await tab.waitForFunction(() => window.convlens !== undefined);
      const answers = await tab.evaluate(async () => {
        const gpu = "gpu" in navigator ? (navigator.gpu as { requestAdapter(): Promise<unknown> }) : undefined;
        if (!(await gpu?.requestAdapter())) return undefined;
        const { openModel, createWebPlatform } = window.convlens;
        const data = Float32Array.from({ length: 3072 }, (_, i) => Math.sin(i));
        const found = [];
        for (const device of ["wasm", "webgpu"] as const) {
          const model = await openModel("cifar10", {}, createWebPlatform({ device }));
          const [prediction] = await model.predict({ type: "float32", dims: [1, 3, 32, 32], data });
          found.push({ engine: model.engineName, output: prediction!.output });
          await model.release();
        }
        return found;
      });
      if (!answers) return context.skip("this browser offers no WebGPU adapter");
      expect(answers.map(({ engine }) => engine.replace(/.*\(/, "("))).toEqual(["(wasm)", "(webgpu)"]);
      expect(worst(answers[0]!.output, answers[1]!.output)).toBeLessThan(1e-3);
    } finally {
      await other.close();
    }
  });

  it("complained of nothing else and asked no other host", () => {
    expect(complaints.filter((text) => !text.includes("404"))).toEqual([]);
  });
});
