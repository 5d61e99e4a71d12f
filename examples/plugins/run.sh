#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh - plugins from the key to the run: a script and an ELF program are signed, verified, installed and run with the rights that
# both their manifest and the operator's policy give; a changed copy of each is refused. Fails if anything is not as it should be.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
BUILD=${BUILD:-$(cd "$here/../.." && pwd)/build}
PICKET=${PICKET:-$BUILD/picket}
CC=${CC:-gcc}
umask 022
# Keys and the registry must lie where nobody else may write, up to the root; below a sticky /tmp that is so.
scratch=$(mktemp -d "${TMPDIR:-/tmp}/picket-plugins.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
where=(--trusted "$scratch/trusted" --registry "$scratch/registry")
policy=$here/operator.conf

step() { printf '\n== %s\n' "$*"; }
try() { printf '$ picket %s\n' "$*"; "$PICKET" "$@"; }
refused() {	# WORDS COMMAND...: exit status 125 and these words
	local words=$1 said status=0
	shift
	printf '$ picket %s\n' "$*"
	said=$("$PICKET" "$@" 2>&1) || status=$?
	printf '%s\n' "$said"
	[ "$status" = 125 ] && case $said in *"$words"*) return 0 ;; esac
	echo "run.sh: expected a refusal with: $words" >&2
	exit 1
}

step 'A key to sign with; whoever has its public half in the directory of trusted keys believes it'
try plugin keygen demo@example.org -o demo.key --trust --trusted "$scratch/trusted"

step 'A script, its manifest beside it'
cp "$here/wordcount.sh" .
printf 'one two three\nfour\n' >text
try plugin sign wordcount.sh --key demo.key --signer demo@example.org --id wordcount --name 'Word count' --version 1.0.0 \
	--capability "fs:read:$scratch/text" --timeout-secs 5
try plugin verify ./wordcount.sh "${where[@]}" -v

step 'An ELF program, its manifest embedded in it'
$CC -O1 -o greeter "$here/greeter.c"
try plugin sign greeter --embed --key demo.key --signer demo@example.org --id greeter --name Greeter --version 2.1 \
	--capability env:GREETER_NAME
try plugin verify ./greeter "${where[@]}" -v

step 'Installed, and run with what they asked for'
try plugin install wordcount.sh "${where[@]}"
try plugin install greeter "${where[@]}"
try plugin list "${where[@]:2}"
try plugin run -p "$policy" -v "${where[@]}" wordcount "$scratch/text" | tee out
grep -qx "4 $scratch/text" out
GREETER_NAME=Ada try plugin run -p "$policy" -v "${where[@]}" greeter | tee out
grep -qx 'hello, Ada' out

step 'What a manifest does not ask for is withheld, though the operator would give it'
try plugin run -p "$policy" "${where[@]}" wordcount --spy /etc/hostname | tee out || :
grep -q 'spied' out && { echo 'run.sh: it spied' >&2; exit 1; }
grep -q 'ran another' out && { echo 'run.sh: it ran another program' >&2; exit 1; }
try plugin run -p "$policy" "${where[@]}" greeter --phone-home 9 | tee out || :

step 'A changed copy of each'
cp wordcount.sh changed.sh; cp wordcount.sh.plugin.json changed.sh.plugin.json
echo 'rm -rf "$HOME"' >>changed.sh
refused "plugin 'wordcount' v1.0.0: content hash mismatch: refusing to run it" plugin run "${where[@]}" ./changed.sh
cp greeter changed
printf 'HELLO' | dd of=changed bs=1 seek="$(grep -abo 'hello, %s' greeter | head -n 1 | cut -d: -f1)" conv=notrunc status=none
refused "plugin 'greeter' v2.1: content hash mismatch: refusing to run it" plugin run "${where[@]}" ./changed
cp wordcount.sh more.sh
sed 's/"fs:read:[^"]*"/"fs:read"/' wordcount.sh.plugin.json >more.sh.plugin.json
refused "plugin 'wordcount' v1.0.0: invalid signature: refusing to install it" plugin install "${where[@]}" more.sh

step 'A launch request of a caller who is not trusted'
echo '{"program": "/usr/bin/printf", "args": ["%s\\n", "from a request"], "env": {"LANG": "C"}}' >request.json
sed 's/from a request/x; rm -rf ~/' request.json >bad.json
try run -p "$policy" --request request.json
refused 'argv contains unsafe shell metacharacters' run -p "$policy" --request bad.json
refused 'argv contains unsafe shell metacharacters' request check -p "$policy" bad.json
printf '\nAll as it should be.\n'
