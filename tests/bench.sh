#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What guarding costs. Each piece of work runs bare and under each guard in turns, several rounds; a figure is the median over
# the rounds of guarded by bare of the same round, so that a busy machine troubles both alike.
#   bench.sh [--count] [WORK...]    work: open open2 files pipe file build1 build2 git npm python node tar shell true; default: all
#   --count                         how often the supervisor was asked, instead of times: the same on any machine; about what,
#                                   stops.sh tells of one command
#   LEVELS="seccomp gate" ROUNDS=5 OTHERS="tracer bwrap"   levels, rounds, other tools (default: all that there are)
# The table goes to the terminal, and as a plot to BUILD/bench.svg.
count_only=
if [ "${1:-}" = --count ]; then count_only=1; shift; fi
LEVELS=${LEVELS:-preload ptrace seccomp notify gate}
. "$(dirname "$0")/lib.sh"
ROUNDS=${ROUNDS:-5}
OTHERS=${OTHERS-tracer tracer+calls strace proot bwrap fakechroot firejail}
helpers=$BUILD/tests/helpers
make_scratch
cd "$SCRATCH" || exit 1
PATH=/usr/local/bin:/usr/bin:/bin
[ -z "$count_only" ] || ROUNDS=1 OTHERS=

# ---- the work ---------------------------------------------------------------------------------------------
# prepare_NAME makes what work_NAME needs, once; work_NAME prints the words of the command, each with a NUL after it. A missing
# tool: no words.
prepare_build() {
	local i
	mkdir project
	for i in {1..60}; do
		printf '#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\nint f%d(int x) { return printf("%%d", x * %d); }\n' \
			"$i" "$i" >"project/f$i.c"
	done
	printf 'OBJ = %s\nall: $(OBJ)\n' "$(printf 'f%d.o ' {1..60})" >project/Makefile
}
# A tree of 20,000 files in 200 directories, one line each.
prepare_git() {
	local d
	mkdir repository && git -C repository init -q || return
	for d in {1..200}; do
		mkdir "repository/d$d"
		awk -v d="$d" 'BEGIN { for (i = 1; i <= 100; i++) { f = "repository/d" d "/f" i; print "line", i, "of", d > f; close(f) } }'
	done
	git -C repository add -A
	git -C repository -c user.name=bench -c user.email=bench@example.org commit -qm all
}
# Ten packages that lie beside the one that needs them; nothing is fetched.
prepare_npm() {
	local i
	mkdir npm npm/app
	for i in {1..10}; do
		mkdir "npm/p$i"
		printf '{ "name": "p%d", "version": "1.0.0", "main": "index.js" }\n' "$i" >"npm/p$i/package.json"
		echo "module.exports = $i" >"npm/p$i/index.js"
	done
	{
		printf '{ "name": "app", "version": "1.0.0", "dependencies": {'
		for i in {1..10}; do printf '%s "p%d": "file:../p%d"' "$([ "$i" = 1 ] || echo ,)" "$i" "$i"; done
		printf ' } }\n'
	} >npm/app/package.json
}
prepare_tar() {
	mkdir -p packed/{1..50} unpacked
	local d
	for d in {1..50}; do
		awk -v d="$d" 'BEGIN { for (i = 1; i <= 100; i++) { f = "packed/" d "/" i; print "file", i > f; close(f) } }'
	done
	tar cf packed.tar packed
}
prepare_shell() { printf 'i=0\nwhile [ $i -lt 200 ]; do /bin/true; i=$((i + 1)); done\n' >shell.sh; }

