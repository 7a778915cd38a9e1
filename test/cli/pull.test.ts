/** `models pull` and `-m ID`: a file of random weights, laid out like the published one, gives what Keras gives. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readNpy } from "../../src/core/npy.ts";
import type { Platform } from "../../src/core/platform.ts";
import { findApplication, pullApplication, readApplications } from "../../src/model/applications.ts";
import { openModel } from "../../src/model/open.ts";
import { createNodePlatform } from "../../src/platform/node.ts";
import { bytesSource } from "../../src/platform/source.ts";
import { convlens, folder, program } from "./run.ts";

const dir = folder();
const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/applications/${name}`, import.meta.url));
const photograph = fileURLToPath(new URL("../../models/photographs/chelsea.png", import.meta.url));
const weights = gunzipSync(readFileSync(fixture("mobilenetv2.h5.gz")));
const expected = readNpy(readFileSync(fixture("mobilenetv2.npy")), "expected").data as Float32Array;
const publishedName = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5";

let server: Server;
let mirror: string;
let listener: RequestListener;
const asked: (string | undefined)[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url);
    listener(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  mirror = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => void asked.splice(0));

/** The command line with a folder of downloads of its own and the server in place of the published one. */
const at = (cache: string) => {
  const env = { CONVLENS_CACHE: join(dir, cache), CONVLENS_MIRROR: mirror };
  return {
    env,
    files: () => readdirSync(env.CONVLENS_CACHE).sort(),
    run: (...args: string[]) => convlens(args, { cwd: dir, env }),
  };
};

const close = (output: ArrayLike<number>): void => {
  expect(output.length).toBe(1000);
  for (let i = 0; i < 1000; i++) expect(Math.abs(output[i]! - expected[i]!)).toBeLessThan(1e-6);
};

describe("a network in the folder of downloads", () => {
  const here = at("here");
  beforeAll(() => {
    mkdirSync(here.env.CONVLENS_CACHE);
    writeFileSync(join(here.env.CONVLENS_CACHE, publishedName), weights);
  });

  it("opens by id with its architecture, preprocessing and labels, and gives what Keras gives", async () => {
    const { code, stdout, stderr } = await here.run("predict", "-m", "mobilenetv2", photograph, "--json");
    expect([code, stderr]).toEqual([0, ""]);
    const { output, predictions } = JSON.parse(stdout);
    close(output);
    expect(predictions[0]).toMatchObject({
      index: 540,
      label: expect.stringMatching(/[a-z]/),
      wnid: expect.any(String),
    });
    const { stdout: first } = await here.run("predict", "mobilenetv2", photograph, "--json");
    expect(JSON.parse(first).output).toEqual(output);
  });

  it("summary, explain and info take the id too", async () => {
    const [summary, explain, info, ls] = await Promise.all([
      here.run("summary", "mobilenetv2", "--json"),
      here.run("explain", "-m", "mobilenetv2", photograph, "--method", "gradcam", "--out", join(dir, "maps")),
      here.run("models", "info", "mobilenetv2", "--json"),
      here.run("models", "ls", "--json"),
    ]);
    expect(JSON.parse(summary.stdout).totals).toMatchObject({ parameters: 3_538_984, trainable: 3_504_872 });
    expect([explain.code, readdirSync(join(dir, "maps")).length > 0]).toEqual([0, true]);
    expect(JSON.parse(info.stdout)).toMatchObject({
      card: { id: "mobilenetv2", labels: "imagenet", licence: "Apache-2.0" },
      preprocessing: { size: [224, 224], resize: "nearest", fit: "stretch", mean: [1, 1, 1] },
    });
    const rows: { id: string; downloaded?: boolean }[] = JSON.parse(ls.stdout).rows;
    expect(rows.filter(({ downloaded }) => downloaded).map(({ id }) => id)).toEqual(["mobilenetv2"]);
  });

  it("one that is not there names the command that downloads it; a mistyped id the nearest", async () => {
    const missing = await here.run("predict", "-m", "vgg16", photograph);
    expect([missing.code, missing.stderr]).toEqual([
      2,
      expect.stringMatching(
        /^convlens: the weights of "vgg16" are not in .*: convlens models pull vgg16 downloads them/,
      ),
    ]);
    const { code, stdout } = await here.run("models", "info", "vgg16");
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^file +not downloaded.*\n.*138,357,544$/m)]);
    expect((await here.run("summary", "-m", "resnet5")).stderr).toContain('Did you mean "resnet50"');
    expect((await here.run("models", "card", "vgg16")).stderr).toContain("has its card");
    expect(asked).toEqual([]);
  });
});

