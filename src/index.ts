/** What runs anywhere: types, errors, methods, renderers, the report. `convlens/node` and `convlens/web` open models. */
export type { Emitter } from "./autodiff/emitter.ts";
export { deconvnet, guided } from "./autodiff/overlays/rectifiers.ts";
export type { Overlay } from "./autodiff/rule.ts";
export { ConvlensError, type ErrorCode, errorCodes } from "./core/errors.ts";
export { toJson } from "./core/json.ts";
export type { Layer, LayerWeight, Layout } from "./core/layers.ts";
export { didYouMean } from "./core/nearest.ts";
export { readNpy, writeNpy } from "./core/npy.ts";
export type { Picture } from "./core/picture.ts";
export type {
  ByteSource,
  Engine,
  EngineModel,
  EngineSession,
  FileStore,
  Platform,
  RemoteFile,
  RunOptions,
} from "./core/platform.ts";
export type * from "./core/result.ts";
export { type ElementType, float32, type Tensor, toFloat32 } from "./core/tensor.ts";
export { formats } from "./formats/index.ts";
export { writeOnnx } from "./formats/onnx/write.ts";
export type { Graph } from "./graph/graph.ts";
export { printGraph } from "./graph/print.ts";
export {
  type DecodedImage,
  type DecodeOptions,
  decodeImage,
  encodeApng,
  encodeJpeg,
  encodePng,
  type PngOptions,
  packPng,
  type ResizeLibrary,
  type ResizeMode,
  resize,
} from "./image/index.ts";
export { kindOf as pictureKind } from "./image/kind.ts";
export { type ExportOptions, exportExplanation, exportMethods } from "./methods/explain/export.ts";
export * from "./methods/index.ts";
export {
  type Application,
  applicationCard,
  findApplication,
  keptWeights,
  megabytes,
  pullApplication,
  readApplications,
} from "./model/applications.ts";
export type { ModelCard, Preprocessing } from "./model/card.ts";
export { type Converted, type ConvertOptions, convertModel } from "./model/convert.ts";
export { isTensor } from "./model/feeds.ts";
export { findClass, labelLists } from "./model/labels.ts";
export type {
  Feeds,
  GradientOptions,
  Gradients,
  Label,
  Model,
  ModelInput,
  ModelPrediction,
  Prepared,
  Region,
  Target,
} from "./model/model.ts";
export { type PreprocessingMode, preprocessingModes } from "./model/modes.ts";
export { embeddedModels, type OpenOptions } from "./model/open.ts";
export * from "./render/index.ts";
export { percent, shapeText, short } from "./render/numbers.ts";
export { makeReport, type Photo, type Report, type ReportOptions, reportSections } from "./report/index.ts";
