/** What ONNX Runtime alone takes to open a file by its path and to run it once: `node first.mjs FILE.onnx N,H,W,C`. */
import { InferenceSession, Tensor } from "onnxruntime-node";

const [file, shape] = process.argv.slice(2);
const dims = shape.split(",").map(Number);
const session = await InferenceSession.create(file, { logSeverityLevel: 3 });
const data = new Float32Array(dims.reduce((a, b) => a * b)).fill(0.5);
await session.run({ [session.inputNames[0]]: new Tensor("float32", data, dims) });
