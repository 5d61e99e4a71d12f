#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Which error comes first when more than one argument is wrong is as without a guard: tests/helpers/errors.c makes every judged
# call about names and sockets with every pair of good and bad arguments, and what it says is compared line by line.
. "$(dirname "$0")/lib.sh"
make_scratch
levels_here
errors=$BUILD/tests/helpers/errors
# what a tool of root's does not have; without them some calls say something else
unprivileged=()
if [ "$(id -u)" = 0 ]; then
	if ! have setpriv; then skip errors 'setpriv(1)'; finish; fi
	unprivileged=(setpriv --no-new-privs --bounding-set
		'-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+net_bind_service,+ipc_lock')
fi

# outcomes WAY COMMAND...: in an empty directory. Linux 6.13 to 6.18 take AT_FDCWD for a descriptor there, which is not what we
# are to be like.
outcomes() {
	local way=$1
	shift
	rm -rf "$SCRATCH/in"
	mkdir "$SCRATCH/in"
	(cd "$SCRATCH/in" && "$@" "$errors" "$way") | grep -v '^removexattrat(0xffffffffffffff9c, "" (0), 0x1000'
}

for way in raw company libc; do
	outcomes "$way" "${unprivileged[@]}" >"$SCRATCH/plain.$way"
	if [ "$(wc -l <"$SCRATCH/plain.$way")" -lt 10000 ]; then not_ok "control: $way without a guard" <"$SCRATCH/plain.$way"; fi
done
# SO_PASSCRED gives a datagram socket a name: with a rule for such names nothing is refused
for level in $LEVELS_HERE; do
	case $level in
	ptrace) continue ;;	# the same code as at level seccomp, and each call there would stop twice
	gate) ways=libc ;;	# through the shim; where it does nothing that level is like another
	*) ways='raw company' ;;
	esac
	for way in $ways; do
		outcomes "$way" "$PICKET" run -q --enforce "$level" --bind 'unix:@*' --result "$SCRATCH/result" -- >"$SCRATCH/guarded"
		check "$level: $way: each call fails as without a guard" diff "$SCRATCH/plain.$way" "$SCRATCH/guarded"
		check_same "$level: $way: nothing was refused" 0 "$(jq .violation_count "$SCRATCH/result")"
	done
done
# What fails without a guard fails in the same way where the policy refuses it as well, and is no violation.
fails_anyway=$BUILD/tests/helpers/fails_anyway
# refused_too OPTION|bare LEVEL ARG...: below $SCRATCH/in, in $SCRATCH/said
refused_too() {
	local option=$1 level=$2 command=("${unprivileged[@]}")
	shift 2
	rm -rf "$SCRATCH/in"
	mkdir -p "$SCRATCH/in/d/e"
	(cd "$SCRATCH/in" && echo >d/f && ln -s f d/l) || exit 1
	[ "$option" = bare ] || command=("$PICKET" run -q --enforce "$level" --profile none --result "$SCRATCH/result" --read / --exec /
		--write "$SCRATCH/in" --write /dev --write /proc/self "$option" "$SCRATCH/in/d" --)
	(cd "$SCRATCH/in" && "${command[@]}" "$fails_anyway" "$@") >"$SCRATCH/said" 2>&1
}
refused_too bare - && mv "$SCRATCH/said" "$SCRATCH/bare"
check_not 'control: they all fail without a guard' grep -e '= works' "$SCRATCH/bare"
refused_too bare - control
check_not 'control: these do not' grep -v -e '= works' "$SCRATCH/said"
for level in $LEVELS_HERE; do
	for option in --deny --read-only; do
		refused_too "$option" "$level"
		check "$level: $option: what fails anyway fails as without a guard" diff "$SCRATCH/bare" "$SCRATCH/said"
		check_same "$level: $option: and is no violation" '[]' "$(jq -c '[.violations[] | [.syscall, .target]]' "$SCRATCH/result")"
		refused_too "$option" "$level" control
		check_same "$level: $option: control: what does not is refused" "$(grep -c . "$SCRATCH/said")" \
			"$(grep -c -e '= EACCES' "$SCRATCH/said")"
		check_same "$level: $option: control: and recorded" "$(grep -c . "$SCRATCH/said")" "$(jq .violation_count "$SCRATCH/result")"
	done
done
# the same comparison finds a difference where there is one
for level in $LEVELS_HERE; do
	outcomes libc "$PICKET" run -q --enforce "$level" --read-only "$SCRATCH/in/top/home/dir" -- >"$SCRATCH/guarded" 2>/dev/null
	check_not "$level: control: another outcome is noticed" cmp -s "$SCRATCH/plain.libc" "$SCRATCH/guarded"
	break
done
finish
