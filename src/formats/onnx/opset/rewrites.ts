/** Versions of operators that are not what the IR's opset knows under their name: by the opset that defined them. */
import type { Rewrite } from "./converter.ts";
import * as inputs from "./rewrites/inputs.ts";
import * as newer from "./rewrites/newer.ts";
import * as normalization from "./rewrites/normalization.ts";
import * as spatial from "./rewrites/spatial.ts";

const { axesToInput } = inputs;
const reduce = { 1: axesToInput, 11: axesToInput, 13: axesToInput };
const softmax = { 1: normalization.flattenedSoftmax, 11: normalization.flattenedSoftmax };

export const rewrites: Readonly<Record<string, Readonly<Record<number, Rewrite>>>> = {
  Attention: { 23: newer.refused, 24: newer.refused, 25: newer.refused },
  BatchNormalization: { 7: normalization.batchNormalization, 9: normalization.batchNormalization },
  BitCast: { 26: newer.refused },
  Cast: { 24: newer.dropRoundMode, 25: newer.dropRoundMode, 28: newer.dropRoundMode },
  CastLike: { 24: newer.dropRoundMode, 25: newer.dropRoundMode },
  CausalConvWithState: { 27: newer.refused },
  Clip: { 6: inputs.clip },
  CumProd: { 26: newer.refused },
  DFT: { 17: inputs.dft },
  DequantizeLinear: {
    23: newer.dequantizeLinear,
    24: newer.dequantizeLinear,
    25: newer.dequantizeLinear,
    28: newer.dequantizeLinear,
  },
  Dropout: { 7: inputs.dropout, 10: inputs.dropout },
  GridSample: { 16: spatial.gridSample },
  GroupNormalization: { 18: normalization.groupNormalization },
  Hardmax: softmax,
  LinearAttention: { 27: newer.refused },
  LogSoftmax: softmax,
  Pad: { 2: inputs.pad },
  QuantizeLinear: {
    23: newer.dropPrecision,
    24: newer.dropPrecision,
    25: newer.dropPrecision,
    28: newer.dropPrecision,
  },
  RMSNormalization: { 23: normalization.rmsNormalization },
  Range: { 27: newer.dropStashType },
  ReduceL1: reduce,
  ReduceL2: reduce,
  ReduceLogSum: reduce,
  ReduceLogSumExp: reduce,
  ReduceMax: { ...reduce, 12: axesToInput },
  ReduceMean: reduce,
  ReduceMin: { ...reduce, 12: axesToInput },
  ReduceProd: reduce,
  ReduceSum: { 1: axesToInput, 11: axesToInput },
  ReduceSumSquare: reduce,
  Resize: { 10: spatial.asymmetricResize },
  RoiAlign: { 10: spatial.roiAlign },
  RotaryEmbedding: { 23: newer.refused },
  Scan: { 8: newer.refusedScan },
  Scatter: { 9: spatial.scatter, 11: spatial.scatter },
  Slice: { 1: inputs.slice },
  Softmax: softmax,
  SpaceToDepth: { 28: spatial.spaceToDepth },
  Split: { 2: inputs.split, 11: inputs.split, 13: inputs.split },
  Squeeze: { 1: axesToInput, 11: axesToInput },
  SwiGLU: { 28: newer.swiGlu },
  Swish: { 24: newer.swish },
  TensorScatter: { 24: newer.refused },
  TopK: { 1: inputs.topK },
  Unsqueeze: { 1: axesToInput, 11: axesToInput },
  Upsample: { 7: spatial.upsampleByAttribute, 9: spatial.asymmetricResize, 10: spatial.asymmetricResize },
};
