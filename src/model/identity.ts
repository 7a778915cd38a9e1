/** Numbers for objects that have no name: overlays, functions, graphs of one's own. Sessions are kept under them. */
const identities = new WeakMap<object, number>();
let last = 0;

/** The same number as long as the object lives. */
export function identity(thing: object): number {
  const known = identities.get(thing) ?? ++last;
  identities.set(thing, known);
  return known;
}
