#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# machines_guest.sh PART... - what machines.sh has a machine do. As its root, and it changes the machine: nowhere else.
. "$(dirname "$0")/lib.sh"
[ "$$" != 1 ] && [ -e /job ] && [ "$(id -u)" = 0 ] || { echo 'only in a machine that machines.sh has started'; exit 2; }
ordinary=(setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=/tmp)
consume=$BUILD/tests/helpers/consume
mkdir -p /t && chmod 777 /t && cd /t || exit 1
echo open >open; echo shut >shut

as() {	# root|user COMMAND...
	local who=$1
	shift
	case $who in root) "$@" ;; user) "${ordinary[@]}" "$@" ;; esac
}

# ---- settings: what an administrator can set --------------------------------------------------------------------

# Every level that the probe says is there works, every other is refused with the reason that the probe gave.
probe_is_true() {	# WHO NAME
	local level says out status
	as "$1" "$PICKET" probe | sed -n 's/^  \(preload\|ptrace\|seccomp\|notify\|gate\)  *\(\(yes\|no\).*\)/\1 \2/p' | head -n 5 >/t/levels
	while read -r level says; do
		rm -f /t/r.json
		# shellcheck disable=SC2016 # for the tool's shell
		out=$(as "$1" timeout 60 "$PICKET" run -q --enforce "$level" --deny /t/shut --result-fd 9 -- sh -c 'cat /t/open; cat /t/shut' \
			9>/t/r.json 2>&1 </dev/null)
		status=$?
		case $says in
		yes*) [[ $out == open* && $out != *$'\n'shut* ]] && [ "$(jq .violation_count /t/r.json)" = 1 ] ;;
		*) [ "$status" = 125 ] && [[ $out == *"${says#no: }"* ]] ;;
		esac || { not_ok "$2: $1: $level: as the probe says" <<<"probe: $says
run: $status: $out"; return; }
	done </t/levels
	ok "$2: $1: each level as the probe says"
}

# given NAME LEVEL-OF-ROOT LEVEL-OF-USER [PART-OF-THE-REASON]
given() {
	local who level
	for who in root user; do
		level=$2
		[ "$who" = root ] || level=$3
		as "$who" "$PICKET" run -q --result-fd 9 -- true 9>/t/r.json 2>/dev/null </dev/null
		check_same "$1: $who: the level of a run" "$level" "$(jq -r .enforcement.level /t/r.json)"
		[ "$level" = gate ] || check "$1: $who: why not a higher one" grep -q "${4:-.}" /t/r.json
		probe_is_true "$who" "$1"
	done
}

part_settings() {
	given 'as it comes' gate gate
	sysctl -qw kernel.yama.ptrace_scope=1; given 'ptrace_scope 1' gate gate
	sysctl -qw kernel.yama.ptrace_scope=2; given 'ptrace_scope 2' gate preload 'ptrace_scope is 2'
	sysctl -qw kernel.yama.ptrace_scope=0
	sysctl -qw vm.mmap_min_addr=131072
	given 'no low addresses' seccomp seccomp 'vm.mmap_min_addr is above'
	sysctl -qw vm.mmap_min_addr=65536
	sysctl -qw vm.overcommit_memory=2; given 'no overcommitted memory' gate gate; sysctl -qw vm.overcommit_memory=0
	mount -o remount,hidepid=2 /proc; given 'hidden processes' gate gate; mount -o remount,hidepid=0 /proc
	sysctl -qw kernel.unprivileged_userns_clone=0; given 'no user namespaces' gate gate
	mount -t tmpfs -o noexec,mode=1777 t /tmp; mount -o remount,noexec /dev/shm
	given 'nothing executable in /tmp and /dev/shm' gate gate
	umount /tmp /dev/shm; given 'no /dev/shm' gate gate
	umount /dev/pts; given 'no terminals' gate gate; mount -t devpts devpts /dev/pts
	mount -t tmpfs t /proc/sys; given 'no /proc/sys' gate gate; umount /proc/sys
	(ulimit -n 64; given '64 descriptors' seccomp seccomp 'ulimit -Hn'; exit "$tests_failed") || tests_failed=$((tests_failed + 1))
	mount -t tmpfs -o mode=777 t /t; cd /t || exit 1; echo open >open; echo shut >shut
	mount -o remount,ro / && { given 'a read-only root' gate gate; mount -o remount,rw /; }
	cd / && umount /t && cd /t || exit 1
}
part_scope() {
	sysctl -qw kernel.yama.ptrace_scope=3
	given 'ptrace_scope 3' preload preload 'ptrace_scope is 3'
}

