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
import { operationEmitters, SlicingOpLambda, TensorFlowOpLayer, TFOpLambda } from "./operations.ts";
import * as pooling from "./pooling.ts";
import { refused } from "./refused.ts";
import * as shape from "./shape.ts";

/** Names that files carry beside a layer's own. */
const others: Readonly<Record<string, LayerEmitter>> = {
  BatchNormalizationV1: normalization.BatchNormalization,
  BatchNormalizationV2: normalization.BatchNormalization,
  SyncBatchNormalization: normalization.BatchNormalization,
};

/** Layers hide operations of the same name, and tell the two apart themselves. */
export const emitters: Readonly<Record<string, LayerEmitter>> = {
  ...operationEmitters,
  ...activation,
  ...convolution,
  ...custom,
  ...dense,
  ...identities,
  ...image,
  ...merge,
  ...normalization,
  ...others,
  ...pooling,
  ...refused,
  ...shape,
  SlicingOpLambda,
  TensorFlowOpLayer,
  TFOpLambda,
};
