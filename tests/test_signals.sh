#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test_signals.sh - signals: to the tool, to the supervisor, from the terminal. What a program sees of them is the same as
# without the guard; what ends a run ends all of it, and the result is there.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
LEVELS=${LEVELS_OF_SIGNALS:-preload $LEVELS}
case " $LEVELS " in *' notify '*) ;; *) LEVELS+=' notify' ;; esac
make_scratch
cd "$SCRATCH" || exit 1
levels_here
signals=$BUILD/tests/helpers/signals

# ---- what a program sees ----

# shown [PICKET'S WORDS...]: what all cases print, with a limit to how long they may hang
cases='restart info job_control children_ignored broken_pipe taken'
shown() {
	local case
	for case in $cases; do
		rm -f fifo lock
		timeout 30 "$@" "$signals" "$case" 2>&1 </dev/null
		echo "$case: $?"
	done
}
# Signals that one process sends to another come from the supervisor at level notify: picket(1).
same_as_bare() {
	shown >bare
	shown "$PICKET" run -q --enforce "$level" -r r.json -- >guarded
	[ "$(jq -r .enforcement.transport r.json)" != notify ] || sed -i 's/^from a child: 1 .*/from a child: 1 its own/' guarded
	diff bare guarded >difference
	check_same "$level: programs see of signals what they see without a guard" '' "$(cat difference)"
}
shown >bare
check_same 'control: without a guard signals do what they should' '14 5 1 1 1 1' \
	"$(for word in 'the handler ran' 'done, the' 'by default: PIPE' 'stopped: 1 by TSTP' 'wait: ECHILD' 'signalfd: USR2'; do
		grep -c "$word" bare
	done | xargs)"

# start.py BLOCKED IGNORED COMMAND...: with signals that are so for whom it starts
cat >start.py <<'END'
import os, signal, sys
numbers = lambda text: {int(n) for n in text.split(",") if n}
for number in range(1, 32):
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_IGN if number in numbers(sys.argv[2]) else signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, numbers(sys.argv[1]))
os.execvp(sys.argv[3], sys.argv[3:])
END
started() { python3 start.py "$@"; }
inheritance() {
	local set blocked ignored
	for set in : 10,34: :1,2 :13,22,25 12,15:2,3,17; do
		blocked=${set%:*} ignored=${set#*:}
		check_same "$level: what the caller blocked ($blocked) and ignored ($ignored) the tool has so, and nothing else" \
			"$(started "$blocked" "$ignored" "$signals" inherited)" \
			"$(started "$blocked" "$ignored" "$PICKET" run -q --enforce "$level" -- "$signals" inherited)"
	done
	started '' 17 "$PICKET" run -q --enforce "$level" -- sh -c 'sh -c "exit 4"; exit $(($? + 1))'
	check_same "$level: a caller who ignores SIGCHLD is told the exit status" 5 $?
}
check_same 'control: the tool would see what is blocked and ignored' 'SigBlk: 0000000200000200 SigIgn: 0000000000000003' \
	"$(started 10,34 1,2 "$signals" inherited | grep -v SigPnd | xargs)"

# ---- how the tool ends ----

statuses() {
	local name got=
	for name in HUP INT QUIT ABRT KILL SEGV PIPE TERM USR1; do
		timeout 30 "$PICKET" run -q --enforce "$level" -r r.json -- sh -c "kill -$(kill -l "$name") \$\$" 2>/dev/null
		got=$?
		check_same "$level: SIG$name ends the tool" "$((128 + $(kill -l "$name"))) \"SIG$name\" null false" \
			"$got $(jq -r '"\(.signal | tojson) \(.exit_code) \(.success)"' r.json)"
	done
	timeout 20 "$PICKET" run -q --enforce "$level" -- yes 2>/dev/null | head -n 1 >first
	check_same "$level: who writes to a reader that is gone ends by it" '141 y' "${PIPESTATUS[0]} $(cat first)"
	timeout 20 "$PICKET" run -q --enforce "$level" --output-bytes 1G -- yes 2>/dev/null | head -n 1 >first
	check_same "$level: also when its output is counted on the way" '141 y' "${PIPESTATUS[0]} $(cat first)"
}

# ---- signals to the supervisor ----

# A tree that does not want to end: it has left the session, ignores what it can, and has a stopped process in it. A FIFO that
# all of it holds open ends when the last one does.
cat >stubborn.sh <<'END'
trap '' HUP INT QUIT TERM
exec 9>alive
echo captured
setsid sh -c 'trap "" HUP INT QUIT TERM; kill -STOP $$; sleep 300' &
(setsid sleep 300 &)
echo ready >&9
while :; do sleep 300; done
END
# end_by SIGNAL [COMMAND'S WORDS...]: start the tree with them, wait until it is there, send the signal to the first process.
# Prints: its status, and whether everything had gone within five seconds.
end_by() {
	local name=$1 first line gone status
	shift
	rm -f alive; mkfifo alive
	python3 start.py '' '' "$@" sh stubborn.sh >out 2>/dev/null </dev/null &
	first=$!
	exec 8<>alive	# opened so it waits for nobody
	IFS= read -r -t 20 line <&8
	exec 7<alive 8<&-
	kill -"$name" "$first"
	timeout 5 cat <&7 >/dev/null
	gone=$?
	exec 7<&-
	[ "$gone" = 0 ] || kill -KILL "$first" 2>/dev/null
	wait "$first" 2>/dev/null
	status=$?
	echo "$line $status $([ "$gone" = 0 ] && echo 'nothing left' || echo left)"
}
ended_from_outside() {
	local name number
	for name in HUP INT QUIT TERM; do
		number=$(kill -l "$name")
		rm -f r.json
		check_same "$level: SIG$name to the supervisor ends all of the run" "ready $((128 + number)) nothing left" \
			"$(end_by "$name" "$PICKET" run -q --enforce "$level" --capture -r r.json --)"
		check "$level: SIG$name: the result is there, with what was captured" \
			jq -e '.stdout == "captured\n" and .signal == "SIGKILL" and (.success | not) and (.timed_out | not)' r.json
	done
	check_same "$level: a hangup that the caller ignores (nohup) ends nothing" "0 true" "$(
		rm -f go; mkfifo go
		python3 start.py '' 1 "$PICKET" run -q --enforce "$level" -r r.json -- sh -c 'echo started; read -r line <go' >out 2>&1 &
		for _ in {1..200}; do ! grep -q started out 2>/dev/null || break; sleep 0.05; done
		kill -HUP $!
		timeout 10 sh -c 'echo >go'
		wait $!
		echo "$? $(jq .success r.json)")"
}

