#!/usr/bin/env bash
# Collects the wheels of wheels.txt into .wheels/ (64-bit x86, Python 3.12), for a machine with a GPU that reaches no package index.
set -euo pipefail
cd "$(dirname "$0")/../.."
rm -rf .wheels
platforms=()
for glibc in 2_28 2_27 2_26 2_24 2_17 2_12 2_5; do platforms+=(--platform "manylinux_${glibc}_x86_64"); done
for old in 2014 2010 1; do platforms+=(--platform "manylinux${old}_x86_64"); done
"${PYTHON:-python3}" -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 --implementation cp "${platforms[@]}" \
  -d .wheels -r benchmarks/gpu/wheels.txt
du -sh .wheels
