/**
 * One error class for everything a user can cause or mend. The message names the thing, the value and what was
 * expected, and the next step; the code is stable, for programs.
 */

/** Every code, with what it means. The page docs/reference/errors.md is made from this table. */
export const errorCodes = {
  "file-missing": "A file or folder that was named does not exist.",
  "file-unreadable": "A file exists but cannot be read as what it should be: a folder, empty, no permission.",
  "file-truncated": "A file ends before its own contents say so.",
  "format-unknown": "The content of a file is none that Convlens opens.",
  "format-unsupported": "The kind of file is recognised, but it must be exported to ONNX first.",
  "model-invalid": "A model file contradicts itself: shapes, names, types, or sizes.",
  "model-unsupported":
    "A model uses something that the wanted work cannot handle: an operator, an opset, control flow.",
  "image-invalid": "A picture cannot be decoded, or its size is absurd.",
  "image-unsupported": "A picture is of a kind that is recognised but not decoded.",
  "tensor-invalid": "A ready input tensor has the wrong shape or type, or holds NaN or infinity.",
  "layer-unknown": "No layer has the name that was asked for.",
  "label-unknown": "No class has the name or index that was asked for.",
  "card-invalid": "A model card or preprocessing file has a wrong or unknown field.",
  "option-invalid": "An option has a value it cannot take, or options contradict each other.",
  "engine-failed": "ONNX Runtime refused the model or failed while running it.",
  "output-failed": "A result cannot be written: no permission, no such folder, disk full.",
  "network-failed": "An address cannot be reached or answered with an error.",
  cancelled: "The caller asked to stop.",
  internal: "A fault in Convlens itself.",
} as const;
export type ErrorCode = keyof typeof errorCodes;

export class ConvlensError extends Error {
  override readonly name = "ConvlensError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Throws the error of an aborted signal; call between engine calls of long work. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ConvlensError("cancelled", "stopped");
}
