/** Where a gradient ascent stopped, as files: visualize.state.json and an array for each batch, for `--resume`. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type AscentState, ConvlensError, float32, type Images, readNpy, type Tensor, writeNpy } from "../index.ts";
import type { Outputs } from "./outputs.ts";

export interface SavedState {
  readonly version: 1;
  readonly model: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** For each batch what is not in its array; `null` stands for minus infinity, which JSON has not. */
  readonly batches: readonly {
    readonly step: number;
    readonly dead: boolean;
    readonly most: readonly (number | null)[];
  }[];
  /** Whether it began with an array of its own, which is kept as well: it says that pixels are changed, and of what size. */
  readonly start?: boolean;
}

const startName = "visualize.state.start.npy";
const arrayName = (batch: number): string => `visualize.state.${batch}.npy`;

/** Parameters in the first row, the optimiser's numbers in the others. */
export async function writeState(
  outputs: Outputs,
  folder: string,
  { origin }: Images,
  states: readonly AscentState[],
  start: Tensor | undefined,
): Promise<void> {
  const saved: SavedState = {
    version: 1,
    model: origin.model.sha256,
    options: origin.options,
    batches: states.map(({ step, dead, most }) => ({
      step,
      dead,
      most: most.map((value) => (Number.isFinite(value) ? value : null)),
    })),
    start: start !== undefined,
  };
  if (start) await outputs.write(join(folder, startName), writeNpy(start));
  await outputs.write(join(folder, "visualize.state.json"), `${JSON.stringify(saved, undefined, 1)}\n`);
  for (const [batch, { parameters, memory }] of states.entries()) {
    const rows = [parameters, ...memory];
    const all = new Float32Array(rows.length * parameters.length);
    for (const [i, row] of rows.entries()) all.set(row, i * parameters.length);
    await outputs.write(join(folder, arrayName(batch)), writeNpy(float32([rows.length, parameters.length], all)));
  }
}

/** Throws `option-invalid` where a folder has no state, or one of another network. */
export async function readState(
  folder: string,
  model: string,
): Promise<{
  readonly saved: SavedState;
  readonly states: readonly AscentState[];
  readonly start: Tensor | undefined;
}> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new ConvlensError("option-invalid", `--resume "${folder}" ${why}`, { cause });
  };
  const text = await readFile(join(folder, "visualize.state.json"), "utf8").catch((cause: unknown) =>
    refuse("holds no visualize.state.json: a run with --state, or one that was stopped, writes it", cause),
  );
  let saved: SavedState;
  try {
    saved = JSON.parse(text) as SavedState;
  } catch (cause) {
    return refuse("holds a visualize.state.json that is no JSON", cause);
  }
  const isWhole = Array.isArray(saved.batches) && saved.batches.every(({ most }) => Array.isArray(most));
  if (saved.version !== 1 || !isWhole) refuse("holds a state of another version");
  if (saved.model !== model) refuse("holds the state of another network");
  const arrayOf = async (name: string): Promise<Tensor> =>
    readNpy(await readFile(join(folder, name)).catch((cause: unknown) => refuse(`holds no ${name}`, cause)), name);
  const states = await Promise.all(
    saved.batches.map(async ({ step, dead, most }, batch) => {
      const name = arrayName(batch);
      const { dims, data } = await arrayOf(name);
      if (dims.length !== 2 || data.length === 0) refuse(`holds a ${name} that is no state`);
      const [rows = 0, length = 0] = dims;
      const row = (i: number): Float32Array =>
        Float32Array.from(data.subarray(i * length, (i + 1) * length) as Float32Array);
      return {
        step,
        parameters: row(0),
        memory: Array.from({ length: rows - 1 }, (_, i) => row(i + 1)),
        dead,
        most: most.map((value) => value ?? Number.NEGATIVE_INFINITY),
      };
    }),
  );
  return { saved, states, start: saved.start ? await arrayOf(startName) : undefined };
}
