#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# limits_table.sh - what each limit comes to, from real runs: asked, reached, by how much over, what the tool saw, what the
# result says; at every level, as root and as an ordinary user, and with a control group where this machine has a place
# for one. It measures and asserts nothing: test_limits.sh does.
#   LEVELS="ptrace seccomp notify"
. "$(dirname "$0")/lib.sh"
make_scratch
consume=$BUILD/tests/helpers/consume
mib=1048576

# run OPTION... -- COMMAND...: $saw: what the tool printed, in a line; $status; r.json
run() {
	rm -rf -- consumed* r.json
	saw=$(timeout -k 5 60 "${user[@]}" "$PICKET" run -q --enforce "$level" -r r.json "$@" 2>err </dev/null | tr '\n' ' ' | cut -c1-44)
	result=$(jq -r '[(if .timed_out then "timed_out" else .signal // "exit \(.exit_code)" end), .resource_limited // "-",
		(if .truncated then "truncated" else empty end)] | join(", ")' r.json 2>/dev/null) || result=$(head -c 60 err)
}
used() { jq -r ".resource_usage.$1" r.json 2>/dev/null || echo 0; }
# row LIMIT ASKED REACHED UNIT
row() {
	awk -v a="$2" -v r="$3" -v l="$1" -v u="$4" -v saw="${saw:--}" -v says="$result" 'BEGIN {
		printf "  %-13s%10s%11s%9s  %-6s%-46s%s\n", l, a, r, (a ? sprintf("%+.1f %%", (r - a) * 100 / a) : "-"), u, saw, says }'
}
biggest() { find . -name 'consumed*' -printf '%s\n' | sort -n | tail -n 1; }
all() { find . -name 'consumed*' -printf '%s\n' | awk '{ s += $1 } END { print int(s / 1048576) }'; }

rows() {
	run --memory 256M -- "$consume" memory 1000 0
	row memory 256 $(($(used peak_memory_bytes) / mib)) MiB
	run --memory 256M -- "$consume" memory 204 200
	row 'memory, 80 %' 256 $(($(used peak_memory_bytes) / mib)) MiB
	run --cpu 1000ms -- "$consume" cpu 9000
	row cpu 1000 "$(used cpu_time_ms)" ms
	run --cpu 1000ms -- "$consume" cpus 30 100
	row 'cpu, of many' 1000 "$(used cpu_time_ms)" ms
	run --timeout 1000ms -- "$consume" stopped
	row wall 1000 "$(used wall_time_ms)" ms
	run --processes 20 -- "$consume" forks 60
	row processes 20 "$(($(cut -d' ' -f1 <<<"$saw") + 1))" ''
	run --files 64 -- "$consume" descriptors
	row files 64 "${saw%%:*}" ''
	run --output-bytes 100K --capture -- "$consume" output 4000
	row output 102400 "$(jq '.stdout + .stderr | utf8bytelength' r.json)" B
	run --write-bytes 20M -- "$consume" file 64
	row 'write, a file' $((20 * mib)) "$(biggest)" B
	run --write-bytes 20M -- "$consume" files 2 500
	row 'write, all' 20 "$(all)" MiB
	run --cpu-weight 50 -- "$consume" nice
	row weight 50 "$(awk -v n="$(cut -d' ' -f2 <<<"${saw%%,*}")" -v own="$(nice)" \
		'BEGIN { printf "%.0f", 100 / 1.25 ^ (n - own) }')" '%'
	rm -rf -- consumed*
}

# Does a run get a control group here? As the result says.
group() {
	run --memory 256M -- true
	if jq -e .enforcement.control_group r.json >/dev/null 2>&1; then
		echo 'in a control group: memory at most 9/8 of the limit, and what the largest process maps of files'
	else
		echo 'no place for control groups (version 2 with a memory controller)'
	fi
}

users=(own)
[ "$(id -u)" != 0 ] || users+=(ordinary)
levels_here
for who in "${users[@]}"; do
	user=()
	mkdir "$SCRATCH/$who"
	[ "$who" = own ] || { user=(setpriv --reuid 65534 --regid 65534 --clear-groups); chown 65534:65534 "$SCRATCH/$who"; chmod 755 "$SCRATCH"; }
	cd "$SCRATCH/$who" || exit 1
	for level in $LEVELS_HERE; do
		printf 'Level %s, user %s, %s:\n' "$level" "$("${user[@]}" id -u)" "$(group)"
		printf '  %-13s%10s%11s%9s  %-6s%-46s%s\n' limit asked reached over '' 'the tool saw' 'the result says'
		rows
	done
done
