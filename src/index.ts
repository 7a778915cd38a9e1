/** What runs anywhere: types, errors, methods, renderers, the report. `convlens/node` and `convlens/web` open models. */
export { ConvlensError, type ErrorCode, errorCodes } from "./core/errors.ts";
export { toJson } from "./core/json.ts";
export type { Layer, LayerWeight, Layout } from "./core/layers.ts";
export { readNpy, writeNpy } from "./core/npy.ts";
export type { Picture } from "./core/picture.ts";
export type { ByteSource, Engine, EngineModel, EngineSession, Platform, RunOptions } from "./core/platform.ts";
export type * from "./core/result.ts";
export { type ElementType, float32, type Tensor } from "./core/tensor.ts";
export { formats } from "./formats/index.ts";
export {
  type DecodedImage,
  type DecodeOptions,
  decodeImage,
  encodeJpeg,
  encodePng,
  type PngOptions,
  packPng,
  type ResizeLibrary,
  type ResizeMode,
  resize,
} from "./image/index.ts";
export { kindOf as pictureKind } from "./image/kind.ts";
export * from "./methods/index.ts";
export type { ModelCard, Preprocessing } from "./model/card.ts";
export { isTensor } from "./model/feeds.ts";
export { findClass, labelLists } from "./model/labels.ts";
export type { Feeds, Label, Model, ModelInput, ModelPrediction, Prepared } from "./model/model.ts";
export { type PreprocessingMode, preprocessingModes } from "./model/modes.ts";
export { embeddedModels, type OpenOptions } from "./model/open.ts";
export * from "./render/index.ts";
export { shapeText } from "./render/numbers.ts";
export { makeReport, type Photo, type Report, type ReportOptions, reportSections } from "./report/index.ts";
