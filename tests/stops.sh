#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Which calls of a command the supervisor is asked about, most frequent first, and the names that they are about (of a call without
# a name that of the one before): what is left to be made cheaper. A uprobe on the supervisor's own code counts, so the tool
# runs as it does without; but only root can set it, and tracefs must be there.
#   stops.sh [-u UID] [LEVEL...] -- COMMAND [ARGUMENT...]      levels: seccomp gate
#   NAMES=20   so many names of each level; default 0
. "$(dirname "$0")/lib.sh"
as=() levels=()
if [ "${1:-}" = -u ]; then as=(setpriv --reuid "$2" --regid "$2" --clear-groups); shift 2; fi
while [ $# -gt 0 ] && [ "$1" != -- ]; do levels+=("$1"); shift; done
shift
[ $# -gt 0 ] || { echo "usage: stops.sh [-u UID] [LEVEL...] -- COMMAND [ARGUMENT...]" >&2; exit 2; }
[ ${#levels[@]} -gt 0 ] || levels=(seccomp gate)

tracing=/sys/kernel/tracing
[ -w $tracing/uprobe_events ] || { echo "stops.sh: $tracing/uprobe_events cannot be written (root, tracefs)" >&2; exit 1; }
here=$PWD
make_scratch
chmod 777 "$SCRATCH"
picket=$(readlink -f "$PICKET")

# Where in the file judge() begins, and where in a request is what.
cat >"$SCRATCH/offsets.c" <<'END'
#include "decode.h"
#include <stdio.h>
int main(void)
{
	printf("nr=+%zu(%%si):s64 there=+%zu(%%si):u8 name=+%zu(%%si):string\n", offsetof(struct request, stop.number),
	       offsetof(struct request, names[0].at.exists), offsetof(struct request, names[0].at.name));
}
END
${CC:-cc} -D_GNU_SOURCE -std=gnu17 -iquote "$SOURCE/policy" -iquote "$SOURCE/tracer" -o "$SCRATCH/offsets" "$SCRATCH/offsets.c" || exit 1
address=$((16#$(nm "$picket" | awk '$3 == "judge" { print $1 }')))
while read -r type offset virtual _ size _; do
	[ "$type" = LOAD ] && [ $address -ge $((virtual)) ] && [ $address -lt $((virtual + size)) ] && place=$((address - virtual + offset))
done < <(readelf -lW "$picket")

probe_off() {
	echo 0 >$tracing/events/picket/enable
	echo -:picket/judge >>$tracing/uprobe_events
} 2>/dev/null
trap 'probe_off; cd /; rm -rf "$SCRATCH"' EXIT
probe_off
echo "p:picket/judge $picket:$place $("$SCRATCH/offsets")" >>$tracing/uprobe_events || exit 1
was=$(cat $tracing/buffer_size_kb)
echo 16384 >$tracing/buffer_size_kb
echo 1 >$tracing/events/picket/enable

for level in "${levels[@]}"; do
	echo >$tracing/trace
	(cd "$here" && "${as[@]}" "$picket" run -q --profile workstation --enforce "$level" -r "$SCRATCH/result.json" -- "$@" >/dev/null)
	echo "level $level: $(sed -n 's/.*"supervisor_stops": *\([0-9]*\).*/\1/p' "$SCRATCH/result.json") stops"
	sed -n 's/.* judge: .* nr=\([0-9]*\) there=\([01]\) name="\(.*\)"$/\1 \2 \3/p' $tracing/trace >"$SCRATCH/seen"
	"$picket" syscalls | awk -v names="${NAMES:-0}" '
		NR == FNR { if ($1 ~ /^[0-9]+$/) called[$1] = $2; next }
		{
			call = ($1 in called) ? called[$1] : $1
			rank[call]++
			name = $0; sub(/^[^ ]+ [^ ]+ /, "", name); gsub(/[0-9]+/, "#", name)
			about[call " " name ($2 == "0" ? " (not there)" : "")]++
		}
		END {
			for (c in rank) printf "%8d  %s\n", rank[c], c | "sort -rn"
			close("sort -rn")
			if (names) for (a in about) printf "%8d  %s\n", about[a], a | ("sort -rn | head -n " names)
		}' - "$SCRATCH/seen"
done
echo "$was" >$tracing/buffer_size_kb
