import { describe, expect, it } from "vitest";
import { findLayers, scopes } from "./find-layers.ts";

const layers = [
  "/conv1/Conv",
  "/layer4/layer4.0/conv1/Conv",
  "/layer4/layer4.0/relu/Relu",
  "/layer4/layer4.1/conv2/Conv",
  "/layer4/layer4.1/Add",
  "/layer4/layer4.1/relu/Relu",
  "/fc/Gemm",
].map((name) => ({ name, class: "Node", output: `${name}_output_0` }));

const names = (...patterns: string[]): string[] => findLayers(layers, patterns).map((layer) => layer.name);

describe("findLayers", () => {
  it.each([
    ["a name", ["/fc/Gemm"], ["/fc/Gemm"]],
    ["an output", ["/fc/Gemm_output_0"], ["/fc/Gemm"]],
    ["a pattern", ["*Conv"], ["/conv1/Conv", "/layer4/layer4.0/conv1/Conv", "/layer4/layer4.1/conv2/Conv"]],
    ["first and last, each once, in order", ["last:1", "first:1", "/fc/Gemm"], ["/conv1/Conv", "/fc/Gemm"]],
    ["more than there are", ["first:100"], layers.map((layer) => layer.name)],
    ["a module's output", ["layer4"], ["/layer4/layer4.1/relu/Relu"]],
    ["PyTorch's path", ["layer4.1.conv2"], ["/layer4/layer4.1/conv2/Conv"]],
    ["the file's spelling", ["/layer4/layer4.0"], ["/layer4/layer4.0/relu/Relu"]],
  ])("%s", (_, patterns, expected) => expect(names(...patterns)).toEqual(expected));

  it("leaves InputLayer out of ranges, as model.layers of a Sequential does", () => {
    const keras = [
      { name: "input_1", class: "InputLayer", output: "a" },
      { name: "conv2d", class: "Conv2D", output: "b" },
    ];
    for (const pattern of ["first:8", "all", "last:2", "*"])
      expect(findLayers(keras, [pattern]).map((layer) => layer.name)).toEqual(["conv2d"]);
    expect(findLayers(keras, ["input_1"])).toHaveLength(1);
  });

  it("suggests the nearest names, and lists some where none is near", () => {
    expect(() => names("layer4.1.conv3")).toThrow(/there is no layer "layer4.1.conv3". Did you mean "layer4.1.conv2"/);
    expect(() => names("zzzzzzzzzzzz")).toThrow(/the layers are \/conv1\/Conv, .*7 in all/);
    expect(() => names("*pool*")).toThrow(/no layer's name fits the pattern/);
    expect(() => names("first:0")).toThrow(/means no layer/);
  });

  it("takes a dot and brackets in names as they are", () => {
    const odd = [{ name: "a.b[0](x)+", class: "N", output: "o" }];
    expect(findLayers(odd, ["a.b[0]*+"])).toHaveLength(1);
    expect(() => findLayers(odd, ["aXb*"])).toThrow();
  });
});

it("module paths of nested Sequentials", () => {
  expect(scopes("/features/features.0/features.0.1/Conv")).toEqual([
    "features",
    "features/features.0",
    "features.0",
    "features/features.0/features.0.1",
    "features.0.1",
  ]);
});
