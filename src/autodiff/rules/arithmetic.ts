/** Elementwise arithmetic. Broadcast inputs are folded by the driver. */
import { int } from "../../graph/builder.ts";
import { elementTypeNumbers } from "../../graph/element-types.ts";
import type { Rule, RuleContext } from "../rule.ts";

export const Identity: Rule = (dy) => [dy];

export const Dropout: Rule = (dy, { emit, x, fail }) => {
  if (x(2) !== "" && emit.known(x(2))?.[0] !== 0) fail("it drops at random (training mode)");
  return [dy, null, null];
};

const isFloat = (type: string | undefined): boolean =>
  type === undefined || type.startsWith("float") || type === "bfloat16";

/**
 * Gradients are float32 whatever the values are. A number that the graph made of integers or truths has none; an input
 * of whole numbers (a picture in bytes) is taken as the numbers it holds.
 */
export const Cast: Rule = (dy, { emit, x, int: attribute }) => {
  const [from, to] = [emit.base.values.get(x())?.type, attribute("to", 1)];
  const isInput = emit.base.inputs.includes(x());
  const real = [
    elementTypeNumbers.float32,
    elementTypeNumbers.float64,
    elementTypeNumbers.float16,
    elementTypeNumbers.bfloat16,
  ];
  return [(isFloat(from) || isInput) && real.includes(to) ? dy : null];
};
export const CastLike: Rule = (dy, { emit, x }) => [isFloat(emit.base.values.get(x())?.type) ? dy : null, null];

export const Add: Rule = (dy) => [dy, dy];
export const Sub: Rule = (dy, { emit, wants }) => [dy, wants(1) ? emit.neg(dy) : null];
export const Sum: Rule = (dy, { node }) => node.inputs.map(() => dy);
export const Mean: Rule = (dy, { node, emit }) => {
  const share = emit.div(dy, node.inputs.length);
  return node.inputs.map(() => share);
};
export const Mul: Rule = (dy, { emit, x, wants }) => [
  wants(0) ? emit.mul(dy, x(1)) : null,
  wants(1) ? emit.mul(dy, x(0)) : null,
];
export const Div: Rule = (dy, { emit, x, y, wants }) => {
  const share = emit.div(dy, x(1));
  return [share, wants(1) ? emit.neg(emit.mul(share, y())) : null];
};
export const Neg: Rule = (dy, { emit }) => [emit.neg(dy)];

/** d x^p = p x^(p-1), and 0 for p = 0; by the exponent y log x, taken as 0 where x is not positive. */
export const Pow: Rule = (dy, context) => {
  const { emit, x, y, wants } = context;
  if (!wants(1)) return [powerOf(dy, context), null];
  const log = emit.op("Log", [emit.op("Max", [x(), 1e-30])]);
  const byExponent = emit.mul(emit.mul(dy, y()), emit.mul(log, emit.step(x())));
  return [wants(0) ? powerOf(dy, context) : null, byExponent];
};

function powerOf(dy: string, { emit, x }: RuleContext): string {
  const known = emit.known(x(1));
  const exponent = known?.length === 1 ? known[0] : undefined;
  if (exponent === 0) return emit.mul(dy, 0);
  if (exponent === 1) return dy;
  if (exponent === 2) return emit.mul(dy, emit.mul(x(), 2));
  if (exponent !== undefined) return emit.mul(dy, emit.mul(emit.op("Pow", [x(), exponent - 1]), exponent));
  // The exponent may be of an integer type. x^-1 would be infinite at 0, where x^0 is flat.
  const p = emit.op("Cast", [x(1)], { to: int(elementTypeNumbers.float32) });
  const lower = emit.where(emit.op("Equal", [p, 0]), 0, emit.sub(p, 1));
  return emit.mul(dy, emit.mul(emit.op("Pow", [x(), lower]), p));
}

/** The inputs that are the extreme share its gradient equally, as in PyTorch. */
const extreme: Rule = (dy, { node, emit, y }) => {
  const held = node.inputs.map((x) => emit.where(emit.op("Equal", [x, y()]), 1, 0));
  const count = held.slice(1).reduce((sum, one) => emit.add(sum, one), held[0]!);
  const share = emit.div(dy, count);
  return held.map((one) => emit.mul(share, one));
};

export { extreme as Max, extreme as Min };

export const Where: Rule = (dy, { emit, x }) => [null, emit.where(x(0), dy, 0), emit.where(x(0), 0, dy)];

export const Sqrt: Rule = (dy, { emit, y }) => [emit.div(dy, emit.mul(y(), 2))];
export const Reciprocal: Rule = (dy, { emit, y }) => [emit.neg(emit.mul(dy, emit.mul(y(), y())))];
export const Exp: Rule = (dy, { emit, y }) => [emit.mul(dy, y())];
export const Log: Rule = (dy, { emit, x }) => [emit.div(dy, x())];
export const Abs: Rule = (dy, { emit, x }) => [emit.mul(dy, emit.sign(x()))];
export const Erf: Rule = (dy, { emit, x }) => {
  const bell = emit.op("Exp", [emit.neg(emit.mul(x(), x()))]);
  return [emit.mul(dy, emit.mul(bell, 2 / Math.sqrt(Math.PI)))];
};

export const Sin: Rule = (dy, { emit, x }) => [emit.mul(dy, emit.op("Cos", [x()]))];
export const Cos: Rule = (dy, { emit, x }) => [emit.neg(emit.mul(dy, emit.op("Sin", [x()])))];
export const Tan: Rule = (dy, { emit, y }) => [emit.mul(dy, emit.add(emit.mul(y(), y()), 1))];
export const Sinh: Rule = (dy, { emit, x }) => [emit.mul(dy, emit.op("Cosh", [x()]))];
export const Cosh: Rule = (dy, { emit, x }) => [emit.mul(dy, emit.op("Sinh", [x()]))];

/** 1/sqrt(sign x^2 + shift) */
const inverseRoot = ({ emit, x }: RuleContext, sign: number, shift: number): string =>
  emit.op("Sqrt", [emit.add(emit.mul(emit.mul(x(), x()), sign), shift)]);
export const Asin: Rule = (dy, context) => [context.emit.div(dy, inverseRoot(context, -1, 1))];
export const Acos: Rule = (dy, context) => [context.emit.neg(context.emit.div(dy, inverseRoot(context, -1, 1)))];
export const Asinh: Rule = (dy, context) => [context.emit.div(dy, inverseRoot(context, 1, 1))];
export const Acosh: Rule = (dy, context) => [context.emit.div(dy, inverseRoot(context, 1, -1))];
export const Atan: Rule = (dy, { emit, x }) => [emit.div(dy, emit.add(emit.mul(x(), x()), 1))];
export const Atanh: Rule = (dy, { emit, x }) => [emit.div(dy, emit.sub(1, emit.mul(x(), x())))];

/** Answers and sizes carry no gradient, and steps are flat wherever they have a slope. */
const none: Rule = ({ length: _ }, { node }) => node.inputs.map(() => null);

export {
  none as And,
  none as ArgMax,
  none as ArgMin,
  none as Ceil,
  none as DynamicQuantizeLinear,
  none as Equal,
  none as Floor,
  none as Greater,
  none as GreaterOrEqual,
  none as IsInf,
  none as IsNaN,
  none as Less,
  none as LessOrEqual,
  none as Not,
  none as OneHot,
  none as Or,
  none as Round,
  none as Shape,
  none as Sign,
  none as Size,
  none as Xor,
};
