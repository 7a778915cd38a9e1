/**
 * `beside-engine.mjs FILE OPTIONS`: the share of a step of gradient ascent that is not spent in calls of the engine, of
 * processor time with one thread, as JSON. A program of its own, because code that has run for another preset before is
 * slower.
 */
import { visualize } from "../dist/index.js";
import { openModel } from "../dist/node.js";

const [file, given] = process.argv.slice(2);
const steps = 96;
const real = await openModel(file, { threads: 1 });
let inside = 0;
const used = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};
const stopwatch = () => ({ inside, used: used(), now: performance.now() });
const counted = async (run) => {
  const before = used();
  const answer = await run();
  inside += used() - before;
  return answer;
};
const model = {
  ...real,
  gradient: (feeds, options) => counted(() => real.gradient(feeds, options)),
  compute: (graph, feeds) => counted(() => real.compute(graph, feeds)),
};
// From the first batch's first step to its last, without what a run does before and after.
let [first, last] = [stopwatch(), stopwatch()];
const onStep = ({ batch, step }) => {
  if (batch === 0 && step === 1) first = stopwatch();
  if (batch === 0 && step === steps) last = stopwatch();
};
await visualize.run(model, {}, { ...JSON.parse(given), steps, onStep });
await real.release();
console.log(
  JSON.stringify({
    share: 1 - (last.inside - first.inside) / (last.used - first.used),
    ms: (last.now - first.now) / (steps - 1),
  }),
);
