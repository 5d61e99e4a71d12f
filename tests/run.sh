#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh [--unit] [NAME...] - run every unit test (BUILD/tests/test_*) and every test script (tests/test_*.sh), or
# those named, one after the other whatever fails; logs go to BUILD/tests/logs. The last line is
# "N passed, N failed" and, if there were any, ", N skipped". Under MUST_WORK=1 a skipped test counts as failed.
# What is counted: Check's own summary lines, and the lines that lib.sh describes.
set -u
here=$(cd "$(dirname "$0")" && pwd)
export BUILD=${BUILD:-$(dirname "$here")/build}
limit=${TEST_TIMEOUT:-600}	# seconds for one suite
logs=$BUILD/tests/logs
passed=0 failed=0 skipped=0
mkdir -p "$logs" || exit 1

unit_only=
if [ "${1:-}" = --unit ]; then unit_only=1; shift; fi

suites=()
for suite in "$BUILD"/tests/test_* ${unit_only:+/nonexistent} "$here"/test_*.sh; do
	[ -f "$suite" ] && [ -x "$suite" ] || continue
	case $suite in
	*.d) continue ;;
	*.sh) [ -n "$unit_only" ] && continue ;;
	*) [ -e "$here/$(basename "$suite").c" ] || continue ;;	# its source is gone
	esac
	if [ $# -gt 0 ]; then
		wanted=$(basename "$suite" .sh)
		case " $* " in *" $wanted "*|*" ${wanted#test_} "*) ;; *) continue ;; esac
	fi
	suites+=("$suite")
done

# Sums up a log: "passed failed skipped".
count() {
	awk '
	/^[0-9]+%: Checks: / {
		gsub(/[^0-9 ]/, "")
		split($0, n, " ")
		fail += n[3] + n[4]; pass += n[2] - n[3] - n[4]
	}
	/^ok - /     { pass++ }
	/^not ok - / { fail++ }
	/^skip - /   { skip++ }
	END { print pass + 0, fail + 0, skip + 0 }' "$1"
}

run_suite() {	# SUITE: into its log; exit status and seconds into its .status
	local name started=$SECONDS
	name=$(basename "$1" .sh)
	timeout --kill-after=10 "$limit" "$1" >"$logs/$name.log" 2>&1 </dev/null
	echo "$? $((SECONDS - started))" >"$logs/$name.status"
}

tell_of() {	# SUITE, which has run
	local suite=$1 name log status seconds why p f s mark
	name=$(basename "$suite" .sh)
	log=$logs/$name.log
	read -r status seconds <"$logs/$name.status"
	read -r p f s < <(count "$log")
	why=
	if [ "$status" = 124 ]; then
		f=$((f + 1)) why=" (it took over $limit seconds, and was ended)"
	elif [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
		f=1 why=" (exit status $status)"
	elif [ $((p + f + s)) -eq 0 ]; then
		f=1 why=' (it tested nothing)'
	fi
	if [ "${MUST_WORK:-}" = 1 ] && [ "$s" -gt 0 ]; then
		f=$((f + s)) s=0 why="$why (a skip is a failure here)"
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	mark=ok; [ "$f" -eq 0 ] || mark=FAIL
	printf '%-4s %-26s %5d passed %3d failed %3d skipped %4ds%s\n' "$mark" "$name" "$p" "$f" "$s" \
		"$seconds" "$why"
	sed -n '/^# table/,/^# end/{/^# \(table\|end\)/!p}' "$log"
	[ "$s" -eq 0 ] && [ "$f" -eq 0 ] || grep -a '^skip - ' "$log" | sed 's/^/     /'
	if [ "$f" -gt 0 ]; then
		grep -aE '^not ok - |^# |:[FE]:' "$log" | grep -av '^# \(table\|end\)' | head -n 60 | sed 's/^/     /'
		[ -z "$why" ] || tail -n 15 "$log" | sed 's/^/     | /'
		echo "     whole log: $log"
	fi
}

# These take long, and none is about time: one after the other they run beside all others.
beside=() others=()
trap 'trap - INT TERM; kill 0' INT TERM	# and end with them
for suite in ${suites+"${suites[@]}"}; do
	case $(basename "$suite" .sh) in
	test_trials | test_languages | test_real_programs | test_errors | test_output | test_lab | test_plugin) beside+=("$suite") ;;
	*) others+=("$suite") ;;
	esac
done
for suite in ${beside+"${beside[@]}"}; do run_suite "$suite"; done &
for suite in ${others+"${others[@]}"}; do
	run_suite "$suite"
	tell_of "$suite"
done
wait
for suite in ${beside+"${beside[@]}"}; do tell_of "$suite"; done

if [ ${#suites[@]} -eq 0 ]; then
	echo 'run.sh: no tests found; build them first: make check' >&2
	failed=1
fi
printf '%d passed, %d failed' "$passed" "$failed"
[ "$skipped" -eq 0 ] || printf ', %d skipped' "$skipped"
echo
[ "$failed" -eq 0 ]
