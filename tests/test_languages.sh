#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The same ways out, in several languages (tests/languages): each program tries all of its own, bare, where each has to get
# through (or it proves nothing), then guarded at each level, where none may, and each is in the result.
#   test_languages.sh [LANGUAGE...]    LEVELS="ptrace seccomp"
. "$(dirname "$0")/lib.sh"
make_scratch
levels_here
languages=$SOURCE/tests/languages
intruder=$BUILD/tests/trials/intruder
F=$SCRATCH/f
token=TOKEN$$-$RANDOM$RANDOM
# what a kernel may be built without
maybe=' ring old_door '

# ---- the programs: language, what it needs, the command to make it, the command to run it ----------------------

program_of() {	# LANGUAGE: sets needs, command and tries, makes what has to be made
	local include
	include="-idirafter /usr/include -idirafter /usr/include/$(uname -m)-linux-gnu"
	tries='read link second write rename connect abstract exec memory_exec own_memory ring'
	made=$SCRATCH/tools/$1
	command=("$made")
	case $1 in
	musl)
		needs=musl-gcc tries+=' old_door'
		# shellcheck disable=SC2086  # several words
		have musl-gcc && musl-gcc -D_GNU_SOURCE -std=gnu17 -O1 $include -o "$made" "$languages/attempts.c" ;;
	musl-static)
		needs=musl-gcc tries+=' old_door'
		# shellcheck disable=SC2086
		have musl-gcc && musl-gcc -static -D_GNU_SOURCE -std=gnu17 -O1 $include -o "$made" "$languages/attempts.c" ;;
	go)
		needs=go
		have go && GOCACHE=$BUILD/go-cache GOFLAGS=-mod=mod HOME=$SCRATCH CGO_ENABLED=0 go build -o "$made" "$languages/attempts.go" ;;
	python)
		needs=/usr/bin/python3 tries+=' own_instruction old_door'
		command=(/usr/bin/python3 -I "$SCRATCH/tools/attempts.py")
		have /usr/bin/python3 ;;
	perl)
		needs=/usr/bin/perl
		command=(/usr/bin/perl "$SCRATCH/tools/attempts.pl")
		have /usr/bin/perl ;;
	node)
		needs=/usr/bin/node tries='read in_thread link second write rename copy connect exec own_memory'
		command=(/usr/bin/node "$SCRATCH/tools/attempts.js")
		have /usr/bin/node ;;
	esac
}

# ---- one run ------------------------------------------------------------------------------------------------------

fresh_fixture() {
	rm -rf "$F"
	mkdir -p "$F"/{inside,vault,shown}
	echo "$token" >"$F/vault/secret"
	echo victim >"$F/vault/victim"
	echo victim >"$F/vault/overwritten"
	cp "$intruder" "$F/vault/intruder"
	cp "$intruder" "$F/shown/intruder"
}
vault_state() { find "$F/vault" -type f -printf '%f %i %s %n %T@\n' | sort; }

# try_out COMMAND...: sets out and evidence
try_out() {
	local before count=0
	fresh_fixture
	before=$(vault_state)
	cd "$F/inside" || exit 1
	out=$(timeout -s KILL 60 "$@" "$F" "$port" "$name" 2>&1 </dev/null | tr -d '\0')
	cd "$SCRATCH" || exit 1
	evidence=
	[[ $out != *"$token"* ]] || evidence+=' leak'
	[[ $out != *INTRUDER-RAN* ]] || evidence+=' run'
	[ "$(vault_state)" = "$before" ] || evidence+=' change'
	echo >&6 && read -r -t 10 count <&5
	[ "$count" = 0 ] || evidence+=' contact'
}

got() { [[ $'\n'$out$'\n' = *$'\nGOT '"$1"$'\n'* ]]; }

control() {	# LANGUAGE: drops from tries what this kernel has not
	local try here=
	try_out "${command[@]}"
	for try in $tries; do
		if got "$try"; then here+=" $try"; elif [[ $maybe != *" $try "* ]]; then missing+=" $try"; fi
	done
	tries=$here
	if [ "$evidence" = ' leak run change contact' ] && [ -z "$missing" ]; then
		ok "control: $1 gets out by $(wc -w <<<"$tries") ways"
	else
		not_ok "control: $1 gets out" <<<"evidence:$evidence; not by:$missing
$out"
	fi
}

guarded() {	# LANGUAGE LEVEL
	local kinds
	try_out "$PICKET" run -q --profile none --enforce "$2" -r "$SCRATCH/result.json" --read /usr --read /lib --read /lib64 \
		--read /bin --read /etc/ld.so.cache --read /etc/ssl --read /etc/perl --read /proc/self --write /dev/null \
		--read "$F/shown" --read "$SCRATCH/tools" --write "$F/inside" --exec "$SCRATCH/tools" --exec /usr/bin -- "${command[@]}"
	kinds=$(jq -r '[.violations[].kind] | unique | join(" ")' "$SCRATCH/result.json" 2>&1)
	if [ -n "$evidence" ] || [[ $out = *GOT* ]] || [[ $'\n'$out != *$'\nDONE' ]]; then
		not_ok "$1 at $2: no way out" <<<"evidence:$evidence
$out"
	elif [[ $kinds != *file_read*file_write*network_outbound*process_exec* ]]; then
		not_ok "$1 at $2: each refusal is recorded" <<<"kinds: $kinds"
	else
		ok "$1 at $2: none of $(wc -w <<<"$tries") ways out"
	fi
}

mkdir -p "$SCRATCH/tools"
cp "$languages"/attempts.{py,pl,js} "$SCRATCH/tools"
chmod -R a+rX "$SCRATCH/tools"
fresh_fixture
name=languages-$$
if ! have python3; then skip languages python3; finish; fi
coproc HOST { exec python3 -I "$languages/host.py" "$name"; }
exec 5<&"${HOST[0]}" 6>&"${HOST[1]}"
read -r -t 10 port <&5 || { not_ok 'the host starts' </dev/null; finish; }
[ $# -gt 0 ] || set -- musl musl-static go python perl node
for language; do
	missing=
	if ! program_of "$language" 2>"$SCRATCH/why"; then
		if have "$needs"; then not_ok "$language: its program is made" <"$SCRATCH/why"; else skip "$language" "$needs"; fi
		continue
	fi
	control "$language"
	for level in $LEVELS_HERE; do guarded "$language" "$level"; done
done
kill "$HOST_PID"
finish
