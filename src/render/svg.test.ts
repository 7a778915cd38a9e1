import { describe, expect, it } from "vitest";
import { measure, prediction } from "../../test/render/make.ts";
import { measureChart, predictionChart } from "./charts.ts";
import { textWidth } from "./font.ts";
import type { Scene, TextMark } from "./scene.ts";
import { sceneToSvg } from "./svg.ts";

const texts = (scene: Scene): TextMark[] => scene.marks.filter((mark) => mark.kind === "text");

describe("charts", () => {
  it("bars are as long as their shares", () => {
    const scene = predictionChart(
      prediction([
        ["cat", 0.75, 3],
        ["dog", 0.25, 1],
        ["", 0, -9],
      ]),
    );
    const bars = scene.marks.filter((mark) => mark.kind === "rect" && mark.fill === "accent");
    expect(bars.map((bar) => bar.kind === "rect" && bar.width)).toEqual([240, 80, 1]);
    expect(texts(scene).map((mark) => mark.text)).toEqual(["cat", "75.0 %", "dog", "25.0 %", "2", "0.0 %"]);
  });
  it("scores without probabilities start at the least or 0; odd numbers do no harm", () => {
    const scores = predictionChart(
      prediction([
        ["a", null, 3],
        ["b", null, -1],
      ]),
    );
    const bars = scores.marks.filter((mark) => mark.kind === "rect" && mark.fill === "accent");
    expect(bars.map((bar) => bar.kind === "rect" && bar.width)).toEqual([320, 1]);
    for (const v of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const { width } = predictionChart(
        prediction([
          ["a", v, v],
          ["b", null, v],
        ]),
      );
      expect(width).toBeGreaterThan(300);
    }
    expect(predictionChart(prediction([])).height).toBeGreaterThan(0);
  });
  it.each([1, 8, 60, 500])("text never overlaps or leaves the chart with %i layers", (count) => {
    const rows = Array.from(
      { length: count },
      (_, i) => [`stage${i % 4}/block${i}/conv/with/a/long/name`, i / count, i] as const,
    );
    const scene = measureChart(measure(rows));
    const boxes = texts(scene).map((mark) => {
      const width = Math.min(textWidth(mark.text, mark.size), mark.width ?? 1e9);
      const left = mark.align === "end" ? mark.x - width : mark.x;
      return { left, right: left + width, top: mark.y - mark.size * 0.75, bottom: mark.y + mark.size * 0.25 };
    });
    for (const [i, a] of boxes.entries()) {
      expect(a.left >= 0 && a.right <= scene.width && a.top >= 0 && a.bottom <= scene.height).toBe(true);
      const hit = boxes
        .slice(i + 1)
        .some((b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom);
      expect(hit).toBe(false);
    }
  });
});

describe("SVG", () => {
  it("escapes, names itself, and takes its colours from variables", () => {
    const svg = sceneToSvg(predictionChart(prediction([['<b> & "c" \u0000\ud800', 0.5, 1]])));
    expect(svg).toContain("&lt;b&gt; &amp; &quot;c&quot; \ufffd\ufffd");
    expect(svg).not.toContain("<b>");
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="0 0 [\d.]+ [\d.]+"/);
    expect(svg).toContain("var(--convlens-accent,rgb(47,98,168))");
    expect(svg).toContain("<title>");
    expect(svg.match(/<(rect|text|svg|title)\b/g)!.length).toBe(svg.match(/<\/(rect|text|svg|title)>/g)!.length);
  });
  it("gives a shortened text whole on hover", () => {
    const long = "a label far too long for the room it has in a chart of predictions";
    expect(sceneToSvg(predictionChart(prediction([[long, 0.5, 1]])))).toContain(`<title>${long}</title>a label`);
  });
  it("shows pictures by the address it is given", () => {
    const picture = { width: 2, height: 1, data: new Uint8Array(8) };
    const scene: Scene = {
      width: 9,
      height: 9,
      title: "",
      marks: [{ kind: "picture", x: 1, y: 2, picture, across: 3, down: 4 }],
    };
    expect(sceneToSvg(scene, () => "data:x")).toContain('<image x="1" y="2" width="6" height="4" href="data:x"');
    expect(() => sceneToSvg(scene)).toThrow(/pictureUrl/);
  });
});
