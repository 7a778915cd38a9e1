/**
 * What all class-activation maps share: the pass that gives activations and gradients of the chosen layers for all
 * targets at once, smoothing, the ReLU, and the reasons of blank maps. A method adds what a channel contributes.
 */
import { ConvlensError } from "../../../core/errors.ts";
import type { Layer } from "../../../core/layers.ts";
import type { RunOptions } from "../../../core/platform.ts";
import type { ExplainedTarget, HeatMap } from "../../../core/result.ts";
import { float32, type Tensor } from "../../../core/tensor.ts";
import type { Feeds, Model, Target } from "../../../model/model.ts";
import { feedsOf, type MethodInput, mustApply, type OptionSpec, originOf, resolveOptions } from "../../method.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { mapLayers } from "../layer-choice.ts";
import { layerOption, signedOption, type TargetOptions, targetOptions } from "../options.ts";
import { type FeatureMaps, featureMaps } from "./feature-maps.ts";
import { mendGaps, reasons } from "./notes.ts";
import { plainView, unflipped, type View, viewed, viewsOf } from "./views.ts";

export interface CamOptions extends TargetOptions {
  readonly layer: readonly string[];
  readonly signed: boolean;
  readonly smooth: "none" | "aug" | "eigen";
}

const smoothOption: OptionSpec = {
  type: "choice",
  default: "none",
  choices: ["none", "aug", "eigen"],
  help: "aug: the mean over 6 passes, mirrored and brighter or darker by a tenth; eigen: the first principal component of what the channels add",
};

export const camOptions: Readonly<Record<keyof CamOptions, OptionSpec>> = {
  ...targetOptions,
  layer: layerOption,
  signed: signedOption,
  smooth: smoothOption,
};

/** What one picture's pass gives at one layer: for Grad-CAM, the activations and their gradients. */
export interface LayerPass {
  readonly activations: FeatureMaps;
  /** Activations again for methods without gradients. */
  readonly gradients: FeatureMaps;
}

/** The texts that every method declares for help and docs. */
export type Declared = Pick<
  ExplanationMethod<CamOptions, HeatMap>,
  "id" | "title" | "summary" | "formula" | "cost" | "misleads"
> & { readonly paper: string; readonly follows?: string };

export interface CamSpec<Options extends CamOptions> extends Declared {
  /** Beyond those of all maps. */
  readonly options?: Readonly<Record<Exclude<keyof Options, keyof CamOptions> & string, OptionSpec>>;
  /** Options that decide over others. */
  readonly settle?: (options: Options) => Options;
  /** Default: yes. */
  readonly gradients?: boolean;
  /** The signed map, `height * width` numbers. */
  readonly map: (pass: LayerPass, options: Options) => Float64Array;
  /** The target in place of the class's plain score. */
  readonly target?: (model: Model, feeds: Feeds, plain: Target, options: Options & RunOptions) => Promise<TargetChoice>;
  /** Works on the map behind its ReLU, in place. */
  readonly finish?: (map: Float64Array, options: Options) => void;
  /** Makes one map of those of several layers; absent: each stays. */
  readonly fuse?: (maps: readonly HeatMap[], options: Options) => readonly HeatMap[];
}

/** A target that is no plain class score, and what it is in words. */
export interface TargetChoice {
  readonly target: Target;
  readonly explained?: (score: number) => ExplainedTarget;
  readonly notes?: readonly string[];
}

