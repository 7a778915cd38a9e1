/** The report of a made-up network: what is on the page, what is left out and why, and that nothing breaks out of it. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { ConvlensError } from "../../src/core/errors.ts";
import { float32 } from "../../src/core/tensor.ts";
import type { Model } from "../../src/model/model.ts";
import { makeReport, reportSections } from "../../src/report/index.ts";
import { script } from "../../src/report/page/script.ts";
import { style } from "../../src/report/page/style.ts";
import { sections } from "../../src/report/sections/index.ts";
import { fakeModel, fakePicture } from "./fake.ts";

const photo = { picture: fakePicture(30, 20), name: "photo.png", bytes: new Uint8Array([97, 98, 99]) };
const ids = sections.map(({ id }) => id);

test("the registry: plain unique names, sentences, an order, and shares that leave room", () => {
  expect(new Set(ids).size).toBe(ids.length);
  expect(reportSections.map(({ id }) => id)).toEqual(ids);
  for (const { id, title, summary } of sections) {
    expect(id).toMatch(/^[a-z][a-z-]*$/);
    expect(title).toMatch(/^[A-Z].*[^.]$/);
    expect(summary).toMatch(/^[A-Z].*\.$/);
  }
  const orders = sections.map(({ order }) => order);
  expect(orders).toEqual([...new Set(orders)].sort((a, b) => a - b));
  expect(sections.reduce((sum, { share }) => sum + share, 0)).toBeLessThanOrEqual(1);
});

test("every section stands on the page under its heading, and the contents list links to it", async () => {
  const report = await makeReport(fakeModel(), photo);
  expect(report.sections).toEqual(ids);
  for (const { id, title } of sections) {
    expect(report.html).toContain(
      `<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>`,
    );
    expect(report.html).toContain(`<a href="#${id}">${title}</a>`);
  }
  expect(report.html).toContain("It answers <strong>cat</strong>, with a probability of 90.0\u00a0%.");
  expect(report.html).not.toContain("Left out");
});

test("the same run gives the same bytes", async () => {
  const [a, b] = [await makeReport(fakeModel(), photo), await makeReport(fakeModel(), photo)];
  expect(a.html).toBe(b.html);
});

test("the policy allows this style and script by their hashes, data pictures, and nothing else", async () => {
  const { html } = await makeReport(fakeModel(), photo);
  const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  const policy = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/
    .exec(html)![1]!
    .replaceAll("&#39;", "'");
  expect(policy.split("; ")).toEqual([
    "default-src 'none'",
    "img-src data:",
    `style-src ${hash(style)}`,
    `script-src ${hash(script)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ]);
  expect(html).toContain(`<style>${style}</style>`);
  expect(html).toContain(`<script>${script}</script>`);
  expect(html).not.toMatch(/<[^>]*\s(style|on[a-z]+)=/i);
  expect(html).not.toMatch(/(src|href)="(?!data:|#)/);
});

test("made: command, versions, checksums, options", async () => {
  const { html } = await makeReport(fakeModel(), photo, {
    command: "convlens report 'a & b.png'",
    versions: { convlens: "1.2.3" },
    seed: 7,
  });
  expect(html).toContain("convlens report &#39;a &amp; b.png&#39;");
  expect(html).toContain("<dt>convlens</dt><dd>1.2.3</dd>");
  expect(html).toContain("0".repeat(64));
  expect(html).toContain("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect(html).toContain("budget 60 s, at most 15 MB, seed 7");
});

test("hostile names stay text", async () => {
  const evil = `"'><img src=x onerror=alert(1)></script><script>alert(2)</script><!--`;
  const model = fakeModel({ name: evil, labels: [evil, `${evil} 2`], layerNames: [evil, `${evil} 1`, `${evil} 2`] });
  const noted: Model = { ...model, notes: [evil], description: evil, engineName: evil };
  const { html } = await makeReport(noted, { ...photo, name: evil }, { command: evil, versions: { [evil]: evil } });
  expect(html.match(/<script/g)).toHaveLength(1);
  expect(html.match(/<\/script/g)).toHaveLength(1);
  expect(html).not.toContain("<!--");
  expect(html).not.toContain("<img src=x");
  // Outside of quoted values, which may say anything, no tag has a handler.
  const tags = html.slice(html.indexOf("<body>"), html.indexOf("<script>")).match(/<(?:"[^"]*"|[^">])*>/g)!;
  expect(tags.map((tag) => tag.replace(/"[^"]*"/g, "")).filter((tag) => /\son\w+/.test(tag))).toEqual([]);
});

test("sections can be left out by name, and the page says what was not wanted", async () => {
  const report = await makeReport(fakeModel(), photo, { without: ["filters", "sparsity"] });
  expect(report.sections).toEqual(ids.filter((id) => id !== "filters" && id !== "sparsity"));
  expect(report.html).not.toContain('id="filters"');
  expect(report.notes).toContain('section "filters" was not wanted');
});

test("unknown sections are refused with the nearest name, contradictions by name", async () => {
  await expect(makeReport(fakeModel(), photo, { with: ["sparsty"] })).rejects.toThrow(
    /"with" names the section "sparsty", which does not exist\. Did you mean "sparsity"\?/,
  );
  await expect(makeReport(fakeModel(), photo, { with: ["made"], without: ["made"] })).rejects.toThrow(
    /"made" is both in "with" and in "without"/,
  );
});

test("with no time left, what needs the network is left out with the way to get it, unless it was asked for", async () => {
  const report = await makeReport(fakeModel(), photo, { budget: 0, with: ["sparsity"] });
  expect(report.sections).toEqual(["photograph", "summary", "filters", "sparsity", "made"]);
  expect(report.html).toContain('<section id="left-out"');
  expect(report.html).toContain("ask for it by name (--with activations)");
});

test("a network that cannot be looked into still gets a report, with the reason", async () => {
  const report = await makeReport(fakeModel({ opaque: "it has a Loop" }), photo);
  expect(report.sections).toEqual(["photograph", "prediction", "summary", "attack", "made"]);
  expect(report.html).toContain("Reason: it has a Loop");
});

test("networks that do not take one picture are refused", async () => {
  const model = fakeModel();
  const flat = { ...model.input, shape: [null, 784] };
  await expect(makeReport({ ...model, input: flat, inputs: [flat] }, photo)).rejects.toMatchObject({
    code: "model-unsupported",
    message: expect.stringContaining('its input "picture" has the shape (None, 784)'),
  });
  await expect(makeReport({ ...model, inputs: [model.input, flat] }, photo)).rejects.toThrow(/it has 2 inputs/);
});

test("without an answer in classes, or a choice between heads, the sections that need none are still made", async () => {
  for (const code of ["model-unsupported", "option-invalid"] as const) {
    const refuse = (): never => {
      throw new ConvlensError(code, "2 independent outputs: choose one with --head");
    };
    const headless = { ...fakeModel(), head: refuse, predict: async () => refuse(), gradient: async () => refuse() };
    const report = await makeReport(headless, photo);
    expect(report.sections).toEqual(
      expect.arrayContaining(["photograph", "summary", "activations", "filters", "sparsity", "made"]),
    );
    expect(report.sections).not.toContain("prediction");
    // One note for all that have the same reason.
    expect(report.notes.filter((note) => note.includes("left out"))).toEqual([
      expect.stringMatching(/^sections "prediction", .* are left out: .*--head/),
    ]);
  }
});

test("an aborted report stops, a running one says how far it is", async () => {
  const controller = new AbortController();
  const steps: string[] = [];
  const running = makeReport(fakeModel(), photo, {
    signal: controller.signal,
    onProgress: (done, total, what) => {
      expect(done).toBeLessThanOrEqual(total);
      steps.push(what);
      if (what === "How it is built") controller.abort();
    },
  });
  await expect(running).rejects.toMatchObject({ code: "cancelled" });
  expect(steps).toContain("What it answers");
  expect(steps).not.toContain("How empty the layers are");
});

test("pictures keep to the size limit: fewer channels, and the page says so", async () => {
  const small = await makeReport(fakeModel({ side: 64 }), photo, { sizeLimit: 620_000 });
  const large = await makeReport(fakeModel({ side: 64 }), photo);
  const tiles = (html: string): number => html.match(/class="tile/g)!.length;
  expect(tiles(small.html)).toBeLessThan(tiles(large.html));
  expect(small.html.length).toBeLessThan(620_000);
  expect(small.notes.join()).toMatch(/only the first channels \(conv2d \d of 4/);
});

test("a dead channel is drawn as dead and counted", async () => {
  const { html } = await makeReport(fakeModel(), photo);
  expect(html).toContain('<button type="button" class="tile dead" data-channel="3"');
  expect(html).toContain('alt="channel 3: 0 everywhere, dead"');
  expect(html).toContain("4 channels of 12 × 12, 1 dead");
});

test("filters over many channels become one table of grey squares", async () => {
  const model = fakeModel();
  const [conv, ...rest] = await model.layers();
  const kernel = float32(
    [3, 3, 8, 4],
    Array.from({ length: 288 }, (_, i) => i),
  );
  const deep: Model = {
    ...model,
    layers: async () => [{ ...conv!, weights: [{ ...conv!.weights[0]!, shape: kernel.dims }] }, ...rest],
    weight: async () => kernel,
  };
  const { html } = await makeReport(deep, photo);
  expect(html).toContain("kernel (3, 3, 8, 4)");
  expect(html).toContain('alt="Weights of conv2d: a row for each filter"');
});

test("heat maps: the best classes beside each other on one scale, the layers, the pixels", async () => {
  const { html, results } = await makeReport(fakeModel({ labels: ["cat", "dog", "owl", "<b>"] }), photo);
  const part = (id: string) => new RegExp(`<section id="${id}"[\\s\\S]*?</section>`).exec(html)![0];
  const classes = part("classes");
  expect(classes.match(/<b>(cat|dog|owl)<\/b>/g)!.slice(0, 3)).toEqual(["<b>cat</b>", "<b>dog</b>", "<b>owl</b>"]);
  const groups = classes.match(/data-method="[^"]+"/g)!;
  expect(groups[0]).toBe('data-method="gradcam"');
  expect(classes.match(/<svg viewBox/g)).toHaveLength(3 * groups.length);
  // The photograph itself stands once on the page for all maps of a section.
  expect(classes.match(/<image id=/g)).toHaveLength(1);
  expect(part("depth").match(/<svg viewBox/g)).toHaveLength(1);
  expect(part("pixels").match(/data-method="[^"]+"/g)).toEqual(['data-method="gradient"', 'data-method="ig"']);
  expect(results.filter(({ kind }) => kind === "map").length).toBeGreaterThanOrEqual(4);
});

test("heat maps stay within their share of the page", async () => {
  const { html } = await makeReport(fakeModel({ side: 64 }), photo, { sizeLimit: 1_200_000 });
  for (const { id, share } of sections.filter((section) => ["classes", "depth", "pixels"].includes(section.id))) {
    const size = new RegExp(`<section id="${id}"[\\s\\S]*?</section>`).exec(html)![0].length;
    // Text is not counted; the photograph is never less than a few kB.
    expect(size).toBeLessThan(600_000 * share + 14_000);
  }
});

test("a section that cannot be made says why", async () => {
  const model: Model = {
    ...fakeModel(),
    gradient: async () => {
      throw new ConvlensError("model-unsupported", 'operator Frobnicate (node "f") has no gradient');
    },
  };
  const report = await makeReport(model, photo);
  expect(report.sections).toEqual(ids.filter((id) => !["classes", "depth", "pixels"].includes(id)));
  expect(report.html).toContain("operator Frobnicate (node &quot;f&quot;) has no gradient");
});
