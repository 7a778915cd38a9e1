/** Operators that work element by element, with the arithmetic of shape-computing sub-graphs. */
import { type ElementType, sizeOf } from "../../core/tensor.ts";
import { elementTypeOf } from "../element-types.ts";
import { broadcast, type Call, fact, isFloat, like, type Rule, spread } from "./rule.ts";

/** Rounds a computed number as the element type holds it. */
const stored = (type: ElementType, x: number): number =>
  type === "float32" ? Math.fround(x) : isFloat(type) ? x : Math.trunc(x);

const mapped =
  (f: (x: number) => number): Rule =>
  (call) => {
    const { type, shape, data } = call.input(0);
    return [
      fact(
        type,
        shape,
        data?.map((x) => stored(type, f(x))),
      ),
    ];
  };

type Fold = (values: number[], type: ElementType, call: Call) => number;

/** Any number of operands, broadcast together; `bool` results name their type. */
const combined =
  (fold?: Fold, result?: ElementType): Rule =>
  (call) => {
    const operands = call.node.inputs.map((_, i) => call.input(i));
    const { type } = call.input(0);
    const shape = broadcast(
      call,
      operands.map((x) => x.shape),
    );
    const to = result ?? type;
    const all = fold && operands.map((x) => spread(x, shape));
    if (!fold || !all?.every((x) => x !== undefined)) return [fact(to, shape)];
    const size = sizeOf(shape);
    const data = Array.from({ length: size }, (_, i) =>
      stored(
        to,
        fold(
          all.map((x) => x[i]!),
          type,
          call,
        ),
      ),
    );
    return [fact(to, shape, data)];
  };

const pairwise = (f: (a: number, b: number, type: ElementType, call: Call) => number, result?: ElementType): Rule =>
  combined(([a, b], type, call) => f(a!, b!, type, call), result);
const compared = (f: (a: number, b: number) => boolean): Rule => pairwise((a, b) => Number(f(a, b)), "bool");

export const Identity: Rule = mapped((x) => x);
export const Abs: Rule = mapped(Math.abs);
export const Neg: Rule = mapped((x) => -x);
export const Sign: Rule = mapped(Math.sign);
export const Floor: Rule = mapped(Math.floor);
export const Ceil: Rule = mapped(Math.ceil);
export const Sqrt: Rule = mapped(Math.sqrt);
export const Reciprocal: Rule = mapped((x) => 1 / x);
export const Exp: Rule = mapped(Math.exp);
export const Log: Rule = mapped(Math.log);
/** Halves go to the even neighbour. */
export const Round: Rule = mapped((x) => {
  const down = Math.floor(x);
  return x - down === 0.5 ? down + (Math.abs(down) % 2) : Math.round(x);
});

export const Acos: Rule = like;
export const Acosh: Rule = like;
export const Asin: Rule = like;
export const Asinh: Rule = like;
export const Atan: Rule = like;
export const Atanh: Rule = like;
export const BitwiseNot: Rule = like;
export const Celu: Rule = like;
export const Cos: Rule = like;
export const Cosh: Rule = like;
export const Elu: Rule = like;
export const Erf: Rule = like;
export const Gelu: Rule = like;
export const HardSigmoid: Rule = like;
export const HardSwish: Rule = like;
export const LeakyRelu: Rule = like;
export const Mish: Rule = like;
export const Relu: Rule = like;
export const Selu: Rule = like;
export const Shrink: Rule = like;
export const Sigmoid: Rule = like;
export const Sin: Rule = like;
export const Sinh: Rule = like;
export const Softplus: Rule = like;
export const Softsign: Rule = like;
export const Tan: Rule = like;
export const Tanh: Rule = like;
export const ThresholdedRelu: Rule = like;
export const Trilu: Rule = like;

export const Add: Rule = pairwise((a, b) => a + b);
export const Sub: Rule = pairwise((a, b) => a - b);
export const Mul: Rule = pairwise((a, b) => a * b);
export const Div: Rule = pairwise((a, b, type, call) => {
  if (!isFloat(type) && b === 0) call.fail("divides an integer by zero");
  return a / b;
});
export const Mod: Rule = pairwise((a, b, type, call) => {
  if (!isFloat(type) && b === 0) call.fail("divides an integer by zero");
  return call.int("fmod", 0) === 1 ? a % b : a - b * Math.floor(a / b);
});
export const Pow: Rule = pairwise((a, b) => a ** b);
export const PRelu: Rule = (call) => {
  const { type, shape } = call.input(0);
  const joint = broadcast(call, [shape, call.input(1).shape]);
  if (joint.join() !== shape.join()) call.fail("the slope does not broadcast to the input");
  return [fact(type, shape)];
};
export const BitShift: Rule = combined();
export const BitwiseAnd: Rule = combined();
export const BitwiseOr: Rule = combined();
export const BitwiseXor: Rule = combined();
export const Max: Rule = combined((values) => values.reduce((a, b) => Math.max(a, b)));
export const Min: Rule = combined((values) => values.reduce((a, b) => Math.min(a, b)));
export const Sum: Rule = combined((values) => values.reduce((a, b) => a + b, 0));
export const Mean: Rule = combined((values) => values.reduce((a, b) => a + b, 0) / values.length);

export const Equal: Rule = compared((a, b) => a === b);
export const Greater: Rule = compared((a, b) => a > b);
export const GreaterOrEqual: Rule = compared((a, b) => a >= b);
export const Less: Rule = compared((a, b) => a < b);
export const LessOrEqual: Rule = compared((a, b) => a <= b);
export const And: Rule = compared((a, b) => a !== 0 && b !== 0);
export const Or: Rule = compared((a, b) => a !== 0 || b !== 0);
export const Xor: Rule = compared((a, b) => a !== b);
export const Not: Rule = mapped((x) => Number(x === 0));
const tested: Rule = (call) => [fact("bool", call.input(0).shape)];
export const IsInf: Rule = tested;
export const IsNaN: Rule = tested;

export const Where: Rule = (call) => {
  const [condition, a, b] = [call.input(0), call.input(1), call.input(2)];
  const shape = broadcast(call, [condition.shape, a.shape, b.shape]);
  const [c, x, y] = [spread(condition, shape), spread(a, shape), spread(b, shape)];
  return [fact(a.type, shape, c && x && y ? c.map((yes, i) => (yes ? x[i]! : y[i]!)) : undefined)];
};

export const Clip: Rule = (call) => {
  const { type, shape, data } = call.input(0);
  const [low, high] = [call.optional(1), call.optional(2)];
  const known = data && (!low || low.data) && (!high || high.data);
  const [min, max] = [low?.data?.[0] ?? Number.NEGATIVE_INFINITY, high?.data?.[0] ?? Number.POSITIVE_INFINITY];
  return [fact(type, shape, known ? data.map((x) => Math.min(Math.max(x, min), max)) : undefined)];
};

export const Cast: Rule = (call) => {
  const to = elementTypeOf(call.int("to", 0));
  const { shape, data } = call.input(0);
  if (!to) return [];
  return [
    fact(
      to,
      shape,
      data?.map((x) => (to === "bool" ? Number(x !== 0) : stored(to, x))),
    ),
  ];
};
export const CastLike: Rule = (call) => [fact(call.input(1).type, call.input(0).shape)];

/** At inference: the input, and a mask of ones. */
export const Dropout: Rule = (call) => {
  const { type, shape } = call.input(0);
  return [fact(type, shape), fact("bool", shape)];
};
