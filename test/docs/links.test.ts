/** Every link of the pages that goes to a file of the repository, or to a heading, leads somewhere. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pagesOf = (folder: string, recursive: boolean): string[] =>
  readdirSync(join(root, folder), { recursive, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));
const pages = [
  ...pagesOf(".", false),
  ...["docs", "examples", "models", "bench"].flatMap((folder) => pagesOf(folder, true)),
];

/** The page without what is shown as code. */
const prose = (text: string): string => text.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "code");

/** The anchors of a page's headings, as GitHub makes them. */
function anchors(text: string): string[] {
  const shown = text.replace(/^```[\s\S]*?^```/gm, "");
  return Array.from(shown.matchAll(/^#+ +(.+?) *$/gm), ([, heading]) =>
    heading!
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

describe.each(pages)("%s", (page) => {
  const text = readFileSync(join(root, page), "utf8");
  const links = Array.from(
    prose(text).matchAll(/\]\(([^)\s]+)[^)]*\)|<(?:a|img)[^>]* (?:href|src)="([^"]+)"/g),
    (match) => match[1] ?? match[2]!,
  );
  const local = links.filter((link) => !/^(https?|mailto):/.test(link));

  test("names files and headings that exist", () => {
    const broken = local.filter((link) => {
      const [path = "", anchor] = decodeURIComponent(link).split("#");
      const file = path === "" ? join(root, page) : join(root, dirname(page), path);
      if (!existsSync(file)) return true;
      return anchor !== undefined && !anchors(readFileSync(file, "utf8")).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});
