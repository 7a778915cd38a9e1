/** An array of a layer of which nothing else matters. */
import type { NamedTensor } from "../../src/core/result.ts";

export const namedTensor = (part: string, tensor: NamedTensor["tensor"]): NamedTensor => ({
  layer: {
    name: "l",
    class: "C",
    output: "o",
    layout: "NHWC",
    shape: [],
    inputs: [],
    weights: [],
    parameters: 0,
    multiplyAdds: 0,
  },
  part,
  tensor,
});
