/** How rectifiers pass gradients in guided backpropagation and in the deconvolutional network. */
import type { Overlay, Rule, RuleContext, RuleTable } from "../rule.ts";

/** ReLU, and ReLU6 as ONNX writes it: a Clip from 0. */
export const rectifies = ({ node, x, emit }: RuleContext): boolean =>
  node.op === "Relu" || (node.op === "Clip" && x(1) !== "" && emit.known(x(1))?.[0] === 0);

/** Rectifiers that these methods were not made for: they keep their own rule, and the result says so. */
const others = [
  "LeakyRelu",
  "PRelu",
  "Elu",
  "Selu",
  "Celu",
  "HardSwish",
  "Gelu",
  "Mish",
  "Softplus",
  "ThresholdedRelu",
];

const atRectifiers = (id: string, change: (ordinary: Rule) => Rule): Overlay => ({
  id,
  lay(rules: RuleTable) {
    const changed: Record<string, Rule> = {};
    for (const op of ["Relu", "Clip"]) {
      const ordinary = rules[op]!;
      const replaced = change(ordinary);
      changed[op] = (dy, context) => (rectifies(context) ? replaced : ordinary)(dy, context);
    }
    for (const op of others) {
      const ordinary = rules[op]!;
      changed[op] = (dy, context) => {
        context.note(`${id} changes only ReLU and ReLU6; ${op} passes its ordinary gradient`);
        return ordinary(dy, context);
      };
    }
    return { ...rules, ...changed };
  },
});

/** Springenberg et al. 2014: only positive gradients pass, and only where the unit fired. */
export const guided: Overlay = atRectifiers(
  "guided backpropagation",
  (ordinary) => (dy, context) => ordinary(context.emit.op("Relu", [dy]), context),
);

/** Zeiler and Fergus 2013: only positive gradients pass, whatever the unit did. */
export const deconvnet: Overlay = atRectifiers("the deconvolutional network", () => (dy, { emit }) => [
  emit.op("Relu", [dy]),
]);
