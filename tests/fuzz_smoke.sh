#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each fuzzer of BUILD/tests for SECONDS_EACH (20), on inputs that it finds for itself.
. "$(dirname "$0")/lib.sh"
make_scratch
for fuzzer in "$BUILD"/tests/fuzz_*; do
	[ -x "$fuzzer" ] && [[ $fuzzer != *.d ]] || continue
	name=$(basename "$fuzzer")
	mkdir "$SCRATCH/$name"
	cd "$SCRATCH/$name" || exit 1
	check "$name finds nothing" "$fuzzer" -max_total_time="${SECONDS_EACH:-20}" -timeout=10 -rss_limit_mb=2048 -verbosity=0 .
done
finish
