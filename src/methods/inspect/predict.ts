/** The classes a network sees in a picture, best first. */
import { ConvlensError } from "../../core/errors.ts";
import type { Prediction } from "../../core/result.ts";
import { feedsOf, type Method, originOf, resolveOptions } from "../method.ts";
import { preprocessingDoubt } from "./doubt.ts";

export interface PredictOptions {
  readonly top: number;
}

export const predict: Method<PredictOptions, Prediction> = {
  id: "predict",
  title: "Prediction",
  summary: "The top classes with their probabilities.",
  follows: "Keras decode_predictions",
  kind: "prediction",
  needs: ["image"],
  options: {
    top: { type: "integer", default: 5, min: 1, max: 100_000, help: "how many classes, best first" },
  },
  applies: () => undefined,
  async run(model, input, given = {}) {
    const options = resolveOptions<PredictOptions>(predict.options, given);
    const rows = await model.predict(feedsOf(predict, input), { ...given, top: options.top });
    const first = rows[0];
    if (first === undefined) throw new ConvlensError("tensor-invalid", "the input tensor's batch holds no picture");
    const notes = [...model.notes, ...first.notes];
    const doubt = input.isPicture ? await preprocessingDoubt(model, first.output, given) : undefined;
    if (doubt !== undefined) notes.push(doubt);
    if (rows.length > 1) notes.push(`the batch holds ${rows.length} pictures; this is the answer for the first`);
    return {
      kind: "prediction",
      predictions: first.predictions,
      output: first.output,
      origin: await originOf(model, "predict", options, input),
      notes,
    };
  },
};
