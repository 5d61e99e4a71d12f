#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# At level seccomp a program that asks for many missing names is told so without a stop (tracer/absent.c): helpers/absent.c and
# helpers/absent_site.c do, and then whatever could show it, or be got by it. Where it is not to be they come to the same.
. "$(dirname "$0")/lib.sh"
make_scratch
LEVELS="seccomp ptrace" levels_here
case $LEVELS_HERE in *seccomp*ptrace*) ;; *) finish ;; esac
absent=$BUILD/tests/helpers/absent site=$BUILD/tests/helpers/absent_site
older=() as=()
cd "$SCRATCH" || exit 1
mkdir -m 777 results && mkdir denied && echo secret >denied/f || exit 1

make_place() {
	rm -rf place && mkdir place && echo contents >place/file || exit 1
	ln -s file place/link
	ln -s missing place/dangling
	ln -s loop place/loop
	chmod 777 place
}

# run LEVEL [OPTION...] -- COMMAND...: into guarded, and the result
run() {
	local level=$1
	shift
	make_place
	rm -f results/json
	"${as[@]}" "${older[@]}" "$PICKET" run -q --profile workstation --read / --exec / --write "$SCRATCH/place" --deny "$SCRATCH/denied" \
		--enforce "$level" --result "$SCRATCH/results/json" "$@" >guarded 2>&1 </dev/null
	echo "exit $?" >>guarded
}
bare() {	# COMMAND...
	make_place
	(umask 022; "${as[@]}" "$@" >bare 2>&1 </dev/null; echo "exit $?" >>bare)
}
stops() { jq .enforcement.supervisor_stops results/json; }
few() { [ "$(stops)" -lt 100 ]; }
many() { [ "$(stops)" -ge "$1" ]; }	# LEAST
same() { check "$1: as without a guard" diff bare guarded; }	# NAME

# As the user that `as` makes of us.
try() {	# WHO
	local who=$1 how when what
	bare "$absent" misses
	check_same "$who: control: bare" 'wrong: 0' "$(head -n 1 bare)"
	run seccomp -- "$absent" misses
	same "$who: a thousand missing names"
	check "$who: which take $(stops) stops" few
	run seccomp --hide /root/hidden -- "$absent" misses
	same "$who: where something is hidden"
	check "$who: where each stops" many 1000
	run seccomp --hide /root/hidden -- "$site" jumped
	check_same "$who: and there is no jump" no "$(head -n 1 guarded)"

	bare "$absent" table place "$SCRATCH/denied"
	run ptrace -- "$absent" table place "$SCRATCH/denied"
	mv guarded traced
	jq -c '[.violations[] | [.syscall, .target, .errno, .count]]' results/json >traced.violations
	check "$who: control: something is refused" grep -q denied/f traced.violations
	check_same "$who: opens of every kind: as without a guard, but for what is denied" "$(grep -v ^denied bare)" "$(grep -v ^denied traced)"
	run seccomp -- "$absent" table place "$SCRATCH/denied"
	check "$who: before and after, as at level ptrace" diff traced guarded
	check_same "$who: what was refused is recorded as there" "$(cat traced.violations)" \
		"$(jq -c '[.violations[] | [.syscall, .target, .errno, .count]]' results/json)"
	check_same "$who: what is denied is refused, before and after" 2 "$(grep -c '^denied 0, .*: 13$' guarded)"
	check_same "$who: unless it is not there" 2 "$(grep -c '^denied and missing 0, .*: 2$' guarded)"

	bare "$site" registers
	run seccomp -- "$site" registers
	same "$who: registers, flags and what lies below the stack pointer"
	check "$who: which were those behind $(stops) stops" few

	for how in seccomp prctl tsync; do
		for when in before after child sharing exec; do
			bare "$absent" filter $how $when
			run seccomp -- "$absent" filter $how $when
			same "$who: a filter that kills, by $how, $when"
			check "$who: which it is after $(stops) stops" many 1000
		done
	done
	run seccomp -- "$absent" filter seccomp nothing
	check_same "$who: control: it kills at a stat" 'exit 159' "$(tail -n 1 guarded)"

	bare "$absent" dispatch
	run seccomp -- "$absent" dispatch
	same "$who: a program that is told of its own calls"
	check "$who: which it is after $(stops) stops" many 1000

	run seccomp -- "$site" signals
	check_same "$who: a signal finds a program before the call, wherever it comes" \
		'flags turned over: 1|not before the call: 0|changed: 1|in its own code: 1|exit 0|' "$(tr '\n' '|' <guarded)"

	for what in fork vfork timer; do
		bare "$absent" tasks $what
		run seccomp -- "$absent" tasks $what
		same "$who: $what"
		check "$who: $what: in $(stops) stops" few
	done
	for what in 'memory 1000' 'thread 3000' 'threads 5000'; do	# each name, but those for which the memory was one task's
		bare "$absent" tasks "${what% *}"
		run seccomp -- "$absent" tasks "${what% *}"
		same "$who: ${what% *}"
		check "$who: ${what% *}: in $(stops) stops" many "${what#* }"
	done

	run seccomp -- "$site" attack denied/f place/file
	check_same "$who: nowhere in the code, nor by it when it is changed, is what is denied opened" \
		'opened at some byte: 0|control: what is allowed: opened|changed: 1|opened by what is there now: 0|control: what is allowed: opened|a filter: 0|unchanged: 1|exit 0|' \
		"$(tr '\n' '|' <guarded)"
	check "$who: and that is recorded" jq -e --arg target "$SCRATCH/denied/f" '.violations[0].target == $target' results/json
}
try "uid $(id -u)"
if [ "$(id -u)" = 0 ] && have setpriv; then
	chmod 755 "$SCRATCH"
	as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	try 'uid 65534'
	as=()
fi

# Where what is left of the page is not empty there is no room.
read -r offset size < <(readelf -lW "$site" | awk '$1 == "LOAD" && / R E / { print $2, $5 }')
cp "$site" filled && left=$((4096 - (offset + size) % 4096)) && head -c "$left" /dev/zero | tr '\0' x |
	dd of=filled bs=1 seek=$((offset + size)) conv=notrunc status=none
run seccomp -- ./filled jumped
check_same 'a file that has something behind its code gets no jump' yes:no "$("$PICKET" run -q --enforce seccomp -- "$site" jumped):$(head -n 1 guarded)"

# At the other levels the program's text stays as it is.
run seccomp -- "$site" jumped
check_same 'control: at level seccomp there is a jump' yes "$(head -n 1 guarded)"
LEVELS="ptrace gate notify preload" levels_here
for level in $LEVELS_HERE; do
	run "$level" -- "$site" jumped
	check_same "level $level: there is none" no "$(head -n 1 guarded)"
done

# Kernels that this level is for: mappings are told by a list.
for version in 6.10 5.4; do
	older=("$BUILD/tests/helpers/older" "$version")
	run seccomp -- "$absent" misses
	check_same "before Linux $version: none is wrong" 'wrong: 0' "$(head -n 1 guarded)"
	check "before Linux $version: in $(stops) stops" few
done
finish
