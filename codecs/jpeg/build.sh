#!/bin/sh
# Builds the JPEG decoder from libjpeg-turbo's sources into src/image/jpeg-decoder.generated.ts: see README.md.
# Usage: codecs/jpeg/build.sh PATH/libjpeg-turbo-2.1.5.tar.gz        ZIG: the compiler, default "python3 -m ziglang"
set -e
here=$(cd "$(dirname "$0")" && pwd)
zig=${ZIG:-python3 -m ziglang}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "254f3642b04e309fee775123133c6464181addc150499561020312ec61c1bf7c  $1" | sha256sum --check --quiet
tar -xzf "$1" -C "$work" --strip-components=1
cd "$work"
patch -s -p1 <"$here/jdhuff.patch"
# What Convlens never asks for: other DCTs, scaling, fewer colours, upsampling that differs from Pillow's.
sed -i -E '/define (DCT_IFAST|DCT_FLOAT|IDCT_SCALING|UPSAMPLE_MERGING|QUANT_1PASS|QUANT_2PASS)_SUPPORTED/d' jmorecfg.h
cp "$here"/*.[ch] .

objects=
for name in jcomapi jdapimin jdapistd jdcoefct jdcolor jddctmgr jdhuff jdinput jdmainct jdmarker jdmaster jdphuff \
  jdpostct jdsample jidctint jmemmgr jmemnobs jutils simd decoder; do
  $zig cc -c -target wasm32-wasi -O3 -msimd128 -w -fno-stack-protector -fno-sanitize=all \
    -DNO_GETENV -DNO_PUTENV -I. "$name.c" -o "$name.o"
  objects="$objects $name.o"
done
$zig wasm-ld --no-entry --strip-all --gc-sections -z stack-size=65536 --max-memory=2147483648 $objects -o decoder.wasm

out=$here/../../src/image/jpeg-decoder.generated.ts
{
  echo "/** The JPEG decoder as WebAssembly in base64: libjpeg-turbo 2.1.5, built by codecs/jpeg/build.sh. */"
  echo "export const jpegDecoder: string ="
  echo "  \"$(base64 -w 0 decoder.wasm)\";"
} >"$out"
sha256sum decoder.wasm
