/** `model.gradient`: builds the graph of scores and their gradients, runs it, and names what comes out. */
import { differentiable } from "../autodiff/differentiable.ts";
import { emitter, GRADIENT } from "../autodiff/emitter.ts";
import { gradient } from "../autodiff/gradient.ts";
import type { Overlay, RuleTable } from "../autodiff/rule.ts";
import { rules as ordinaryRules } from "../autodiff/rules/index.ts";
import { ConvlensError } from "../core/errors.ts";
import type { Layout } from "../core/layers.ts";
import type { ExplainedTarget } from "../core/result.ts";
import { float32, type Tensor, toFloat32, transpose } from "../core/tensor.ts";
import type { Graph, ValueInfo } from "../graph/graph.ts";
import { withFacts } from "../graph/infer.ts";
import { subgraph } from "../graph/subgraph.ts";
import { identity } from "./identity.ts";
import { labelName } from "./labels.ts";
import { layoutAxes } from "./layers.ts";
import type { GradientOptions, Gradients, Target } from "./model.ts";
import { probabilityOf, type ScoreOptions, vectors } from "./scores.ts";
import type { Plan, Sessions } from "./sessions.ts";
import { appendTarget, type TargetNodes, type TargetParts } from "./targets.ts";

export interface GradientParts extends TargetParts {
  readonly modelName: string;
  readonly sessions: Sessions;
  readonly sourceLayout: Layout;
  /** An engine's own rules, laid over the ordinary ones. */
  readonly engineOverlay: Overlay | undefined;
  readonly scoring: Omit<ScoreOptions, "top" | "head">;
  /** The value a name means, and the order of its axes. */
  locate(name: string): { readonly value: string; readonly layout: Layout };
}

/** A graph of gradients, built: its outputs by what they are. */
interface Built {
  readonly graph: Graph;
  readonly targets: readonly (TargetNodes & { readonly gradients: readonly string[] })[];
  readonly notes: readonly string[];
}

/** What of a target is built into the graph; a class or weights are fed. */
function targetKey(target: Target): unknown {
  if ("score" in target) return ["function", identity(target.score)];
  if ("layer" in target) return [target.layer, target.channel, target.position ?? null];
  return ["weights" in target ? "weights" : "class", target.of ?? "logit"];
}

export async function runGradient(
  parts: GradientParts,
  feeds: Readonly<Record<string, Tensor>>,
  options: GradientOptions,
  defaultWrt: string,
): Promise<Gradients> {
  const { targets, overlay, outputs = [], wrt = [defaultWrt], anySize = false, inTurns = false } = options;
  if (targets.length === 0) throw new ConvlensError("option-invalid", "no target is given");
  const places = wrt.map((name) => ({ name, ...parts.locate(name) }));
  const wanted = outputs.map((name) => ({ name, ...parts.locate(name) }));
  const ofClasses = targets.some((target) => "class" in target || "weights" in target);
  const fetched = [
    ...new Set([...wanted.map(({ value }) => value), ...(ofClasses ? [parts.head().output, parts.head().logits] : [])]),
  ];
  const dims = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, tensor.dims]));
  const shapes = Object.entries(dims).map(([name, all]) => [name, ...all.slice(1)]);
  const values = places.map(({ value }) => value);
  const built = new Map<Graph, Built>();
  const build = (base: Graph): Built => {
    const made =
      built.get(base) ?? buildGraph(parts, anySize ? openSizes(base) : base, dims, targets, values, fetched, overlay);
    built.set(base, made);
    return made;
  };
  const plan: Plan = {
    key: JSON.stringify([
      "gradient",
      targets.map(targetKey),
      values,
      fetched,
      overlay ? identity(overlay) : 0,
      shapes,
      anySize,
      inTurns,
    ]),
    build: (base) => build(base).graph,
    beside: inTurns,
  };
  // The session of this plan may be there already; names, feeds and notes are those of the plan, whatever the base.
  const names = parts.sessions.known(plan.key, () => {
    const { targets: nodes, notes } = build(parts.sessions.base);
    return { targets: nodes, notes };
  });
  const pictures = Object.values(feeds)[0]?.dims[0] ?? 1;
  const given = Object.assign({ ...feeds }, ...targets.map((target, i) => refeed(names.targets[i]!, target, pictures)));
  const asked = [
    ...fetched.filter((value) => !(value in feeds)),
    ...names.targets.flatMap(({ score, classes, gradients }) => [score, ...(classes ? [classes] : []), ...gradients]),
  ];
  const results: Record<string, Tensor> = {
    ...feeds,
    ...(await parts.sessions.runPlan(plan, given, [...new Set(asked)], options)),
  };
  const inSource = (value: string, layout: Layout): Tensor<"float32"> => {
    const raw = results[value]!;
    const tensor = float32(raw.dims, toFloat32(raw));
    const axes = layoutAxes(tensor.dims.length, layout, parts.sourceLayout);
    return axes ? transpose(tensor, axes) : tensor;
  };
  return {
    targets: names.targets.map((nodes, t) => {
      const scores = toFloat32(results[nodes.score]!);
      const classes = nodes.classes ? Array.from(results[nodes.classes]!.data as BigInt64Array, Number) : undefined;
      return {
        scores,
        classes,
        explained: explain(parts, targets[t]!, scores, classes, ofClasses ? results : undefined),
        gradients: Object.fromEntries(
          places.map(({ name, layout }, i) => [name, inSource(nodes.gradients[i]!, layout)]),
        ),
      };
    }),
    values: Object.fromEntries(wanted.map(({ name, value, layout }) => [name, inSource(value, layout)])),
    notes: names.notes,
  };
}

