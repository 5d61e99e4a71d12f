#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Everything in every form, each in a build directory of its own below BUILD: what `make check-all` runs. The last line sums all:
# "N passed, N failed[, N skipped]".
#   check_all.sh [gcc|clang|release|asan|tsan|analyse|fuzz|faults]...
. "$(dirname "$0")/lib.sh"
cd "$SOURCE" || exit 1
passed=0 failed=0 skipped=0
make=(make --no-print-directory "-j$(nproc)")

add() {	# LOG STATUS: its closing line, or its lines; a command that fails and says nothing of it is a failure too
	local p f s
	if [[ $(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$1" | tail -n 1) =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+))? ]]; then
		p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[4]:-0}
	else
		p=$(grep -ac '^ok - ' "$1") f=$(grep -ac '^not ok - ' "$1") s=$(grep -ac '^skip - ' "$1")
		[ $((p + f + s)) -gt 0 ] || f=1
	fi
	[ "$2" -eq 0 ] || [ "$f" -gt 0 ] || f=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

stage() {	# NAME COMMAND...
	local name=$1 log
	shift
	log=$BUILD/check-all-$name.log
	mkdir -p "$BUILD"
	echo "---- $name"
	"$@" 2>&1 | tee "$log" | grep -avE --line-buffered '^(ok - |gcc |clang )'
	add "$log" "${PIPESTATUS[0]}"
}

# Build into a directory and run its tests. Warnings are errors here.
tests_with() {	# NAME VARIABLE=VALUE...
	local name=$1
	shift
	"${make[@]}" BUILD="$BUILD/$name" "$@" test-programs && "${make[@]}" BUILD="$BUILD/$name" "$@" check-built
}

# Can a program with ThreadSanitizer start here? Old ones do not with many bits of address randomisation.
tsan_runs() {
	local program
	program=$(mktemp) || return 1
	echo 'int main(void) { return 0; }' | clang -fsanitize=thread -x c -o "$program" - 2>/dev/null && "$program" 2>/dev/null
	local status=$?
	rm -f "$program"
	return $status
}

run_stage() {
	local sanitize
	case $1 in
	gcc) stage gcc tests_with gcc CC=gcc CFLAGS='-O0 -g -U_FORTIFY_SOURCE -Werror' HARDEN='-fstack-protector-strong -fPIE' ;;
	clang) stage clang tests_with clang CC=clang CFLAGS='-O1 -g -Werror' ;;
	release) stage release tests_with release CC=gcc CFLAGS='-O2 -DNDEBUG -Werror' ;;
	asan)
		sanitize='-fsanitize=address,undefined -fno-sanitize-recover=all'
		# Leaks are not looked for: many a test, and the program where it is about to end, leaves them to the kernel.
		# Everything may take three times as long as where nothing is added to it.
		TEST_TIMEOUT=1800 ROW_SECONDS=60 CK_TIMEOUT_MULTIPLIER=3 ASAN_OPTIONS=detect_leaks=0 stage asan tests_with asan CC=gcc \
			CFLAGS="-O1 -g $sanitize" LDFLAGS="$sanitize" HARDEN='-fPIE' ;;
	tsan)
		if tsan_runs; then
			# A test may take five times as long as one that nothing is added to.
			stage tsan env CK_TIMEOUT_MULTIPLIER=5 "${make[@]}" BUILD="$BUILD/tsan" CC=clang CFLAGS='-O1 -g -fsanitize=thread' \
				LDFLAGS=-fsanitize=thread HARDEN=-fPIE test-programs unit
			# and the supervisor's own threads, which only level notify has many of
			stage tsan-notify env TSAN_OPTIONS='halt_on_error=1 exitcode=66' LEVELS=notify CC=clang BUILD="$BUILD/tsan" \
				tests/run.sh languages opens
		else
			echo 'skip - ThreadSanitizer: it does not start on this kernel'
			skipped=$((skipped + 1))
		fi ;;
	analyse) stage analyse tests/analyse.sh ;;
	fuzz) stage fuzz "${make[@]}" fuzz-smoke BUILD="$BUILD" ;;
	faults) stage faults "${make[@]}" fault-injection BUILD="$BUILD/gcc" CC=gcc ;;
	*) echo "check_all.sh: no stage \"$1\"" >&2; exit 2 ;;
	esac
}

[ $# -gt 0 ] || set -- gcc clang release asan tsan analyse fuzz faults
for name; do run_stage "$name"; done
printf '%d passed, %d failed' "$passed" "$failed"
[ "$skipped" -eq 0 ] || printf ', %d skipped' "$skipped"
echo
[ "$failed" -eq 0 ]
