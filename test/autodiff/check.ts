/** Compares a rule with the slope that the engine's own forward pass shows. */
import { expect } from "vitest";
import { emitter, GRADIENT } from "../../src/autodiff/emitter.ts";
import { gradient } from "../../src/autodiff/gradient.ts";
import type { RuleTable } from "../../src/autodiff/rule.ts";
import type { EngineSession } from "../../src/core/platform.ts";
import { arrayTypes, type ElementType, sizeOf, type Tensor, toFloat32 } from "../../src/core/tensor.ts";
import { encodeGraph } from "../../src/formats/onnx/write.ts";
import { builder } from "../../src/graph/builder.ts";
import { checkGraph } from "../../src/graph/check.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { inferShapes, withFacts } from "../../src/graph/infer.ts";
import { nodePlatform } from "../../src/platform/node.ts";
import { seeded } from "../random.ts";
import { type Fed, type GradientCase, isFed, numbers } from "./cases/case.ts";

/** The case as a graph with a free batch, fed inputs named x0, x1 …; its float numbers in the type asked for. */
export function graphOf({ op, inputs, attributes, outputs }: GradientCase, type: "float32" | "float64"): Graph {
  const b = builder();
  const cast = (tensor: Tensor): Tensor =>
    tensor.type === "float32" && type === "float64"
      ? { type, dims: tensor.dims, data: Float64Array.from(tensor.data as Float32Array) }
      : tensor;
  const names = inputs.map((input, i) =>
    input === undefined
      ? ""
      : isFed(input)
        ? b.input(`x${i}`, {
            type: input.feed === "float32" ? type : input.feed,
            shape: input.dims.map((n) => (n === "N" ? null : n)),
          })
        : b.constant(cast(input)),
  );
  return b.finish(b.nodes(op, names, { attributes, outputs: Array.from({ length: outputs }, (_, i) => `y${i}`) }));
}

const dimsOf = ({ inputs }: GradientCase, batch: number): Record<string, number[]> =>
  Object.fromEntries(
    inputs.flatMap((input, i) =>
      isFed(input) ? [[`x${i}`, input.dims.map((n) => (n === "N" ? batch : n))] as const] : [],
    ),
  );

export const sessionOf = async (graph: Graph): Promise<EngineSession> =>
  (await nodePlatform.engine()).createSession(encodeGraph(graph));

const tensorOf = (type: ElementType, dims: readonly number[], values: readonly number[]): Tensor => {
  const data = new arrayTypes[type](sizeOf(dims));
  for (let i = 0; i < data.length; i++)
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(values[i]!);
    else data[i] = values[i]!;
  return { type, dims, data };
};
const doubles = (tensor: Tensor): ArrayLike<number> =>
  tensor.data instanceof Float64Array ? tensor.data : toFloat32(tensor);

export const isFloat = (fed: Fed): boolean => fed.feed === "float32";

/** The graph of a case and of the gradients of output `of`, whose seed is the input `seed`; gradients by name of input. */
export function differentiated(
  one: GradientCase,
  rules: RuleTable,
  of = 0,
): { graph: Graph; gradients: Record<string, string | null>; notes: string[] } {
  const base = graphOf(one, "float32");
  const shaped = withFacts(base, dimsOf(one, 1));
  const emit = emitter(shaped, GRADIENT);
  const wrt = one.inputs.flatMap((input, i) => (isFed(input) && (isFloat(input) || one.flat) ? [`x${i}`] : []));
  const asked = wrt.filter((name) => (one.inputs[Number(name.slice(1))] as Fed).differentiable !== false);
  const seed = emit.input("seed", { type: "float32", shape: emit.shape(`y${of}`) });
  const notes: string[] = [];
  const request = { of: `y${of}`, seed, wrt: asked, note: (text: string) => notes.push(text) };
  const found = gradient(emit, request, rules);
  const gradients = Object.fromEntries(asked.map((name, i) => [name, found[i] ?? null]));
  const outputs = [...new Set(found.filter((name) => name !== null))];
  const graph = emit.finish(outputs);
  checkGraph(graph);
  return { graph, gradients, notes };
}

