#!/bin/sh
# One clear sentence where the Python at hand cannot build the book.
python=$1
if ! command -v "$python" >/dev/null 2>&1; then
    echo "This book needs Python 3.11 or newer, and there is no $python here: install it, or name yours with PYTHON=..." >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "This book needs Python 3.11 or newer, and $python is $("$python" -V 2>&1): name another with PYTHON=..." >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    echo "This book sets up its own environment, and $python lacks the module venv: install it (on Debian or Ubuntu, the package python3-venv)." >&2
    exit 1
fi
