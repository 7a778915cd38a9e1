/** All shape rules of ai.onnx: the name of an export is the operator it serves. */
export * from "./convolution.ts";
export * from "./elementwise.ts";
export * from "./generate.ts";
export * from "./indexing.ts";
export * from "./linear.ts";
export * from "./normalization.ts";
export * from "./quantize.ts";
export * from "./recurrent.ts";
export * from "./reduce.ts";
export * from "./shape.ts";
export * from "./spatial.ts";
