/** LayerCAM: positive gradients as weights, place by place; fine enough for early layers, which can be fused. */
import type { HeatMap } from "../../../core/result.ts";
import { float32 } from "../../../core/tensor.ts";
import { resizeMap } from "../../../image/map.ts";
import type { ExplanationMethod } from "../explanation.ts";
import { type CamOptions, camMethod, camOptions } from "./cam-method.ts";

export interface LayercamOptions extends CamOptions {
  /** One map of all layers. */
  readonly fuse: boolean;
}

export const layercam: ExplanationMethod<LayercamOptions, HeatMap> = camMethod<LayercamOptions>({
  id: "layercam",
  title: "LayerCAM",
  summary: "Activations weighted by their own positive gradients, place by place; works at early layers too.",
  paper: "Jiang et al. 2021, doi:10.1109/TIP.2021.3089943",
  follows: "pytorch-grad-cam LayerCAM; fused as torchcam",
  formula: "ReLU(Σₖ ReLU(g) Aₖ); fused: the maximum over layers of tanh(2 map / max map)",
  cost: "1 forward pass, and backward from the scores to the earliest layer",
  misleads:
    "It leaves out every negative gradient, so what speaks against the class lights up too; at early layers it follows edges.",
  options: {
    ...camOptions,
    fuse: {
      type: "boolean",
      default: false,
      help: "make one map of all layers named: each divided by its maximum, tanh of twice that, and the greatest of them",
    },
  },
  contribution: (part, a, g) => {
    for (let i = 0; i < part.length; i++) part[i] = Math.max(g![i]!, 0) * a![i]!;
  },
  fuse: (maps, { fuse }) => (fuse && maps.length > 1 ? [fused(maps)] : maps),
});

/** Equation 9 of the paper, at the resolution of the finest layer. */
function fused(maps: readonly HeatMap[]): HeatMap {
  const finest = maps.reduce((a, b) => (b.map.data.length > a.map.data.length ? b : a));
  const [height, width] = finest.map.dims as readonly [number, number];
  const values = new Float32Array(height * width).fill(Number.NEGATIVE_INFINITY);
  for (const { map } of maps) {
    const most = map.data.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const scaled = map.data.map((x) => Math.tanh((2 * x) / (most || 1)));
    const large = resizeMap(scaled, map.dims[0]!, map.dims[1]!, height, width);
    for (let i = 0; i < values.length; i++) values[i] = Math.max(values[i]!, large[i]!);
  }
  const layers = maps.flatMap((one) => one.layers);
  return {
    ...finest,
    layers,
    map: float32([height, width], values),
    origin: { ...finest.origin, options: { ...finest.origin.options, layer: layers } },
    notes: [...new Set(maps.flatMap((one) => one.notes))],
  };
}
