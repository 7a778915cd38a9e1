/** `visualize` as a process: its files say the same as its numbers, and it can be stopped and gone on with. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readNpy, writeNpy } from "../../src/core/npy.ts";
import { float32 } from "../../src/core/tensor.ts";
import { decodePngFile } from "./files.ts";
import { convlens, folder, program } from "./run.ts";

const root = folder();
const json = (path: string) => JSON.parse(readFileSync(path, "utf8"));
const small = ["visualize", "--layer", "conv2d", "--channel", "4,7,30", "--size", "48", "--steps", "4"];

it("writes sheet, pictures, numbers and frames", async () => {
  const out = join(root, "all");
  const run = await convlens([...small, "--npy", "--frames", "2", "--out", out, "--json"]);
  expect(run.stderr).toContain("the demo network");
  expect(run.code).toBe(0);
  const names = [4, 7, 30].map((channel) => `visualize.channel-${channel}.png`);
  expect(readdirSync(out).sort()).toEqual(
    [...names, "visualize.apng", "visualize.json", "visualize.npy", "visualize.png"].sort(),
  );
  const result = json(join(out, "visualize.json"));
  expect(JSON.parse(run.stdout)).toEqual(result);
  expect(result).toMatchObject({ kind: "images", of: "conv2d", grid: { across: 2, order: "rows", margin: null } });
  expect(result.losses).toHaveLength(4);
  expect(result.images[1]).toMatchObject({ label: "channel 7", shape: [48, 48, 3], probability: null });
  expect(result.images[1].reference).toBeGreaterThan(0);
  const values = readNpy(readFileSync(join(out, "visualize.npy")), "visualize.npy");
  expect([values.type, ...values.dims]).toEqual(["float32", 3, 48, 48, 3]);
  const { data, width } = await decodePngFile(join(out, names[1]!));
  expect(width).toBe(48);
  // The demo network takes 0 to 1 in red, green, blue: its numbers are the picture's.
  const bytes = data.filter((_, i) => data.length / (48 * 48) === 3 || i % 4 !== 3);
  for (const i of [0, 1000, 4000, 6911])
    expect(Math.abs(bytes[i]! - 255 * Number(values.data[6912 + i]))).toBeLessThanOrEqual(0.51);
});

it("preset chollet is the book's bare sheet, column by column", async () => {
  const out = join(root, "book");
  const options = ["--layer", "conv2d", "--channel", "0:6", "--preset", "lecture", "--grid", "2x3", "--steps", "1"];
  const run = await convlens(["visualize", ...options, "--out", out]);
  expect(run.code).toBe(0);
  const sheet = await decodePngFile(join(out, "visualize.png"));
  expect([sheet.width, sheet.height]).toEqual([3 * 64 + 10, 2 * 64 + 5]);
  const one = await decodePngFile(join(out, "visualize.channel-3.png"));
  const pixel = ({ data, width, height }: typeof sheet, x: number, y: number) =>
    [0, 1, 2].map((c) => data[(y * width + x) * (data.length / (width * height)) + c]);
  // Filter 3 is second row, second column.
  expect(pixel(sheet, 69 + 20, 69 + 30)).toEqual(pixel(one, 20, 30));
  expect(pixel(sheet, 66, 30)).toEqual([0, 0, 0]);
});

it("64 filters in the book's sheet of 8 x 8 are 547 pixels square, filter i + 8 j in row i, column j", async () => {
  const out = join(root, "square");
  const options = ["--layer", "conv2d_1", "--channel", "0:64", "--preset", "chollet", "--grid", "8x8", "--steps", "2"];
  expect((await convlens(["visualize", ...options, "--batch", "32", "--out", out])).code).toBe(0);
  const sheet = await decodePngFile(join(out, "visualize.png"));
  expect([sheet.width, sheet.height]).toEqual([547, 547]);
  const rows = ({ data, width, height }: typeof sheet, left: number, top: number) => {
    const bytes = data.length / (width * height);
    return Array.from({ length: 64 }, (_, y) => {
      const from = ((top + y) * width + left) * bytes;
      return [...data.subarray(from, from + 64 * bytes)].filter((_, i) => i % bytes < 3);
    });
  };
  for (const [row, column] of [
    [0, 0],
    [1, 1],
    [5, 7],
  ] as const) {
    const one = await decodePngFile(join(out, `visualize.channel-${row + 8 * column}.png`));
    expect(rows(sheet, column * 69, row * 69)).toEqual(rows(one, 0, 0));
  }
}, 60_000);

it("stopped by Ctrl-C it keeps what is there, and goes on from it to the same picture", async () => {
  const [whole, half, rest] = ["whole", "half", "rest"].map((name) => join(root, name)) as [string, string, string];
  const options = ["visualize", "--layer", "conv2d_1", "--channel", "3", "--size", "64"];
  const child = spawn(process.execPath, [...program, ...options, "--steps", "3000", "--out", half]);
  let said = "";
  child.stderr.on("data", (chunk) => {
    if (!said.includes("objective") && String(chunk).includes("objective")) child.kill("SIGINT");
    said += chunk;
  });
  expect(await new Promise((done) => child.on("close", done))).toBe(0);
  const at = Number(/stopped at step (\d+) of 3000/.exec(said)?.[1]);
  expect(at).toBeGreaterThan(0);
  expect(existsSync(join(half, "visualize.png"))).toBe(true);
  const more = String(at + 3);
  expect((await convlens(["visualize", "--resume", half, "--steps", more, "--out", rest])).code).toBe(0);
  expect((await convlens([...options, "--steps", more, "--out", whole])).code).toBe(0);
  const picture = async (out: string) => (await decodePngFile(join(out, "visualize.channel-3.png"))).data;
  expect(await picture(rest)).toEqual(await picture(whole));
}, 120_000);

it("a second Ctrl-C ends at once, also in the middle of what threads of its own compute", async () => {
  const options = ["visualize", "--layer", "conv2d_3", "--channel", "0:8", "--steps", "200", "--threads", "2"];
  const child = spawn(process.execPath, [...program, ...options, "--out", join(root, "twice")]);
  let said = "";
  child.stderr.on("data", (chunk) => {
    const [before, now] = [said, said + chunk];
    if (!before.includes("objective") && now.includes("objective")) child.kill("SIGINT");
    if (!before.includes("stopping") && now.includes("stopping")) child.kill("SIGINT");
    said = now;
  });
  expect(await new Promise((done) => child.on("close", done))).toBe(130);
  expect(said).not.toMatch(/terminate|abort/i);
  expect(existsSync(join(root, "twice"))).toBe(false);
}, 60_000);

it("goes on from an array of one's own, and tells damaged states from others", async () => {
  const [first, half, whole, rest] = ["first", "own", "own-whole", "own-rest"].map((name) => join(root, name)) as [
    string,
    string,
    string,
    string,
  ];
  const options = ["visualize", "--layer", "conv2d_1", "--channel", "3", "--quiet"];
  expect((await convlens([...options, "--size", "40", "--steps", "1", "--npy", "--out", first])).code).toBe(0);
  const start = ["--start", join(first, "visualize.npy")];
  expect((await convlens([...options, ...start, "--steps", "2", "--state", "--out", half])).code).toBe(0);
  expect((await convlens([...options, ...start, "--steps", "4", "--out", whole])).code).toBe(0);
  expect((await convlens(["visualize", "--resume", half, "--steps", "4", "--out", rest])).code).toBe(0);
  const picture = async (out: string) => (await decodePngFile(join(out, "visualize.channel-3.png"))).data;
  expect(await picture(rest)).toEqual(await picture(whole));
  const refused = async (...more: string[]) =>
    (await convlens(["visualize", "--quiet", "--resume", half, ...more])).stderr;
  expect(await refused("--steps", "1")).toMatch(/has done 2 steps already: --steps, the number in all, cannot be 1/);
  writeFileSync(join(half, "visualize.state.0.npy"), writeNpy(float32([1, 30], new Float32Array(30))));
  expect(await refused("--steps", "4")).toMatch(/the state to go on from has 30 numbers, but these pictures have 4800/);
  writeFileSync(join(half, "visualize.state.0.npy"), writeNpy(float32([30], new Float32Array(30))));
  expect(await refused("--steps", "4")).toMatch(/holds a visualize.state.0.npy that is no state/);
}, 60_000);

it.each([
  [["--preset", "dream", "--state"], /a dream is short and starts anew: leave out --state/],
  [["--grid", "8"], /--grid "8" is no grid: write ROWSxCOLUMNS, for example 8x8/],
  [
    ["--channel", "0:4", "--grid", "1x2", "--steps", "1", "--size", "32", "--layer", "conv2d"],
    /has 2 places, but there are 4 pictures/,
  ],
  [["--start", "nowhere.npy"], /"nowhere.npy" cannot be read/],
  [["--resume", "."], /holds no visualize.state.json/],
  [["--resume", ".", "--layer", "conv2d", "--rate", "1"], /leave out --rate, --layer/],
  [["--transforms", "pad:12,zoom:2"], /"zoom" is none of none, pad, jitter/],
  [["--preset", "chollet", "--parameters", "fourier"], /preset "chollet" changes the network's own numbers/],
  [["--normalize", "l3"], /l3/],
  [["--weights", "1,x"], /--weights "x" is no number/],
  [["--preset", "deep"], /deep/],
  [["--layer", "conv2d_8"], /conv2d_8/],
])("refuses %j in one line", async (flags, message) => {
  const { code, stderr } = await convlens(["visualize", "--quiet", "--out", join(root, "none"), ...flags]);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
  expect(stderr.trim().split("\n")).toHaveLength(1);
});
