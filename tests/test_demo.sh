#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make demo` shows what it promises, and leaves nothing behind.
. "$(dirname "$0")/lib.sh"
make_scratch
have python3 || { skip demo 'python3'; finish; }
mkdir "$SCRATCH/tmp"
export BUILD PICKET TMPDIR=$SCRATCH/tmp
check 'the demo: unguarded everything succeeds, guarded only the honest work' "$SOURCE/examples/demo/run.sh"
check_same 'the demo leaves nothing behind' '' "$(ls -A "$TMPDIR")"
finish
