#!/usr/bin/env bash
# Makes the Python environment that `npm run bench` compares with: bench/peers/.venv (about 2 GB).
set -euo pipefail
cd "$(dirname "$0")"
python3 -m venv .venv
.venv/bin/pip install --quiet --upgrade pip
.venv/bin/pip install --quiet -r requirements.txt
echo "peers are ready: npm run bench"
