/** Serves the built package (`npm run build`) as a web page would get it: an import map, no bundler. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Where a page finds the modules: the lines that the example page has. */
const importMap = /<script type="importmap">[\s\S]*?<\/script>/.exec(
  readFileSync(join(root, "examples/page.html"), "utf8"),
)![0];

const page = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">${importMap}
<script type="module">import * as convlens from "convlens/web"; window.convlens = convlens;</script><title>convlens</title>`;

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
  ".json": "application/json",
};

/** Serves the page at `url`, and `files` beside it by name. */
export async function servePackage(
  files: Readonly<Record<string, Uint8Array>>,
): Promise<{ url: string; close: () => Promise<void> }> {
  const answer = async (path: string): Promise<Uint8Array | string> => {
    if (path === "/") return page;
    if (files[path.slice(1)]) return files[path.slice(1)]!;
    return readFile(join(root, normalize(path)));
  };
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    answer(path).then(
      (body) => {
        const type = path === "/" ? "text/html" : (types[extname(path)] ?? "application/octet-stream");
        response.writeHead(200, { "content-type": type }).end(body);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://localhost:${address.port}/`,
    close: async () => {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
