// biome-ignore-all lint/suspicious/noControlCharactersInRegex: patterns over the bytes of binary files
/**
 * Model files of other frameworks: how each is known by its first bytes, and the lines that export it to ONNX. One
 * entry each; test/formats/other-kinds.test.ts runs every entry against a sample.
 */

export interface OtherKind {
  readonly id: string;
  /** Reads after "NAME is". */
  readonly title: string;
  /** Looks at the first bytes (up to 4 KiB) and the name. */
  match(head: Uint8Array, name: string): boolean;
  /** Shell or Python lines that give an .onnx file. */
  readonly recipe: readonly string[];
}

/** One character a byte, for patterns over binary files. Not TextDecoder: its "latin1" is windows-1252 by the standard. */
const latin = (head: Uint8Array): string => String.fromCharCode(...head);
const starts =
  (text: string, offset = 0) =>
  (head: Uint8Array): boolean =>
    latin(head).startsWith(text, offset);
const matches =
  (pattern: RegExp) =>
  (head: Uint8Array): boolean =>
    pattern.test(latin(head));
const isZipWith =
  (pattern: RegExp) =>
  (head: Uint8Array): boolean => {
    const text = latin(head);
    return text.startsWith("PK\x03\x04") && pattern.test(text.slice(30));
  };

