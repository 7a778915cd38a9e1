import { expect, test } from "vitest";
import { escapeHtml, html } from "./html.ts";

test("a template escapes what is put into it, as text and in attributes", () => {
  expect(html`<b title="${`" onload='x'`}">${"<script>&"}</b>`.markup).toBe(
    '<b title="&quot; onload=&#39;x&#39;">&lt;script&gt;&amp;</b>',
  );
});

test("templates nest, lists join, and nothing stays nothing", () => {
  const rows = ["a", "<b>"].map((name) => html`<li>${name}</li>`);
  expect(html`<ul>${rows}</ul>${undefined}${false}${null}${0}`.markup).toBe("<ul><li>a</li><li>&lt;b&gt;</li></ul>0");
});

test("characters that HTML forbids are replaced, line breaks and accents stay", () => {
  expect(escapeHtml("a\u0000b\u001bc\ud800d\ne\u0301 \u{1f408}")).toBe("a\ufffdb\ufffdc\ufffdd\ne\u0301 \u{1f408}");
});
