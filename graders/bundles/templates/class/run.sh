#!/usr/bin/env bash
# Grades what collect.py brought, into the folder graded/.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${SYMMETRY_HOME:-$here/.grader}
export OPENBLAS_NUM_THREADS=1
exec "$home/bin/python" -I -m graders.bundles class "$here" \
  --collected "${COLLECTED:-$here/collected.zip}" --roster "$here/students.csv" --out "${GRADED:-$here/graded}"
