/** "Did you mean": the names nearest to a mistyped one. */

/** The number of single-character edits (insert, delete, replace, swap neighbours) that turn `a` into `b`. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1);
      row.push(best);
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
}

/** Up to `most` names that are near to `name`, nearest first; case, `_`, `-` and spaces do not count. */
export function nearest(name: string, names: Iterable<string>, most = 3): string[] {
  const plain = (s: string) => s.toLowerCase().replace(/[\s_-]+/g, "");
  const wanted = plain(name);
  const limit = Math.max(2, Math.floor(wanted.length / 3));
  const near = [...names]
    .map((candidate) => {
      const other = plain(candidate);
      const contains = other !== wanted && wanted.length >= 3 && other.includes(wanted);
      return { candidate, cost: contains ? 0.5 : distance(wanted, other) };
    })
    .filter(({ cost }) => cost <= limit)
    .sort((a, b) => a.cost - b.cost);
  const same = near.filter(({ cost }) => cost === 0);
  return (same.length > 0 ? same : near).slice(0, most).map(({ candidate }) => candidate);
}

/** ` Did you mean "x" or "y"?` or an empty string. `meant` has other words, and the name that each stands for. */
export function didYouMean(
  name: string,
  names: Iterable<string>,
  meant: ReadonlyMap<string, string> = new Map(),
): string {
  const near = nearest(name, [...names, ...meant.keys()]).map((word) => meant.get(word) ?? word);
  return near.length === 0 ? "" : ` Did you mean ${[...new Set(near)].map((n) => `"${n}"`).join(" or ")}?`;
}
