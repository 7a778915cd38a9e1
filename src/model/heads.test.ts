import { describe, expect, it } from "vitest";
import { builder } from "../graph/builder.ts";
import { chooseHead, findHeads } from "./heads.ts";

/** x -> Gemm -> z, with more nodes laid on top. */
function net(more: (build: ReturnType<typeof builder>, z: string, x: string) => readonly string[]) {
  const build = builder();
  const x = build.input("x", { type: "float32", shape: [null, 4] });
  const z = build.node("Relu", [x], { outputs: ["z"] });
  return build.finish(more(build, z, x));
}

describe("findHeads", () => {
  it("plain logits", () => {
    expect(findHeads(net((_, z) => [z]))).toEqual([{ output: "z", logits: "z", activation: undefined, names: ["z"] }]);
  });

  it("steps behind Softmax and Sigmoid, through shapes and casts", () => {
    const graph = net((build, z) => {
      const flat = build.node("Flatten", [z], { outputs: ["flat"] });
      const soft = build.node("Softmax", [flat], { outputs: ["soft"] });
      return [build.node("Reshape", [soft, build.ints([-1, 4])], { outputs: ["out"] })];
    });
    expect(findHeads(graph)).toEqual([{ output: "out", logits: "flat", activation: "softmax", names: ["out"] }]);
  });

  it.each([["logits first"], ["probabilities first"]])("logits and their Softmax are one head, %s", (order) => {
    const graph = net((build, z) => {
      const p = build.node("Softmax", [build.node("Identity", [z])], { outputs: ["p"] });
      return order === "logits first" ? [z, p] : [p, z];
    });
    const [head, ...others] = findHeads(graph);
    expect(others).toEqual([]);
    expect(head).toMatchObject({ output: "p", logits: "z", activation: "softmax" });
  });

  it("outputs with nothing in common are heads of their own, and must be chosen", () => {
    const graph = net((build, z, x) => [
      build.node("Softmax", [z], { outputs: ["animal"] }),
      build.node("Sigmoid", [build.node("Neg", [x])], { outputs: ["indoors"] }),
    ]);
    const heads = findHeads(graph);
    expect(heads.map((head) => head.activation)).toEqual(["softmax", "sigmoid"]);
    expect(() => chooseHead(heads, undefined, "net")).toThrow(/2 independent outputs \("animal", "indoors"\)/);
    expect(chooseHead(heads, "indoors", "net").output).toBe("indoors");
    expect(() => chooseHead(heads, "indoor", "net")).toThrow(/no head "indoor".*Did you mean "indoors"/);
  });

  it("a Sigmoid in the middle is no head's end", () => {
    const graph = net((build, z) => [build.node("Mul", [z, build.node("Sigmoid", [z])], { outputs: ["swish"] })]);
    expect(findHeads(graph)[0]).toMatchObject({ output: "swish", activation: undefined });
  });
});
