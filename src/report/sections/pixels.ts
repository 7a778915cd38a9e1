/** Single pixels: the gradient of the best class, and integrated gradients. */
import type { Attribution } from "../../core/result.ts";
import { short } from "../../render/numbers.ts";
import { byMethod } from "../by-method.ts";
import { type Html, html } from "../html.ts";
import { targetWords } from "../overlays.ts";
import type { Section } from "../section.ts";

export const pixels: Section = byMethod<Attribution>({
  id: "pixels",
  title: "The evidence, pixel by pixel",
  summary: "The gradient of the best class's score, and integrated gradients, which add up to the score.",
  order: 28,
  passes: 4,
  share: 0.04,
  methods: ["gradient", "ig"],
  classes: 1,
  kind: "attribution",
  tone: "faint",
  photoShare: 0.25,
  // Passes of integrated gradients for each of the gradient's.
  growth: 50,
  words: html`<p>Class activation maps are as coarse as the layer they come from. These go back to the numbers that the network was given, one for each pixel and colour.
They are finer and noisier: read where many strong pixels gather, not single ones.</p>`,
  about: () => undefined,
  caption: (result) => html`${targetWords(result)}${sumOf(result)}`,
});

/** What the numbers add up to, for a method that promises it. */
const sumOf = ({ completeness }: Attribution): Html | undefined =>
  completeness &&
  html` <span>All values together: <span class="number">${short(completeness.sum)}</span>; they should sum to <span class="number">${short(completeness.expected)}</span>.</span>`;
