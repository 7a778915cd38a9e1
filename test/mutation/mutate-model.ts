/**
 * Seeded damage within the meaning of an ONNX file: it stays a readable protobuf, so that what it says reaches shape
 * inference and the engine: other sizes, attributes, operators, types, wires and numbers.
 */
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type AttributeProto, type GraphProto, ModelProtoSchema } from "../../src/formats/onnx/onnx_pb.ts";
import { random } from "./mutate.ts";

const numbers = [
  0n,
  1n,
  -1n,
  2n,
  3n,
  5n,
  8n,
  64n,
  1000n,
  65_536n,
  -7n,
  2n ** 31n - 1n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 62n,
];
const operators =
  `Abs Add ArgMax AveragePool BatchNormalization Cast Ceil Clip Concat ConstantOfShape Conv ConvTranspose CumSum
  DepthToSpace DequantizeLinear Div Dropout Einsum Elu Expand EyeLike Flatten Gather GatherND Gemm GlobalAveragePool
  GlobalMaxPool GridSample HardSwish Identity InstanceNormalization LRN LSTM LayerNormalization LeakyRelu LpPool MatMul
  MaxPool MaxUnpool Mul NonZero OneHot PRelu Pad Pow QuantizeLinear Range ReduceMax ReduceSum Relu Reshape Resize
  ScatterElements ScatterND Shape Sigmoid Slice Softmax SpaceToDepth Split Sqrt Squeeze Tile TopK Transpose Trilu
  Unsqueeze Upsample Where Xor`.split(/\s+/);
const lists = ["kernel_shape", "pads", "strides", "dilations", "axes", "perm", "output_padding"];
const scalars = ["group", "axis", "ceil_mode", "transA", "transB", "blocksize", "keepdims", "to", "storage_order"];

type Damage = (graph: GraphProto, pick: <T>(from: readonly T[]) => T) => void;

const attribute = (name: string, ints: readonly bigint[], i = 0n): AttributeProto =>
  ({
    $typeName: "onnx.AttributeProto",
    name,
    refAttrName: "",
    docString: "",
    type: ints.length > 0 ? 7 : 2,
    i,
    ints,
    f: 0,
    s: new Uint8Array(0),
    floats: [],
    strings: [],
    tensors: [],
    graphs: [],
    sparseTensors: [],
    typeProtos: [],
  }) as unknown as AttributeProto;

const damages: readonly Damage[] = [
  ({ node }, pick) => {
    const of = pick(node).attribute.filter(({ ints }) => ints.length > 0);
    if (of.length > 0) {
      const { ints } = pick(of);
      ints[pick([...ints.keys()])] = pick(numbers);
    }
  },
  ({ node }, pick) => {
    const of = pick(node).attribute.filter(({ ints }) => ints.length > 0);
    if (of.length > 0) pick([() => pick(of).ints.pop(), () => pick(of).ints.push(pick(numbers))])();
  },
  ({ node }, pick) => void pick(node).attribute.push(attribute(pick(scalars), [], pick(numbers))),
  ({ node }, pick) =>
    void pick(node).attribute.push(
      attribute(pick(lists), [pick(numbers), pick(numbers), 1n, 1n].slice(0, pick([1, 2, 4]))),
    ),
  ({ node }, pick) => {
    pick(node).opType = pick(operators);
  },
  ({ node, initializer }, pick) => {
    const names = [...initializer.map(({ name }) => name), ...node.flatMap(({ output }) => output), ""];
    const { input } = pick(node);
    input[pick([...input.keys()])] = pick(names);
  },
  ({ node }, pick) => void pick(node).input.pop(),
  ({ node }, pick) => void node.splice(node.indexOf(pick(node)), 1),
  ({ node }, pick) => void node.push({ ...pick(node), output: [`again.${node.length}`] }),
  // A tensor of another shape with as many or as few bytes as the shape says.
  ({ initializer }, pick) => {
    const tensor = pick(initializer);
    if (tensor.dims.length > 0) tensor.dims[pick([...tensor.dims.keys()])] = pick(numbers.slice(0, 8));
    const size = tensor.dims.reduce((product, n) => product * Number(n), tensor.dataType === 7 ? 8 : 4);
    if (size >= 0 && size < 1e6) tensor.rawData = tensor.rawData.slice(0, size);
    if (size > tensor.rawData.length && size < 1e6)
      tensor.rawData = Uint8Array.from({ length: size }, (_, i) => tensor.rawData[i % tensor.rawData.length] ?? 0);
  },
  ({ initializer }, pick) => void pick(initializer).dims.push(1n),
  ({ initializer }, pick) => {
    pick(initializer).dataType = pick([0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 13, 16, 99]);
  },
  ({ initializer }, pick) => {
    const { rawData, dataType } = pick(initializer);
    const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
    const at = pick([0, 1, 2, 3]) * (dataType === 7 ? 8 : 4);
    if (dataType === 7 && at + 8 <= rawData.length) view.setBigInt64(at, pick(numbers), true);
    else if (at + 4 <= rawData.length) view.setFloat32(at, pick([Number.NaN, Number.POSITIVE_INFINITY, 1e38, 0]), true);
  },
  ({ input, output }, pick) => {
    const { value } = pick([...input, ...output]).type ?? {};
    if (value?.case !== "tensorType") return;
    const dims = value.value.shape?.dim ?? [];
    if (dims.length > 0) pick(dims).value = { case: "dimValue", value: pick(numbers) };
  },
  ({ output, node }, pick) => {
    pick(output).name = pick(node.flatMap((n) => n.output));
  },
];

/** A damaged copy of a model's file; one to three kinds of damage, chosen by the seed. */
export function mutateModel(file: Uint8Array, seed: number): Uint8Array {
  const next = random(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)]!;
  const model = fromBinary(ModelProtoSchema, file.slice());
  const { node, initializer, input, output } = model.graph!;
  for (let n = pick([1, 1, 2, 3]); n > 0; n--)
    if ([node, initializer, input, output].every(({ length }) => length > 0)) pick(damages)(model.graph!, pick);
  return toBinary(ModelProtoSchema, model);
}
