#!/usr/bin/env bash
# All that is to be measured on a machine with one GPU, in one command of at most nine minutes; README.md of benchmarks/ says what and how.
#   benchmarks/gpu/run.sh --data DATA --out gpu          PYTHON=.venv/bin/python benchmarks/gpu/run.sh --rehearse
# Where vaehub is not installed, it and the wheels that wheels.sh has collected go into a folder of their own first.
set -euo pipefail
cd "$(dirname "$0")/../.."
python="${PYTHON:-python3}"
if ! (cd / && "$python" -c "import vaehub, vaehub_images, vaehub_molecules, vaehub_recommender, vaehub_timeseries" 2>/dev/null); then
  site="$(mktemp -d)"
  trap 'rm -rf "$site"' EXIT
  install=("$python" -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --upgrade --target "$site")
  "${install[@]}" .wheels/*.whl
  export PYTHONPATH="$site${PYTHONPATH:+:$PYTHONPATH}"
  "${install[@]}" --no-build-isolation . plugins/*/
fi
"$python" benchmarks/gpu/parts.py "$@"
