/**
 * What all class-activation maps share: options, the layers and targets, smoothing, the ReLU, and the reasons of blank
 * maps. A method adds what a channel contributes.
 */
import { ConvlensError } from "../../../core/errors.ts";
import type { Layer } from "../../../core/layers.ts";
import type { RunOptions } from "../../../core/platform.ts";
import type { ExplainedTarget, HeatMap } from "../../../core/result.ts";
import { float32 } from "../../../core/tensor.ts";
import type { Model } from "../../../model/model.ts";
import { feedsOf, type MethodInput, mustApply, type OptionSpec, originOf, resolveOptions } from "../../method.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { mapLayers } from "../layer-choice.ts";
import { layerOption, signedOption, type TargetOptions, targetOptions } from "../options.ts";
import { subjectOf } from "../pixels/passes.ts";
import { type Contribution, type FeatureMaps, sumContributions } from "./feature-maps.ts";
import { gapNotes, mustBeFinite, reasons } from "./notes.ts";
import { type CamJob, type Passed, plainPass } from "./pass.ts";
import { principalComponent } from "./principal.ts";
import { plainView, sixViews, unflipped } from "./views.ts";

export interface CamOptions extends TargetOptions {
  readonly layer: readonly string[];
  readonly signed: boolean;
  readonly smooth: "none" | "aug" | "eigen";
}

const smoothOption: OptionSpec = {
  type: "choice",
  default: "none",
  choices: ["none", "aug", "eigen"],
  help: "aug: the mean over 6 views, mirrored and a tenth darker or brighter; eigen: the first principal component of what the channels add, in place of their sum",
};

export const camOptions: Readonly<Record<keyof CamOptions, OptionSpec>> = {
  ...targetOptions,
  layer: layerOption,
  signed: signedOption,
  smooth: smoothOption,
};

/** The texts that every method declares for help and docs. */
type Declared = Pick<
  ExplanationMethod<CamOptions, HeatMap>,
  "id" | "title" | "summary" | "formula" | "cost" | "misleads"
> & { readonly paper: string; readonly follows?: string };

export interface CamParts<Options extends CamOptions> extends Declared {
  readonly options: Readonly<Record<keyof Options & string, OptionSpec>>;
  /** What a channel adds to the map. */
  readonly contribution: Contribution;
  /** How channels are put together unless `smooth` says otherwise; default: their sum. */
  readonly component?: "sum" | "principal";
  /** Options that decide over others. */
  readonly settle?: (options: Options) => Options;
  /** The pass, where it is no plain one. */
  readonly pass?: (job: CamJob<Options>) => Promise<readonly Passed[]>;
  /** Works on a map behind its ReLU. */
  readonly finish?: (map: Float64Array, options: Options) => Float64Array;
  /** Makes one map of those of several layers. */
  readonly fuse?: (maps: readonly HeatMap[], options: Options) => readonly HeatMap[];
  /** What a reader must know of a map of these numbers. */
  readonly remark?: (maps: readonly FeatureMaps[]) => string | undefined;
  /** Whether gradients are needed; default yes. */
  readonly gradients?: boolean;
}

