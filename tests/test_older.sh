#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Without calls that came with later kernels Picket runs at the levels that can do without them, and of the others says what
# they lack. The calls are hidden by a filter (tests/helpers/older.c); real older kernels are in tests/machines.sh.
. "$(dirname "$0")/lib.sh"
make_scratch
older=$BUILD/tests/helpers/older
cd "$SCRATCH" || exit 1
mkdir -p open/below shut
echo open >open/below/page; echo shut >shut/page
ln -s below/page open/link; ln -s ../shut/page open/way-out

# on VERSION LEVEL COMMAND...: r.json; the caller has descriptors open that are not the tool's
on() {
	local version=$1 level=$2
	shift 2
	rm -f r.json
	"$older" "$version" "$PICKET" run -q --enforce "$level" --profile workstation --deny "$SCRATCH/shut" --result r.json \
		--capture -- "$@" 7<shut/page </dev/null
}

check_same 'control: nothing is hidden of a kernel that has all' "$("$PICKET" probe)" "$("$older" 99.0 "$PICKET" probe)"
"$older" 5.4 "$PICKET" probe >probed
check 'before Linux 5.6: seccomp is there' grep -qE '^  seccomp +yes$' probed
check 'before Linux 5.6: gate is not, and why' grep -qE '^  gate +no: there is no openat2 \(Linux 5\.6\)$' probed
"$older" 5.2 "$PICKET" probe >probed
check 'before Linux 5.3: ptrace is not there, and why' \
	grep -qE '^  ptrace +no: there is no PTRACE_GET_SYSCALL_INFO \(Linux 5\.3\)$' probed
check 'before Linux 5.3: preload is there' grep -qE '^  preload +yes$' probed
check_not 'before Linux 5.3: a run that requires a boundary does not start' \
	"$older" 5.2 "$PICKET" run -q --require ptrace -- true

for row in '5.4 ptrace' '5.4 seccomp' '5.8 ptrace' '5.8 seccomp' '5.8 gate' '5.2 preload' '4.18 preload'; do
	read -r version level <<<"$row"
	why=$("$older" "$version" "$PICKET" run -q --enforce "$level" -- true 2>&1) || { skip "$level before Linux $version" "$why"; continue; }
	name="level $level on Linux $version"
	on "$version" "$level" cat open/below/page open/link "$SCRATCH/./open/../open/link"
	check_same "$name: what is allowed is read" 'open|open|open|0' \
		"$(jq -r '(.stdout | gsub("\n"; "|")) + (.violation_count | tostring)' r.json)"
	on "$version" "$level" cat open/way-out
	check "$name: what is not is refused and recorded" jq -e --arg target "$SCRATCH/shut/page" \
		'.stdout == "" and .exit_code == 1 and .violations[0].target == $target' r.json
	on "$version" "$level" sh -c 'cat <&7; ls /proc/self/fd'
	check "$name: the caller's descriptors do not reach the tool" jq -e '.stdout | split("\n") | index("shut") or index("7") | not' r.json
	on "$version" "$level" sh -c 'echo end; sleep 60 >/dev/null 2>&1 &'
	check "$name: captured output ends with the run" jq -e '.stdout == "end\n" and .duration_ms < 30000' r.json
	rm -rf in; mkdir in
	on "$version" "$level" sh -c 'cd in && exec "$0" company fchmod' "$BUILD/tests/helpers/errors"	# 0x17: a file
	check "$name: among threads, too, a file's mode is changed by a descriptor" jq -e '.stdout | test("fchmod\\(0x17, 0\\) = works")' r.json
done
check_same 'control: a descriptor reaches a command without Picket' shut "$(sh -c 'cat <&7' 7<shut/page)"
finish
