/**
 * The parts that run anywhere: contracts, methods, renderers, pictures, the report. `node.ts` and `web.ts` add a
 * platform and with it `openModel` and `openImage`.
 */
export { ConvlensError, type ErrorCode, errorCodes } from "./core/errors.ts";
export { toJson } from "./core/json.ts";
export type { Layer, LayerWeight, Layout } from "./core/layers.ts";
export { didYouMean, nearest } from "./core/nearest.ts";
export { readNpy, writeNpy } from "./core/npy.ts";
export type { Picture } from "./core/picture.ts";
export type { ByteSource, Engine, EngineSession, Platform, RunOptions } from "./core/platform.ts";
export type {
  ClassScore,
  List,
  Measure,
  NamedTensor,
  Origin,
  Prediction,
  Result,
  Summary,
  Tensors,
} from "./core/result.ts";
export { type ElementType, float32, int64, type Tensor, toFloat32 } from "./core/tensor.ts";
export type { Format } from "./formats/format.ts";
export { formats } from "./formats/index.ts";
export { type DecodedImage, type DecodeOptions, decodeImage, encodePng } from "./image/index.ts";
export { kindOf as pictureKind } from "./image/kind.ts";
export * from "./methods/index.ts";
export type { ModelCard, Preprocessing } from "./model/card.ts";
export { labelLists } from "./model/labels.ts";
export type { Feeds, Label, Model, ModelInput, ModelPrediction, Prepared } from "./model/model.ts";
export { type PreprocessingMode, preprocessingModes } from "./model/modes.ts";
export type { OpenOptions } from "./model/open.ts";
export * from "./render/index.ts";
export { shapeText } from "./render/numbers.ts";
export { makeReport, type Photo, type Report, type ReportOptions, reportSections } from "./report/index.ts";