/** The inputs of a target for this call: the graph may have been built for another class. */
function refeed(nodes: TargetNodes, target: Target, pictures: number): Readonly<Record<string, Tensor>> {
  const [name] = Object.keys(nodes.feeds(pictures));
  if (name === undefined) return {};
  if ("weights" in target) return { [name]: float32([1, target.weights.length], target.weights) };
  if (!("class" in target)) return {};
  const wanted = BigInt(target.class === "top" ? -1 : target.class);
  return { [name]: { type: "int64", dims: [pictures], data: new BigInt64Array(pictures).fill(wanted) } };
}

/** The graph with open heights and widths; what was known of inner shapes is forgotten. */
function openSizes(graph: Graph): Graph {
  const open = ({ type, shape }: ValueInfo): ValueInfo => ({ type, shape: shape.map(() => null) });
  return { ...graph, values: new Map(graph.inputs.map((name) => [name, open(graph.values.get(name)!)])) };
}

/** What a graph needs for scores that lie inside it: behind them are dense layers that may forbid another input size. */
function upTo(graph: Graph, parts: GradientParts, targets: readonly Target[], values: readonly string[]): Graph {
  const inner = targets.map((target) => {
    if ("layer" in target) return [parts.resolve(target.layer).value];
    return "reads" in target ? target.reads : undefined;
  });
  const wanted = [...new Set([...inner.flatMap((read) => read ?? []), ...values])].filter(
    (value) => !graph.inputs.includes(value),
  );
  return !inner.includes(undefined) && wanted.length > 0 ? subgraph(graph, wanted, graph.inputs) : graph;
}

function buildGraph(
  parts: GradientParts,
  whole: Graph,
  dims: Readonly<Record<string, readonly number[]>>,
  targets: readonly Target[],
  wrt: readonly string[],
  fetched: readonly string[],
  overlay: Overlay | undefined,
): Built {
  const real = differentiable(whole);
  const base = upTo(real.graph, parts, targets, [...wrt, ...fetched]);
  // A batch is cut into single pictures where the file fixes it at 1.
  const single = Object.entries(dims).map(([name, all]) => {
    const fixed = base.values.get(name)?.shape[0] === 1;
    return [name, fixed ? [1, ...all.slice(1)] : all] as const;
  });
  const fed = Object.fromEntries(single);
  const first = emitter(withFacts(base, fed), "score/");
  const nodes = targets.map((target, i) => appendTarget(first, target, i, parts));
  const scored = first.finish([...base.outputs, ...nodes.map(({ score }) => score)]);
  const added = scored.inputs.filter((name) => !base.inputs.includes(name));
  const all = {
    ...Object.fromEntries(added.map((name) => [name, scored.values.get(name)!.shape.map((n) => n ?? 1)])),
    ...fed,
  };
  const emit = emitter(withFacts(scored, all), GRADIENT);
  const layers = [parts.engineOverlay, overlay].filter((layer) => layer !== undefined);
  const rules = layers.reduce<RuleTable>((table, layer) => layer.lay(table), ordinaryRules);
  const notes = new Set<string>(real.notes);
  const withGradients = nodes.map((node) => {
    const ones = emit.expandLike(1, node.score);
    const seed = overlay?.start?.(emit, node.score, ones) ?? ones;
    const request = { of: node.score, seed, wrt, note: (text: string) => void notes.add(text) };
    const gradients = gradient(emit, request, rules).map((value, i) => {
      if (value !== null) return value;
      throw new ConvlensError("option-invalid", `the score that is explained does not depend on "${wrt[i]}"`);
    });
    return { ...node, gradients };
  });
  const outputs = [
    ...fetched.filter((value) => !base.inputs.includes(value)),
    ...withGradients.flatMap(({ score, classes, gradients }) => [score, ...(classes ? [classes] : []), ...gradients]),
  ];
  return { graph: subgraph(emit.finish(outputs), [...new Set(outputs)]), targets: withGradients, notes: [...notes] };
}

/** What each picture's score is, in words. */
function explain(
  { scoring, modelName, head: headOf }: GradientParts,
  target: Target,
  scores: Float32Array,
  classes: readonly number[] | undefined,
  results: Readonly<Record<string, Tensor>> | undefined,
): readonly ExplainedTarget[] {
  if (!classes || !results || !("class" in target)) {
    const label =
      "label" in target
        ? target.label
        : "layer" in target
          ? `channel ${target.channel} of ${target.layer}${target.position ? ` at row ${target.position[0]}, column ${target.position[1]}` : ""}`
          : "a weighted sum of classes";
    const of = "layer" in target ? "activation" : "function";
    return Array.from(scores, (score) => ({ index: null, label, of, score, probability: null }));
  }
  const head = headOf();
  const outputs = vectors(results[head.output]!, modelName);
  const logits = vectors(results[head.logits]!, modelName);
  return Array.from(scores, (score, i) => {
    const index = classes[i]!;
    const probability = probabilityOf(index, outputs[i]!, logits[i]!, { ...scoring, head });
    return { index, label: labelName(scoring.labels, index), of: target.of ?? "logit", score, probability };
  });
}
