#!/bin/sh
# Runs the tests on the cluster that KUBECONFIG names; further arguments go to pytest: `-k external`, for example.
set -eu
cd "$(dirname "$0")"
missing() { echo "test:cluster: $1" >&2; exit 2; }

for tool in kubectl openssl node python3; do
  command -v "$tool" >/dev/null || missing "$tool is missing: install it and put it on PATH"
done
[ -n "${KUBECONFIG:-}" ] || missing "set KUBECONFIG to the file of the cluster to use; the tests make namespaces of their own there"
[ -d ../../node_modules ] || missing "run npm ci first"

python=python3
if ! python3 -c 'import pytest' 2>/dev/null; then
  venv=../../node_modules/.cache/test-cluster
  [ -x "$venv/bin/pytest" ] || { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet pytest; } ||
    missing "no pytest: install it, or what python3 -m venv needs (python3-venv)"
  python=$venv/bin/python
fi
exec "$python" -m pytest -v "$@"
