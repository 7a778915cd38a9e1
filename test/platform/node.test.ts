/** Node's files and engines: every way a file can be wrong gives one line that names it. */
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createNodePlatform } from "../../src/platform/node.ts";
import { plainText } from "../../src/platform/ort.ts";

const platform = createNodePlatform({ notice: () => undefined });
const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/model/${name}`, import.meta.url));
let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "convlens-"));
  mkdirSync(at("model/deep"), { recursive: true });
  mkdirSync(at("saved"));
  writeFileSync(at("outside.bin"), "secret");
  writeFileSync(at("model/resnet50.onnx"), "0123456789");
  writeFileSync(at("model/weights.bin"), "weights");
  writeFileSync(at("model/deep/more.bin"), "more");
  writeFileSync(at("model/empty.onnx"), "");
  writeFileSync(at("saved/saved_model.pb"), "pb");
  symlinkSync(at("outside.bin"), at("model/link-out.bin"));
  symlinkSync(at("model/weights.bin"), at("model/link-in.bin"));
  symlinkSync(at("model/resnet50.onnx"), at("linked.onnx"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("files", () => {
  it("reads ranges, and knows name, size and path", async () => {
    const source = await platform.open(at("model/resnet50.onnx"));
    expect([source.name, source.size]).toEqual(["resnet50.onnx", 10]);
    expect(new TextDecoder().decode(await source.read(3, 4))).toBe("3456");
    await expect(source.read(8, 3)).rejects.toMatchObject({ code: "file-truncated" });
    expect(await platform.open(new URL(`file://${at("model/resnet50.onnx")}`))).toMatchObject({ size: 10 });
  });

  it("notices that a file shrank after it was opened", async () => {
    writeFileSync(at("shrinks"), "0123456789");
    const source = await platform.open(at("shrinks"));
    truncateSync(at("shrinks"), 4);
    await expect(source.read(0, 10)).rejects.toMatchObject({ code: "file-truncated" });
  });

  it.each([
    ["model/resnet5.onnx", "file-missing", /Did you mean "resnet50.onnx"/],
    ["nowhere/x.onnx", "file-missing", /Its folder does not exist either/],
    ["outside.bin/x", "file-missing", /there is no file/],
    ["model", "file-unreadable", /is a folder: name a file in it/],
    ["model/empty.onnx", "file-unreadable", /is empty/],
  ])("%s: %s", async (name, code, message) => {
    await expect(platform.open(at(name))).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it.skipIf(process.getuid?.() === 0)("a file without permission", async () => {
    writeFileSync(at("locked"), "x");
    chmodSync(at("locked"), 0o000);
    await expect(platform.open(at("locked"))).rejects.toMatchObject({ code: "file-unreadable" });
  });

  it("a folder stands for the model file that formats keep in it", async () => {
    expect((await platform.open(at("saved"))).name).toBe("saved_model.pb");
  });

  it("siblings: beside the file and below, never outside, links included", async () => {
    const source = await platform.open(at("model/resnet50.onnx"));
    expect((await source.sibling("weights.bin"))!.size).toBe(7);
    expect((await source.sibling("deep/more.bin"))!.size).toBe(4);
    expect((await source.sibling("link-in.bin"))!.size).toBe(7);
    expect(await source.sibling("nothing.bin")).toBeUndefined();
    for (const path of ["../outside.bin", "deep/../../outside.bin", at("outside.bin"), "link-out.bin", "..", "."])
      await expect(source.sibling(path)).rejects.toMatchObject({ code: "model-invalid" });
  });

  it("a link's siblings lie beside the link", async () => {
    expect(await (await platform.open(at("linked.onnx"))).sibling("weights.bin")).toBeUndefined();
  });

  it("checksums piece by piece", async () => {
    const bytes = new Uint8Array(5 * 2 ** 20 + 3).map((_, i) => i % 251);
    writeFileSync(at("large"), bytes);
    const expected = createHash("sha256").update(bytes).digest("hex");
    expect(await platform.sha256(await platform.open(at("large")))).toBe(expected);
    expect(await platform.sha256(await platform.open(bytes))).toBe(expected);
  });

  it("checksums a large file in a thread of its own, and sees that it changed", async () => {
    const bytes = new Uint8Array(2 ** 25 + 70_001).map((_, i) => i % 249);
    writeFileSync(at("larger"), bytes);
    const source = await platform.open(at("larger"));
    expect(await platform.sha256(source)).toBe(createHash("sha256").update(bytes).digest("hex"));
    truncateSync(at("larger"), 2 ** 25);
    await expect(platform.sha256(source)).rejects.toThrow(
      /"larger" could not be read to its end: it had 33624433 bytes/,
    );
    rmSync(at("larger"));
    await expect(platform.sha256(source)).rejects.toMatchObject({ code: "file-unreadable" });
  });

  it("bytes, buffers and Blobs open alike", async () => {
    const bytes = new TextEncoder().encode("hello");
    for (const what of [bytes, bytes.buffer as ArrayBuffer, new Blob([bytes])]) {
      const source = await platform.open(what, "a.onnx");
      expect(source.name).toBe("a.onnx");
      expect(new TextDecoder().decode(await source.read(1, 3))).toBe("ell");
      await expect(source.read(3, 3)).rejects.toMatchObject({ code: "file-truncated" });
    }
    await expect(platform.open(new Uint8Array())).rejects.toMatchObject({ code: "file-unreadable" });
  });

  it("the embedded files are found", async () => {
    expect((await platform.embedded("cifar10.card.json")).size).toBeGreaterThan(100);
  });
});

