import { describe, expect, it } from "vitest";
import type { Attack, ClassScore } from "../core/result.ts";
import { attackScene, attackText } from "./attack.ts";
import { sceneToPicture } from "./scene.ts";

const score = (index: number, label: string, probability: number): ClassScore => ({
  index,
  label,
  probability,
  score: 0,
});
const answer = (...all: ClassScore[]) => ({ ...all[0]!, predictions: all });
function attackOf(change: Partial<Attack>, levels: readonly [number, number, number]): Attack {
  const data = new Uint8ClampedArray(8 * 8 * 4).fill(100);
  for (let i = 3; i < data.length; i += 4) data[i] = 255;
  const attacked = new Uint8ClampedArray(data);
  attacked.set(levels, 4 * (2 * 8 + 5));
  return {
    kind: "attack",
    title: "One-pixel attack",
    success: true,
    targeted: false,
    to: null,
    queries: 1234,
    gradients: 0,
    ended: "success",
    margin: { before: 2, after: -0.5 },
    pixels: [{ x: 5, y: 2, from: [100, 100, 100], to: levels }],
    distance: { pixels: 1, l2: 1, max: 155 },
    before: answer(score(0, "cat", 0.9), score(1, "dog", 0.1)),
    after: answer(score(1, "dog", 0.6), score(0, "cat", 0.4)),
    original: { width: 8, height: 8, data },
    attacked: { width: 8, height: 8, data: attacked },
    origin: { model: { name: "m", sha256: "" }, method: "one-pixel", options: {}, engine: "" },
    notes: [],
    ...change,
  };
}
const words = (attack: Attack): string[] =>
  attackScene(attack).marks.flatMap((mark) => (mark.kind === "text" ? [mark.text] : []));

describe("the drawing of an attack", () => {
  it("enlarges by a whole factor, rings the pixel in all three panels, and lists its colours", () => {
    const { marks } = attackScene(attackOf({}, [255, 0, 0]));
    const panels = marks.flatMap((mark) => (mark.kind === "picture" && mark.across > 20 ? [mark] : []));
    expect(panels.map(({ across, down }) => [across, down])).toEqual([
      [37, 37],
      [37, 37],
      [37, 37],
    ]);
    const rings = marks.flatMap((mark) => (mark.kind === "rect" && mark.fill === "surface" ? [mark] : []));
    expect(rings.length).toBe(3 * 4);
    for (const [i, panel] of panels.entries())
      expect(rings[4 * i]).toMatchObject({ x: panel.x + 5 * 37 - 6, y: panel.y + 2 * 37 - 6 });
    expect(words(attackOf({}, [255, 0, 0]))).toEqual(
      expect.arrayContaining(["(5, 2)", "100 100 100", "255 0 0", "90.0 %", "60.0 %"]),
    );
  });

  it("states how much the difference is magnified", () => {
    expect(words(attackOf({}, [255, 0, 0]))).toContain("difference × 0.5, around grey");
    expect(words(attackOf({}, [104, 100, 96]))).toContain("difference × 31, around grey");
    expect(words(attackOf({}, [100, 100, 100]))).toContain("difference: none");
    const small = attackScene(attackOf({}, [104, 100, 96])).marks.find(
      (mark) => mark.kind === "picture" && mark.title?.startsWith("difference"),
    );
    const at = 4 * (2 * 8 + 5);
    expect([...(small as { picture: { data: Uint8ClampedArray } }).picture.data.slice(at, at + 3)]).toEqual([
      252, 128, 4,
    ]);
  });

  it("gives a class that is not listed in one of the answers a bound, not an empty bar", () => {
    const after = answer(score(2, "frog", 0.6), score(0, "cat", 0.3));
    expect(words(attackOf({ after }, [255, 0, 0]))).toEqual(expect.arrayContaining(["≤ 10.0 %", "≤ 30.0 %"]));
    const sure = answer(score(0, "cat", 0.9999), score(1, "dog", 0.00001));
    expect(words(attackOf({ before: sure, after }, [255, 0, 0])).filter((word) => word === "< 0.1 %")).toHaveLength(2);
  });

  it("draws the wanted class however far behind it is, and bounds others by the best five", () => {
    const names = ["cat", "dog", "frog", "bird", "ship", "deer"];
    const sixth = (p: number) => names.map((name, i) => score(i, name, i === 5 ? p : 0.3 - 0.05 * i));
    const [before, after] = [answer(...sixth(0.001)), answer(...sixth(0.002).filter(({ label }) => label !== "dog"))];
    const all = words(attackOf({ success: false, before, after, to: { index: 5, label: "deer" } }, [255, 0, 0]));
    expect(names.filter((name) => all.includes(name))).toEqual(["cat", "dog", "frog", "bird", "deer"]);
    expect(all).toEqual(expect.arrayContaining(["0.1 %", "0.2 %"]));
    const goat = answer(score(6, "goat", 0.5), score(0, "cat", 0.2));
    const open = words(attackOf({ before, after: goat }, [255, 0, 0]));
    expect(open).toContain("≤ 10.0 %");
    expect(open).not.toContain("deer");
  });

  it("says of a failure what was tried, and why it ended", () => {
    const failed = attackOf(
      { success: false, ended: "budget", margin: { before: 2, after: 0.25 }, to: { index: 1, label: "dog" } },
      [255, 0, 0],
    );
    const text = attackText({ ...failed, after: failed.before });
    expect(text).toContain("cat stays cat, wanted was dog");
    const other = answer(score(2, "frog", 0.6), score(0, "cat", 0.4));
    expect(attackText({ ...failed, after: other })).toContain("cat becomes frog, wanted was dog");
    expect(text).toContain("1,234 pictures judged, the budget is used up; the closest margin is 0.25, at first 2");
  });

  it("draws pictures of any shape", () => {
    const scene = attackScene(attackOf({ pixels: [] }, [1, 2, 3]));
    expect(sceneToPicture(scene).width).toBe(Math.ceil(scene.width));
    expect(scene.marks.some((mark) => mark.kind === "rect" && mark.fill === "surface")).toBe(false);
  });
});
