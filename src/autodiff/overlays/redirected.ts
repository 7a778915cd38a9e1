/**
 * Rectifiers that let a dead start move (Lucid's redirected ReLU): where a picture's whole gradient at a rectifier is 0,
 * it passes except where the unit is off and would be pushed further down.
 */
import type { Emitter } from "../emitter.ts";
import type { Overlay, Rule, RuleTable } from "../rule.ts";
import { rectifies } from "./rectifiers.ts";

function redirected(emit: Emitter, dy: string, x: string, ordinary: string): string {
  const axes = emit
    .shape(x)
    .map((_, axis) => axis)
    .slice(1);
  const size = emit.op("ReduceL1", [ordinary, emit.ints(axes)]);
  const isDead = emit.sub(1, emit.step(size));
  const down = emit.mul(emit.step(emit.neg(x)), emit.step(emit.neg(dy)));
  const free = emit.mul(dy, emit.sub(1, down));
  return emit.add(ordinary, emit.mul(free, isDead));
}

export const redirectedRelu: Overlay = {
  id: "redirected ReLU",
  lay(rules: RuleTable) {
    const changed: Record<string, Rule> = {};
    for (const op of ["Relu", "Clip"]) {
      const ordinary = rules[op]!;
      changed[op] = (dy, context) => {
        const parts = ordinary(dy, context);
        const dx = parts[0];
        if (!rectifies(context) || typeof dx !== "string") return parts;
        return [redirected(context.emit, dy, context.x(), dx), ...parts.slice(1)];
      };
    }
    return { ...rules, ...changed };
  },
};
