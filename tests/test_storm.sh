#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Hostile load: it ends, every refusal is counted, what is kept of them and the supervisor's memory stay bounded.
#   DENIALS=1000000   how many of the same; DESIGN.md names that number, which takes a minute
. "$(dirname "$0")/lib.sh"
make_scratch
levels_here
have jq || { skip storm jq; finish; }
DENIALS=${DENIALS:-50000}
storm=$SCRATCH/storm
"${CC:-cc}" -D_GNU_SOURCE -std=gnu17 -O1 -Wall -Wextra -o "$storm" "$SOURCE/tests/boundary/storm.c" -pthread ||
	{ not_ok 'the storm is built' </dev/null; finish; }

guarded() {	# LEVEL ARGUMENT...: sets status; result in $SCRATCH/r
	local level=$1
	shift
	rm -f "$SCRATCH/r"
	timeout -s KILL 300 "$PICKET" run -q --profile none --enforce "$level" -r "$SCRATCH/r" --read /usr --read /lib --read /lib64 \
		--read /etc/ld.so.cache --read /proc/self --read "$storm" --exec "$storm" -- "$storm" "$@" </dev/null >"$SCRATCH/out" 2>&1
	status=$?
}
told() { jq -r "$1" "$SCRATCH/r"; }

# storm LEVEL WHAT DENIALS PROCESSES ARGUMENT...
storms() {
	local level=$1 what=$2 denials=$3 processes=$4
	shift 4
	guarded "$level" "$@"
	check_same "$level: $what: ends well" "0 " "$status $(cat "$SCRATCH/out")"
	[ -s "$SCRATCH/r" ] || return
	check_same "$level: $what: $denials refusals" "$denials" "$(told .violation_count)"
	check_same "$level: $what: those kept and those dropped are all" "$denials" \
		"$(told '([.violations[].count] | add // 0) + .violations_dropped')"
	check "$level: $what: the result is bounded" test "$(stat -c %s "$SCRATCH/r")" -lt $((8 << 20))
	[ "$processes" = any ] ||
		check_same "$level: $what: $processes processes" "$processes" "$(told .enforcement.processes)"
}

# The control: bare, what is asked for is there, so the first request gets it.
cd "$SCRATCH" || exit 1
for how in '' distinct; do
	"$storm" denials 1 1 1 $how </dev/null >/dev/null 2>&1
	check_same "control: unguarded the requests succeed $how" 1 $?
done
for level in $LEVELS_HERE; do
	storms "$level" "the same $DENIALS times" "$DENIALS" 2 denials 1 1 "$DENIALS"
	storms "$level" '1,000 processes' 5000 1001 denials 1000 1 5
	storms "$level" '256 threads, names that differ' 10240 2 denials 1 256 40 distinct
	storms "$level" '16 processes of 16 threads, names that differ' 10240 17 denials 16 16 40 distinct
	case $level in
	notify) seen=any ;;	# hears of no process that asks for nothing
	*) seen=2001 ;;
	esac
	storms "$level" 'forks' 0 $seen forks 2000
	storms "$level" 'programs that execute themselves' 0 1 execs 300
	storms "$level" 'threads' 0 1 threads 2000
	storms "$level" 'signals' 2000 2 signals 2000
done

# The supervisor's own memory, by its children's largest: the run of many distinct refusals must not cost much more than none.
# Of one built with AddressSanitizer what it has freed is not to count, which that otherwise keeps for a while.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=0:thread_local_quarantine_size_kb=0
peak() {	# ARGUMENT...: KiB of the supervisor, which is bash's only child here but the tool's own small processes
	bash -c 'exec "$@"' - python3 -c '
import os, resource, subprocess, sys
p = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(p.pid, 0)
print(usage.ru_maxrss)' "$PICKET" run -q --profile none --enforce "$@"
}
if have python3; then
	for level in $LEVELS_HERE; do
		few=$(peak "$level" --read / --exec "$storm" -- "$storm" threads 1)
		many=$(peak "$level" --read / --exec "$storm" -- "$storm" denials 4 4 4000 distinct)
		check "$level: 64,000 distinct refusals cost less than 16 MiB ($few KiB, $many KiB)" test $((many - few)) -lt 16384
	done
fi
finish
