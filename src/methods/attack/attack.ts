/** What attacks have beyond other methods: a plan told before the search, and options that all of them share. */
import { ConvlensError } from "../../core/errors.ts";
import type { RunOptions } from "../../core/platform.ts";
import type { Attack } from "../../core/result.ts";
import type { Model } from "../../model/model.ts";
import type { Method, MethodInput, OptionSpec } from "../method.ts";

/** What a search may cost, told before it starts. */
export interface Plan {
  /** Pictures that the network judges at most; the second look at one that seems to succeed comes on top. */
  readonly queries: number;
  /** An estimate for all of them, from two passes measured just before. */
  readonly milliseconds: number;
}

export interface AttackRunOptions extends RunOptions {
  /** Told once, before the search; asking for it costs two passes. */
  readonly onPlan?: (plan: Plan) => void;
}

export interface AttackMethod<Options extends SharedOptions = SharedOptions> extends Method<Options, Attack> {
  /** Whether it changes a few pixels as much as it likes, or all of them a little. */
  readonly family: "few" | "dense";
  run(model: Model, input: MethodInput, options?: Partial<Options> & AttackRunOptions): Promise<Attack>;
}

/** What every attack can be asked. */
export interface SharedOptions {
  /** The wanted class by index or name; `any`: any but the present one. */
  readonly to: string | number;
  readonly maxQueries: number;
  /** Seconds. */
  readonly maxTime: number;
  /** Pictures in one pass. */
  readonly batch: number;
}

export const sharedOptions: Readonly<Record<keyof SharedOptions, OptionSpec>> = {
  to: {
    type: "target",
    default: "any",
    help: "the class that the network is to answer, by index or name; any: any but the present one",
  },
  maxQueries: {
    type: "integer",
    default: 10_000_000,
    min: 1,
    max: 1e12,
    help: "pictures that the network judges at most",
  },
  maxTime: {
    type: "number",
    default: 86_400,
    min: 0.001,
    max: 1e7,
    help: "seconds at most; a search that ends for this may end elsewhere the next time",
  },
  batch: {
    type: "integer",
    default: 100,
    min: 1,
    max: 4096,
    help: "pictures in one pass; memory grows with it",
  },
};

export const seedOption: OptionSpec = {
  type: "integer",
  default: 0,
  min: 0,
  max: 2 ** 31 - 1,
  help: "seed of the search",
};

/** How many pixels may change. */
export const pixelsOption: OptionSpec = {
  type: "integer",
  default: 1,
  min: 1,
  max: 100_000,
  help: "how many pixels may change",
};

/** Why a network cannot be attacked: it must take one picture. `undefined` when it can. */
export function takesPicture({ inputs, input }: Model): string | undefined {
  if (inputs.length !== 1) return `it has ${inputs.length} inputs; an attack changes one picture`;
  if (input.shape.length !== 4) return `its input "${input.name}" has ${input.shape.length} axes; a picture has 4`;
  return undefined;
}

/** The same for attacks that follow gradients: they must look into the graph too. */
export const opaqueOrNoPicture = (model: Model): string | undefined => model.opaque ?? takesPicture(model);

/** Throws `option-invalid` where more pixels are to change than there are. */
export function mustFit(pixels: number, width: number, height: number): void {
  if (pixels > width * height)
    throw new ConvlensError(
      "option-invalid",
      `option "pixels" is ${pixels}; the picture has ${width * height} (${width} x ${height})`,
    );
}
