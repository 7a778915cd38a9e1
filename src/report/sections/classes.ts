/** Where the evidence for the best classes lies: class activation maps side by side, by one method after another. */
import type { HeatMap } from "../../core/result.ts";
import { shapeText } from "../../render/numbers.ts";
import { byMethod } from "../by-method.ts";
import { html } from "../html.ts";
import { targetWords } from "../overlays.ts";
import type { Section } from "../section.ts";

export const classes: Section = byMethod<HeatMap>({
  id: "classes",
  title: "Where the evidence lies",
  summary: "Heat maps of the best classes over the photograph, by several methods.",
  order: 24,
  passes: 3,
  share: 0.05,
  // Each costs a pass forward and one back from the layer.
  methods: ["gradcam", "gradcampp", "layercam", "hirescam", "eigencam"],
  classes: 3,
  kind: "map",
  tone: "quiet",
  photoShare: 0.3,
  growth: 2,
  words: html`<p>What in the photograph speaks for each of its best answers? The network's last feature maps still know roughly <em>where</em> something is;
the colours show where they raise the score of a class. The maps of one method share one scale, so a faint one means little evidence, not a faint picture.</p>`,
  about: ({ layers, map }) =>
    html` Taken at <code>${layers.join(" + ")}</code>, <span class="number">${shapeText(map.dims)}</span>.`,
  caption: targetWords,
});
