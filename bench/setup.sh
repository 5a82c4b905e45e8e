#!/bin/sh
# Installs what the peer needs into an environment of its own, .venv-bench.
set -eu
cd "$(dirname "$0")/.."
"${PYTHON:-python3.11}" -m venv .venv-bench
.venv-bench/bin/pip install --quiet --require-hashes --requirement bench/requirements.txt
