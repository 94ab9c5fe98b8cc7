#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the autograder. Only Python itself is downloaded, and only
# where the base image does not have it.
set -euo pipefail
root=${AUTOGRADER_ROOT:-/autograder}
export DEBIAN_FRONTEND=noninteractive

usable() { python@PYTHON@ -c 'import venv, ensurepip' 2>/dev/null; }
from_distribution() { apt-get update -q && apt-get install -y -q python@PYTHON@ python@PYTHON@-venv; }
from_deadsnakes() {
  apt-get install -y -q software-properties-common && add-apt-repository -y ppa:deadsnakes/ppa && from_distribution
}
usable || from_distribution || from_deadsnakes

bash "$root/source/install.sh" "$root/grader" private
