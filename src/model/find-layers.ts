/** Finding layers by what people write: names, patterns, `first:8`, `last:3`, `all`, and the scopes of exporters. */
import { ConvlensError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";

/** What finding needs to know of a layer. */
export interface NamedLayer {
  readonly name: string;
  readonly class: string;
  readonly output: string;
  /** The nested model it is part of. */
  readonly within?: string;
}

/** The layers that patterns mean, each once, in the table's order. Throws `layer-unknown` with the nearest names. */
export function findLayers<L extends NamedLayer>(layers: readonly L[], patterns: readonly string[]): readonly L[] {
  const found = new Set(patterns.flatMap((pattern) => matching(layers, pattern)));
  return layers.filter((layer) => found.has(layer));
}

function matching<L extends NamedLayer>(layers: readonly L[], pattern: string): readonly L[] {
  const exact = layers.filter((layer) => layer.name === pattern || layer.output === pattern);
  if (exact.length > 0) return exact;
  const range = /^(first|last):(\d+)$/.exec(pattern);
  // `model.layers` of a Sequential has no InputLayer, and it computes nothing.
  const real = layers.filter((layer) => layer.class !== "InputLayer");
  if (pattern === "all") return real;
  if (range) {
    const count = Number(range[2]);
    if (count === 0) throw new ConvlensError("layer-unknown", `"${pattern}" means no layer: count from 1`);
    // As in Keras' `model.layers`, a nested model counts as one.
    const own = real.filter((layer) => layer.within === undefined);
    return range[1] === "first" ? own.slice(0, count) : own.slice(-count);
  }
  if (/[*?]/.test(pattern)) {
    const expression = new RegExp(
      `^${pattern
        .replace(/[.+^${}()|[\]\\]/g, "\\$&")
        .replace(/\*+/g, ".*")
        .replace(/\?/g, ".")}$`,
    );
    const all = real.filter((layer) => expression.test(layer.name));
    if (all.length > 0) return all;
    throw new ConvlensError("layer-unknown", `no layer's name fits the pattern "${pattern}": ${listed(layers)}`);
  }
  const bare = layers.filter((layer) => layer.within !== undefined && layer.name === `${layer.within}/${pattern}`);
  if (bare.length === 1) return bare;
  const scope = scopeEnd(layers, pattern);
  if (scope) return [scope];
  const names = new Set([...layers.map((layer) => layer.name), ...layers.flatMap((layer) => scopes(layer.name))]);
  const suggestion = didYouMean(pattern, names);
  throw new ConvlensError(
    "layer-unknown",
    `there is no layer "${pattern}"${suggestion === "" ? `: ${listed(layers)}` : `.${suggestion}`}`,
  );
}

function listed(layers: readonly NamedLayer[]): string {
  const shown = layers.slice(0, 6).map((layer) => layer.name);
  return `the layers are ${shown.join(", ")}${layers.length > shown.length ? `, … ${layers.at(-1)!.name} (${layers.length} in all)` : ""}`;
}

/** The last layer inside a scope: for `layer4`, the stage's output. */
function scopeEnd<L extends NamedLayer>(layers: readonly L[], wanted: string): L | undefined {
  const path = wanted.replace(/^\/|\/$/g, "");
  return layers.findLast((layer) => scopes(layer.name).includes(path));
}

/**
 * The scopes a layer's name stands in, in the file's spelling (`layer4/layer4.1/conv2`) and as PyTorch's module path
 * (`layer4.1.conv2`). Exporters repeat a parent's name before an index: `layer4`, then `layer4.1`.
 */
export function scopes(name: string): string[] {
  const parts = name.split("/").filter((part) => part !== "");
  const found: string[] = [];
  let module = "";
  let parent = "";
  for (const [i, part] of parts.slice(0, -1).entries()) {
    const own = parent !== "" && part.startsWith(`${parent}.`) ? part.slice(parent.length + 1) : part;
    module = module === "" ? own : `${module}.${own}`;
    parent = part;
    found.push(parts.slice(0, i + 1).join("/"), module);
  }
  return [...new Set(found)];
}
