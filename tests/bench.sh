#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What guarding costs. Each piece of work runs bare and under each guard in turns, several rounds; a figure is the median over
# the rounds of guarded by bare of the same round, so that a busy machine troubles both alike.
#   bench.sh [WORK...]      open files build1 build2 shell true
#   LEVELS="ptrace seccomp"  ROUNDS=5
. "$(dirname "$0")/lib.sh"
ROUNDS=${ROUNDS:-5}
helpers=$BUILD/tests/helpers
make_scratch
cd "$SCRATCH" || exit 1
PATH=/usr/local/bin:/usr/bin:/bin

# ---- the work ---------------------------------------------------------------------------------------------
mkdir project
for i in {1..60}; do
	printf '#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\nint f%d(int x) { return printf("%%d", x * %d); }\n' \
		"$i" "$i" >"project/f$i.c"
done
printf 'OBJ = %s\nall: $(OBJ)\n' "$(printf 'f%d.o ' {1..60})" >project/Makefile
cat >shell.sh <<'END'
i=0
while [ $i -lt 200 ]; do /bin/true; i=$((i + 1)); done
END
work_open() { echo "$helpers/openclose" 20000; }
work_build1() { echo make -s -C project -B CC=gcc CFLAGS=-O0 -j1; }
work_build2() { echo make -s -C project -B CC=gcc CFLAGS=-O0 -j2; }
work_shell() { echo sh shell.sh; }
work_true() { echo true; }
command_of() {	# as an array: the words of work_NAME, the script of sh -c in one piece
	if [ "$1" = files ]; then command=(sh -c 'find /usr/include -type f -exec cat {} + >/dev/null')
	else read -r -a command <<<"$("work_$1")"; fi
}

# ---- the guards -------------------------------------------------------------------------------------------
# The words before the command; the others are measured as what people use them for, not as equals.
guard_words() {
	case $1 in
	bare) words=() ;;
	strace) words=(strace -f --seccomp-bpf -o /dev/null -e trace=file,network) ;;
	proot) words=(proot) ;;
	bwrap) words=(bwrap --bind / / --dev-bind /dev /dev --unshare-all --die-with-parent) ;;
	*+limits) words=("$PICKET" run -q --profile workstation --enforce "${1%+limits}" -r result.json --memory 4G --cpu 10m
		--timeout 10m --processes 4000 --files 4000 --output-bytes 1G --write-bytes 8G --cpu-weight 100 --) ;;
	*) words=("$PICKET" run -q --profile workstation --enforce "$1" -r result.json --) ;;
	esac
}
levels_here
guards=$LEVELS_HERE
for other in strace proot bwrap; do
	if ! have $other; then skip "$other" 'not installed'; continue; fi
	guard_words $other
	if "${words[@]}" true >/dev/null 2>&1 </dev/null; then guards+=" $other"; else skip "$other" 'does not work here'; fi
done

median() { sort -g | awk '{ v[NR] = $1 } END { if (NR == 0) print "-"; else if (NR % 2) print v[(NR + 1) / 2]; else print (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

declare -A ratios bares stops
measure() {	# GUARD: microseconds of the command
	guard_words "$1"
	"$helpers/spawn" time.txt "${words[@]}" "${command[@]}" >/dev/null 2>errors.txt </dev/null || {
		echo "bench.sh: $1 failed: ${command[*]}: $(tail -n 1 errors.txt)" >&2
		return 1
	}
	read -r microseconds _ <time.txt
}

bench() {	# WORK
	local round guard bare
	command_of "$1"
	measure bare >/dev/null	# what is cached is cached for all
	for ((round = 0; round < ROUNDS; round++)); do
		measure bare || return
		bare=$microseconds
		bares[$1]+="$bare "
		for guard in $guards; do
			measure "$guard" || continue
			if [ "$1" = true ]; then	# a difference, not a ratio
				ratios[$1,$guard]+="$(awk "BEGIN { printf \"%.2f\", ($microseconds - $bare) / 1000 }") "
			else
				ratios[$1,$guard]+="$(awk "BEGIN { printf \"%.3f\", $microseconds / $bare }") "
			fi
			[ ! -s result.json ] || stops[$1,$guard]=$(sed -n 's/.*"supervisor_stops": *\([0-9]*\).*/\1/p' result.json)
			rm -f result.json
		done
	done
}

declare -A title=([open]='open + close' [files]='find + cat /usr/include' [build1]='build of 60 files, -j1'
	[build2]='build of 60 files, -j2' [shell]='200 short processes' [true]='start and end, ms more')
works=${*:-open files build1 build2 shell true}

echo "Ratios to the bare run, medians of $ROUNDS rounds; in brackets how often the supervisor was asked."
printf '%-26s%12s' work 'bare, ms'
for guard in $guards; do printf '%20s' "$guard"; done; echo
for work in $works; do
	bench "$work"
	printf '%-26s%12s' "${title[$work]}" "$(tr ' ' '\n' <<<"${bares[$work]}" | grep . | median | awk '{ printf "%.1f", $1 / 1000 }')"
	for guard in $guards; do
		figure=$(tr ' ' '\n' <<<"${ratios[$work,$guard]:-}" | grep . | median)
		printf '%20s' "$(printf '%.2f' "$figure" 2>/dev/null || echo "$figure")${stops[$work,$guard]:+ [${stops[$work,$guard]}]}"
	done
	echo
done
echo

# ---- limits -------------------------------------------------------------------------------------------------
echo 'All limits set, as ratios to none set:'
for level in $LEVELS_HERE; do
	for work in $works; do
		[ "$work" != true ] || continue
		command_of "$work"
		figure=$(for ((round = 0; round < ROUNDS; round++)); do
			measure "$level" || break
			without=$microseconds
			measure "$level+limits" || break
			awk "BEGIN { printf \"%.3f\\n\", $microseconds / $without }"
		done | median)
		printf '  %-10s%-26s%8.2f\n' "$level" "${title[$work]}" "$figure"
	done
done
echo

# ---- memory -------------------------------------------------------------------------------------------------
echo 'Memory of the supervisor, KiB (VmHWM):'
for level in $LEVELS_HERE; do
	for threads in 1 200 1000; do
		guard_words "$level"
		SPAWN_PEAK=1 "$helpers/spawn" time.txt "${words[@]}" "$helpers/threads" "$threads" 1 >/dev/null 2>&1 </dev/null
		read -r _ peak <time.txt
		printf '  %-10s%6d threads%10s\n' "$level" "$threads" "${peak/#0/not readable}"
	done
done
echo

# ---- deciding ------------------------------------------------------------------------------------------------
[ ! -x "$BUILD/tests/bench_decide" ] || "$BUILD/tests/bench_decide"
