#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test_limits.sh - each limit: 80 % of it works, beyond it the tool is ended or refused, the result says so, and without the
# limit the same program gets through. Amounts, not times, are tested; what time is needed is measured by the benchmarks.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
make_scratch
cd "$SCRATCH" || exit 1
levels_here
consume=$BUILD/tests/helpers/consume

# run OPTION... -- WHAT [NUMBER...]: consume so under the guard. $out: what it printed; $status; r.json: the result.
run() {
	local options=()
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	rm -f consumed*
	out=$(timeout -k 5 120 "$PICKET" run -q --enforce "$level" -r r.json ${options+"${options[@]}"} -- "$consume" "$@" 2>err \
		</dev/null)
	status=$?
}
# says NAME JQ_EXPRESSION: of the result. $out and $status are known to it.
says() {
	if jq -e --arg out "$out" --argjson status "$status" "$2" r.json >said 2>&1; then ok "$level: $1"; else
		not_ok "$level: $1" <<<"$2: $(cat said)
status $status, printed: $out, stderr: $(head -c 500 err)
$(jq -c '{exit_code, signal, timed_out, resource_limited, success, truncated, resource_usage}' r.json)"
	fi
}
through='$out == "done" and $status == 0 and .success and .resource_limited == null'
ended='$out == "" and $status == 137 and .signal == "SIGKILL" and (.success | not)'
mib=1048576

memory() {
	run --memory 100M -- memory 80 50
	says 'memory: 80 % works' "$through"
	says 'memory: the peak is known' ".resource_usage.peak_memory_bytes | . >= 80 * $mib and . < 88 * $mib"
	run --memory 100M -- memory 400 0
	says 'memory: more is ended' "$ended and .resource_limited == \"memory_bytes\""
	says 'memory: little over the limit' ".resource_usage.peak_memory_bytes < 228 * $mib"
	run -- memory 400 0
	says 'memory: without the limit it gets through' "$through"
	run --memory 100M -- reserve 100
	says 'memory: what is only reserved does not count' "$through"
	run --memory 100M -- common 60 4
	says 'memory: what parent and children have in common counts once' "$through"
	says 'memory: and once in the peak' ".resource_usage.peak_memory_bytes < 88 * $mib"
	run --memory 100M -- tree 30 6
	says 'memory: of all processes together' "$ended and .resource_limited == \"memory_bytes\""
	run -- tree 30 6
	says 'memory: the peak is that of the whole tree at one moment' \
		"$through and (.resource_usage.peak_memory_bytes | . >= 180 * $mib and . < 200 * $mib)"
	run --memory 100M -- memfd 400 500
	says 'memory: of files in memory' "$ended and .resource_limited == \"memory_bytes\""
	run --memory 100M -- memfd 80 100
	says 'memory: 80 % of files in memory works' "$through"
}

# Programs that reserve very much more than they touch: of a limit of 512 MiB they use 360 to 420.
printf 'package main\nfunc main() { b := make([]byte, 360<<20); for i := range b { b[i] = 1 }; println("done") }\n' >reserve.go
printf '#include <stdlib.h>\n#include <string.h>\nint main(void) { memset(malloc(360 << 20), 1, 360 << 20); return 0; }\n' >reserve.c
cat >Reserve.java <<'END'
public class Reserve { public static void main(String[] a) { byte[] b = new byte[320 << 20]; java.util.Arrays.fill(b, (byte) 1); } }
END
! have go || GOCACHE=$SCRATCH/go-cache HOME=$SCRATCH go build -o reserve-go reserve.go
! have javac || javac Reserve.java
gcc -fsanitize=address -o reserve-asan reserve.c 2>/dev/null
reservers() {	# NAME COMMAND...
	local name command
	while read -r name command; do
		have "${command%% *}" || [ -x "${command%% *}" ] || continue
		# shellcheck disable=SC2086 # words
		timeout 120 "$PICKET" run -q --enforce "$level" -r r.json --memory 512M --env ASAN_OPTIONS=detect_leaks=0 \
			-- $command >/dev/null 2>err </dev/null
		status=$? out=
		says "memory: $name reserves more than the limit, uses most of it, and works" ".success and .resource_limited == null and
			(.resource_usage.peak_memory_bytes | . >= 320 * $mib and . < 512 * $mib)"
	done <<-END
		node node -e Buffer.alloc(360*1048576,1)
		Go ./reserve-go
		Java java -Xmx340m -cp . Reserve
		AddressSanitizer ./reserve-asan
	END
}

