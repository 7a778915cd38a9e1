/** Layers that are known and not supported, each with the reason. */
import type { LayerEmitter } from "../layer.ts";

const attention = "mixes positions by attention, which Convlens does not explain: it opens convolutional networks";
const recurrent = "is recurrent, and Convlens opens convolutional networks";
const text = "works on words or categories, and Convlens opens networks for pictures";
const reasons: Readonly<Record<string, string>> = {
  AdditiveAttention: attention,
  Attention: attention,
  GroupQueryAttention: attention,
  MultiHeadAttention: attention,
  Bidirectional: recurrent,
  ConvLSTM1D: recurrent,
  ConvLSTM2D: recurrent,
  ConvLSTM3D: recurrent,
  CuDNNGRU: recurrent,
  CuDNNLSTM: recurrent,
  GRU: recurrent,
  LSTM: recurrent,
  Masking: recurrent,
  RNN: recurrent,
  SimpleRNN: recurrent,
  CategoryEncoding: text,
  Discretization: text,
  Embedding: text,
  HashedCrossing: text,
  Hashing: text,
  IntegerLookup: text,
  ReversibleEmbedding: text,
  StringLookup: text,
  TextVectorization: text,
  Lambda:
    "holds a Python function, which only Python can run; replace it by layers (Rescaling, Normalization, Activation …) or export the model to ONNX",
  TFSMLayer: "holds a TensorFlow SavedModel, which only TensorFlow can run; export that model to ONNX",
  TorchModuleWrapper: "holds a PyTorch module, which only Python can run; export that module to ONNX",
  FlaxLayer: "holds a Flax module, which only Python can run",
  JaxLayer: "holds a JAX function, which only Python can run",
  TimeDistributed: "runs a layer over a sequence of pictures, and Convlens opens networks for one picture",
  SpectralNormalization: "wraps a layer and rescales its weights in training; save the wrapped layer alone",
};

/** Emitters that refuse, naming layer, class, file and reason. */
export const refused: Readonly<Record<string, LayerEmitter>> = Object.fromEntries(
  Object.entries(reasons).map(([name, reason]): [string, LayerEmitter] => [
    name,
    (layer, _, context) => context.refuse(layer, reason),
  ]),
);
