#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test_output.sh - the tool's output and where the result goes: much of it, bytes that are no text, readers and disks that take no
# more, descriptors that are closed or are for the result.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
LEVELS=${LEVELS_OF_OUTPUT:-preload $LEVELS}
case " $LEVELS " in *' notify '*) ;; *) LEVELS+=' notify' ;; esac
make_scratch
cd "$SCRATCH" || exit 1
levels_here
spawn=$BUILD/tests/helpers/spawn

# run OPTION... -- COMMAND...: $status; r.json, err
run() {
	rm -f r.json
	timeout 120 "$PICKET" run --enforce "$level" -q -r r.json "$@" 2>err </dev/null
	status=$?
}
says() {	# NAME JQ_EXPRESSION, which knows $status
	if jq -e --argjson status "$status" "$2" r.json >said 2>&1; then ok "$level: $1"; else
		not_ok "$level: $1" <<<"$2: $(head -c 300 said)
status $status, stderr: $(head -c 500 err 2>&1), result: $(head -c 1000 r.json)"
	fi
}

# ---- much of it ----

mib=1048576
much() {
	local peak least
	# the supervisor's memory goes with what is kept, not with what is written
	SPAWN_PEAK=1 "$spawn" peak "$PICKET" run --enforce "$level" -q --capture --output-bytes 1M -r r.json \
		-- head -c 1M /dev/zero
	read -r _ least <peak
	SPAWN_PEAK=1 "$spawn" peak "$PICKET" run --enforce "$level" -q --capture --output-bytes 1M -r r.json \
		-- head -c 100M /dev/zero
	status=$?
	# shellcheck disable=SC2094	# a variable of the same name
	read -r _ peak <peak
	says 'a hundred MiB: the first of them are kept, the tool gets through, and the result says so' "\$status == 0 and .exit_code == 0 and
		.truncated and .resource_limited == \"output_bytes\" and (.stdout | length) == $mib"
	check "$level: a hundred MiB: memory of the supervisor ($peak KiB, $least for one) does not grow with it" \
		test $((peak - least)) -lt 8192
	run --capture -- sh -c 'head -c 20M /dev/zero; head -c 1M /dev/zero >&2'
	says 'without a limit sixteen MiB are kept, and no limit is named' ".success and .truncated and .resource_limited == null and
		(.stdout + .stderr | length) == 16 * $mib"
	run --capture -- head -c 3M /dev/zero
	says 'what fits is not truncated' ".success and (.truncated | not) and (.stdout | length) == 3 * $mib"
	check_same "$level: what is passed on comes out as it went in" "$(head -c 30M /dev/zero | tr '\0' 'x' | md5sum)" \
		"$("$PICKET" run --enforce "$level" -q --output-bytes 1G -- sh -c 'head -c 30M /dev/zero | tr "\0" x' | md5sum)"
	"$PICKET" run --enforce "$level" -q --output-bytes 1M -- sh -c 'echo out; echo err >&2' >out 2>err
	check_same "$level: stdout and stderr stay apart" 'out err' "$(cat out) $(cat err)"
}

# ---- where it goes ----

# of_both DIR: line by line to stdout and stderr in turns, into one place
of_both() { "$@" sh -c 'for i in 1 2 3 4 5 6 7 8 9; do echo "o$i"; echo "e$i" >&2; done'; }
places() {
	local limited=("$PICKET" run --enforce "$level" -q -r r.json --output-bytes 1M --) said
	check_same "$level: stdout and stderr in one pipe keep their order" "$(of_both env 2>&1 | cat)" "$(of_both "${limited[@]}" 2>&1 | cat)"
	of_both "${limited[@]}" >one 2>&1
	check_same "$level: and in one file" "$(of_both env 2>&1)" "$(cat one)"
	{ echo before; of_both "${limited[@]}"; echo after; } >one 2>&1
	check_same "$level: between what others write there" "$(echo before; of_both env 2>&1; echo after)" "$(cat one)"
	{ echo before; } >one
	of_both "${limited[@]}" >>one 2>&1
	check_same "$level: at the end of a file" "$(echo before; of_both env 2>&1)" "$(cat one)"
	said=$("${limited[@]}" sh -c 'head -c 3M /dev/zero; if [ /proc/self/fd/1 -ef /dev/null ]; then echo same >&2; fi' 2>&1 >/dev/null)
	check_same "$level: /dev/null stays what it is" same "$said"
	status=0
	says 'and nothing is told to be missing where nobody gets anything' '.success and (.truncated | not) and .resource_limited == null'
	said=$("${limited[@]}" sh -c 'if [ ! /proc/self/fd/1 -ef /dev/full ]; then echo another >&2; fi' 2>&1 >/dev/full)
	check_same "$level: control: of another device it is counted" another "$said"
	timeout 60 "${limited[@]}" sh -c 'head -c 3M /dev/zero >&2; echo over' 2>/dev/null | cat >one
	check_same "$level: what goes to /dev/null uses nothing up" over "$(cat one)"
}

