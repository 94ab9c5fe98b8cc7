#!/usr/bin/env bash
# PrairieLearn runs this once for each submission. It reads results.json, and nothing else.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
grade=${GRADE_ROOT:-/grade}
home=${SYMMETRY_HOME:-/opt/symmetry}
export OPENBLAS_NUM_THREADS=1
mkdir -p "$grade/results"
# What is read where nothing else gets written: a grader that is killed costs nobody an attempt.
cp "$here/not-judged.json" "$grade/results/results.json"
umask 077  # what Python keeps of the tests is for nobody else
timeout --kill-after=10 @SECONDS@ "$home/bin/python" -I -m graders.bundles one "$here" \
  --submission "$grade/student" --out "$grade/results/results.json"
exit 0
