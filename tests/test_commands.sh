#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test_commands.sh - the command line from end to end: help, version, usage errors, policy check and show, explain,
# syscalls, probe, completion; and run as far as its options go.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
make_scratch
cd "$SCRATCH" || exit 1
export HOME=$SCRATCH/home
mkdir "$HOME"

# status WANTED COMMAND...: its exit status, and nothing but what it should on each stream is left in out and err.
status() {
	local name=$1 wanted=$2 got
	shift 2
	"$@" >out 2>err </dev/null
	got=$?
	if [ "$got" = "$wanted" ]; then ok "$name"; else not_ok "$name" <<<"$* -> $got, not $wanted
$(cat out err)"; fi
}

# One line on stderr that begins "picket: ", nothing on stdout, status 125.
usage_error() {	# NAME PART_OF_THE_LINE ARG...
	local name=$1 part=$2
	shift 2
	"$PICKET" "$@" >out 2>err </dev/null
	local got=$?
	if [ "$got" = 125 ] && [ ! -s out ] && [ "$(wc -l <err)" = 1 ] && grep -q '^picket: ' err &&
		grep -qF -- "$part" err; then
		ok "$name"
	else
		not_ok "$name" <<<"status $got, stdout $(wc -c <out) bytes, stderr:
$(cat err)"
	fi
}

# ---- usage ----

usage_error 'no command' 'no command given'
usage_error 'unknown command, nearest named' 'did you mean "run"' rn -- true
usage_error 'unknown option, nearest named' 'did you mean "--timeout"' run --timout 3 true
usage_error 'option of another command' 'is an option of' run --markdown true
usage_error 'option without its value' '--policy needs a value' run --policy
usage_error 'no tool' 'something is missing' run -q
usage_error 'bad level' 'not "root"' run --enforce root true
usage_error 'control characters stay on their line' 'unknown command "x\ny\x1b"' $'x\ny\e'
usage_error 'a directory that is not there' 'No such file or directory' run -C missing true
usage_error 'help of nothing' 'no command "nonsense"' help nonsense
usage_error 'completion for no shell' 'bash, zsh or fish' completion tcsh
usage_error 'an unknown profile' 'nonsense' run --profile nonsense true
usage_error 'a level below the one required' '--enforce preload is below --require seccomp' run --enforce preload --require seccomp true
usage_error 'a result where none can be' 'nowhere' run -q -r nowhere/r.json true
for command in help --version probe syscalls 'policy show' 'explain read /' 'completion bash'; do
	# shellcheck disable=SC2086 # words
	said=$("$PICKET" $command 2>&1 >/dev/full)
	check_same "a full standard output is told: $command" '125 picket: standard output' "$? $(cut -d: -f1,2 <<<"$said")"
done

# ---- help and version ----

status 'version' 0 "$PICKET" --version
check 'the version has its form' grep -qxE 'picket [0-9]+\.[0-9]+\.[0-9]+' out
for words in --help -h help; do status "picket $words" 0 "$PICKET" "$words"; done
check 'help names every command' grep -q 'picket policy check FILE' out
while read -r command; do
	# shellcheck disable=SC2086 # one or two words
	{
		status "help $command" 0 "$PICKET" help $command
		cp out by_help
		status "$command --help" 0 "$PICKET" $command --help
		check "help is the same both ways: $command" cmp out by_help
		check "help of $command shows its usage" grep -q "^Usage: picket $command" out
		check_same "help of $command says nothing on stderr" '' "$(cat err)"
	}
done < <("$PICKET" help | sed -n 's/^  picket \([a-z][a-z]*\( [a-z][a-z]*\)*\).*/\1/p')
status 'help of both policy commands' 0 "$PICKET" policy --help
check_same 'both policy commands are there' 2 "$(grep -c '^Usage: ' out)"
status 'help ends at --help' 0 "$PICKET" run --help --nonsense

# ---- policy check, policy show, explain ----

cat >good.conf <<-'END'
	filesystem: { read = ( "/usr" ); write = ( "${WORKDIR}" ); deny = ( "/usr/share" ); };
END
cat >bad.conf <<-'END'
	filesystem: {
	  reed = ( "/usr" );
	};
	network: { conect = ( "*" ); };
END
status 'a good policy' 0 "$PICKET" policy check good.conf
check_same 'it has three rules' 'good.conf: 3 rules' "$(cat out)"
status 'a bad policy' 1 "$PICKET" policy check bad.conf
check 'the first error has its line and the nearest key' grep -q 'bad\.conf:2.*"reed".*"read"' err
check 'the second error is told, too' grep -q 'bad\.conf:4.*"conect".*"connect"' err
check_same 'errors are no output' '' "$(cat out)"
check_not 'every line is one of Picket'\''s' grep -v '^picket: ' err
status 'a policy that is not there' 1 "$PICKET" policy check missing.conf
check 'it is named' grep -q 'missing\.conf' err
status 'a bad policy stops explain' 125 "$PICKET" explain -p bad.conf read /usr
status 'a bad policy stops policy show' 125 "$PICKET" policy show -p bad.conf
status 'a bad policy stops run' 125 "$PICKET" run -p bad.conf touch ran
check_not 'nothing has run then' test -e ran
status 'policy show' 0 "$PICKET" policy show -p good.conf --hide /opt
check 'a rule has its source' grep -q '/usr/share.*good\.conf:1' out
check 'a rule of the command line, too' grep -q '/opt.*command line' out
for profile in workstation strict permissive none; do
	status "policy show of $profile" 0 "$PICKET" policy show --profile "$profile"
	"$PICKET" policy show --profile "$profile" --json >show.json
	check "its JSON is JSON" jq -e . show.json
