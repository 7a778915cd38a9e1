/**
 * `npm run webgpu [-- NAME ...]`: gradients of the miniature networks (test/fixtures/networks) on ONNX Runtime's WebGPU
 * engine in Node, against PyTorch's. Without a graphics card Chromium's software driver plays one, hundreds of times
 * slower: it needs the packages `chromium` and `libvulkan1` (Debian), or VK_ICD_FILENAMES with a driver's path.
 *
 * The engine runs nodes on the CPU that WebGPU has no kernel for, and says nothing. Shape arithmetic always goes there,
 * so gradients cannot be refused for it; one network without any must be made with that fallback off.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { InferenceSession } from "onnxruntime-node";
import { openModel } from "../src/node.ts";
import {
  fixtureArray,
  fixtureFeeds,
  fixtureTarget,
  networkFixtures,
  networkOptions,
  networkPath,
  picture,
  relativeError,
} from "../test/fixtures/networks/read.ts";

const tolerance = 1e-4;
const driver = "/usr/lib/chromium/vk_swiftshader_icd.json";
if (process.env.VK_ICD_FILENAMES === undefined && existsSync(driver)) process.env.VK_ICD_FILENAMES = driver;

const plain = fileURLToPath(new URL("../test/fixtures/networks/resnet-basic.onnx", import.meta.url));
const strict = await InferenceSession.create(plain, {
  executionProviders: [{ name: "webgpu", preferredLayout: "NCHW" }],
  extra: { session: { disable_cpu_ep_fallback: "1" } },
});
await strict.release();
console.log("convolutions, pools and dense layers run on WebGPU, none on the CPU");

const names = process.argv.slice(2);
const chosen = networkFixtures.filter(({ name }) => names.length === 0 || names.includes(name));
let failures = 0;
for (const fixture of chosen) {
  const model = await openModel(networkPath(fixture), { ...networkOptions(fixture), device: "webgpu" });
  const start = performance.now();
  try {
    const targets = fixture.classes.map((index) => fixtureTarget(fixture, index));
    const found = await model.gradient(fixtureFeeds(fixture), { targets });
    const rows = found.targets.flatMap(({ gradients }, i) => [...picture(gradients.input!, i).data]);
    const error = relativeError(rows, fixtureArray(fixture, "gradient")!.data);
    const isRight = error < tolerance;
    if (!isRight) failures++;
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(
      `${isRight ? "right" : "WRONG"}  ${fixture.name}: relative error ${error.toExponential(1)}, ${seconds} s`,
    );
  } catch (error) {
    failures++;
    console.log(`FAILS  ${fixture.name}: ${error instanceof Error ? error.message : error}`);
  }
  await model.release();
}
console.log(`${chosen.length - failures} of ${chosen.length} networks agree with PyTorch within ${tolerance}`);
if (failures > 0 || chosen.length === 0) process.exitCode = 1;