words() { printf '%s\0' "$@"; }
script() { words sh -c "$1"; }
work_open() { words "$helpers/openclose" 20000; }
work_open2() { words "$helpers/openclose" 10000 2; }
work_files() { script 'find /usr/include -type f -exec cat {} + >/dev/null'; }
work_pipe() { script 'find /usr/include -type f -exec cat {} +'; }	# as files, with a reader
work_file() { work_pipe; }
work_build1() { words make -s -C project -B CC=gcc CFLAGS=-O0 -j1; }
work_build2() { words make -s -C project -B CC=gcc CFLAGS=-O0 -j2; }
work_git() { ! have git || script 'cd repository && git status --short && git grep -c "line 77 of" >/dev/null'; }
work_npm() { ! have npm || script 'rm -rf npm/app/node_modules npm/app/package-lock.json
	cd npm/app && HOME=$PWD npm install --offline --no-audit --no-fund --loglevel error'; }
work_python() {
	! have python3 || words python3 -c 'import argparse, asyncio, collections, csv, ctypes, datetime, decimal, email, hashlib, http.client
import json, logging, multiprocessing, pathlib, random, sqlite3, ssl, subprocess, tempfile, unittest, xml.dom.minidom'
}
work_node() { ! have node || words node -e 0; }
work_tar() { script 'rm -rf unpacked/packed && tar xf packed.tar -C unpacked'; }
work_shell() { words sh shell.sh; }
work_true() { words true; }
declare -A title=([open]='open + close' [open2]='open + close, two threads' [files]='find + cat /usr/include'
	[pipe]='the same into a pipe' [file]='the same into a file'
	[build1]='build of 60 files, -j1' [build2]='build of 60 files, -j2' [git]='git status, grep: 20,000 files'
	[npm]='npm install, local' [python]='python3, 20 imports' [node]='node start' [tar]='tar x, 5,000 files'
	[shell]='200 short processes' [true]='start and end, ms more')
declare -A needs=([build1]=build [build2]=build [git]=git [npm]=npm [tar]=tar [shell]=shell) prepared

works=${*:-open open2 files pipe file build1 build2 git npm python node tar shell true}
for work in $works; do
	if [ -z "${title[$work]:-}" ]; then
		echo "bench.sh: no work is called $work; there are: ${!title[*]}" >&2
		exit 2
	fi
done

# The words of the work, as an array; what it needs is made. False: the tool is missing.
command_of() {
	local need=${needs[$1]:-}
	mapfile -d '' -t command < <("work_$1")
	[ ${#command[@]} -gt 0 ] || return
	[ -z "$need" ] || [ -n "${prepared[$need]:-}" ] || "prepare_$need"
	prepared[${need:-none}]=1
}

# ---- the guards -------------------------------------------------------------------------------------------
# The words before the command; the others are measured as what people use them for, not as equals. The tracers guard nothing: they
# are what ptrace itself costs, with the stops of level gate (of processes) and of level seccomp (and at calls).
guard_words() {	# GUARD [WORK]
	local together=(-t)
	case ${2:-} in *2) together=() ;; esac	# two tasks at a time
	case $1 in
	tracer) words=("$helpers/empty_tracer" "${together[@]}") ;;
	tracer+calls) words=("$helpers/empty_tracer" "${together[@]}" -c) ;;
	bare) words=() ;;
	strace) words=(strace -f --seccomp-bpf -o /dev/null -e 'trace=file,network') ;;
	proot | fakechroot) words=("$1") ;;
	firejail) words=(firejail --quiet --noprofile) ;;
	bwrap) words=(bwrap --bind / / --dev-bind /dev /dev --unshare-all --die-with-parent) ;;
	*+limits) words=("$PICKET" run -q --profile workstation --enforce "${1%+limits}" -r result.json --memory 4G --cpu 10m
		--timeout 10m --processes 4000 --files 4000 --output-bytes 1G --write-bytes 8G --cpu-weight 100 --) ;;
	*) words=("$PICKET" run -q --profile workstation --enforce "$1" -r result.json --) ;;
	esac
}
levels_here
guards=$LEVELS_HERE
for other in $OTHERS; do
	if [[ $other != tracer* ]] && ! have "$other"; then skip "$other" 'not installed'; continue; fi
	guard_words "$other"
	if "${words[@]}" true >/dev/null 2>&1 </dev/null; then guards+=" $other"; else skip "$other" 'does not work here'; fi
done

median() { sort -g | awk '{ v[NR] = $1 } END { if (NR == 0) print "-"; else if (NR % 2) print v[(NR + 1) / 2]; else print (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

declare -A ratios bares stops
measure() {	# GUARD WORK: microseconds of the command, and those of processor time
	guard_words "$1" "$2"
	run_into "$2" "$helpers/spawn" time.txt "${words[@]}" "${command[@]}" 2>errors.txt </dev/null || {
		echo "bench.sh: $1 failed: ${command[*]}: $(tail -n 1 errors.txt)" >&2
		return 1
	}
	{ read -r microseconds _; read -r processor; } <time.txt
}
run_into() {	# WORK COMMAND...: where the command's output goes
	local work=$1
	shift
	case $work in
	pipe) "$@" | cat >/dev/null; return "${PIPESTATUS[0]}" ;;
	file) "$@" >output.txt ;;
	*) "$@" >/dev/null ;;
	esac
}

