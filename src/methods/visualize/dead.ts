/** Units that nothing switched on: what is known of the reason, and what was tried. */
import type { Layer } from "../../core/layers.ts";
import type { MadeImage } from "../../core/result.ts";
import type { Model } from "../../model/model.ts";

export interface Tried {
  readonly steps: number;
  /** Whether rectifiers let slopes through in the first steps. */
  readonly redirected: boolean;
  /** What a photograph gives the unit, where there is one. */
  readonly reference: number | undefined;
}

/** Why a picture is blank, as far as it can be known. `channel`: of the layer; `undefined` where the objective is of several. */
export async function deadReason(
  model: Model,
  layer: Layer | undefined,
  channel: number | undefined,
  { steps, redirected, reference }: Tried,
): Promise<string> {
  const tried = `0 in all ${steps} steps${redirected ? ", also with redirected gradients" : ""}`;
  if (reference !== undefined && reference > 0) return `${tried}; the photograph switches it on`;
  const own = layer && channel !== undefined ? await weightsOf(model, layer, channel) : undefined;
  if (!own) return tried;
  const bias = own.bias === undefined ? "" : `its bias is ${Number(own.bias.toPrecision(2))}`;
  if (own.weights.every((weight) => weight === 0)) return ["its weights are all 0", bias].filter(Boolean).join(", ");
  return own.bias !== undefined && own.bias < 0 ? `${tried}; ${bias}` : tried;
}

/** The weights of one channel of a convolution, and its bias. */
async function weightsOf(
  model: Model,
  layer: Layer,
  channel: number,
): Promise<{ readonly weights: readonly number[]; readonly bias: number | undefined } | undefined> {
  const [kernel, bias] = layer.weights;
  const count = layer.shape.at(model.sourceLayout === "NCHW" ? 1 : -1);
  const axis = model.sourceLayout === "NCHW" ? 0 : 3;
  if (kernel?.shape.length !== 4 || kernel.shape[axis] !== count) return undefined;
  const tensor = await model.weight(layer, kernel.name);
  if (tensor === undefined) return undefined;
  const length = tensor.data.length / count!;
  const [first, step] = axis === 3 ? [channel, count!] : [channel * length, 1];
  const weights = Array.from({ length }, (_, i) => Number(tensor.data[first + i * step]));
  const biases = bias && bias.shape.length === 1 ? await model.weight(layer, bias.name) : undefined;
  return { weights, bias: biases === undefined ? undefined : Number(biases.data[channel]) };
}

const namesOf = (images: readonly MadeImage[]): string =>
  images.map(({ label }) => label.replace("channel ", "")).join(", ");

/** Units that views on the way switched on, but that the picture in the end does not, in one line. */
export function whatFellOff(images: readonly MadeImage[], name: string): readonly string[] {
  if (images.length === 0) return [];
  const [unit, are, it] = images.length === 1 ? ["channel", "is", "it"] : ["channels", "are", "them"];
  return [
    `${unit} ${namesOf(images)} of ${name} ${are} 0 for the picture in the end, though views of it on the way switched ${it} on: try more steps, another seed or a smaller rate`,
  ];
}

/** The units without a picture in one line. */
export function whatIsDead(images: readonly MadeImage[], name: string): readonly string[] {
  const dead = images.filter((made) => made.dead !== null);
  if (dead.length === 0) return [];
  const names = namesOf(dead);
  if (dead.length === images.length && dead.length > 1)
    return [
      `all ${dead.length} pictures of ${name} are blank, for no start switched a unit on (${names}); try another --seed, --preset lucid or --from photograph`,
    ];
  return [
    `no picture was found that switches on ${dead.length === 1 ? "channel" : "channels"} ${names} of ${name}; drawn flat`,
  ];
}
