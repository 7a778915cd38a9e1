/** Compiles the package and serves it as a web page would get it: an import map, no bundler. */
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** What a page needs to find the dependencies: the same lines stand in docs for pages without a bundler. */
const importMap = {
  imports: {
    "convlens/web": "/package/dist/web.js",
    "@bufbuild/protobuf": "/node_modules/@bufbuild/protobuf/dist/esm/index.js",
    "@bufbuild/protobuf/codegenv2": "/node_modules/@bufbuild/protobuf/dist/esm/codegenv2/index.js",
    "@jsquash/": "/node_modules/@jsquash/",
    fflate: "/node_modules/fflate/esm/browser.js",
    "onnxruntime-web/webgpu": "/node_modules/onnxruntime-web/dist/ort.webgpu.bundle.min.mjs",
    "onnxruntime-web/wasm": "/node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs",
  },
};

const page = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify(importMap)}</script>
<script type="module">import * as convlens from "convlens/web"; window.convlens = convlens;</script><title>convlens</title>`;

const types: Readonly<Record<string, string>> = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
  ".json": "application/json",
};

/** The compiler's output for every source, without its checks: `npm run build` writes the same files. */
function build(): ReadonlyMap<string, string> {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const changed = { noEmit: false, module: "ESNext", moduleResolution: "Bundler" };
  const { options } = ts.convertCompilerOptionsFromJson({ ...config.compilerOptions, ...changed }, root);
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  return new Map(
    sources
      .filter((file) => /\.ts$/.test(file) && !/\.(test|d)\.ts$/.test(file))
      .map((file) => {
        const text = readFileSync(join(root, "src", file), "utf8");
        const { outputText } = ts.transpileModule(text, { compilerOptions: options, fileName: file });
        return [`/package/dist/${file.replaceAll("\\", "/").replace(/\.ts$/, ".js")}`, outputText];
      }),
  );
}

/** Serves the page at `url`, and `files` beside it by name. */
export async function servePackage(
  files: Readonly<Record<string, Uint8Array>>,
): Promise<{ url: string; close: () => Promise<void> }> {
  const built = build();
  const answer = async (path: string): Promise<Uint8Array | string> => {
    if (path === "/") return page;
    if (files[path.slice(1)]) return files[path.slice(1)]!;
    const inside = normalize(path);
    const script = built.get(path);
    if (script !== undefined) return script;
    if (inside.startsWith("/package/models/")) return readFile(join(root, inside.slice("/package".length)));
    return readFile(join(root, "node_modules", inside.replace(/^\/node_modules\//, "")));
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