cpu() {
	run --cpu 500ms -- cpu 400
	says 'cpu: 80 % works' "$through"
	says 'cpu: what was used is known' '.resource_usage.cpu_time_ms | . >= 400 and . < 450'
	run --cpu 500ms -- cpu 5000
	says 'cpu: more is ended' "$ended and .resource_limited == \"cpu_time_ms\""
	says 'cpu: at the limit' '.resource_usage.cpu_time_ms | . >= 500 and . < 600'
	run --cpu 500ms -- cpus 100 50
	says 'cpu: of children that were waited for' \
		"$ended and .resource_limited == \"cpu_time_ms\" and .resource_usage.cpu_time_ms < 600"
	run --cpu 500ms -- ignored 100 50
	says 'cpu: of children that nobody waits for' \
		"$ended and .resource_limited == \"cpu_time_ms\" and .resource_usage.cpu_time_ms < 650"
	run --cpu 300ms -- xcpu 5000
	says 'cpu: SIGXCPU to a program that handles it' \
		'$out == "SIGXCPU" and $status == 0 and .success and .resource_limited == "cpu_time_ms"'
	run -- cpu 700
	says 'cpu: without the limit it gets through' "$through and .resource_usage.cpu_time_ms >= 700"
}

time_limit() {
	run --timeout 400ms --capture -- stopped
	says 'timeout: of a stopped tree; captured output is kept' \
		'$status == 124 and .timed_out and .resource_limited == "wall_time_ms" and .stdout == "so far\n"'
	says 'timeout: at the limit' '.resource_usage.wall_time_ms | . >= 400 and . < 1000'
	run --timeout 1m -- memory 1 0
	says 'timeout: within it' "$through"
}

processes() {
	run --processes 11 -- forks 8
	says 'processes: 80 % works' '$out == "8 made\nagain: yes\ndone" and .success and .resource_limited == null'
	run --processes 11 -- forks 30
	says 'processes: more fail with EAGAIN, and the tool goes on' \
		'$out == "10 made, then: EAGAIN\nagain: yes\ndone" and .success and .resource_limited == "processes"'
	run -- forks 30
	says 'processes: without the limit they are made' '$out == "30 made\nagain: yes\ndone" and .success'
	run --processes 11 -- threads 8 20
	says 'processes: threads that were joined are gone' "$through"
	run --processes 11 -- threads 20 1
	says 'processes: threads count' '$out == "10 threads, then: EAGAIN" and .resource_limited == "processes"'
	run --processes 11 -- zombies 40
	says 'processes: those that nobody waited for count' '$out == "10 made\ndone" and .resource_limited == "processes"'
	run --processes 40 -- crowd 8 20
	says 'processes: those that are made at the same time are not too many' \
		'$out == "40 at once\ndone" and .resource_limited == "processes"'
	run -- crowd 8 20
	says 'processes: without the limit all of them are made' '$out == "169 at once\ndone" and .resource_limited == null'
	for i in 1 2; do
		"$PICKET" run -q --processes 11 -- "$consume" forks 8 >"forks.$i" 2>&1 &
	done
	wait
	check_same "$level: processes: each run has its own" '8 made again: yes done 8 made again: yes done' \
		"$(cat forks.1 forks.2 | xargs)"
	run --processes 50 --timeout 1 -- bomb
	says 'processes: a bomb ends with the time' '$status == 124 and .timed_out and .duration_ms < 2500'
	check_not "$level: processes: nothing of it is left" pgrep -f "$consume bomb"
}

descriptors() {
	run --files 64 -- descriptors
	says 'files: so many, and no more; that it was reached nobody is told' \
		'$out == "64: EMFILE\nraised: no\ndone" and .success and .resource_limited == null'
	run --files 4 -- memory 1 0
	says 'files: the least that a program can do with' "$through"
	check_same "$level: files: fewer are refused before anything runs" \
		'picket: open_files: 3 is less than a program needs to start (at least 4), 125' \
		"$("$PICKET" run --enforce "$level" --files 3 -- touch ran 2>&1), $("$PICKET" run -q --files 3 -- true 2>/dev/null; echo $?)"
	# without a limit the soft one is the caller's (programs use select(2)), and may be raised up to the hard one
	check_same "$level: files: the soft limit is the caller's" '200 raised' "$(ulimit -Sn 200
		"$PICKET" run -q --enforce "$level" -- bash -c 'echo $(ulimit -Sn) $(ulimit -Sn $(ulimit -Hn) && exec 900</ && echo raised)')"
	check_same "$level: files: with a limit both are it" '64 64' "$(ulimit -Sn 50
		"$PICKET" run -q --enforce "$level" --files 64 -- bash -c 'echo $(ulimit -Sn) $(ulimit -Hn)')"
}