# ---- bytes ----

python3 -c '
import sys
everything = bytes(range(256)) * 3
edge = b"x" * 65535 + "\u20ac\U0001f600".encode()       # characters across the pieces in which it is read
broken = b"\xff\xfe\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82"  # never UTF-8: overlong, surrogate, too large, cut off
for name, data in ("everything", everything), ("edge", edge), ("broken", broken), ("text", b"a\r\nb\0c\x1b[31m\n\xe2\x82\xac"):
    open(name, "wb").write(data)' || exit 1
decoded() { jq -r "if has(\"$1_base64\") then .$1_base64 else (.$1 | @base64) end" r.json | base64 -d; }
bytes() {
	local name
	for name in everything edge broken text; do
		run --capture -- sh -c "cat '$name'; cat '$name' >&2"
		says "$name: the result is JSON in UTF-8, and the tool got through" '.success and (.truncated | not)'
		check "$level: $name: all of it is UTF-8" iconv -f UTF-8 -t UTF-8 r.json
		check "$level: $name: stdout is known to the byte" cmp "$name" <(decoded stdout)
		check "$level: $name: stderr is known to the byte" cmp "$name" <(decoded stderr)
	done
	says 'text needs no second form' '(has("stdout_base64") | not) and .stdout == "a\r\nb\u0000c\u001b[31m\n€"'
	run --capture -- cat broken
	says 'what is no text has both' '(.stdout | startswith("\\xff\\xfe\\xc0")) and has("stdout_base64")'
	run --capture -- sh -c 'echo out; echo err >&2'
	says 'output is stdout, and stderr below a line' '.output == "out\n\n--- stderr ---\nerr\n"'
	run -- true
	says 'nothing is captured unasked' '(has("stdout") or has("stderr") or has("output")) | not'
}

# ---- where the result goes ----

results() {
	local said
	said=$("$PICKET" run --enforce "$level" -q -r /dev/full -- sh -c 'echo ran >ran; exit 5' 2>&1)
	check_same "$level: a full disk under the result is told, and the tool's exit status stays" \
		'5 picket: cannot write the result to /dev/full: No space left on device ran' "$? $said $(cat ran)"
	said=$("$PICKET" run --enforce "$level" -q --result-fd 9 -- true 2>&1 9>/dev/full)
	check_same "$level: also by --result-fd" '0 picket: cannot write the result to descriptor 9: No space left on device' "$? $said"
	echo before >old.json
	said=$(ulimit -f 2048; "$PICKET" run --enforce "$level" -q --capture -r old.json -- head -c 4M /dev/zero 2>&1)
	check_same "$level: a result that does not fit is told, and no older one is taken for it" \
		'0 picket: cannot write the result to old.json: File too large no' "$? $said $([ -e old.json ] && echo yes || echo no)"
	check_same "$level: and nothing beside it" '' "$(find . -name '.picket-*')"
	"$PICKET" run --enforce "$level" -q --result-fd 9 -- sh -c 'ls -l /proc/self/fd' 9>by_fd >listed
	check "$level: --result-fd gets the result" jq -e '.success and .schema == 1' by_fd
	check_not "$level: the tool does not have that descriptor" grep -q by_fd listed
	check_same "$level: --result-fd of what is closed starts nothing" '125 no' \
		"$(rm -f ran; "$PICKET" run --enforce "$level" -q --result-fd 9 -- touch ran 2>/dev/null 9>&-
			echo "$? $([ -e ran ] && echo ran || echo no)")"
	check_same "$level: a result into a pipe" true "$("$PICKET" run --enforce "$level" -q -r /dev/stdout -- true | jq .success)"
	"$PICKET" run --enforce "$level" -q -r /dev/stdout -- true 2>/dev/null | true
	check_same "$level: a result whose reader has gone" 0 "${PIPESTATUS[0]}"
}

