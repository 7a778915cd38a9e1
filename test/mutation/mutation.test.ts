/**
 * 2,000 damaged files, by seed. Whatever is in a file, opening it ends with an answer or with one clear line: no crash
 * of the process (the engine is native code), no wait over 5 s, no stack, no fault of ours.
 */
import { type ChildProcess, fork } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { writeOnnx } from "../../src/formats/onnx/write.ts";
import { hugeModel, smallGraph, smallModel } from "../cli/files.ts";
import { folder } from "../cli/run.ts";
import { mutate } from "./mutate.ts";
import { mutateModel } from "./mutate-model.ts";
import type { Answer, Job } from "./worker.ts";

const here = dirname(fileURLToPath(import.meta.url));
const temporary = folder();
const COUNT = 2000;
const WORKERS = 2;
const LONGEST = 5000;

async function seeds(): Promise<readonly { kind: Job["kind"]; name: string; bytes: Uint8Array }[]> {
  const pictures = join(here, "../fixtures/image/files");
  // A shape that a file computes makes the engine allocate; a small one, so that damage can make it large.
  const models = [
    ["small", await smallModel()],
    ["shapes", await hugeModel([2, 3])],
    ["layers", await writeOnnx(smallGraph(), { "convlens.layers": layerTable })],
  ] as const;
  // Functions, control flow, odd types, old opsets, external weights.
  const others = ["model", "onnx"].flatMap((name) => {
    const fixtures = join(here, "../fixtures", name);
    const files = readdirSync(fixtures).filter(
      (file) => file.endsWith(".onnx") && statSync(join(fixtures, file)).size < 20_000,
    );
    return files.map((file) => [file, new Uint8Array(readFileSync(join(fixtures, file)))] as const);
  });
  const names = readdirSync(pictures).filter((name) => /\.(png|jpg|webp)$/.test(name));
  return [
    ...[...models, ...models, ...models, ...others].map(([name, bytes]) => ({ kind: "model" as const, name, bytes })),
    ...names.map((name) => ({
      kind: "picture" as const,
      name,
      bytes: new Uint8Array(readFileSync(join(pictures, name))),
    })),
  ];
}

const layerTable = JSON.stringify({
  version: 1,
  sourceLayout: "NCHW",
  layers: [
    {
      name: "first",
      class: "Conv2d",
      output: "first/out",
      inputs: [],
      weights: [{ name: "weight", value: "first.weight" }],
    },
    {
      name: "dense",
      class: "Linear",
      output: "scores",
      inputs: ["first"],
      weights: [{ name: "weight", value: "dense.weight" }],
    },
  ],
});

/** Damaged files: every other one a model, of these half in its bytes and half in what it says. */
async function jobs(): Promise<readonly { job: Job; origin: string }[]> {
  const all = await seeds();
  const models = all.filter(({ kind }) => kind === "model");
  const pictures = all.filter(({ kind }) => kind === "picture");
  return Array.from({ length: COUNT }, (_, id) => {
    const from = id % 2 === 0 ? models : pictures;
    const { kind, name, bytes } = from[(id >> 2) % from.length]!;
    const damaged = id % 4 === 0 ? mutateModel(bytes, id) : mutate(bytes, id);
    return { origin: `seed ${id} of ${name}`, job: { id, kind, bytes: Buffer.from(damaged).toString("base64") } };
  });
}

it(`${COUNT} damaged files end with an answer or one clear line`, { timeout: 300_000 }, async () => {
  const todo = [...(await jobs())].reverse();
  const faults: string[] = [];
  const counts = { done: 0, refused: 0, fault: 0 };
  let printed = "";

  const start = (): ChildProcess => {
    const child = fork(join(here, "worker.ts"), [temporary], {
      execArgv: ["--import", import.meta.resolve("tsx"), "--max-old-space-size=1024"],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    child.stderr!.on("data", (text) => {
      printed += text;
    });
    return child;
  };

  /** One worker after the other until nothing is left: a process that crashes or hangs is replaced. */
  async function work(): Promise<void> {
    let child = start();
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      const { job, origin } = next;
      const answer = await ask(child, job);
      if (typeof answer === "string") {
        faults.push(`${origin}: ${answer}`);
        child.kill("SIGKILL");
        child = start();
      } else {
        counts[answer.outcome]++;
        if (answer.outcome === "fault") faults.push(`${origin}: ${answer.message}`);
      }
    }
    child.kill();
  }
  await Promise.all(Array.from({ length: WORKERS }, work));

  expect(faults.join("\n\n"), `${faults.length} faults`).toBe("");
  expect(printed, "nothing is printed by the engine").toBe("");
  expect(counts.done + counts.refused).toBe(COUNT);
  // Both must happen, or the damage is too heavy or too light to find anything.
  expect(counts.done).toBeGreaterThan(COUNT / 20);
  expect(counts.refused).toBeGreaterThan(COUNT / 4);
});

/** The worker's answer, or what became of the worker. The first answer of a process includes its start. */
const started = new WeakSet<ChildProcess>();
function ask(child: ChildProcess, job: Job): Promise<Answer | string> {
  return new Promise((done) => {
    const limit = started.has(child) ? LONGEST : LONGEST + 30_000;
    started.add(child);
    const finish = (what: Answer | string) => {
      clearTimeout(timer);
      child.off("message", onMessage);
      child.off("exit", onExit);
      done(what);
    };
    const onMessage = (message: unknown) => finish(message as Answer);
    const onExit = (code: number | null, signal: string | null) =>
      finish(`the process ended: ${signal ?? `code ${code}`}`);
    const timer = setTimeout(() => finish(`no answer within ${limit} ms`), limit);
    child.on("message", onMessage);
    child.on("exit", onExit);
    child.send(job);
  });
}