done
status 'explain what is allowed' 0 "$PICKET" explain -p good.conf read /usr/bin
status 'explain what is denied' 1 "$PICKET" explain -p good.conf read /usr/share/x
check 'the rule is named' grep -q 'good\.conf:1' out
block=$(find /dev -maxdepth 1 -type b | head -n 1)
if [ -n "$block" ]; then
	status 'explain a block device, which no policy opens' 1 "$PICKET" explain --read "$block" read "$block"
	check_not 'and none does' "$PICKET" run -q --read "$block" -- head -c 1 "$block"
else
	skip 'explain a block device' 'a block device'
fi
printf 'filesystem: { read = ( "/" ); }; exec: { allow = ( "/usr/bin/env" ); deny = ( "%s" ); };\n' "$(realpath /usr/bin/id)" >command.conf
true=$(realpath /usr/bin/true)
status 'explain a program that only the command may be' 1 "$PICKET" explain -p command.conf exec "$true"
check 'and say so' grep -q 'as the command of a run' <("$PICKET" explain -p command.conf exec "$true")
status 'as the command it runs' 0 "$PICKET" run -q -p command.conf -- "$true"
status 'in turn it does not' 126 "$PICKET" run -q -p command.conf -- env "$true"
check_not 'of one that a rule refuses it is not said' grep -q 'as the command of a run' <("$PICKET" explain -p command.conf exec /usr/bin/id)
status 'nor does it run' 126 "$PICKET" run -q -p command.conf -- id
status 'explain an unknown access' 125 "$PICKET" explain reed /usr
status 'explain no target' 125 "$PICKET" explain connect nonsense

# ---- syscalls ----

"$PICKET" syscalls --json >calls.json
check 'syscalls --json is JSON' jq -e . calls.json
status 'syscalls' 0 "$PICKET" syscalls
check 'it names openat' grep -qw openat out
status 'syscalls --markdown' 0 "$PICKET" syscalls --markdown
check 'it is a table' grep -q '^|.*openat.*|$' out

# ---- probe ----

status 'probe' 0 "$PICKET" probe
check 'probe names every level' grep -q 'seccomp' out
status 'probe --json' 0 "$PICKET" probe --json
cp out probe.json
check 'the flags are there and have their types' jq -e '
	(.name | type == "string") and
	([.filesystem_isolation, .network_isolation, .process_isolation, .resource_limits, .syscall_filtering,
	  .persistent_sandboxes, .snapshots] | all(type == "boolean")) and
	(.max_concurrent_sandboxes > 0) and
	(.available_profiles | contains(["workstation", "strict", "permissive", "none"])) and
	(.platform_features | type == "array") and (.levels | length == 5)' probe.json
# What probe promises holds: each level that it calls available does run, each other one refuses and says the same why.
while IFS=$'\t' read -r level available why; do
	if [ "$available" = true ]; then
		status "level $level is there and works" 0 "$PICKET" run -q --enforce "$level" true
	else
		usage_error "level $level is not there and refuses" "$why" run -q --enforce "$level" true
	fi
done < <(jq -r '.levels[] | [.level, .available, .why_not // ""] | @tsv' probe.json)

"$PICKET" run -q --result usual.json true
check_same 'the level that probe names is the one that a run takes' "$(jq .level probe.json)" \
	"$(jq .enforcement.level usual.json)"

# ---- completion ----

for shell in bash zsh fish; do
	status "completion for $shell" 0 "$PICKET" completion "$shell"
	cp out "completion.$shell"
	if have "$shell"; then check "$shell reads it" "$shell" -n "completion.$shell"; fi
done
complete_words() {	# WORD...: what bash would offer for the last
	bash -c '. ./completion.bash; compopt() { :; }; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _picket
		printf "%s\n" "${COMPREPLY[@]}"' - "$@"
}
check_same 'commands are completed' 'probe' "$(complete_words picket pro)"
check_same 'options are completed' '--timeout' "$(complete_words picket run --timeo)"
check_same 'levels are completed' 'seccomp' "$(complete_words picket run --enforce sec)"
check_same 'values after = are completed' 'strict' "$(complete_words picket run --profile = str)"
check_same 'second words are completed' 'show' "$(complete_words picket policy sh)"
check_same 'options of second words are completed' '--json' "$(complete_words picket policy show --js)"
if have fish; then
	fish_offers() { fish -c "source completion.fish; complete -C '$*'" 2>&1 | cut -f1 | xargs; }
	check_same 'fish completes commands' probe "$(fish_offers picket pro)"
	check_same 'fish completes values' seccomp "$(fish_offers picket run --enforce sec)"
	check_same 'fish completes options of second words' --json "$(fish_offers picket policy show --js)"
	check_same 'fish completes second words' 'check show' "$(fish_offers 'picket policy ')"
