"""Makes src/formats/onnx/onnx_pb.ts from the onnx.proto that the Python package onnx carries (Apache-2.0).

Comments are left out: they are most of the file, and readers find them in the specification. Run from the repository
root, after `npm ci`, with a Python that has `onnx` and `grpcio-tools`:

    python scripts/proto/generate.py
"""
import pathlib
import re
import tempfile

import grpc_tools
import onnx
from grpc_tools import protoc

text = (pathlib.Path(onnx.__file__).parent / "onnx.proto").read_text()
text = re.sub(r"//[^\n]*", "", text)
out = pathlib.Path("src/formats/onnx")

with tempfile.TemporaryDirectory() as folder:
    (pathlib.Path(folder) / "onnx.proto").write_text(text)
    code = protoc.main([
        "protoc",
        f"-I{folder}",
        "--plugin=protoc-gen-es=node_modules/.bin/protoc-gen-es",
        f"--es_out={out}",
        "--es_opt=target=ts,erasable_syntax=true",
        "onnx.proto",
    ])
if code:
    raise SystemExit(code)

header = f"// ONNX protobuf types, made by scripts/proto/generate.py from onnx {onnx.__version__} (Apache-2.0, the ONNX project).\n"
generated = out / "onnx_pb.ts"
generated.write_text(header + generated.read_text())