output() {
	run --output-bytes 100K --capture -- output 40
	says 'output: 80 % works' '.success and (.truncated | not) and (.stdout + .stderr | length) == 81920 + 5'
	run --output-bytes 100K --capture -- output 4000
	says 'output: more is thrown away, and the tool goes on' \
		'.success and .truncated and .resource_limited == "output_bytes" and (.stdout + .stderr | length) == 102400'
	"$PICKET" run -q --enforce "$level" --output-bytes 100K -- "$consume" output 4000 >stdout 2>stderr </dev/null
	check_same "$level: output: what is passed on is limited, too" 102400 "$(cat stdout stderr | wc -c)"
	"$PICKET" run -q --enforce "$level" -- "$consume" output 400 >stdout 2>stderr </dev/null
	check_same "$level: output: without the limit all is passed on" $((819200 + 5)) "$(cat stdout stderr | wc -c)"
}

writes() {
	local how removed
	run --write-bytes 20M -- file 16
	says 'write: 80 % works' "$through"
	run --write-bytes 20M -- file 40
	says 'write: a file grows to the limit exactly' '$out == "write: File too large after 20 MiB" and .exit_code == 1'
	check_same "$level: write: its size" $((20 * mib)) "$(stat -c %s consumed)"
	run --write-bytes 20M -- sparse 40
	says 'write: no holes beyond it' '$out == "ftruncate: EFBIG"'
	run -- file 40
	says 'write: without the limit it gets through' "$through and .resource_usage.bytes_written >= 40 * $mib"
	run --write-bytes 20M -- files 2 8
	says 'write: 80 % in many files works' "$through"
	# what is removed on tmpfs is gone, and has cost nothing
	[ "$(stat -f -c %T .)" = tmpfs ] && removed= || removed="nameless mapped"
	for how in files $removed; do
		# shellcheck disable=SC2086	# words
		run --write-bytes 20M -- $how 2 500
		says "write: in many files ($how) it is ended" "$ended and .resource_limited == \"write_bytes\""
		[ "$how" = files ] && check "$level: write: little over the limit" \
			test "$(du -sm --apparent-size . | cut -f1)" -lt 60
		# shellcheck disable=SC2086	# words
		run -- $how 2 30
		says "write: without the limit ($how) it gets through" "$through"
	done
	run --write-bytes 20M -- allocated 2 30
	says 'write: what is set aside counts' '$out == "10 allocated, then: ENOSPC" and .resource_limited == "write_bytes"'
	if [ "$(stat -f -c %T /dev/shm)" = tmpfs ] && cd "$(mktemp -d /dev/shm/picket.XXXXXX)"; then
		timeout 60 "$PICKET" run -q --enforce "$level" -r "$SCRATCH/r.json" --write-bytes 20M -- "$consume" files 2 500 \
			</dev/null >/dev/null 2>&1
		rm -f consumed.*; rmdir "$PWD"; cd "$SCRATCH" || exit 1
		out='' status=137
		says 'write: on tmpfs' "$ended and .resource_limited == \"write_bytes\""
	else
		skip "$level: write: on tmpfs" 'no tmpfs at /dev/shm'
	fi
}

weight() {
	run --cpu-weight 50 -- nice
	local nice=$(($(nice) + 3))
	[ "$nice" -le 19 ] || nice=19	# there is no lower one: setpriority(2)
	says 'weight: the tool gets its share and cannot raise it' \
		"\$out == \"nice $nice, raised: no, real time: no\\ndone\""
}

input() {
	head -c 1048576 /dev/zero | "$PICKET" run -q --enforce "$level" --capture -r r.json -- cat
	out='' status=0
	says 'input: a mebibyte through cat' '.success and (.stdout | length) == 1048576'
	"$PICKET" run -q --enforce "$level" --capture -r r.json -- cat <&-
	says 'input: none is empty' '.success and .stdout == ""'
	run --capture -- memory 0 0
	"$PICKET" run -q --enforce "$level" --capture -r r.json -- sh -c 'sleep 60 & echo over'
	says 'input: whoever holds stdout open does not hold the run' '.success and .stdout == "over\n" and .duration_ms < 30000'
}

