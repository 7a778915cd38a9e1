/** Brings a graph of any opset of ai.onnx from 7 on to the one that the IR speaks. */
import { ConvlensError } from "../../../core/errors.ts";
import { type Graph, type Node, OPSET } from "../../../graph/graph.ts";
import { describeNode } from "../../../graph/walk.ts";
import { convertGraph, type Rewrite } from "./converter.ts";
import { rewrites } from "./rewrites.ts";
import { sameMeaning } from "./same.ts";
import { newestOpset, versions } from "./versions.generated.ts";

/** The oldest opset whose operators are known. */
export const oldestOpset = 7;

/**
 * The same network at the IR's opset: every value keeps its name, every node its own. `notes` tells what a reader of the
 * graph should know of the conversion. Throws `model-unsupported` for opsets below 7 or unknown ones, and for
 * operators, named with their node, that have no equivalent.
 */
export function toIrOpset(graph: Graph, opset: number): { graph: Graph; notes: string[] } {
  if (opset < oldestOpset || opset > newestOpset)
    throw new ConvlensError(
      "model-unsupported",
      `opset ${opset} is not known, expected ${oldestOpset} to ${newestOpset}; export the model at opset ${OPSET}`,
    );
  if (opset === OPSET) return { graph, notes: [] };
  return convertGraph(graph, opset, (node) => findRewrite(node, opset));
}

/** Operators that ai.onnx does not list are left alone: engines know a few of their own. */
function findRewrite(node: Node, opset: number): Rewrite | undefined {
  const history = Object.hasOwn(versions, node.op) ? versions[node.op]! : undefined;
  if (!history) return undefined;
  const version = history.findLast((since) => since <= opset);
  if (version === undefined)
    throw new ConvlensError(
      "model-unsupported",
      `${describeNode(node)}: ${node.op} came with opset ${history[0]}, the file is of opset ${opset}`,
    );
  if (version === history.findLast((since) => since <= OPSET)) return undefined;
  const rewrite = Object.hasOwn(rewrites, node.op) ? rewrites[node.op]![version] : undefined;
  if (rewrite || sameMeaning[node.op]?.[version]) return rewrite;
  throw new ConvlensError("internal", `no rule brings ${node.op} of opset ${version} to ${OPSET}`);
}
