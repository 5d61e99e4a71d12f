# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# lib.sh - for test scripts, which source it. A script says of each test one line that run.sh counts:
#   ok - NAME        not ok - NAME        skip - NAME: what is missing
# What follows a "not ok", indented by "# ", explains it. A script ends with `finish`.
# BUILD is the build directory (absolute); default: build beside tests.

set -u
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-$SOURCE/build}
PICKET=${PICKET:-$BUILD/picket}
# Enforcement levels that have to hold. Each is tried before it is used: see levels_here.
LEVELS=${LEVELS:-ptrace seccomp gate notify}
tests_failed=0

ok() { printf 'ok - %s\n' "$*"; }
not_ok() {	# NAME [explanation on stdin]
	printf 'not ok - %s\n' "$*"
	tests_failed=$((tests_failed + 1))
	[ -t 0 ] || sed 's/^/# /' | head -n 40
}
skip() { printf 'skip - %s: %s\n' "$1" "$2"; }	# NAME WHAT_IS_MISSING

# check NAME COMMAND...: ok when the command succeeds; what it printed explains a failure.
check() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1 </dev/null); then ok "$name"; else not_ok "$name" <<<"$* -> $?
$out"; fi
}

# check_not NAME COMMAND...: ok when the command fails.
check_not() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1 </dev/null); then not_ok "$name" <<<"$* succeeded
$out"; else ok "$name"; fi
}

# check_same NAME EXPECTED GOT
check_same() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" <<<"expected: $2
got:      $3"; fi
}

have() { command -v "$1" >/dev/null 2>&1; }

# A directory of the test's own, removed when the script ends; not in the temp directory, which profiles let tools write.
make_scratch() {
	mkdir -p "$BUILD/tests" && SCRATCH=$(mktemp -d "$BUILD/tests/scratch.XXXXXX") || exit 1
	SCRATCH=$(cd "$SCRATCH" && pwd -P)
	trap 'cd /; chmod -R u+rwX "$SCRATCH" 2>/dev/null; rm -rf "$SCRATCH"' EXIT
	trap 'exit 130' INT TERM
}

# The levels of LEVELS that this machine has; the others become skips.
levels_here() {
	local level why
	LEVELS_HERE=
	for level in $LEVELS; do
		if why=$("$PICKET" run -q --enforce "$level" -- true 2>&1 </dev/null); then
			LEVELS_HERE+=" $level"
		else
			skip "level $level" "${why:-it does not start}"
		fi
	done
}

finish() { [ "$tests_failed" -eq 0 ]; exit; }

# Pages of 4 KiB below which it stays what the shim adds to a process. What clang makes is 3.3 KiB more than what gcc makes, and has 64 KiB.
shim_pages_below() { if grep -qa 'clang version' "$BUILD/libpicket-preload.so"; then echo 17; else echo 16; fi; }