# ---- groups: limits where there is a place for control groups -----------------------------------------------------

# in_group WHO NAME TRUE|FALSE
in_group() {
	local level
	for level in $LEVELS_HERE; do
		as "$1" timeout 120 "$PICKET" run -q --enforce "$level" --memory 64M --result-fd 9 -- "$consume" memory 300 0 9>/t/r.json >/dev/null 2>&1
		check "$2: $1: $level: control_group is $3, and the run ends for its memory" jq -e --argjson there "$3" \
			'.enforcement.control_group == $there and .resource_limited == "memory_bytes" and .signal == "SIGKILL"' /t/r.json
		[ "$3" = false ] || check "$2: $1: $level: it has little more than 9/8 of it" jq -e '.resource_usage.peak_memory_bytes <= 80 * 1048576' /t/r.json
		as "$1" timeout 120 "$PICKET" run -q --enforce "$level" --memory 64M --result-fd 9 -- "$consume" memory 51 0 9>/t/r.json >/dev/null 2>&1
		check "$2: $1: $level: 80 % of it is had" jq -e '.success and .resource_limited == null' /t/r.json
		[ "$3" = false ] || check_same "$2: $1: $level: the group has the weight" 50 "$(as "$1" timeout 60 "$PICKET" run -q --cpu-weight 50 \
			--enforce "$level" --read "$groups" -- sh -c "cat $groups\$(sed -n s/^0:://p /proc/self/cgroup)/cpu.weight" 2>&1)"
		check_same "$2: $1: $level: no group is left" '' "$(find "$groups" -name 'picket-*')"
	done
}

part_groups() {
	groups=/sys/fs/cgroup
	levels_here
	in_group root 'no control groups' false
	mount -t cgroup2 cgroup2 $groups || { not_ok 'control groups are mounted' </dev/null; return; }
	echo '+memory +cpu +pids' >$groups/cgroup.subtree_control
	mkdir -p $groups/{closed,given,run}/own
	echo '+memory +cpu +pids' | tee $groups/{closed,given,run}/cgroup.subtree_control >/dev/null
	chown -R 65534:65534 $groups/given
	echo $$ >$groups/closed/own/cgroup.procs
	in_group user 'a group that is not ours' false
	echo $$ >$groups/run/own/cgroup.procs
	in_group root 'a group of root' true
	chown -R 65534:65534 "$BUILD"
	LEVELS=gate "$SOURCE/tests/limits_table.sh" | sed -n '/user 0/,/^Level gate, user 65534/p' | grep -v 'user 65534'
	echo $$ >$groups/given/own/cgroup.procs
	in_group user 'a group given away' true
	LEVELS=gate "${ordinary[@]}" "$SOURCE/tests/limits_table.sh"
	echo $$ >$groups/cgroup.procs
}

# ---- x32, tests -----------------------------------------------------------------------------------------------

part_x32() {
	"$SOURCE/tests/test_trials.sh" 'x32_*' >/t/trials 2>&1
	grep -E '^(ok|not ok|skip) - ' /t/trials
	check 'the kernel has x32: the trials were made' grep -q '^[a-z ]*ok - x32_open' /t/trials
}

part_tests() {
	local names=${TESTS:-denials commands older}
	# shellcheck disable=SC2086 # names
	TEST_TIMEOUT=3000 "$SOURCE/tests/run.sh" $names
	rm -rf "$BUILD/tests/logs"
	chown -R 65534:65534 /picket
	# shellcheck disable=SC2086
	TEST_TIMEOUT=3000 "${ordinary[@]}" "$SOURCE/tests/run.sh" $names
}

uname -sr
for part; do
	echo "---- $part"
	"part_$part"
done
case " $* " in *' settings '*) part_scope ;; esac	# there is no way back