# ---- the result is the run's ----

# Ways to put something else where the caller looks for the result: out/r.json, reached by the link way/r.json. Each leaves
# "forged" there when nobody guards it.
forgeries=(
	'mv out out2; mkdir out; echo forged >out/r.json'
	'mv out out2; ln -s trap out; echo forged >trap/r.json'
	'rmdir out; ln -s trap out; echo forged >trap/r.json'
	'rm way; ln -s trap way; echo forged >trap/r.json'
	'mv way w2; ln -s trap way; echo forged >trap/r.json'
	'ln -s trap w2; mv -T w2 way; echo forged >trap/r.json'
	'mv -T trap out; echo forged >out/r.json'
	'echo forged >out/r.json'
	'echo forged >f; mv f out/r.json'
	'echo forged >f; ln f out/r.json'
	'echo forged >f; ln -s ../f out/r.json'
	'cd ..; mv kept kept2; mkdir -p kept/way; echo forged >kept/way/r.json'
	'cd out; exec 5<.; cd ..; mv /proc/self/fd/5/../out o2; mkdir out; echo forged >out/r.json'
	'python3 -c "import os, ctypes; os.mkdir(\"o\"); open(\"o/r.json\", \"w\").write(\"forged\"); ctypes.CDLL(None).renameat2(-100, b\"o\", -100, b\"out\", 2)"'
)
fresh_kept() { rm -rf kept kept2; mkdir -p kept/out kept/trap; ln -s out kept/way; }
holds() {	# POLICY_OPTION...: $name of the forgery is told by the caller
	local forgery said
	for forgery in "${forgeries[@]}"; do
		fresh_kept
		(cd kept && "$PICKET" run -q --enforce "$level" --write "$SCRATCH" "$@" -r way/r.json -- sh -c "$forgery" >/dev/null 2>&1)
		check "$level: $name: the result is the run's: $forgery" jq -e '.schema == 1' kept/way/r.json
		check "$level: $name: and says what was tried" jq -e --arg dir "$PWD/kept" '[.violations[] | select(.rule.key == "--result")] |
			length > 0 and all(.kind == "file_write" and .action == "denied" and .errno == "EACCES" and .allow_with == null and
			.rule.source == "command line" and .rule.value == "way/r.json" and (.target | startswith($dir)))' kept/way/r.json
	done
}
kept() {
	local forgery said name
	name=deny; holds
	# what audit lets happen is not this
	name=audit; holds --profile permissive
	fresh_kept
	echo before >kept/out/r.json
	said=$(cd kept && "$PICKET" run -q --enforce "$level" -r way/r.json -- sh -c 'cat out/r.json way/r.json; rm out/r.json; ls out; rmdir trap;
		rm -f out/r.json; echo x >out/other && mv out/other out/o2 && chmod 755 out && touch out && ls out' 2>/dev/null)
	check_same "$level: the tool may read an older result and do what it likes beside it" 'before before r.json o2 r.json' "$(xargs <<<"$said")"
	fresh_kept
	mkfifo kept/ready kept/go
	(cd kept && exec "$PICKET" run -q --enforce "$level" -r out/r.json -- sh -c 'echo >ready; read -r line <go' 2>err) &
	read -r -t 60 _ <>kept/ready
	mv kept/out kept/out2; mkdir kept/out; echo forged >kept/out/r.json
	echo >kept/go
	wait $!
	status=$?
	check_same "$level: what somebody else puts in its place is told, and no success" \
		'125 picket: out/r.json is not the result of this run, which could not be put there' "$status $(cat kept/err)"
	check "$level: the result is in the directory that was meant" jq -e .success kept/out2/r.json
	fresh_kept
	for said in missing ./trap; do
		echo before >kept/out/r.json
		(cd kept && "$PICKET" run -q --capture --enforce "$level" -r out/r.json -- "$said" 2>/dev/null; echo $? >status)
		check "$level: a command that is not run ($said) makes a result, too" jq -e --argjson status "$(cat kept/status)" \
			'$status > 125 and .exit_code == $status and (.success | not) and .enforcement.processes == 0 and .stdout == "" and
			.command != [] and .violation_count == 0' kept/out/r.json
	done
}
for forgery in "${forgeries[@]}"; do
	fresh_kept
	(cd kept && sh -c "$forgery" >/dev/null 2>&1)
	check_same "control: unguarded, forged: $forgery" forged "$(cat kept/way/r.json)"
done
if [ "$(id -u)" != 0 ]; then	# nothing is shut to root
	for said in 555 0; do
		fresh_kept
		echo before >kept/out/r.json
		(cd kept && "$PICKET" run -q --deny trap -r out/r.json -- sh -c "ls trap; chmod $said out" 2>/dev/null)
		chmod 755 kept/out
		check "a directory that the tool shuts ($said): the result is the run's" jq -e '.success and .violations != []' kept/out/r.json
	done
fi

# ---- closed descriptors and full disks of the tool ----

# as_given NAME WORDS...: the words, run by sh as the tool, do the same guarded as bare, with descriptors as the name says
as_given() {
	local name=$1 bare guarded
	shift
	bare=$(with "$name" sh -c "$*" 2>&1)
	guarded=$(with "$name" "$PICKET" run -q --enforce "$level" -- sh -c "$*" 2>&1)
	check_same "$level: $name: $*" "$bare" "$guarded"
}
with() {	# NAME COMMAND...: its status, too
	local name=$1
	shift
	case $name in
	'no stdin') "$@" <&- ;;
	'no stdout') "$@" >&- ;;
	'no stderr') "$@" 2>&- ;;
	'none at all') "$@" <&- >&- 2>&- ;;
	'a full disk') "$@" >/dev/full ;;
	esac
	echo "status $?"
}
descriptors() {
	as_given 'no stdin' 'cat 2>/dev/null; echo $?'
	as_given 'no stdout' 'echo x 2>/dev/null; echo $? >&2'
	as_given 'no stderr' 'if echo x >&2; then echo written; fi; exit 3'
	as_given 'none at all' 'echo x; exit 4'
	as_given 'a full disk' 'echo x 2>/dev/null; echo $? >&2; exit 5'
	check_same "$level: nothing but stdin, stdout and stderr is passed on" '0 1 2' \
		"$("$PICKET" run -q --enforce "$level" -- bash -c 'for f in 0 1 2 5 77; do { : <&$f; } 2>/dev/null && echo $f; done' \
			5</dev/null 77</dev/null | xargs)"
	timeout 90 python3 "$SOURCE/tests/terminal.py" 'over=>\r' sh -c '"$@"; echo over; read -r line' - \
		"$PICKET" run --enforce "$level" --capture -q -r r.json -- sh -c 'cat; echo read' >screen 2>&1
	status=$?
	says 'a captured run on a terminal is given no input: what is typed is not for it' '$status == 0 and .stdout == "read\n"'
	run --capture -- sh -c 'exec >&-; exec 2>&-; exit 6'
	says 'a tool that closes its output' '$status == 6 and .stdout == "" and .stderr == ""'
	"$PICKET" run --enforce "$level" --capture -q -r r.json -- sh -c 'echo x; echo y >&2; cat' <&- >&- 2>&-
	status=$?
	says 'a captured run with nothing open' '$status == 0 and .stdout == "x\n" and .stderr == "y\n"'
	timeout 30 "$PICKET" run --enforce "$level" -q --output-bytes 1G -- yes >/dev/full 2>/dev/null
	check_same "$level: a full disk ends a tool whose output is counted on the way" 141 $?
}
check_same 'control: without a guard descriptors are passed on' '5 77' \
	"$(bash -c 'for f in 5 77; do { : <&$f; } 2>/dev/null && echo $f; done' 5</dev/null 77</dev/null | xargs)"

for level in $LEVELS_HERE; do
	much
	places
	bytes
	results
	kept
	descriptors
done
finish