# ---- from the terminal ----

# Not as fast as a machine types: signals that come at once are one. Not in bash, which loses some while it waits for a child.
cat >insist.py <<'END'
import signal, time
def seen(*_):
    time.sleep(0.2)
    print("seen")
signal.signal(signal.SIGINT, seen)
print("ready")
while True:
    time.sleep(0.1)
END
# Not in bash either: a signal just before its read(2) is heard only after it.
cat >handles.py <<'END'
import select, signal, sys
signal.signal(signal.SIGINT, lambda *_: print("handled"))
print("ready")
while not select.select([sys.stdin], [], [], 0.1)[0]:
    pass
sys.exit(7)
END
on_terminal() {	# STEPS COMMAND...: status of the command
	timeout 90 python3 "$SOURCE/tests/terminal.py" "$@" >screen 2>&1
	echo $?
}
steps() { printf '%s\n' "$@"; }
terminal() {
	local run=("$PICKET" run -q --enforce "$level" -r r.json --)
	rm -f r.json
	check_same "$level: Ctrl-C ends a tool that does not handle it" '130 "SIGINT"' \
		"$(on_terminal "$(steps 'ready=>\x03')" "${run[@]}" sh -c 'echo ready; exec sleep 300') $(jq -c .signal r.json)"
	check_same "$level: Ctrl-\\ too" '131 "SIGQUIT"' \
		"$(on_terminal "$(steps 'ready=>\x1c')" "${run[@]}" sh -c 'echo ready; exec sleep 300') $(jq -c .signal r.json)"
	check_same "$level: a tool that handles Ctrl-C goes on, and ends as it likes" '7 7' \
		"$(on_terminal "$(steps 'ready=>\x03' 'handled=>end\r')" "${run[@]}" \
			python3 -u handles.py) $(jq -c .exit_code r.json)"
	check_same "$level: three times Ctrl-C ends any" '130 "SIGKILL"' \
		"$(on_terminal "$(steps 'ready=>\x03' 'seen=>\x03' 'seen=>\x03')" "${run[@]}" \
			python3 -u insist.py) $(jq -c .signal r.json)"
	# an interactive shell around the guard: Ctrl-Z, bg, fg
	cat >job.sh <<-'END'
		trap 'echo continued' CONT
		echo started
		until [ -e go ]; do sleep 0.05; done
		echo over
		exit 6
	END
	rm -f go
	check_same "$level: Ctrl-Z stops the run and fg continues it" 6 \
		"$(on_terminal "$(steps 'ready$=>'"$(printf '%q ' "${run[@]}")"' bash job.sh\r' 'started=>\x1a' \
			'Stopped=>fg\r' 'continued=>\x1a' 'Stopped=>bg; touch go; wait %1; exit $?\r')" \
			env PS1='ready$' bash --norc --noprofile -i)"
	[ ! -s r.json ] || check "$level: and the result says how it ended" jq -e '.exit_code == 6' r.json
}

for level in $LEVELS_HERE; do
	same_as_bare
	inheritance
	statuses
	ended_from_outside
	if have python3; then terminal; else skip "$level: terminal" python3; fi
done
finish
