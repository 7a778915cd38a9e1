/** What ONNX Runtime alone takes to open a file: `node create.mjs FILE.onnx`. */
import { InferenceSession } from "onnxruntime-node";

await InferenceSession.create(process.argv[2], { logSeverityLevel: 3 });
