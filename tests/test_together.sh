#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Supervisor and task share a processor while one task stops again and again (tracer/together.h); nobody in the run is told.
. "$(dirname "$0")/lib.sh"
make_scratch
cd "$SCRATCH" || exit 1
helper=$BUILD/tests/helpers/processors
OPENS=${OPENS:-100000}

if [ "$(nproc)" -lt 2 ] || ! have taskset; then
	skip 'processors' 'more than one processor, or taskset'
	finish
fi

# The processors that the supervisor may run on, as often as they change, until it ends.
watch_supervisor() {	# PID
	while list=$(sed -n 's/^Cpus_allowed_list:\t*//p' "/proc/$1/status" 2>/dev/null) && [ -n "$list" ]; do
		echo "$list"
	done | uniq
}

bare=$("$helper" 2000)
check_same 'a bare run sees its processors in two ways' 2 "$(wc -l <<<"$bare")"
first=$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')
one=$(taskset -c "$first" "$helper" 2000)
if [ "$one" != "$bare" ]; then ok 'control: a program that may run on one processor says so'; else
	not_ok 'control: a program that may run on one processor says so' <<<"$one"
fi

LEVELS="ptrace seccomp gate"
levels_here
for level in $LEVELS_HERE; do
	case $level in ptrace | seccomp | gate) ;; *) continue ;; esac
	"$PICKET" run -q --profile workstation --enforce "$level" -- "$helper" "$OPENS" >seen.txt 2>&1 &
	watch_supervisor $! >supervisor.txt
	wait $!
	check_same "$level: a tool, its threads, its children and others are told what they are told bare" "$bare" "$(cat seen.txt)"
	if grep -qx '[0-9]*' supervisor.txt; then ok "$level: control: meanwhile the supervisor kept to one processor"; else
		not_ok "$level: control: meanwhile the supervisor kept to one processor" <supervisor.txt
	fi
	check_same "$level: a tool that may run on one processor has that one" "$one" \
		"$(taskset -c "$first" "$PICKET" run -q --profile workstation --enforce "$level" -- "$helper" 2000 2>&1)"
	# What a tool asks for itself stays, and is inherited.
	check_same "$level: a tool can choose its processors" "$(taskset -c "$first" nproc)" \
		"$("$PICKET" run -q --profile workstation --enforce "$level" -- taskset -c "$first" sh -c \
		'i=0; while [ $i -lt 300 ]; do : </dev/null; i=$((i + 1)); done; nproc' 2>&1)"
done
finish