usage() {
	run -- cpus 20 30
	says 'usage: CPU of many short processes' '.resource_usage.cpu_time_ms | . >= 600 and . < 900'
	run -- ignored 20 30	# at notify they are looked at now and then: picket-result(5)
	says 'usage: CPU of those that nobody waits for' '(if .enforcement.transport == "notify" then 450 else 560 end) as $least |
		.resource_usage.cpu_time_ms | . >= $least and . < 900'
	"$PICKET" run -q --enforce "$level" -r r.json -- sh -c "('$consume' cpu 300 &) | cat" </dev/null >/dev/null
	says 'usage: CPU of one that was left behind' '.resource_usage.cpu_time_ms | . >= 300 and . < 400'
	# until it has had 100 ms: /proc/PID/schedstat tells nanoseconds
	"$PICKET" run -q --enforce "$level" -r r.json -- sh -c "'$consume' cpu 60000 & for i in \$(seq 600); do
		read -r ns _ </proc/\$!/schedstat && [ \$ns -lt 100000000 ] || break; sleep 0.1; done" </dev/null >/dev/null
	says 'usage: CPU of one that was still running' '.resource_usage.cpu_time_ms | . >= 100 and . < 1000'
	"$PICKET" run -q --enforce "$level" -r r.json -- sh -c "'$consume' cpu 60000 & sleep 0.5; kill -9 \$!; wait" \
		</dev/null >/dev/null 2>&1
	says 'usage: CPU of one that was killed' '.resource_usage.cpu_time_ms | . >= 50 and . < 1000'
	"$PICKET" run -q --enforce "$level" -r r.json -- sh -c "(head -c 5000000 /dev/zero >f &) ; sleep 0.5" </dev/null
	says 'usage: bytes written and read' \
		'.resource_usage | .bytes_written >= 5000000 and .bytes_written < 5100000 and .bytes_read >= 5000000'
	[ "$(id -u)" != 0 ] || [ "$(jq -r .enforcement.transport r.json)" != ptrace ] || {
		run -- unwaited 1 20	# of them an ordinary user is told only what was seen: picket-result(5)
		says 'usage: bytes of short processes that nobody waits for' \
			"$through and (.resource_usage.bytes_written | . >= 20 * $mib and . < 21 * $mib)"
		run -- later 5 1
		says 'usage: and of the first one after others that were waited for' \
			"$through and (.resource_usage.bytes_written | . >= 5 * $mib and . < 6 * $mib)"
	}
}

# ---- whatever the level ----

refuses() {	# NAME PART OPTION...
	local name=$1 part=$2 said
	shift 2
	said=$("$PICKET" run "$@" -- touch ran 2>&1)
	check_same "refused: $name" "125 yes no" \
		"$? $([[ $said == *"$part"* ]] && echo yes || echo "$said") $([ -e ran ] && echo ran || echo no)"
}
refuses 'more descriptors than the hard limit' open_files --files $(($(ulimit -Hn) + 1))
refuses 'a negative number' 'takes bytes' --memory -5
refuses 'an overflow' 'too large' --memory 99999999999999999999
refuses 'a fraction of a process' 'whole number' --processes 1.5
refuses 'no number' 'takes seconds' --cpu soon
echo 'profile = "workstation"; limits: { memory_bytes = -1; };' >bad.conf
refuses 'a negative number in a policy' 'negative' -p bad.conf
echo 'profile = "workstation"; limits: { processes = 1; };' >one.conf
level=seccomp
check_not 'a policy limits' "$PICKET" run -q -p one.conf -- sh -c 'true & wait'
check 'an option lifts what a policy limits' "$PICKET" run -q -p one.conf --processes 0 -- sh -c 'true & wait'
check_same 'policy show tells limits of options' 1073741824 \
	"$("$PICKET" policy show --memory 1G --json | jq .limits.memory_bytes)"
if [ "$(id -u)" != 0 ]; then
	refuses 'a priority that the user may not give' cpu_weight --cpu-weight 1000
fi
if have python3; then
	python3 - "$PICKET" >screen <<'END'
import fcntl, os, pty, struct, sys, termios
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.execv(sys.argv[1], [sys.argv[1], "run", "--progress", "sh", "-c", "seq 1 5; sleep 0.5; seq 6 9; cat /etc/shadow"])
while True:
    try:
        data = os.read(terminal, 65536)
    except OSError:
        break
    if not data:
        break
    sys.stdout.buffer.write(data)
END
	check 'progress: says what the run uses' grep -aqE 'picket: [0-9.]+ s, [0-9]+ process(es)?, CPU [0-9.]+ s, memory' screen
	# without what moves the cursor and draws the last row
	shown=$(tr -d '\r' <screen | sed -E 's/\x1b7\x1b\[24;1H[^\x1b]*\x1b\[0;7m[^\x1b]*\x1b\[0m\x1b\[K\x1b8//g; s/\x1b[D78]|\x1b\[[0-9;]*[A-Za-z]//g')
	check_same "progress: leaves the tool's output as it is" '1 2 3 4 5 6 7 8 9' "$(grep -a '^[0-9]' <<<"$shown" | xargs)"
	check 'progress: gives the last row back' grep -aq $'\e\\[r' screen
	progress_off=$("$PICKET" run --progress -- sh -c 'echo out; echo err >&2' 2>&1)
	check_same 'progress: off when stderr is no terminal' 'out err' "$(xargs <<<"$progress_off")"
fi

for level in $LEVELS_HERE; do
	memory
	reservers
	cpu
	time_limit
	processes
	descriptors
	output
	writes
	weight
	input
	usage
done
finish
