#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The lab: eight attacks, each run without a guard and at each level; which layer stops it, and why.
#   run.sh [-v] [N...]    only some exercises; -v: with the question and the answer of each, and what was refused
#   LEVELS="preload ptrace seccomp"
# Exit status 0: each came out as its source says (the line "lab:").
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../../build}
picket=${PICKET:-$build/picket}
levels=${LEVELS:-preload ptrace seccomp}
verbose=
if [ "${1:-}" = -v ]; then verbose=1; shift; fi

top=$(mktemp -d "${TMPDIR:-/tmp}/picket-lab.XXXXXX") || exit 1
top=$(cd "$top" && pwd -P)
trap 'cd /; rm -rf "$top"' EXIT
trap 'exit 130' INT TERM
secret=$top/secret
token=TOKEN-$$-$RANDOM
mkdir "$top/work"
echo "$token" >"$secret"

prepare() {	# SOURCE: an empty project with the exercise in it
	local static=
	rm -rf "$top/work"
	mkdir -p "$top/work/.git/hooks"
	cd "$top/work" || exit 1
	case $1 in
	*.sh) cp "$1" exercise ;;
	*) [[ $1 != *static* ]] || static=-static
		"${CC:-cc}" -D_GNU_SOURCE -O1 $static -o exercise "$1" -pthread -ldl || exit 1 ;;
	esac
}

# Did it get what it wanted? Seen from outside.
got_through() { grep -q "$token" "$top/out" || [ -e "$top/work/.git/hooks/post-checkout" ]; }

# The layer that stopped it, from the result: at level preload the shim says so itself, and the filter has nobody to tell.
who_stopped() {	# LEVEL
	if got_through; then
		echo through
	elif [ "$1" = bare ]; then
		echo nothing
	elif [ "$1" != preload ]; then
		if grep -q '"action": *"denied"' "$top/result"; then echo supervisor; else echo unrecorded; fi
	elif grep -q '"origin": *"shim"' "$top/result"; then
		echo shim
	else
		echo filter
	fi
}

run_at() {	# LEVEL|bare
	if [ "$1" = bare ]; then
		./exercise "$secret"
	else
		"$picket" run -q -p "$here/lab.conf" --enforce "$1" -r "$top/result" -- sh -c './exercise "$1"' - "$secret"
	fi >"$top/out" 2>&1 </dev/null
}

explain() {	# SOURCE: its head, and what the last result says was refused
	sed -n '/Exercise [0-9]/,/\*\/\|^[a-z]/p' "$1" | grep -v '\*/\|^[a-z]\|lab:' | sed 's/^[ #]\*\{0,1\} \{0,1\}/    /' | sed 's/ *$//' | cat -s
	sed -n '/"sandbox_violations"/,/\]/s/.*"\(deny .*\)".*/    recorded: \1/p' "$top/result" | sort -u
	echo
}

failed=0
printf '%-16s %-10s' exercise unguarded
for level in $levels; do printf '%-12s' "$level"; done
echo
for source in "$here"/[0-9]-*; do
	name=$(basename "$source")
	if [ $# -gt 0 ] && [[ " $* " != *" ${name%%-*} "* ]]; then continue; fi
	prepare "$source"
	run_at bare
	came=$(who_stopped bare) wrong=
	printf '%-16s %-10s' "${name%.*}" "$came"
	[ "$came" = through ] || wrong+=' (it does nothing unguarded)'
	for level in $levels; do
		prepare "$source"
		run_at "$level"
		came=$(who_stopped "$level")
		expected=$(sed -n "s/.*lab:.* $level=\([a-z]*\).*/\1/p" "$source")
		[ -z "$expected" ] || [ "$came" = "$expected" ] || wrong+=" ($level: expected $expected)"
		printf '%-12s' "$came"
	done
	echo "$wrong"
	[ -z "$wrong" ] || failed=1
	[ -z "$verbose" ] || explain "$source"
done
exit $failed
