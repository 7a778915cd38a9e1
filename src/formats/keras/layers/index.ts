/** All Keras classes, layers and operations, by class name. */
import type { LayerEmitter } from "../layer.ts";
import * as activation from "./activation.ts";
import * as convolution from "./convolution.ts";
import * as custom from "./custom.ts";
import * as dense from "./dense.ts";
import { identities } from "./identity.ts";
import * as image from "./image.ts";
import * as merge from "./merge.ts";
import * as normalization from "./normalization.ts";
import { operationEmitters, TensorFlowOpLayer, TFOpLambda } from "./operations.ts";
import * as pooling from "./pooling.ts";
import { refused } from "./refused.ts";
import * as shape from "./shape.ts";

/** Other names of the same classes. */
const aliases: Readonly<Record<string, string>> = {
  BatchNormalizationV1: "BatchNormalization",
  BatchNormalizationV2: "BatchNormalization",
  SlicingOpLambda: "TFOpLambda",
  SyncBatchNormalization: "BatchNormalization",
};

/** Layers hide operations of the same name, and tell the two apart themselves. */
const classes: Readonly<Record<string, LayerEmitter>> = {
  ...operationEmitters,
  ...activation,
  ...convolution,
  ...custom,
  ...dense,
  ...identities,
  ...image,
  ...merge,
  ...normalization,
  ...pooling,
  ...refused,
  ...shape,
  TensorFlowOpLayer,
  TFOpLambda,
};

export const emitters: Readonly<Record<string, LayerEmitter>> = {
  ...classes,
  ...Object.fromEntries(Object.entries(aliases).map(([alias, name]) => [alias, classes[name]!])),
};
