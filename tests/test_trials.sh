#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The trials: small programs of tests/trials, each of which tries one way round a guard. Each runs bare first, where
# it has to succeed (or the trial proves nothing), then guarded at each level, where nothing may happen. Both are
# judged from outside: the secret's token got out, a protected file changed, the host was contacted, the intruder ran.
# Level preload is no boundary: what gets through there is in trials/preload.txt, with the reason, and that list is true.
#   test_trials.sh [-v] [NAME-PATTERN...]   patterns as of the shell: 'race_*'
#   TRIALS_LEVELS="ptrace preload" (default: LEVELS and preload)  BUILDS="dyn static"
. "$(dirname "$0")/lib.sh"
LEVELS=${TRIALS_LEVELS:-$LEVELS preload}
shopt -s extglob nullglob dotglob	# before any function is read
BUILDS=${BUILDS:-dyn static}
verbose=
if [ "${1:-}" = -v ]; then verbose=1; shift; fi

# A mount namespace of its own, so that whatever a trial mounts ends with it.
if [ "$(id -u)" = 0 ] && [ -z "${TRIALS_INNER:-}" ] && unshare -m true 2>/dev/null; then
	TRIALS_INNER=1 exec unshare -m --propagation private "$0" ${verbose:+-v} "$@"
fi

programs=$BUILD/tests/trials
F=$(mktemp -d "${TMPDIR:-/tmp}/trials.XXXXXX") || exit 1
F=$(cd "$F" && pwd -P)
chmod 755 "$F"
judge=$F/judge	# what only this script looks at
mkdir "$judge"
token=TOKEN$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
HOST_PID=
clean_up() {
	cd /
	[ -z "$HOST_PID" ] || kill "$HOST_PID" 2>/dev/null
	chmod -R u+rwX "$F" 2>/dev/null
	rm -rf --one-file-system "$F"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# ---- the fixture ----------------------------------------------------------------------------------------

make_fixture() {
	find "$F" -mindepth 1 -maxdepth 1 ! -name judge -exec rm -rf --one-file-system {} + 2>/dev/null
	mkdir -p "$F"/{inside/top/kept,inside-too,shown,tools,vault/{dir,empty,usr}}
	cd "$F" || exit 1
	echo kept >inside/top/kept/file
	echo "$token" | tee inside-too/secret vault/secret >vault/usr/page
	echo page >shown/page
	echo victim >vault/victim; echo child >vault/dir/child; : >"vault/$token"; ln -s "$token" vault/link
	setfattr -n user.there -v 1 vault/victim 2>/dev/null
	cp "$programs"/intruder{,.so} vault; cp /usr/bin/echo vault
	cp "$programs"/trials-{dyn,static,low,x86} tools
	printf '#!%s\n' "$F/vault/intruder" >tools/script
	printf '#!%s\n' "$F/tools/script" >tools/script-of-script
	cp "$judge/interpreted" tools
	chmod 755 tools/*
	start_host
	before=$(snapshot)
}

start_host() {
	[ -z "$HOST_PID" ] || { kill "$HOST_PID"; wait "$HOST_PID"; } 2>/dev/null
	exec 5<&- 6>&-
	# shellcheck disable=SC2094	# a directory and a file of it
	coproc HOST { TRIAL_KEY=$token exec "$programs/host" "$F/vault" "${F##*/}" 7<"$F/vault/secret" 8<"$F/vault"; }
	exec 5<&"${HOST[0]}" 6>&"${HOST[1]}"
	read -r -t 10 port host <&5 || { not_ok 'the host starts' </dev/null; finish; }
}