bench() {	# WORK
	local round guard bare
	measure bare "$1" >/dev/null	# what is cached is cached for all
	for ((round = 0; round < ROUNDS; round++)); do
		measure bare "$1" || return
		bare=$microseconds
		bares[$1]+="$bare "
		for guard in $guards; do
			measure "$guard" "$1" || continue
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
numbers() { tr ' ' '\n' <<<"$1" | grep .; }
figure_of() { numbers "${ratios[$1,$2]:-}" | median; }	# WORK GUARD

if [ -n "$count_only" ]; then echo 'How often the supervisor was asked.'; else
	echo "Ratios to the bare run, medians of $ROUNDS rounds; in brackets how often the supervisor was asked."
fi
echo "$(uname -sr), $(nproc) processors, load $(cut -d ' ' -f 1 /proc/loadavg)"
printf '%-32s%10s' work 'bare, ms'
for guard in $guards; do printf '%17s' "$guard"; done; echo
: >figures.txt
measured=
for work in $works; do
	if ! command_of "$work"; then skip "${title[$work]}" 'not installed'; continue; fi
	measured+=" $work"
	bench "$work"
	printf '%-32s%10s' "${title[$work]}" "$(numbers "${bares[$work]:-}" | median | awk '{ printf "%.1f", $1 / 1000 }')"
	for guard in $guards; do
		figure=$(figure_of "$work" "$guard")
		printf '%s\t%s\t%s\n' "${title[$work]}" "$guard" "$figure" >>figures.txt
		if [ -n "$count_only" ]; then printf '%17s' "${stops[$work,$guard]:--}"; else
			printf '%17s' "$(printf '%.2f' "$figure" 2>/dev/null || echo "$figure")${stops[$work,$guard]:+ [${stops[$work,$guard]}]}"
		fi
	done
	echo
done
echo
[ -z "$count_only" ] || exit 0

# What the shim does when it is loaded, at the level where it has most to do: more than a library with a constructor and
# nothing else, so that what the loader takes for any library is not in it.
start_of_shim() {
	"${CC:-gcc}" -shared -fPIC -nostdlib -Os -Wl,-z,now,-z,norelro,-z,noseparate-code -o empty.so -xc - \
		<<<'static int loaded; __attribute__((constructor)) static void start(void) { loaded = 1; }' 2>errors.txt &&
		"$PICKET" run -q --profile workstation --enforce preload -- \
			"$helpers/starts" 1000 "${PICKET%/*}/libpicket-preload.so" "$PWD/empty.so" 2>errors.txt
}
if [ $# = 0 ]; then
	if start=$(start_of_shim); then
		echo "The shim starts in $start us (median of 1000 pairs with an empty library; it is to be under 50)."
	else
		skip "the shim's start" "$(tail -n 1 errors.txt)"
	fi
	echo
fi

# ---- the plot -----------------------------------------------------------------------------------------------
# One row of bars for each work, on a logarithmic scale from the bare run on; the difference in milliseconds has no ratio.
plot() {
	awk -F '\t' -v rounds="$ROUNDS" '
	function at(ratio) { return left + width * log(ratio < 1 ? 1 : ratio > most ? most : ratio) / log(most) }
	function text(x, y, anchor, s) { printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor, s }
	$3 + 0 > 0 && $1 !~ /ms more/ {
		if (!($1 in row)) { row[$1] = works++; work[row[$1]] = $1 }
		if (!($2 in column)) { column[$2] = guards++; guard[column[$2]] = $2 }
		value[row[$1], column[$2]] = $3
	}
	END {
		split("#4e79a7 #f28e2b #59a14f #e15759 #b07aa1 #9c755f #76b7b2 #edc948 #bab0ac #ff9da7", colour, " ")
		left = 230; width = 560; bar = 9; most = 100; top = 70; gap = 12
		each = guards * bar + gap; height = top + works * each + 20
		printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n", left + width + 70, height
		print "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
		text(10, 20, "start", "Time under a guard, as a multiple of the bare run (medians of " rounds " rounds; logarithmic)")
		for (g = 0; g < guards; g++) {
			x = 10 + g * 90
			printf "<rect x=\"%d\" y=\"30\" width=\"10\" height=\"10\" fill=\"%s\"/>\n", x, colour[g % 10 + 1]
			text(x + 14, 40, "start", guard[g])
		}
		n = split("1 1.1 1.5 2 3 5 10 20 50 100", tick, " ")
		for (i = 1; i <= n; i++) {
			printf "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"#ddd\"/>\n", at(tick[i]), at(tick[i]), top - 4, height - 15
			text(at(tick[i]), top - 8, "middle", tick[i])
		}
		for (w = 0; w < works; w++) {
			text(left - 8, top + w * each + each / 2, "end", work[w])
			for (g = 0; g < guards; g++) if ((w, g) in value) {
				y = top + w * each + g * bar
				length_ = at(value[w, g]) - left
				printf "<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"%s\"><title>%s: %s</title></rect>\n", left, y,
					length_ < 1 ? 1 : length_, bar - 1, colour[g % 10 + 1], guard[g], value[w, g]
				printf "<text x=\"%.1f\" y=\"%.1f\" font-size=\"8\">%.2f</text>\n", left + length_ + 3, y + 7, value[w, g]
			}
		}
		print "</svg>"
	}' figures.txt
}
plot >"$BUILD/bench.svg" && echo "Plot: $BUILD/bench.svg" && echo

# ---- limits -------------------------------------------------------------------------------------------------
# The processor time of a run and of all below it tells more on a busy machine.
echo 'All limits set, as ratios to none set: time, processor time'
for level in $LEVELS_HERE; do
	for work in $measured; do
		[ "$work" != true ] || continue
		command_of "$work"
		for ((round = 0; round < ROUNDS; round++)); do
			measure "$level" "$work" || break
			without=$microseconds processor_without=$processor
			measure "$level+limits" "$work" || break
			awk "BEGIN { printf \"%.3f %.3f\\n\", $microseconds / $without, $processor / $processor_without }"
		done >pairs.txt
		printf '  %-10s%-32s%8.2f%8.2f\n' "$level" "${title[$work]}" \
			"$(cut -d ' ' -f 1 pairs.txt | median)" "$(cut -d ' ' -f 2 pairs.txt | median)"
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