describe("addresses", () => {
  let server: Server;
  let base: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === "/m/net.onnx" || request.url === "/m/100%.onnx") response.end("0123456789");
      else if (request.url === "/m/net.card.json") response.end("{}");
      else if (request.url === "/m/page.json") response.setHeader("content-type", "text/html").end("<html>");
      else if (request.url === "/m/broken") {
        response.writeHead(200, { "content-length": "100" });
        response.write("part");
        setTimeout(() => response.destroy(), 20);
      } else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    base = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/m/`;
  });
  afterAll(() => void server.close());

  it("are fetched, with the files beside them", async () => {
    const source = await platform.open(`${base}net.onnx`);
    expect([source.name, source.size]).toEqual(["net.onnx", 10]);
    expect((await source.sibling("net.card.json"))!.size).toBe(2);
    expect(await source.sibling("other.json")).toBeUndefined();
    expect(await source.sibling("page.json")).toBeUndefined();
    await expect(source.sibling("../secret")).rejects.toMatchObject({ code: "model-invalid" });
    await expect(source.sibling("http://example.com/x")).rejects.toMatchObject({ code: "model-invalid" });
  });

  it("keep a name that is no percent-encoding", async () => {
    expect((await platform.open(`${base}100%.onnx`)).name).toBe("100%.onnx");
  });

  it.each(["missing", "broken"])("%s: one line with the address", async (name) => {
    await expect(platform.open(base + name)).rejects.toMatchObject({
      code: "network-failed",
      message: expect.stringContaining(base + name),
    });
  });

  it("nobody there", async () => {
    await expect(platform.open("http://127.0.0.1:9/x")).rejects.toMatchObject({ code: "network-failed" });
  });
});

describe("engines", () => {
  const run = async () => {
    const engine = await createNodePlatform({ notice: () => undefined }).engine();
    const session = await engine.createSession({
      kind: "file",
      source: await platform.open(fixture("mini-nhwc.onnx")),
    });
    const data = Float32Array.from({ length: 126 }, (_, i) => Math.sin(i));
    const [first, second] = await Promise.all(
      [0, 1].map(() => session.run({ x: { type: "float32", dims: [1, 7, 6, 3], data } })),
    );
    expect(first).toEqual(second);
    const wrong = await session
      .run({ x: { type: "float32", dims: [1, 7, 3], data: new Float32Array(21) } })
      .catch((e) => e);
    const type = await session
      .run({ x: { type: "float64", dims: [1, 7, 6, 3], data: new Float64Array(126) } })
      .catch((e) => e);
    await session.release();
    await session.release();
    return { name: engine.name, map: first!.map!, errors: [wrong, type], session };
  };

  it("native and WASM agree; errors are one line without C++", async () => {
    const native = await run();
    vi.stubEnv("CONVLENS_ENGINE", "wasm");
    const wasm = await run();
    vi.unstubAllEnvs();
    expect(native.name).toMatch(/^onnxruntime-node \d.*\(cpu\)$/);
    expect(wasm.name).toMatch(/^onnxruntime-web \d.*\(wasm\)$/);
    expect(wasm.map.dims).toEqual([1, 7, 6, 5]);
    for (let i = 0; i < native.map.data.length; i++)
      expect(wasm.map.data[i]).toBeCloseTo(native.map.data[i] as number, 4);
    expect(native.session.inputs).toEqual(wasm.session.inputs);
    for (const error of [...native.errors, ...wasm.errors]) {
      expect(error).toMatchObject({ code: "engine-failed" });
      expect(error.message).not.toMatch(/\n|\.cc|onnxruntime::|ERROR_CODE/);
    }
    expect(native.errors[0].message).toMatch(/rank.*3.*4/i);
  });

  it("refuses what is no model, an unknown device and an unknown engine", async () => {
    const engine = await platform.engine();
    const source = await platform.open(new TextEncoder().encode("no model"), "bad.onnx");
    await expect(engine.createSession({ kind: "file", source })).rejects.toMatchObject({
      code: "engine-failed",
      message: expect.stringMatching(/"bad.onnx" cannot be loaded/),
    });
    const net = await platform.open(fixture("mini-nhwc.onnx"));
    await expect(engine.createSession({ kind: "file", source: net }, { device: "tpu" })).rejects.toMatchObject({
      code: "option-invalid",
    });
    vi.stubEnv("CONVLENS_ENGINE", "fast");
    await expect(createNodePlatform().engine()).rejects.toMatchObject({ code: "option-invalid" });
    vi.unstubAllEnvs();
  });

  it("strips source positions from ONNX Runtime's messages", () => {
    const message =
      "Non-zero status code returned while running Conv node. Name:'conv1' Status Message: /onnxruntime_src/onnxruntime/core/providers/cpu/nn/conv.cc:123 onnxruntime::common::Status onnxruntime::Conv<float>::Compute(onnxruntime::OpKernelContext*) const Input channels C is not equal to kernel channels * group.\n";
    expect(plainText(message)).toBe('Conv node "conv1": Input channels C is not equal to kernel channels * group.');
  });

  it("cuts messages with names of any length before looking for patterns in them", () => {
    expect(plainText(`Error: no node "${"a/b(".repeat(1e6)}"`).length).toBeLessThan(500);
  });

  it("compiles the picture codecs", async () => {
    for (const name of ["webp-decode", "jpeg-encode"] as const)
      expect(await platform.codec(name)).toBeInstanceOf(WebAssembly.Module);
  });
});
