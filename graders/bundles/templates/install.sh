#!/usr/bin/env bash
# Installs the grader into a new environment, from the wheels beside this file. Nothing is downloaded.
#
#   install.sh FOLDER [private]     (the Python to use can be named: PYTHON=/usr/bin/python@PYTHON@)
#
# With "private" whoever is not the owner of these files can read of them only what submissions may: the data.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
into=${1:?give the folder to install into}
python=${PYTHON:-python@PYTHON@}

found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if [ "$found" != "@PYTHON@" ]; then
  echo "install.sh: $python is Python $found; these wheels are for Python @PYTHON@." >&2
  exit 1
fi
"$python" -m venv "$into"
"$into/bin/python" -I -m pip install --quiet --disable-pip-version-check --no-cache-dir \
  --no-index --find-links "$here/wheelhouse" --only-binary :all: --require-hashes -r "$here/requirements.txt"

if [ "${2:-}" = private ]; then
  chmod -R go-rwx "$here"
  if [ -d "$here/assignment/data" ]; then
    chmod a+x "$here" "$here/assignment"
    chmod -R a+rX "$here/assignment/data"
  fi
fi