else
	skip 'completions in fish' 'fish'
fi

# ---- run: what its options promise ----

status 'a tool runs' 0 "$PICKET" run sh -c 'echo out; echo err >&2'
check_same 'its output is its own' 'out err' "$(cat out err | xargs)"
status 'its exit status is its own' 7 "$PICKET" run sh -c 'exit 7'
status 'a signal shows' 137 "$PICKET" run sh -c 'kill -9 $$'
status 'not found' 127 "$PICKET" run ./missing
status 'not executable' 126 "$PICKET" run ./good.conf
# shellcheck disable=SC2016 # for the tool's shell
status 'options of the tool stay with it' 0 "$PICKET" run sh -c 'echo "$1"' - --quiet
check_same 'they reach it' '--quiet' "$(cat out)"
mkdir dir
status 'chdir' 0 "$PICKET" run -C dir pwd
check_same 'the tool is there' "$SCRATCH/dir" "$(cat out)"
echo secret >"$HOME/.netrc"
status 'a refusal' 1 "$PICKET" run cat "$HOME/.netrc"
check 'is told on one line' grep -qE '^picket: denied file_read .*/\.netrc \(.*\) by profile workstation' err
status 'quiet' 1 "$PICKET" run -q cat "$HOME/.netrc"
check_not 'says nothing' grep '^picket:' err
status 'fail-on-violation' 123 "$PICKET" run --fail-on-violation sh -c "cat $HOME/.netrc 2>/dev/null; true"
status 'audit allows' 0 "$PICKET" run --on-violation audit cat "$HOME/.netrc"
check 'and tells' grep -q '^picket: audited file_read' err
status 'timeout' 124 "$PICKET" run --timeout 0.2 sleep 60
check 'is told' grep -q '^picket: timed out after 0.2' err
status 'a result' 1 "$PICKET" run -q --label a=b=c --label "x=$(printf 'a\377')" --tool-id T --trace-id t \
	--request-id r --capture -r r.json sh -c "echo hi; cat $HOME/.netrc"
check_same 'captured output does not pass' '' "$(cat out)"
check 'it holds what it should' jq -e '.schema == 1 and .tool_id == "T" and .trace_id == "t" and .request_id == "r" and
	.labels.a == "b=c" and .labels.x == "a\\xff" and .labels.x_base64 == "Yf8=" and .exit_code == 1 and
	(.success | not) and .stdout == "hi\n" and (.output | contains("--- stderr ---")) and .violation_count == 1 and
	.violations[0].kind == "file_read" and (.sandbox_violations[0] | startswith("deny file-read* "))' r.json
status 'a result to a descriptor' 0 "$PICKET" run --result-fd 3 true 3>fd.json
check 'is one' jq -e '.success' fd.json
status 'a result to stdout' 0 "$PICKET" run -r /dev/stdout true
check 'is one, too' jq -e '.success' out
status 'a full disk keeps the exit status' 5 "$PICKET" run -r /dev/full sh -c 'exit 5'
check 'and is told' grep -q '^picket: .*No space left' err

# Closed descriptors stay of no use to the tool: none of Picket's own files takes their numbers.
check_same 'a closed standard output is told' 'picket: standard output: Bad file descriptor, 125' \
	"$("$PICKET" --version 2>&1 >&-), $("$PICKET" --version 2>/dev/null >&-; echo $?)"
cat >use.sh <<-'END'
	cat >/dev/null 2>&1 && echo stdin >>used
	/bin/echo x 2>/dev/null && echo stdout >>used
	{ /bin/echo x >&2; } 2>&2 && echo stderr >>used
	true
END
for closed in '<&-' '>&-' '2>&-'; do
	rm -f used r.json
	bash -c "sh use.sh $closed" </dev/null >/dev/null 2>&1
	cp used bare
	rm -f used
	bash -c "'$PICKET' run -q -r r.json sh use.sh $closed" </dev/null >/dev/null 2>&1
	check "the tool can use as much as without Picket with $closed" cmp bare used
	check "a result is written with $closed" jq -e .success r.json
done

# ---- the source ----

map=$(sed '/^ \*\//q' "$SOURCE/tracer/main.c")
lost=
for file in "$SOURCE"/policy/*.[ch] "$SOURCE"/policy/*.def "$SOURCE"/tracer/*.[ch] "$SOURCE"/preload/*.[ch]; do
	[ -e "$file" ] || continue
	name=$(basename "${file%.*}")
	grep -qw -- "$name" <<<"$map" || lost+=" $name"
done
check_same 'the map in main.c names every file' '' "$lost"

finish
