#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What waits, is interrupted, or depends on who asks is as without a guard (tests/helpers/ordinary.c and ended.c: each row's output
# is compared with its own without one); and whichever part of a run is killed, at whatever moment, nothing is left of the run, and
# who is left to write the result does. At level notify calls are carried out by the supervisor's threads, so there it is hardest.
. "$(dirname "$0")/lib.sh"
make_scratch
levels_here
ordinary=$BUILD/tests/helpers/ordinary
row_seconds=60
kills=${KILLS:-6}	# moments at which each part is killed
export STATUS=$SCRATCH/status

inside() {	# COMMAND...: in an empty directory
	rm -rf "$SCRATCH/in"
	mkdir "$SCRATCH/in"
	(cd "$SCRATCH/in" && timeout -s KILL "$row_seconds" "$@" 2>&1 </dev/null)
}
guarded() {	# LEVEL [OPTION...] -- COMMAND...
	local level=$1
	shift
	inside "$PICKET" run -q --enforce "$level" --result "$SCRATCH/result" "$@"
}

as_without() {	# NAME COMMAND...
	local row=$1 plain level
	shift
	plain=$(inside "$@")
	case $plain in
	*done) ;;
	*) not_ok "control: $row without a guard" <<<"$plain"; return ;;
	esac
	for level in $LEVELS_HERE; do
		check_same "$level: $row as without a guard" "$plain" "$(guarded "$level" -- "$@")"
		check_same "$level: $row: nothing was refused" 0 "$(jq .violation_count "$SCRATCH/result")"
	done
}

for row in $("$ordinary" --list); do
	as_without "$row" "$ordinary" "$row"
done
as_without 'children that nobody has waited for' "$BUILD/tests/helpers/ended"
# the same comparison finds a difference where there is one
plain=$(inside "$ordinary" masks)
for level in $LEVELS_HERE; do
	check_not "$level: control: another outcome is noticed" test "$plain" = \
		"$(guarded "$level" --read-only "$SCRATCH/in" -- "$ordinary" masks)"
done

# ---- somebody else exchanges a program --------------------------------------------------------------------------

# program_exchanged LEVEL|bare: what a program ends with that was run often, and then is another one by the same name
program_exchanged() {
	# shellcheck disable=SC2016  # for the inner shell
	local command=(sh -c 'for i in 1 2 3 4 5 6 7 8; do "$1"; done; echo ready; read -r _; "$1"; echo "$?"' - "$SCRATCH/program")
	[ "$1" = bare ] || command=("$PICKET" run -q --enforce "$1" --result "$SCRATCH/result" -- "${command[@]}")
	ln -sfn "$(type -P true)" "$SCRATCH/program"
	rm -f "$SCRATCH/said" "$SCRATCH/told"
	mkfifo "$SCRATCH/said" "$SCRATCH/told"
	timeout -s KILL "$row_seconds" "${command[@]}" <"$SCRATCH/told" >"$SCRATCH/said" 2>/dev/null &
	exec 8>"$SCRATCH/told" 9<"$SCRATCH/said"
	read -r <&9
	ln -sfn "$(type -P false)" "$SCRATCH/program"
	echo >&8
	cat <&9
	exec 8>&- 9<&-
	wait $!
}
check_same 'control: without a guard it is the other program that runs' 1 "$(program_exchanged bare)"
for level in $LEVELS_HERE; do
	check_same "$level: so it is with one" 1 "$(program_exchanged "$level")"
	check_same "$level: and nothing was refused" 0 "$(jq .violation_count "$SCRATCH/result")"
done

# ---- who has given up its rights --------------------------------------------------------------------------------

# as_nobody LEVEL NAME: 65534 reads a file below $SCRATCH/rights that the policy denies; what it said, and what was refused
as_nobody() {
	guarded "$1" --deny "$SCRATCH/rights" -- setpriv --reuid 65534 --regid 65534 --clear-groups cat "$SCRATCH/rights/$2" 2>&1 |
		grep -o 'Permission denied\|content'
	jq -r '.violations[].target' "$SCRATCH/result" | sed "s|$SCRATCH/rights/||"
}
if [ "$(id -u)" = 0 ] && have setpriv && chmod o+x "$SCRATCH" &&
	setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$SCRATCH"; then
	mkdir -p "$SCRATCH/rights/closed"
	echo content | tee "$SCRATCH/rights/root" "$SCRATCH/rights/closed/file" >"$SCRATCH/rights/all"
	chmod 600 "$SCRATCH/rights/root"
	chmod 700 "$SCRATCH/rights/closed"
	for level in $LEVELS_HERE; do
		for name in root closed/file; do
			check_same "$level: the mode bits of $name refuse it to who is no more root, and that is no violation" \
				'Permission denied' "$(as_nobody "$level" $name)"
		done
		check_same "$level: what they do not refuse is one" "Permission denied
all" "$(as_nobody "$level" all)"
		guarded "$level" --deny "$SCRATCH/rights" -- cat "$SCRATCH/rights/root" >/dev/null 2>&1
		check_same "$level: and of who is still root" 1 "$(jq .violation_count "$SCRATCH/result")"
	done
elif [ "$(id -u)" = 0 ] && ! have setpriv; then
	skip 'rights that were given up' 'setpriv(1)'
else	# only root has any; and others must reach the files
	echo '# not here: rights that were given up'
fi

# ---- killing ---------------------------------------------------------------------------------------------------