export function camMethod<Options extends CamOptions = CamOptions>(
  parts: CamParts<Options>,
): ExplanationMethod<Options, HeatMap> {
  const { contribution, component, settle, pass, finish, fuse, remark, gradients: wants = true, ...declared } = parts;
  const runMany: ExplanationMethod<Options, HeatMap>["runMany"] = async (model, input, choice, given = {}) => {
    mustApply(method, model);
    const resolved = resolveOptions<Options>(method.options, given as Partial<Options>);
    const options = settle ? settle(resolved) : resolved;
    const subject = subjectOf(model, feedsOf(method, input));
    const { layers, notes } = await mapLayers(model, choice.layers ?? []);
    const job: CamJob<Options> = {
      model,
      subject,
      targets: await Promise.all(choice.targets.map((target) => model.findTarget(target, options.of))),
      layers,
      views: options.smooth === "aug" ? sixViews : [plainView],
      options,
      run: runOptions(given),
    };
    const found = await (pass ? pass(job) : plainPass(job, wants));
    const results: HeatMap[] = [];
    for (const [t, passed] of found.entries()) {
      if (wants) await mustBeFinite(model, subject, passed.explained, job.run);
      const maps: HeatMap[] = [];
      for (const layer of job.layers) maps.push(await heatMapAt(job, passed, layer, input, choice.targets[t]!, notes));
      results.push(...(fuse ? fuse(maps, options) : maps));
    }
    return results;
  };

  const compose = (maps: readonly FeatureMaps[], { smooth }: Options): Float64Array =>
    component === "principal" || smooth === "eigen"
      ? principalComponent(contribution, maps)
      : sumContributions(contribution, maps);

  /** The map of one target at one layer: the mean over all views, behind the ReLU. */
  async function heatMapAt(
    job: CamJob<Options>,
    passed: Passed,
    layer: Layer,
    input: MethodInput,
    asked: string | number,
    chosen: readonly string[],
  ): Promise<HeatMap> {
    const { model, subject, options, views, run } = job;
    const rows = passed.maps.get(layer)!;
    const { height, width } = rows[0]![0]!;
    const [signed, shown] = [new Float64Array(height * width), new Float64Array(height * width)];
    for (const [k, view] of views.entries()) {
      const map = unflipped(compose(rows[k]!, options), width, view);
      for (let i = 0; i < map.length; i++) {
        signed[i]! += map[i]! / views.length;
        shown[i]! += (map[i]! < 0 && !options.signed ? 0 : map[i]!) / views.length;
      }
    }
    const values = Float32Array.from(finish ? finish(shown, options) : shown);
    const rectified = options.signed ? undefined : signed;
    const facts = { layer: layer.name, target: passed.explained, maps: rows[0]!, rectified };
    return {
      kind: "map",
      title: method.title,
      target: passed.explained,
      signed: options.signed,
      layers: [layer.name],
      map: float32([height, width], values),
      origin: await originOf(model, method.id, { ...options, target: asked, layer: [layer.name] }, input),
      notes: [
        ...model.notes,
        ...inputNotes(model, subject.given),
        ...chosen,
        ...(wants ? scoreNotes(model, passed.explained, method.id) : []),
        ...passed.notes,
        ...reasons(facts),
        ...[remark?.(rows[0]!) ?? []].flat(),
        ...(await gapNotes(model, subject, values, run)),
      ],
    };
  }

  const method: ExplanationMethod<Options, HeatMap> = {
    ...declared,
    kind: "map",
    family: "cam",
    needs: wants ? ["image", "graph", "gradient"] : ["image", "graph"],
    applies: (model) => model.opaque,
    async run(model, input, given = {}) {
      mustApply(method, model);
      const { target, layer } = resolveOptions<Options>(method.options, given as Partial<Options>);
      return single(method.id, await runMany(model, input, { targets: [target], layers: layer }, given));
    },
    runMany,
  };
  return method;
}

/** The one result of `run`. Throws `option-invalid` where several layers make several. */
export function single<R>(id: string, results: readonly R[]): R {
  const [first, second] = results;
  if (first && !second) return first;
  throw new ConvlensError(
    "option-invalid",
    `${id} makes one map for each layer, and ${results.length} layers are meant: name one, or call runMany`,
  );
}

/** Signal and progress alone: a method's own options are not the model's. */
export const runOptions = ({ signal, onProgress }: RunOptions): RunOptions => ({
  ...(signal ? { signal } : {}),
  ...(onProgress ? { onProgress } : {}),
});

/** Of what was given beside the one picture. */
export function inputNotes(model: Model, given: number): string[] {
  const notes: string[] = [];
  if (given > 1) notes.push(`the batch holds ${given} pictures; this explains the first`);
  if (model.inputs.length > 1) notes.push(`the inputs beside "${model.input.name}" are held as they are given`);
  return notes;
}

/** Says which of a class's two scores was explained, and how to have the other. */
export function scoreNotes(model: Model, { of }: ExplainedTarget, id: string): readonly string[] {
  const { activation } = model.head();
  if (of !== "logit" || activation === undefined) return [];
  const listing = id === "gradcam" ? "; --preset chollet makes the picture of Chollet's listing, which does" : "";
  return [
    `the score explained is the logit, before the network's final ${activation}; --of probability explains what comes out of it${listing}`,
  ];
}
