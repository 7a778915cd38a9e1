/** Names that nothing in a graph has yet. */

/**
 * A maker of names that are not in `taken`, which it adds to: the wanted one where it is free, else with `_1`, `_2` …
 * behind it. Counting goes on where it stopped: the same name wanted a thousand times costs a thousand steps.
 */
export function freshNames(taken: Set<string>): (wanted: string) => string {
  const counts = new Map<string, number>();
  return (wanted) => {
    let name = wanted;
    for (let i = counts.get(wanted) ?? 1; taken.has(name); i++) {
      name = `${wanted}_${i}`;
      counts.set(wanted, i + 1);
    }
    taken.add(name);
    return name;
  };
}
