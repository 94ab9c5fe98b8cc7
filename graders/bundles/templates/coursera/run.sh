#!/usr/bin/env bash
# Coursera runs this once for each submission. Without feedback.json the grader has failed, and nobody gets a 0.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
shared=${SHARED_ROOT:-/shared}
home=${SYMMETRY_HOME:-/opt/symmetry}
export OPENBLAS_NUM_THREADS=1 HOME=/tmp
rm -f "$shared/feedback.json"
exec timeout --kill-after=10 @SECONDS@ "$home/bin/python" -I -m graders.bundles one "$here" \
  --submission "$shared/submission" --out "$shared/feedback.json"
