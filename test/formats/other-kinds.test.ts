/** Files that Convlens does not open: each known kind answers with how to export it, all others say what they look like. */
import { readdirSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { ConvlensError } from "../../src/core/errors.ts";
import { formats, readModel } from "../../src/formats/index.ts";
import { otherKinds } from "../../src/formats/other-kinds.ts";
import { nodePlatform } from "../../src/platform/node.ts";
import { fixturePath } from "./fixtures.ts";

const OPENED = "Convlens opens ONNX (.onnx), Keras (.h5, .keras) and TensorFlow.js (model.json) files";

/** `ID.ext` or `ID.what.ext`: a sample of the kind ID. */
const samples = readdirSync(fixturePath("other-kinds")).filter((name) => name !== "make.py");
const idOf = (sample: string): string => sample.split(".")[0]!;

async function failure(what: string | Uint8Array, name?: string): Promise<ConvlensError> {
  const error = await readModel(await nodePlatform.open(what, name)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConvlensError)) throw new Error(`no ConvlensError but ${String(error)}`);
  return error;
}

/** The standard's decoder for "latin1": bytes from 0x80 to 0x9f are punctuation far outside Latin-1. Some Nodes skip that. */
class Windows1252 {
  decode(bytes: Uint8Array): string {
    return Array.from(bytes, (byte) => String.fromCharCode(byte >= 0x80 && byte < 0xa0 ? 0x2000 + byte : byte)).join(
      "",
    );
  }
}

describe("kinds", () => {
  it.each(otherKinds.map((kind) => kind.id))("%s has a sample", (id) => {
    expect(samples.filter((sample) => idOf(sample) === id)).not.toEqual([]);
  });

  it.each(samples)("%s is answered with its recipe", async (sample) => {
    const kind = otherKinds.find(({ id }) => id === idOf(sample))!;
    const error = await failure(fixturePath(`other-kinds/${sample}`));
    expect(error.code).toBe("format-unsupported");
    const [line, ...recipe] = error.message.split("\n");
    expect(line).toContain(`${sample} is ${kind.title}`);
    expect(recipe.map((text) => text.trim())).toEqual(kind.recipe);
  });

  it.each(samples)("%s is known as well where Latin-1 means windows-1252, as in browsers", async (sample) => {
    const source = await nodePlatform.open(fixturePath(`other-kinds/${sample}`));
    const head = await source.read(0, Math.min(4096, source.size));
    vi.stubGlobal("TextDecoder", Windows1252);
    const kind = otherKinds.find(({ match }) => match(head, sample));
    vi.unstubAllGlobals();
    expect(kind?.id).toBe(idOf(sample));
  });

  it.each(samples)("%s is no model of a format that is opened", async (sample) => {
    const source = await nodePlatform.open(fixturePath(`other-kinds/${sample}`));
    const head = await source.read(0, Math.min(4096, source.size));
    expect(formats.filter((format) => format.match(head, sample)).map((format) => format.id)).toEqual([]);
    expect(otherKinds.filter((kind) => kind.match(head, sample)).map((kind) => kind.id)[0]).toBe(idOf(sample));
  });
});

it.each(["\n", " ", "# \n", "layer {", "{ ", '{"a":', "<net "])(
  "a file of nothing but %j is answered",
  async (text) => {
    const error = await failure(new TextEncoder().encode(text.repeat(4096 / text.length)), "m.txt");
    expect(error.code).toBe("format-unknown");
  },
);

describe("unknown content", () => {
  const text = (content: string): Uint8Array => new TextEncoder().encode(content);
  it.each<[string, Uint8Array, string]>([
    [
      "a Git LFS pointer",
      text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 13964571\n"),
      'm.onnx is a Git LFS pointer, not the file itself; run "git lfs pull" in its repository, or download the file from its web page',
    ],
    [
      "a web page",
      text("\n<!DOCTYPE html>\n<html><head><title>Not found</title></head></html>"),
      "m.onnx is a web page, not a model: the download gave the page about the file; use the page's download link (on GitHub: Raw)",
    ],
    [
      "text",
      text("read me first\nplease"),
      `m.onnx is a text file that begins with "read me first", not a model. ${OPENED}`,
    ],
    [
      "a zip archive",
      text("PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\0\0\0readme.txt"),
      `m.onnx is a zip archive of no known kind; unpack it and name the model inside. ${OPENED}`,
    ],
    [
      "gzip",
      Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0),
      `m.onnx is compressed with gzip; unpack it first (gunzip or tar -xzf). ${OPENED}`,
    ],
    ["zeros", new Uint8Array(100), "m.onnx holds zeros only; the download is incomplete, get the file again"],
    [
      "noise",
      Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70, 73, 70),
      `m.onnx is no model of a known kind: its 10 bytes begin with ff d8 ff e0 00 10 4a 46. ${OPENED}`,
    ],
  ])("%s", async (_, bytes, message) => {
    const error = await failure(bytes, "m.onnx");
    expect(`${error.code}: ${error.message}`).toBe(`format-unknown: ${message}`);
  });
});