describe("models pull", () => {
  it("downloads from the mirror under the published path, shows progress, and says where the file is", async () => {
    const { run, files, env } = at("whole");
    // Of this one nobody publishes a checksum: its size is what is checked.
    const file = Buffer.alloc(14_536_120, weights);
    listener = (_, response) => response.writeHead(200, { "content-length": file.length }).end(file);
    const { code, stdout, stderr } = await run("models", "pull", "mobilenetv2", "--json");
    expect([code, stderr]).toEqual([0, expect.stringMatching(/mobilenetv2: \d+\.\d of 14\.5 MB/)]);
    const path = join(env.CONVLENS_CACHE, publishedName);
    expect(JSON.parse(stdout).files).toEqual([{ id: "mobilenetv2", file: path, bytes: file.length }]);
    expect(asked).toEqual([`/tensorflow/keras-applications/mobilenet_v2/${publishedName}`]);
    expect(files()).toEqual([publishedName]);
  });

  it("stopped by Ctrl-C goes on where it was", async () => {
    const { env, files, run } = at("stopped");
    const file = Buffer.alloc(14_536_120, weights);
    const ranges: (string | undefined)[] = [];
    listener = (request, response) => {
      ranges.push(request.headers.range);
      const from = Number(/\d+/.exec(request.headers.range ?? "")?.[0] ?? 0);
      const range = { "content-range": `bytes ${from}-${file.length - 1}/${file.length}` };
      response.writeHead(from ? 206 : 200, {
        etag: '"a"',
        "content-length": file.length - from,
        ...(from ? range : {}),
      });
      if (from) response.end(file.subarray(from));
      else response.write(file.subarray(0, 5_000_000));
    };
    const child = spawn(process.execPath, [...program, "models", "pull", "mobilenetv2"], {
      env: { ...process.env, ...env },
    });
    const exit = new Promise<number | null>((done) => child.on("exit", done));
    await new Promise<void>((done) => child.stderr.on("data", (text) => String(text).includes("4/10") && done()));
    child.kill("SIGINT");
    expect(await exit).toBe(130);
    expect(files()).toEqual([`${publishedName}.part`, `${publishedName}.part.tag`]);
    expect((await run("summary", "mobilenetv2")).stderr).toContain("convlens models pull mobilenetv2");
    expect((await run("models", "pull", "mobilenetv2")).code).toBe(0);
    expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d+-$/)]);
    expect(readFileSync(join(env.CONVLENS_CACHE, publishedName)).equals(file)).toBe(true);
  });

  it.each([
    ["wrong bytes", (_, response) => response.end(weights), /gave another file: it has the md5 \w+, not 64373286793e/],
    [
      "404",
      (_, response) => response.writeHead(404).end(),
      /vgg16_weights\S+ answered 404 Not Found: there is no such/,
    ],
    ["403", (_, response) => response.writeHead(403).end(), /answered 403 Forbidden: it may not be read from here/],
  ] satisfies [string, RequestListener, RegExp][])(
    "%s: one line, exit code 2, nothing kept",
    async (name, answer, message) => {
      listener = answer;
      const { run, files } = at(name);
      const { code, stderr } = await run("models", "pull", "vgg16", "--quiet");
      expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
      expect(stderr.trimEnd().split("\n").length).toBe(1);
      expect(files()).toEqual([]);
    },
  );

  it("--offline asks nobody, --mirror and --cache come before the environment, ids are checked first", async () => {
    const { run } = at("options");
    const offline = await run("models", "pull", "vgg16", "--offline");
    expect([offline.code, offline.stderr]).toEqual([2, expect.stringContaining("--offline downloads nothing")]);
    const unknown = await run("models", "pull", "vgg16", "vgg61");
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('Did you mean "vgg16"')]);
    expect(asked).toEqual([]);
    listener = (_, response) => response.writeHead(404).end();
    await run("models", "pull", "efficientnetb0", "--mirror", `${mirror}/own/`, "--cache", join(dir, "other"));
    expect(asked).toEqual(["/own/keras-applications/efficientnetb0.h5"]);
    expect(readdirSync(join(dir, "other"))).toEqual([]);
  });
});

describe("the registry", () => {
  const platform = createNodePlatform({ cache: join(dir, "registry") });

  it("has an address, a check and an architecture for every id", async () => {
    const all = await readApplications(platform);
    expect(all.map(({ id }) => id)).toEqual(expect.arrayContaining(["vgg16", "resnet50", "mobilenetv2", "xception"]));
    for (const { id, address, md5, sha256, bytes, parameters } of all) {
      expect(address).toMatch(/^https:\/\/storage\.googleapis\.com\/(tensorflow\/)?keras-applications\/\S+\.h5$/);
      expect(md5 ?? sha256 ?? bytes, id).toBeDefined();
      expect(parameters).toBeGreaterThan(1e6);
      const packed = await platform.embedded(`applications/${id}.json.gz`);
      const { class_name, config } = JSON.parse(gunzipSync(await packed.read(0, packed.size)).toString());
      expect([class_name, config.layers.length > 15], id).toEqual(["Functional", true]);
    }
  });

  it("of a test's own: pulled with its checksum, then opened", async () => {
    const md5 = createHash("md5").update(weights).digest("hex");
    const entry = { id: "mine", title: "Mine", address: "https://weights.example/mine.h5", parameters: 3_538_984 };
    const index = { applications: [{ ...entry, size: [224, 224], preprocessing: "tf", md5 }] };
    const own: Platform = {
      ...createNodePlatform({ cache: join(dir, "own"), mirror }),
      embedded: async (name) =>
        name === "applications/index.json"
          ? bytesSource("index.json", new TextEncoder().encode(JSON.stringify(index)))
          : platform.embedded(name.replace("mine", "mobilenetv2")),
    };
    listener = (_, response) => response.end(weights);
    await expect(openModel(own, "mine")).rejects.toMatchObject({ code: "file-missing" });
    await pullApplication(own, (await findApplication(own, "mine"))!);
    const model = await openModel(own, "mine");
    expect([model.labels?.length, model.preprocessing.mean]).toEqual([1000, [1, 1, 1]]);
    await model.release();
  });
});
