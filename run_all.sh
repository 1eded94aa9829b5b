#!/usr/bin/env bash
# Sets up a fresh machine and runs a suite, the tests, or the speed check; requires only Python 3.11 or newer.
#
#   ./run_all.sh            set up, run the suite `quick`, write the report     (further arguments go to `imbench run`)
#   ./run_all.sh full       the same with the suite `full`, on a GPU if there is one
#   ./run_all.sh tuned      the same with the suite `tuned`: every strategy in three configurations
#   ./run_all.sh test       set up, run format, lint and type checks, and the tests        (further arguments: pytest's)
#   ./run_all.sh speed      set up, compare the samplers' speed with the recorded one; exit code 0: fine, 1: slower,
#                           2: could not be measured
#   ./run_all.sh gpu-check  what a GPU must show, in less than eight minutes, into results/gpu-check; installs nothing and needs no
#                           network: PYTHON, or .venv if that is not set, has torch and the extras bench and test
#
# PYTHON names the interpreter that creates .venv (default: python3).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() { sed -n '2,13s/^# \{0,1\}//p' "$0"; }

# Install the project with an extra (bench or dev) into .venv, unless the same was installed before.
set_up() {
    local extra=$1 stamp=".venv/.installed-$1"
    local wanted; wanted=$(cat pyproject.toml constraints.txt | cksum)
    [[ -f $stamp && $(<"$stamp") == "$wanted" ]] && return
    echo "setting up .venv (once)"
    [[ -x .venv/bin/python ]] || "${PYTHON:-python3}" -m venv .venv
    .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "run_all.sh: Python 3.11 or newer is needed, .venv has $(.venv/bin/python --version); remove .venv and name a newer Python with PYTHON=..." >&2
        exit 2
    }
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[$extra]"
    echo "$wanted" >"$stamp"
}

run_suite() {
    set_up bench
    # Where CoNLL-2003 cannot be fetched, a synthetic corpus takes its place; the report says so.
    .venv/bin/imbench fetch conll2003 || true
    .venv/bin/imbench run "$@"
}

run_tests() {
    set_up dev
    .venv/bin/ruff format --check .
    .venv/bin/ruff check .
    .venv/bin/mypy
    .venv/bin/pytest --numprocesses 2 --dist loadfile --benchmark-disable "$@"
}

case ${1:-quick} in
quick | full | tuned) run_suite "${1:-quick}" "${@:2}" ;;
test) run_tests "${@:2}" ;;
speed) set_up bench && .venv/bin/imbench speed-check "${@:2}" ;;
gpu-check) "${PYTHON:-.venv/bin/python}" -m bench.gpu_check "${@:2}" ;;
-h | --help | help) usage ;;
-*) run_suite quick "$@" ;;
*) echo "run_all.sh: unknown command '$1'; allowed: quick, full, tuned, test, speed, gpu-check" >&2; usage >&2; exit 2 ;;
esac
