#!/usr/bin/env bash
# Sets up on a fresh machine, then runs; needs nothing but Python 3.11 or newer.
#
#   ./run_all.sh            set up, run the suite `quick`, write the report     (further arguments go to `imbench run`)
#   ./run_all.sh full       the same with the suite `full`, on a GPU if there is one
#   ./run_all.sh tuned      the same with the suite `tuned`: every strategy tuned over three configurations
#   ./run_all.sh test       set up, run format, lint and type checks, and the tests        (further arguments: pytest's)
#   ./run_all.sh speed      set up, check the samplers' speed against the baseline; 0 fine, 1 slower, 2 could not measure
#
# PYTHON names the interpreter that creates .venv (python3 if not given).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() { sed -n '2,10s/^# \{0,1\}//p' "$0"; }

# Installs what is asked for, unless exactly that was installed before.
set_up() {
    local extras=$1 stamp=".venv/.installed-${1:-run}"
    local wanted; wanted=$(cat pyproject.toml constraints.txt | cksum)
    [[ -f $stamp && $(<"$stamp") == "$wanted" ]] && return
    echo "setting up .venv (once)"
    [[ -x .venv/bin/python ]] || "${PYTHON:-python3}" -m venv .venv
    .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "run_all.sh: Python 3.11 or newer is needed, .venv has $(.venv/bin/python --version); remove .venv and give one with PYTHON=..." >&2
        exit 2
    }
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".${extras:+[$extras]}"
    echo "$wanted" >"$stamp"
}

run_suite() {
    set_up ""
    # Without the corpus a synthetic one is used, and the report says so.
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
speed) set_up "" && .venv/bin/imbench speed-check "${@:2}" ;;
-h | --help | help) usage ;;
-*) run_suite quick "$@" ;;
*) echo "run_all.sh: unknown word '$1'; allowed: quick, full, tuned, test, speed" >&2; usage >&2; exit 2 ;;
esac