/** Compares J^T u with differences of <f, u> along random directions, at one picture and at three. */
export async function checkCase(one: GradientCase, rules: RuleTable, seed = 1): Promise<void> {
  const floats = Array.from({ length: one.outputs }, (_, i) => i);
  for (const of of one.op === "TopK" || one.op === "MaxPool" ? [0] : floats) {
    const { graph, gradients } = differentiated(one, rules, of);
    if (one.flat) {
      expect(Object.values(gradients)).toEqual(Object.values(gradients).map(() => null));
      continue;
    }
    expect(Object.values(gradients)).not.toContain(null);
    const backward = await sessionOf(graph);
    const forward = await forwardOf(one);
    const batches = one.inputs.some((input) => isFed(input) && input.dims.includes("N")) ? [1, 3] : [1];
    for (const batch of batches) await compare(one, { of, batch, seed, gradients, backward, forward });
    await backward.release();
    await forward.session.release();
  }
}

interface Forward {
  readonly session: EngineSession;
  readonly type: "float32" | "float64";
}
/** In double precision where the engine can. */
async function forwardOf(one: GradientCase): Promise<Forward> {
  if (!one.linear && !one.single)
    try {
      return { session: await sessionOf(graphOf(one, "float64")), type: "float64" };
    } catch {
      // The engine has no double kernel for the operator.
    }
  return { session: await sessionOf(graphOf(one, "float32")), type: "float32" };
}

interface Run {
  readonly of: number;
  readonly batch: number;
  readonly seed: number;
  readonly gradients: Readonly<Record<string, string | null>>;
  readonly backward: EngineSession;
  readonly forward: Forward;
}

async function compare(one: GradientCase, { of, batch, seed, gradients, backward, forward }: Run): Promise<void> {
  const dims = dimsOf(one, batch);
  const shape = inferShapes(graphOf(one, "float32"), dims).get(`y${of}`)!.shape;
  const next = seeded(seed * 1000 + batch);
  const draw = (n: number): number[] => Array.from({ length: n }, () => 2 * next() - 1);
  const values = Object.fromEntries(
    Object.entries(dims).map(([name, of]) => {
      const i = Number(name.slice(1));
      return [name, numbers(one.inputs[i] as Fed, of, seed * 100 + i * 10 + batch)];
    }),
  );
  const feeds = (type: "float32" | "float64", moved: Readonly<Record<string, readonly number[]>>) =>
    Object.fromEntries(
      Object.entries(dims).map(([name, of]) => {
        const fed = one.inputs[Number(name.slice(1))] as Fed;
        return [name, tensorOf(isFloat(fed) ? type : fed.feed, of, moved[name]!)];
      }),
    );
  const u = draw(sizeOf(shape));
  const back = await backward.run({ ...feeds("float32", values), seed: tensorOf("float32", shape, u) });
  const score = async (moved: Readonly<Record<string, readonly number[]>>): Promise<number> => {
    const y = (await forward.session.run(feeds(forward.type, moved), [`y${of}`]))[`y${of}`]!;
    expect(y.dims).toEqual(shape);
    return Array.from(doubles(y)).reduce((sum, value, i) => sum + value * u[i]!, 0);
  };
  // Linear operators may be pushed far; the others as little as the number type allows, with an error of order four.
  const isExact = forward.type === "float64";
  const step = one.linear ? 1 : isExact ? 1e-4 : 8e-3;
  const tolerance = one.linear || isExact ? 2e-5 : 2e-3;
  for (const [name, value] of Object.entries(gradients)) {
    const dx = back[value!]!;
    expect(dx.dims, `shape of the gradient by ${name}`).toEqual(dims[name]);
    const g = Array.from(toFloat32(dx));
    for (let direction = 0; direction < 2; direction++) {
      const v = draw(g.length);
      const at = (h: number) => score({ ...values, [name]: values[name]!.map((n, i) => n + h * v[i]!) });
      const difference = async (h: number) => ((await at(h)) - (await at(-h))) / (2 * h);
      const slope = one.linear
        ? await difference(step)
        : (4 * (await difference(step / 2)) - (await difference(step))) / 3;
      const parts = g.map((gi, i) => gi * v[i]!);
      const along = parts.reduce((sum, part) => sum + part, 0);
      const wanted = Math.max(Math.hypot(...parts), Math.abs(slope), one.linear || isExact ? 1e-6 : 0.01);
      expect(
        Math.abs(along - slope) / wanted,
        `${name} at N = ${batch}: ${along}, by differences ${slope}`,
      ).toBeLessThan(tolerance);
    }
  }
}
