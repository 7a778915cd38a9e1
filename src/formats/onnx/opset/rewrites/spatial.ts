/** Resampling, pooling regions and grids: modes that changed their names or defaults. */
import { float32 } from "../../../../core/tensor.ts";
import { int, ints, text } from "../../../../graph/builder.ts";
import type { Attribute, Node } from "../../../../graph/graph.ts";
import type { Rewrite, Rewriting } from "../converter.ts";
import { numberOf, without } from "./inputs.ts";

/**
 * Upsample, and Resize at 10: output place / scale is the input place; the nearest pixel is the one below, and the one
 * above where an axis shrinks (as ONNX Runtime does; the text leaves it open). Where one axis grows and another
 * shrinks, that takes two steps.
 */
function asymmetric(node: Node, to: Rewriting, scales: string, known: readonly number[] | undefined): void {
  const mode = node.attributes.mode?.kind === "string" ? node.attributes.mode.value : "nearest";
  const attributes = (nearest: string): Record<string, Attribute> => ({
    mode: text(mode === "bilinear" ? "linear" : mode),
    coordinate_transformation_mode: text("asymmetric"),
    nearest_mode: text(nearest),
  });
  const last = (x: string, by: string, nearest: string): void =>
    to.add({ ...node, op: "Resize", inputs: [x, "", by], attributes: attributes(nearest) });
  const x = node.inputs[0]!;
  const shrinks = mode === "nearest" && (known ?? []).some((scale) => scale < 1);
  if (!shrinks) last(x, scales, "floor");
  else if (!known?.some((scale) => scale > 1)) last(x, scales, "ceil");
  else {
    const part = (limit: (scale: number) => number): string => to.constant(float32([known.length], known.map(limit)));
    const grown = to.emit("Resize", [x, "", part((scale) => Math.max(scale, 1))], attributes("floor"));
    last(
      grown,
      part((scale) => Math.min(scale, 1)),
      "ceil",
    );
  }
}

export const upsampleByAttribute: Rewrite = (node, to) => {
  const scales = node.attributes.scales;
  if (scales?.kind !== "floats") return to.refuse(node, "it has no scales");
  asymmetric(node, to, to.constant(float32([scales.value.length], scales.value)), scales.value);
};
export const asymmetricResize: Rewrite = (node, to) => {
  const scales = node.inputs[1] ?? "";
  asymmetric(node, to, scales, to.elements(scales));
};

const gridModes: Readonly<Record<string, string>> = { bilinear: "linear", bicubic: "cubic" };
export const gridSample: Rewrite = (node, to) => {
  const mode = node.attributes.mode?.kind === "string" ? node.attributes.mode.value : "bilinear";
  to.add({ ...node, attributes: { ...node.attributes, mode: text(gridModes[mode] ?? mode) } });
};

/** The default became half_pixel at 16. */
export const roiAlign: Rewrite = (node, to) =>
  to.add({ ...node, attributes: { ...node.attributes, coordinate_transformation_mode: text("output_half_pixel") } });

export const scatter: Rewrite = (node, to) => to.add({ ...node, op: "ScatterElements" });

/** Since 28 channels may come in the order column, row, depth: the DCR order with its channel axis turned. */
export const spaceToDepth: Rewrite = (node, to) => {
  const plain = { ...node, attributes: without(node, "mode") };
  if (node.attributes.mode?.value !== "CRD") return to.add(plain);
  const block = numberOf(node, "blocksize", 1);
  const turned = to.emit("SpaceToDepth", [node.inputs[0]!], plain.attributes);
  const shape = to.emit("Shape", [turned]);
  const part = (from: number, end: number): string => to.emit("Slice", [shape, to.ints([from]), to.ints([end])]);
  const five = to.emit("Concat", [part(0, 1), to.ints([block * block, -1]), part(2, 4)], { axis: int(0) });
  const perm = { perm: ints([0, 2, 1, 3, 4]) };
  const swapped = to.emit("Transpose", [to.emit("Reshape", [turned, five])], perm);
  to.add({ ...node, op: "Reshape", inputs: [swapped, shape], attributes: {} });
};
