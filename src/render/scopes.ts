/**
 * Rows of a layer table by the modules that their exporter named: `/layer4/layer4.0/conv1/Conv` stands under
 * `/layer4/layer4.0/`. Only names that are such paths are grouped.
 */
import type { Layer } from "../core/layers.ts";

/** Layers that stand one behind the other in one scope; "" for those that stand alone. */
export interface ScopeRun {
  /** The beginning that the names share, with its slash. */
  readonly scope: string;
  readonly layers: readonly Layer[];
}

/** A scope of more rows than this is shown by the scopes inside it: a stage of many blocks by its blocks. */
const mostRows = 16;

/** The table in order, cut where the scope changes. */
export function scopeRuns(layers: readonly Layer[]): readonly ScopeRun[] {
  const counts = new Map<string, number>();
  for (const layer of layers) for (const scope of scopesOf(layer)) counts.set(scope, (counts.get(scope) ?? 0) + 1);
  const runs: { scope: string; layers: Layer[] }[] = [];
  for (const layer of layers) {
    const scope = shownScope(layer, counts);
    const last = runs.at(-1);
    if (last?.scope === scope) last.layers.push(layer);
    else runs.push({ scope, layers: [layer] });
  }
  return runs.map((run) => (run.layers.length === 1 ? { ...run, scope: "" } : run));
}

/** The widest scope that is small enough, else the narrowest one that holds another row, too. */
function shownScope(layer: Layer, counts: ReadonlyMap<string, number>): string {
  let shown = "";
  for (const scope of scopesOf(layer)) {
    const rows = counts.get(scope)!;
    if (rows < 2) break;
    shown = scope;
    if (rows <= mostRows) break;
  }
  return shown;
}

/** The scopes that a name stands in, the widest first. */
function scopesOf({ name, isPath }: Layer): string[] {
  const found: string[] = [];
  for (let at = isPath ? name.indexOf("/", 1) : -1; at >= 0 && at < name.length - 1; at = name.indexOf("/", at + 1))
    found.push(name.slice(0, at + 1));
  return found;
}
