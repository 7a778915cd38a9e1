/** What stands in the place of a preset's parts. */
import { expect, it } from "vitest";
import { resolveOptions } from "../method.ts";
import { chosenPreset, type VisualizeOptions } from "./job.ts";
import { presets } from "./presets.ts";
import { visualize } from "./visualize.ts";

it("a preset's epsilon goes with its optimiser and the size of its gradients", () => {
  const preset = presets.find(({ id }) => id === "class")!;
  const chosen = (given: Partial<VisualizeOptions>) =>
    chosenPreset(preset, resolveOptions<VisualizeOptions>(visualize.options, given), {}).epsilon;
  expect(chosen({})).toBe(1);
  expect(chosen({ optimizer: "rmsprop" })).toBeUndefined();
  expect(chosen({ normalize: "none" })).toBeUndefined();
});
