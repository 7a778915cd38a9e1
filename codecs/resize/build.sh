#!/bin/sh
# Builds resize.c into src/image/resampler.generated.ts. ZIG: the compiler, see codecs/jpeg/README.md.
set -e
here=$(cd "$(dirname "$0")" && pwd)
zig=${ZIG:-python3 -m ziglang}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
$zig cc -c -target wasm32-wasi -O3 -msimd128 -fno-stack-protector -fno-sanitize=all "$here/resize.c" -o "$work/resize.o"
$zig wasm-ld --no-entry --strip-all --gc-sections -z stack-size=4096 --max-memory=2147483648 "$work/resize.o" -o "$work/resize.wasm"
{
  echo "/** Pillow's resampling as WebAssembly in base64, built by codecs/resize/build.sh. */"
  echo "export const resampler: string ="
  echo "  \"$(base64 -w 0 "$work/resize.wasm")\";"
} >"$here/../../src/image/resampler.generated.ts"
wc -c <"$work/resize.wasm"