export function camMethod<Options extends CamOptions = CamOptions>(
  spec: CamSpec<Options>,
): ExplanationMethod<Options, HeatMap> {
  const { options: own, settle, gradients: wants = true, map, target, finish, fuse, ...declared } = spec;
  const specs = { ...camOptions, ...own } as Readonly<Record<keyof Options & string, OptionSpec>>;

  const runMany: ExplanationMethod<Options, HeatMap>["runMany"] = async (model, input, choice, given = {}) => {
    mustApply(method, model);
    const resolved = resolveOptions<Options>(specs, given as Partial<Options>);
    const options = settle ? settle(resolved) : resolved;
    const feeds = onePicture(model, feedsOf(method, input), method.id);
    const { layers, notes } = await mapLayers(model, choice.layers ?? []);
    const views = options.smooth === "aug" ? viewsOf(model, feeds) : [plainView];
    const run: Run<Options> = { model, input, feeds, options: { ...given, ...options }, notes, views, layers };
    const maps: (readonly HeatMap[])[] = [];
    for (const part of await passes(run, choice.targets)) maps.push(await mapsOf(run, part));
    return maps.flatMap((list) => (fuse ? fuse(list, options) : list));
  };

  interface Run<O> {
    readonly model: Model;
    readonly input: MethodInput;
    readonly feeds: Feeds;
    readonly options: O & RunOptions;
    readonly notes: readonly string[];
    readonly views: readonly View[];
    readonly layers: readonly Layer[];
  }
  interface Part {
    readonly asked: string | number;
    readonly explained: ExplainedTarget;
    readonly activations: Readonly<Record<string, Tensor<"float32">>>;
    readonly gradients: Readonly<Record<string, Tensor<"float32">>>;
    readonly notes: readonly string[];
  }

  /** All targets from one pass over all views. */
  async function passes(run: Run<Options>, targets: readonly (string | number)[]): Promise<readonly Part[]> {
    const { model, feeds, options, views, layers } = run;
    const choices: TargetChoice[] = [];
    for (const asked of targets) {
      const plain = await model.findTarget(asked, options.of);
      // Views must all be asked for one class, and contrasts need it too.
      const fixed = views.length > 1 || target ? await topFixed(model, feeds, plain, options) : plain;
      choices.push(target ? await target(model, feeds, fixed, options) : { target: fixed });
    }
    const names = layers.map(({ name }) => name);
    const found = await model.gradient(viewed(feeds, views, model.input.layout), {
      ...running(options),
      targets: choices.map((choice) => choice.target),
      wrt: wants ? names : [],
      outputs: names,
    });
    const middle = views.findIndex((view) => view.factor === 1 && !view.flip);
    return found.targets.map(({ explained, scores, gradients }, t) => ({
      asked: targets[t]!,
      explained: choices[t]!.explained?.(scores[middle]!) ?? explained[middle]!,
      activations: found.values,
      gradients: wants ? gradients : found.values,
      notes: [...found.notes, ...(choices[t]!.notes ?? [])],
    }));
  }

  /** The maps of one target, a layer each. */
  async function mapsOf(run: Run<Options>, part: Part): Promise<readonly HeatMap[]> {
    const { model, input, feeds, options, views, layers } = run;
    const results: HeatMap[] = [];
    for (const { name } of layers) {
      const [a, g] = [part.activations[name]!, part.gradients[name]!];
      const { width, height } = featureMaps(a, model.sourceLayout);
      const total = new Float64Array(height * width);
      const signed = new Float64Array(height * width);
      for (const [row, view] of views.entries()) {
        const pass = {
          activations: featureMaps(a, model.sourceLayout, row),
          gradients: featureMaps(g, model.sourceLayout, row),
        };
        const one = unflipped(map(pass, options), width, view);
        for (let i = 0; i < total.length; i++) {
          signed[i]! += one[i]! / views.length;
          total[i]! += (options.signed || !(one[i]! < 0) ? one[i]! : 0) / views.length;
        }
      }
      finish?.(total, options);
      const values = Float32Array.from(total);
      const gap = await mendGaps(model, feeds, name, values, running(options));
      const why = reasons({
        layer: name,
        target: part.explained,
        activations: a,
        gradients: wants ? g : undefined,
        signed: options.signed ? undefined : signed,
      });
      const plain = resolveOptions<Options>(specs, options as Partial<Options>);
      results.push({
        kind: "map",
        title: method.title,
        target: part.explained,
        signed: options.signed,
        layers: [name],
        map: float32([height, width], values),
        origin: await originOf(model, method.id, { ...plain, target: part.asked, layer: [name] }, input),
        notes: [
          ...model.notes,
          ...run.notes,
          ...softmaxNote(model, part.explained, method.id),
          ...part.notes,
          ...(gap === undefined ? [] : [gap]),
          ...why,
        ],
      });
    }
    return results;
  }

  const method: ExplanationMethod<Options, HeatMap> = {
    ...declared,
    kind: "map",
    family: "cam",
    needs: wants ? ["image", "graph", "gradient"] : ["image", "graph"],
    options: specs,
    applies: (model) => model.opaque,
    async run(model, input, given = {}) {
      const { target: asked, layer } = resolveOptions<Options>(specs, given as Partial<Options>);
      return single(method.id, await runMany(model, input, { targets: [asked], layers: layer }, given));
    },
    runMany,
  };
  return method;
}

/** The one result of `run`; throws `option-invalid` where the layers named make several. */
export function single<R extends { readonly layers?: readonly string[] }>(id: string, results: readonly R[]): R {
  const [first, second] = results;
  if (first && !second) return first;
  throw new ConvlensError(
    "option-invalid",
    `${id} makes one map for each layer, and ${results.length} layers are named: name one, or call runMany`,
  );
}

/** Signal and progress alone: methods' own options are not the model's. */
export const running = ({ signal, onProgress }: RunOptions): RunOptions => ({
  ...(signal ? { signal } : {}),
  ...(onProgress ? { onProgress } : {}),
});

/** The feeds, if they are of one picture. Throws `tensor-invalid`. */
export function onePicture(model: Model, feeds: Feeds, id: string): Feeds {
  const first = "data" in feeds ? (feeds as Tensor) : (feeds as Readonly<Record<string, Tensor>>)[model.input.name];
  const pictures = first?.dims[0] ?? 1;
  if (pictures === 1) return feeds;
  throw new ConvlensError(
    "tensor-invalid",
    `${id} explains one picture at a time, and the tensor's batch holds ${pictures}: give them one by one`,
  );
}

/** `top` as the class that it means for this picture. */
export async function topFixed(model: Model, feeds: Feeds, target: Target, options: RunOptions): Promise<Target> {
  if (!("class" in target) || target.class !== "top") return target;
  const [first] = await model.predict(feeds, { ...running(options), top: 1 });
  return { ...target, class: first!.predictions[0]!.index };
}

/** Says which of a class's two scores was explained, and how to have the other. */
export function softmaxNote(model: Model, { of }: ExplainedTarget, id: string): readonly string[] {
  const { activation } = model.head();
  if (of !== "logit" || activation === undefined) return [];
  const lecture = id === "gradcam" ? "; --preset chollet draws the picture of Chollet's listing, which does" : "";
  return [
    `the score explained is the logit, before the network's final ${activation}; --of probability explains what comes out of it${lecture}`,
  ];
}
