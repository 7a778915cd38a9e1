/** Refuses what cannot fit into memory before the engine tries, which would take the whole machine with it. */
import { ConvlensError } from "../core/errors.ts";
import { bytesPerElement, sizeOf } from "../core/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { inferShapes } from "../graph/infer.ts";

/** The most bytes of one value. */
const MOST_BYTES = 2 ** 32;

/**
 * Throws `model-unsupported` when a value would have more than 4 GiB, the inputs' shapes being `dims`. Graphs whose shapes cannot be
 * inferred pass: the engine judges them.
 */
export function checkRoom(graph: Graph, dims: Readonly<Record<string, readonly number[]>>): void {
  for (const [name, { type, shape }] of knownShapes(graph, dims)) {
    const bytes = sizeOf(shape) * bytesPerElement(type);
    if (bytes > MOST_BYTES)
      throw new ConvlensError(
        "model-unsupported",
        `the value "${name}" would have the shape [${shape.join(", ")}], ${(bytes / 2 ** 30).toFixed(1)} GiB; at most 4 GiB are computed at once: give fewer or smaller pictures`,
      );
  }
}

/** The shapes of all values, as far as they can be told; none where the graph contradicts itself at these inputs. */
export function knownShapes(
  graph: Graph,
  dims: Readonly<Record<string, readonly number[]>>,
): ReturnType<typeof inferShapes> {
  try {
    return inferShapes(graph, dims);
  } catch (error) {
    if (error instanceof ConvlensError && error.code === "model-invalid") return new Map();
    throw error;
  }
}