const torch = [
  "pip install torch onnx, then in Python (for a file of weights alone, build the network and model.load_state_dict(torch.load(...)) instead):",
  'import torch; model = torch.load("FILE", map_location="cpu", weights_only=False).eval()   # TorchScript: torch.jit.load("FILE")',
  'torch.onnx.export(model, (torch.zeros(1, 3, 224, 224),), "model.onnx", opset_version=18, dynamo=False)',
];
const savedModel = [
  "pip install tensorflow tf2onnx",
  "python -m tf2onnx.convert --saved-model FOLDER --output model.onnx --opset 17",
];
const caffe = [
  "pip install onnx && pip install --no-deps caffe2onnx",
  "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python python -m caffe2onnx.convert --prototxt NET.prototxt --caffemodel WEIGHTS.caffemodel --onnx model.onnx",
];
export const otherKinds: readonly OtherKind[] = [
  {
    id: "tensorflow-saved-model",
    title: "a TensorFlow SavedModel",
    // saved_model_schema_version 1, then a MetaGraphDef that begins with its MetaInfoDef.
    match: (head, name) => !/\.mlmodel$/i.test(name) && matches(/^\x08\x01\x12[\x80-\xff]*[\x00-\x7f]\x0a/)(head),
    recipe: savedModel,
  },
  {
    id: "coreml",
    title: "a Core ML model",
    // specificationVersion, then a description message; or the manifest of an .mlpackage.
    match: (head, name) =>
      (/\.mlmodel$/i.test(name) && head[0] === 0x08) ||
      matches(/^\x08[\x01-\x20]\x12[\x80-\xff]*[\x00-\x7f]\x0a/)(head) ||
      matches(/^\s*\{[\s\S]*com\.apple\.CoreML/)(head),
    recipe: ["Core ML has no export to ONNX: export the model it was converted from (PyTorch, TensorFlow) to ONNX."],
  },
  {
    id: "tensorflow-graph",
    title: "a frozen TensorFlow graph",
    // NodeDef: name, operator, both text.
    match: matches(/^\x0a[\x80-\xff]*[\x00-\x7f]\x0a[\x01-\x7f][A-Za-z0-9.][\w.\-/]*\x12[\x01-\x40][A-Z_]/),
    recipe: [
      "pip install tensorflow tf2onnx",
      "python -m tf2onnx.convert --graphdef FILE --output model.onnx --inputs INPUT:0 --outputs OUTPUT:0 --opset 17",
      "(names of the input and output nodes: the graph's first and last, as Netron shows them)",
    ],
  },
  {
    id: "pytorch",
    title: "a PyTorch file (.pt, .pth or TorchScript)",
    match: isZipWith(
      /^[^/\0]+\/(data\.pkl|\.format_version|\.data|byteorder|version|data\/|constants\.pkl|code\/|archive_format)/,
    ),
    recipe: torch,
  },
  {
    id: "pytorch-old",
    title: "an old PyTorch file (.pt or .pth, a pickle)",
    match: matches(/^\x80[\x02-\x05](\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19|[\s\S]*\bctorch\b)/),
    recipe: torch,
  },
  {
    id: "pickle",
    title: "a Python pickle",
    match: matches(/^\x80[\x02-\x05](\x95|[\]}c(X\x8c])/),
    recipe: torch,
  },
  {
    id: "tflite",
    title: "a TensorFlow Lite model",
    match: starts("TFL3", 4),
    recipe: [
      "pip install tensorflow tf2onnx",
      "python -m tf2onnx.convert --tflite FILE --output model.onnx --opset 17",
    ],
  },
  {
    id: "ort",
    title: "an ONNX Runtime model (.ort)",
    match: starts("ORTM", 4),
    recipe: [
      "An .ort file is made from an .onnx file and cannot be turned back: open the .onnx file it was made from.",
    ],
  },
  {
    id: "tfjs-graph",
    title: "a TensorFlow.js graph model, which has no layers any more",
    match: matches(/^\s*\{[\s\S]*("graph-model"|"modelTopology"\s*:\s*\{\s*"(node|library|versions)")/),
    recipe: [
      "Open the Keras model or layers model that it was made from as it is; else, from the SavedModel that it was made from:",
      ...savedModel,
    ],
  },
  {
    id: "keras-architecture",
    title: "a Keras architecture (model.to_json()) without weights",
    match: matches(/^\s*\{[\s\S]*"class_name"\s*:\s*"(Sequential|Functional|Model)"/),
    recipe: [
      "Open the file of weights that belongs to it, with this file as its architecture:",
      "convlens summary WEIGHTS.h5 --architecture FILE",
      '(the export to ONNX, in Python: keras.models.model_from_json(open("FILE").read()), load_weights(...), model.export("model.onnx", format="onnx"))',
    ],
  },
  {
    id: "safetensors",
    title: "a safetensors file, which holds weights without the network",
    match: (head) => {
      const text = latin(head);
      return head.length > 10 && head[6] === 0 && head[7] === 0 && /^\{\s*"/.test(text.slice(8));
    },
    recipe: [
      "Build the network in Python, load the weights into it, and export it (pip install torch onnx safetensors):",
      'import torch; from safetensors.torch import load_file; model.load_state_dict(load_file("FILE")); model.eval()',
      'torch.onnx.export(model, (torch.zeros(1, 3, 224, 224),), "model.onnx", opset_version=18, dynamo=False)',
    ],
  },
  {
    id: "gguf",
    title: "a GGUF file (a language model's weights)",
    match: starts("GGUF"),
    recipe: ["GGUF holds language models, not convolutional networks, and has no export to ONNX."],
  },
  {
    id: "openvino",
    title: "an OpenVINO model (.xml)",
    match: matches(/^(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?<net\s[^>]*version=/),
    recipe: ["OpenVINO has no export to ONNX: export the model it was converted from (PyTorch, TensorFlow) to ONNX."],
  },
  {
    id: "caffe-text",
    title: "a Caffe network (.prototxt)",
    match: matches(/(^|\n)[ \t]*layers?[ \t]*:?\s*\{[\s\S]*\b(type|bottom|top)[ \t]*:/),
    recipe: caffe,
  },
  {
    id: "caffe",
    title: "Caffe weights (.caffemodel)",
    // NetParameter: its name, then layers (field 2 of old files, field 100).
    match: matches(/^\x0a[\x01-\x7f][\x20-\x7e]+(\x12|\xa2\x06|\x1a|\x22)/),
    recipe: caffe,
  },
];