children() { cat "/proc/$1"/task/*/children 2>/dev/null; }
# shellcheck disable=SC2046
first_child() { set -- $(children "$1"); echo "${1:-}"; }

end_leftovers() {
	local process
	for process in /proc/[0-9]*; do
		[ "$(readlink "$process/exe" 2>/dev/null)" = "$ordinary" ] && kill -KILL "${process#/proc/}"
	done
}

# kill_part LEVEL|bare PART LINES: starts a run, kills a part of it after so many lines of it. Sets left: "gone" when nothing
# is left soon; status: of the first process.
kill_part() {
	local level=$1 part=$2 lines=$3 first victim
	local command=("$ordinary" busy)
	[ "$level" = bare ] || command=("$PICKET" run -q --enforce "$level" --result "$SCRATCH/result" -- "$ordinary" busy)
	rm -rf "$SCRATCH/in" "$SCRATCH/result" "$SCRATCH/alive"
	mkdir "$SCRATCH/in"
	mkfifo "$SCRATCH/alive"
	cd "$SCRATCH/in" || exit 1
	"${command[@]}" >"$SCRATCH/alive" 2>/dev/null </dev/null &
	first=$!
	cd "$SCRATCH" || exit 1
	exec 9<"$SCRATCH/alive"
	while [ "$lines" -gt 0 ] && IFS= read -r -t 20 _ <&9; do lines=$((lines - 1)); done
	left='it did not begin'
	[ "$lines" = 0 ] || { exec 9<&-; kill -KILL "$first"; return; }
	case $level:$part in
	*:supervisor|bare:*) victim=$first ;;
	notify:keeper) victim=$(first_child "$first") ;;
	notify:tool) victim=$(first_child "$(first_child "$first")") ;;
	*:tool) victim=$(first_child "$first") ;;
	notify:child) victim=$(first_child "$(first_child "$(first_child "$first")")") ;;
	*:child) victim=$(first_child "$(first_child "$first")") ;;
	esac
	kill -KILL "$victim"
	if [ "$part" = child ]; then	# the tool goes on without it
		IFS= read -r -t 20 _ <&9 && kill -TERM "$first"
	fi
	# whoever is left of the run has the other end
	if timeout "${patience:-10}" cat <&9 >/dev/null; then left=gone; else left='something is left'; fi
	exec 9<&-
	[ "$left" = gone ] || end_leftovers
	wait "$first"
	status=$?
}

# While the run begins, too: the supervisor is killed at its first, second, ... call of those that the launch goes through. What is
# left would hold the pipe.
cat >"$SCRATCH/dies.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
static pid_t first;
static int left;
__attribute__((constructor)) static void begin(void)
{
	first = getpid();
	left = atoi(getenv("DIES_AT"));
}
static void *real(const char *name)
{
	if (getpid() == first && --left == 0)
		raise(SIGKILL);
	return dlsym(RTLD_NEXT, name);
}
#define PASS(result, name, types, ...) result name types { return ((result (*) types)real(#name))(__VA_ARGS__); }
PASS(pid_t, fork, (void))
PASS(int, socketpair, (int a, int b, int c, int d[2]), a, b, c, d)
PASS(ssize_t, send, (int a, const void *b, size_t c, int d), a, b, c, d)
PASS(ssize_t, recv, (int a, void *b, size_t c, int d), a, b, c, d)
long syscall(long number, ...)
{
	long a[6];
	va_list list;
	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	return ((long (*)(long, ...))real("syscall"))(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
END
if ${CC:-cc} -shared -fPIC -o "$SCRATCH/dies.so" "$SCRATCH/dies.c" -ldl; then
	# a Picket with AddressSanitizer would not start behind another library
	asan=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
	for level in $LEVELS_HERE; do
		wrong='' died=0 status=137
		while [ "$status" = 137 ] && [ "$died" -lt 80 ]; do
			died=$((died + 1))
			# shellcheck disable=SC2016	# of the inner shell
			timeout -k 1 20 bash -c 'out=$("$@" </dev/null 2>/dev/null; echo $? >"$STATUS")' run env ASAN_OPTIONS="$asan" \
				LD_PRELOAD="$SCRATCH/dies.so" DIES_AT="$died" "$PICKET" run -q --enforce "$level" -- sleep 0.02 2>/dev/null || wrong+=" $died"
			status=$(cat "$SCRATCH/status")
		done
		check_same "$level: the supervisor is killed at $((died - 1)) calls while the run begins: nothing is left" '' "$wrong"
		check "$level: control: that many calls there were" test "$died" -gt 3
	done
else
	skip 'a supervisor that dies at a call' "${CC:-cc}"
fi

for level in $LEVELS_HERE; do
	for part in supervisor keeper tool child; do
		[ "$part" != keeper ] || [ "$level" = notify ] || continue
		wrong=
		for ((moment = 1; moment <= kills; moment++)); do
			kill_part "$level" "$part" "$moment" 2>/dev/null
			[ "$left" = gone ] || wrong+=" after $moment lines: $left;"
			case $part in
			supervisor) [ ! -e "$SCRATCH/result" ] || wrong+=" after $moment lines there is a result;" ;;
			keeper|tool)
				[ "$status" = 137 ] && [ "$(jq -r .signal "$SCRATCH/result")" = SIGKILL ] ||
					wrong+=" after $moment lines: status $status, $(head -c 300 "$SCRATCH/result");" ;;
			child)
				[ "$status" = 143 ] && jq -e '.success | not' "$SCRATCH/result" >/dev/null ||
					wrong+=" after $moment lines: status $status, $(head -c 300 "$SCRATCH/result");" ;;
			esac
		done
		check_same "$level: the $part is killed at $kills moments: nothing is left, the result is as it should be" '' "$wrong"
	done
done
patience=1
kill_part bare tool 2 2>/dev/null
check_same 'control: without a guard something is left' 'something is left' "$left"
finish