# What a trial may leave inside: everything but top, which is protected.
left_inside() {
	left=("$F"/inside/!(top))
	[ ${#left[@]} -gt 0 ]
}

# Every protected thing with everything that stat says, but when it was last read.
snapshot() {
	find "$F"/{vault,shown,tools,inside-too} "$F/inside/top" -printf '%p %y %i %m %U:%G %n %s %T@ %C@ %l\n' 2>/dev/null
}

# ---- one trial -------------------------------------------------------------------------------------------

# run_trial WRAPPER...: sets evidence (words) and status. Uses name, build, needs.
run_trial() {
	local command out=$judge/out after count
	if left_inside; then rm -rf --one-file-system "${left[@]}"; fi
	cd "$F/inside" || exit 1
	started=${EPOCHREALTIME/./}
	command=(timeout --kill-after=2 20 "$@" "$F/tools/trials-$build" "$name" "$F" "$port" "$host")
	# The reader waits for whoever still holds the pipe, survivors included.
	if [[ $needs = *terminal,* ]]; then
		script -qec "$(printf '%q ' "${command[@]}") ; IFS= read -r -t 1 line; [ \"\$line\" != TYPED ] || cat '$F/vault/secret'" \
			/dev/null </dev/null 2>&1 | timeout 25 cat >"$out"
	else
		TRIAL_KEY=$token "${command[@]}" 7<"$F/vault/secret" 8<"$F/vault" </dev/null 2>&1 | timeout 25 cat >"$out"
	fi
	status=${PIPESTATUS[0]}
	took=$(((${EPOCHREALTIME/./} - started) / 1000))
	cd "$F" || exit 1
	after=$(snapshot)
	if [ "$name" = process_survivor ]; then	# whatever it does, it does soon
		for _ in {1..60}; do
			[ "$before" = "$after" ] || break
			read -r -t 0.01 <>"$judge/nap"
			after=$(snapshot)
		done
	fi
	evidence=
	if grep -qaE "$token|^INTRUDER-RAN|^REACHED" "$out"; then
		! grep -qaF "$token" "$out" || evidence+=' leak'
		! grep -qa '^INTRUDER-RAN' "$out" || evidence+=' run'
		! grep -qa '^REACHED' "$out" || case $effect in work) evidence+=' work' ;; *) evidence+=' reach' ;; esac
	fi
	if left_inside && grep -rqaF -D skip "$token" "$F/inside" 2>/dev/null; then evidence+=' leak'; fi
	[ "$before" = "$after" ] || evidence+=' change'
	kill -CONT "$HOST_PID"	# a trial may have stopped it
	if ! { echo >&6 && read -r -t 10 count <&5; }; then count=0; start_host; fi
	[ "$count" = 0 ] || evidence+=' contact'
	if [[ $evidence = *change* ]] || [ ! -S "$F/vault/stream.sock" ]; then
		while read -r _ _ _ _ mounted _; do
			case $mounted in "$F"/*) umount -l "$mounted" ;; esac
		done </proc/self/mountinfo
		diff <(sort <<<"$before") <(sort <<<"$after") | head -n 4 >"$judge/changes"
		make_fixture
	fi
}

declare -A bare_got held broke absent reason
families=
while IFS=': ' read -r why names; do
	for name in $names; do reason[$name]=$why; done
done < <(grep -v '^#' "$SOURCE/tests/trials/preload.txt")

# told LEVEL VERDICT: of a trial that is over; the verdict is empty when it held.
told() {
	local level=$1 verdict=$2 listed=
	[ "$level" != preload ] || listed=${reason[$name]:-}
	if [ "$level" = preload ] && [ "$build" = static ]; then
		listed=
		if [ -z "$evidence" ] && grep -qa 'statically linked and cannot be guarded' "$judge/out"; then
			verdict=
		else
			verdict+=' not refused to start'
		fi
	fi
	if [ "$listed" ] && [ -z "$works_bare" ]; then
		listed='' verdict=''	# nothing to get through with
	elif [ "$listed" ] && [ "$listed" != moment ] && [ -z "$verdict" ]; then
		not_ok "$name, $build, at preload: it no longer gets through ($listed: $what); preload.txt says that it does" </dev/null
		return
	fi
	if [ -z "$verdict" ]; then
		ok "$name, $build, at $level"
		held[$family,$level]=$((${held[$family,$level]:-0} + 1))
		return
	fi
	broke[$family,$level]=$((${broke[$family,$level]:-0} + 1))
	if [ "$listed" ]; then
		ok "$name, $build, at $level: gets through, as is known ($listed)"
	else
		not_ok "$name, $build, at $level:$verdict ($what)" \
			<<<"$(cat "$judge/changes" 2>/dev/null; tail -n 4 "$judge/out" | tr -d '\0' | cut -c1-300)"
	fi
}
note() { [ -z "$verbose" ] || printf '# %s\n' "$*"; }

try() {	# name effect needs what
	local family=${name%%_*} level verdict crash bare_status works_bare=
	[[ " $families " = *" $family "* ]] || families+=" $family"
	run_trial "$F/tools/trials-dyn" --stand-in
	bare_status=$status
	note "$build $name: bare: $evidence, status $status, $took ms"
	if [[ $evidence = *$effect* ]]; then
		works_bare=1
		bare_got[$family]=$((${bare_got[$family]:-0} + 1))
	elif [[ $needs = *maybe,* ]]; then
		absent[$family]=$((${absent[$family]:-0} + 1))
	else
		not_ok "control: $name, $build: $effect bare ($what)" <<<"evidence:$evidence, status $status
$(tail -n 3 "$judge/out" | tr -d '\0')"
		return
	fi
	for level in $LEVELS_HERE; do
		run_trial "$PICKET" run -q --profile none "${policy[@]}" --enforce "$level" --
		crash=
		case $status in
		124|125|126|127) crash=" status $status" ;;
		129|13?|14?|15?) [ "$status" = "$bare_status" ] || [[ $name = guard_* ]] || crash=" killed, status $status" ;;
		esac
		note "$build $name: $level: $evidence, status $status, $took ms"
		verdict=$evidence$crash
		if [ "$effect" = work ]; then
			if [ "$evidence" = ' work' ]; then verdict=$crash; else verdict="$evidence does not work$crash"; fi
		fi
		told "$level" "$verdict"
		rm -f "$judge/changes"
	done
}

# ---- all of them -------------------------------------------------------------------------------------------

mkfifo "$judge/nap"
# A program whose ELF interpreter is the intruder.
echo 'int main(void) { return 0; }' >"$judge/i.c"
"${CC:-gcc}" -o "$judge/interpreted" "$judge/i.c" -Wl,--dynamic-linker="$F/vault/intruder" || exit 1
make_fixture
policy=(--read /usr --read /lib --read /lib64 --read /bin --read /etc/ld.so.cache --read /proc/self --write /dev/null
	--read "$F/shown" --read "$F/tools" --write "$F/inside" --read-only "$F/inside/top/kept"
	--exec "$F/tools" --exec /usr/bin --exec /bin/sh)
levels_here

unknown=$(printf '%s\n' "${!reason[@]}" | sort | comm -23 - <("$programs/trials-dyn" --list | cut -f1 | sort))
check_same 'preload.txt names trials that there are' '' "$unknown"

[ "$(id -u)" = 0 ] && other=user, || other=root,
mapfile -t list < <("$programs/trials-dyn" --list | sort)
for line in "${list[@]}"; do
	IFS=$'\t' read -r name effect needs what <<<"$line"
	[[ $needs != *$other* ]] || continue
	if [ $# -gt 0 ]; then
		chosen=
		# shellcheck disable=SC2053 # patterns
		for pattern; do [[ $name != $pattern ]] || chosen=1; done
		[ -n "$chosen" ] || continue
	fi
	for build in $BUILDS; do
		[[ $build = static && $needs = *dynamic,* ]] || try
	done
done

echo '# table'
printf '     %-10s%10s%12s' trials 'bare: got' 'not offered'
for level in $LEVELS_HERE; do printf '%22s' "$level: held/through"; done; echo
for family in $families; do
	printf '     %-10s%10d%12d' "$family" "${bare_got[$family]:-0}" "${absent[$family]:-0}"
	for level in $LEVELS_HERE; do
		printf '%22s' "${held[$family,$level]:-0}/${broke[$family,$level]:-0}"
	done
	echo
done
echo '# end'
finish
