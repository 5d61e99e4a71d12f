#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Plugins from the key to the run, as a user would: what is not what was signed does not run, and what runs gets no more than manifest
# and policy both give. Launch requests at the end.
. "$(dirname "$0")/lib.sh"
umask 022
# Keys and registries must lie where nobody else may write, up to the root: the build directory may not.
S=$(mktemp -d /tmp/picket-test-plugin.XXXXXX) || exit 1
trap 'chmod -R u+rwX "$S" 2>/dev/null; rm -rf "$S"' EXIT
cd "$S" || exit 1
T=$S/trusted R=$S/registry
unset PICKET_PLUGIN_SIGNING_KEY CODETETHER_PLUGIN_SIGNING_KEY
plugin() { local command=$1; shift; "$PICKET" plugin "$command" --trusted "$T" --registry "$R" "$@"; }
sign() { "$PICKET" plugin sign "$@"; }

# says NAME STATUS WORDS COMMAND...: this exit status, and these words among what is said.
says() {
	local name=$1 wanted=$2 words=$3 out status=0
	shift 3
	out=$("$@" 2>&1 </dev/null) || status=$?
	if [ "$status" = "$wanted" ] && case $out in *"$words"*) true ;; *) false ;; esac; then ok "$name"; else
		not_ok "$name" <<<"$* -> $status (expected $wanted with: $words)
$out"
	fi
}

"$PICKET" plugin keygen signer@test -o signer.key --trust --trusted "$T" >/dev/null
"$PICKET" plugin keygen other@test -o other.key >/dev/null
check_same 'a secret key is for its owner' 600 "$(stat -c %a signer.key)"
check_not 'a key is never written over' "$PICKET" plugin keygen signer@test -o signer.key
check_not 'a signer is no path' "$PICKET" plugin keygen ../x

# ---- the shared-key scheme, by its vector ----------------------------------------------------------------
printf "print('hello')" >vector
vector() {	# ID VERSION HASH SIGNATURE
	printf '{"id":"%s","name":"","version":"%s","content_hash":"%s","signed_by":"anybody","signature":"%s"}' "$@" >vector.plugin.json
}
hash=96f43d529af3430cb6b0e2c02f6b38ef1a121e8a31d2d09a3ebb716f2f35c9de
mac=cead3ef4c47d0971ee9fea80ebd25f54dc3ab40873955e938cbf9f5f8aa801ff
printf test-secret-key-for-signing >short.key
chmod 600 short.key
vector my-plugin 1.0.0 $hash $mac
says 'the vector verifies' 0 "plugin 'my-plugin' v1.0.0: verified" plugin verify --key-file short.key --allow-short-key ./vector
says 'a short key needs to be allowed' 125 'at least 32 bytes' plugin verify --key-file short.key ./vector
PICKET_PLUGIN_SIGNING_KEY=test-secret-key-for-signing \
	says 'a short key of the environment is none' 125 "plugin 'my-plugin' v1.0.0: invalid signature: refusing to" plugin verify ./vector
PICKET_PLUGIN_SIGNING_KEY=test-secret-key-for-signing says '... with a warning' 125 'warning: PICKET_PLUGIN_SIGNING_KEY' plugin verify ./vector
says 'without a key nothing verifies' 125 'warning: PICKET_PLUGIN_SIGNING_KEY is not set' plugin verify ./vector
chmod 644 short.key
says 'a key that others may read is refused' 125 'may be read by others' plugin verify --key-file short.key --allow-short-key ./vector
chmod 600 short.key
for wrong in "my-plugin 1.0.1 $hash $mac" "my-plugim 1.0.0 $hash $mac" "my-plugin 1.0.0 ${hash%e}f $mac" "my-plugin 1.0.0 $hash ${mac^^}" \
	"my-plugin 1.0.0 $hash ${mac%f}e" "my-plugin 1.0.0 $hash ${mac%f}"; do
	# shellcheck disable=SC2086 # four words
	vector $wrong
	says "not the vector: $wrong" 125 'invalid signature: refusing to' plugin verify --key-file short.key --allow-short-key ./vector
done
vector my-plugin 1.0.0 $hash $mac
printf "print('hullo')" >vector
says 'another content' 125 "plugin 'my-plugin' v1.0.0: content hash mismatch: refusing to" \
	plugin verify --key-file short.key --allow-short-key ./vector
key=0123456789abcdef0123456789abcdef
printf '#!/bin/sh\necho hmac ran; while read -r -d "" v; do case $v in *SIGNING*) echo LEAK;; esac; done </proc/self/environ 2>/dev/null\nenv\n' >hmac.sh
PICKET_PLUGIN_SIGNING_KEY=$key sign hmac.sh --hmac --id hmac --version 1 --signer x --capability exec >/dev/null
PICKET_PLUGIN_SIGNING_KEY=$key says 'a long key of the environment verifies' 0 verified plugin verify ./hmac.sh
CODETETHER_PLUGIN_SIGNING_KEY=$key says 'so does the other variable' 0 verified plugin verify ./hmac.sh
CODETETHER_PLUGIN_SIGNING_KEY=$key PICKET_PLUGIN_SIGNING_KEY=${key%f}e says 'the first variable counts' 125 'invalid signature' plugin verify ./hmac.sh
out=$(CODETETHER_PLUGIN_SIGNING_KEY=$key PICKET_PLUGIN_SIGNING_KEY=$key plugin run --env PICKET_PLUGIN_SIGNING_KEY --env CODETETHER_PLUGIN_SIGNING_KEY ./hmac.sh 2>&1)
case $out in *"hmac ran"*) ok 'an HMAC plugin runs' ;; *) not_ok 'an HMAC plugin runs' <<<"$out" ;; esac
case $out in *"$key"* | *SIGNING_KEY=*) not_ok 'the tool does not see the key' <<<"$out" ;; *) ok 'the tool does not see the key' ;; esac
sed 's/"exec"/"exec", "fs:write"/' hmac.sh.plugin.json >more.json
PICKET_PLUGIN_SIGNING_KEY=$key says 'unsigned capabilities may be anything' 0 verified plugin verify --manifest more.json ./hmac.sh
PICKET_PLUGIN_SIGNING_KEY=$key says '... and give no more than the policy' 0 'fs:write: given in part' plugin run --profile strict -v --manifest more.json ./hmac.sh

# ---- Ed25519 ----------------------------------------------------------------------------------------------
printf '#!/bin/sh\necho "good $*"\n' >tool.sh
chmod 755 tool.sh
sign tool.sh --key signer.key --id tool --version 1.0 --signer signer@test >/dev/null
says 'a signed script verifies' 0 "plugin 'tool' v1.0: verified" plugin verify ./tool.sh
says 'and runs' 0 'good a b' plugin run ./tool.sh a b
cp tool.sh.plugin.json saved.json
for field in id version name timeout_secs signed_by; do
	python3 - "$field" <<-'PY' || break
		import json, sys
		m = json.load(open("saved.json")); f = sys.argv[1]
		m[f] = m[f] + 1 if f == "timeout_secs" else "other@test" if f == "signed_by" else m[f] + "x"
		json.dump(m, open("tool.sh.plugin.json", "w"))
	PY
	says "the signature covers $field" 125 'invalid signature: refusing to run' plugin run ./tool.sh
done
python3 -c 'import json
m = json.load(open("saved.json")); m["capabilities"] = ["exec"]; json.dump(m, open("tool.sh.plugin.json", "w"))'
says 'the signature covers capabilities' 125 'invalid signature: refusing to run' plugin run ./tool.sh
# Any other way to write the same JSON is the same manifest: what python makes of it is what it signs.
python3 -c 'import json
m = json.load(open("saved.json")); json.dump(dict(reversed(list(m.items()))), open("tool.sh.plugin.json", "w"), indent=7)'
says 'spelling and order of a manifest do not matter' 0 'verified' plugin verify ./tool.sh
cp saved.json tool.sh.plugin.json
sed 's/"id"/"idd"/' saved.json >tool.sh.plugin.json
says 'an unknown field is named with its place' 125 'tool.sh.plugin.json:2:3: "idd" is not a known field' plugin verify ./tool.sh
cp saved.json tool.sh.plugin.json
sign tool.sh --key other.key --manifest saved.json --signer signer@test >/dev/null
says 'another key under the same name is refused' 125 'invalid signature: refusing to run' plugin run ./tool.sh
sign tool.sh --key other.key --manifest saved.json --signer other@test >/dev/null
says 'a signer without a trusted key is refused' 125 'no trusted key of this signer' plugin run ./tool.sh
cp other.pub "$T/other@test.pub"
says 'control: with the key it runs' 0 'good' plugin run ./tool.sh
id=$(sed -n 's/^# key id //p' other.pub)
echo "$id # lost" >"$T/revoked"
says 'a revoked key is refused' 125 "key $id is revoked" plugin run ./tool.sh
rm "$T/revoked"
echo 'expires 2020-01-01' >>"$T/other@test.pub"
says 'an expired key is refused' 125 "key $id has expired" plugin run ./tool.sh
rm "$T/other@test.pub"
cp saved.json tool.sh.plugin.json
chmod 777 "$T"
says 'a directory of keys that others may write is not trusted' 125 'may be written by others' plugin run ./tool.sh
chmod 755 "$T"
chmod 644 signer.key
check_not 'a secret key that others may read is refused' "$PICKET" plugin sign tool.sh --key signer.key --manifest saved.json
chmod 600 signer.key
says 'a manifest is needed' 125 'has no manifest' plugin run ./signer.key

# ---- what was verified is what runs -----------------------------------------------------------------------
mkdir origin
cp tool.sh origin/good.sh
printf '#!/bin/sh\necho "BAD"\n' >evil.sh
chmod 755 evil.sh
# Each way of changing the file, in a loop, against rounds of runs: only the good bytes or a refusal.
# The loops end by themselves when `halt` is there: who kills one leaves its last command at work, and an mv
# that comes late makes tool.sh a link to the origin, which the next way then empties.
swap() {
	until [ -e halt ]; do
		case $1 in
		rename) cp evil.sh x && mv x tool.sh; cp origin/good.sh x && mv x tool.sh ;;
		rewrite) cat evil.sh >tool.sh; cat origin/good.sh >tool.sh ;;
		link) ln -sf evil.sh x && mv -T x tool.sh; ln -sf origin/good.sh x && mv -T x tool.sh ;;
		truncate) : >tool.sh; cat origin/good.sh >tool.sh ;;
		esac
	done
}
for way in rename rewrite link truncate; do
	rm -f tool.sh
	cp origin/good.sh tool.sh
	swap $way 2>/dev/null &
	swapper=$!
	good=0 refused=0 other=''
	for _ in $(seq 25); do
		out=$(plugin run -q --manifest saved.json ./tool.sh 2>&1)
		case $out in
		'good '*) good=$((good + 1)) ;;
		*BAD*) other+="$out;" ;;
		*refusing* | *'is empty'* | *'No such file'*) refused=$((refused + 1)) ;;
		*) other+="$out;" ;;
		esac
	done
	touch halt
	wait $swapper
	rm halt
	check_same "swapped in a loop by $way: no other bytes run ($good ran, $refused refused)" '' "$other"
done
rm -f tool.sh x
cp origin/good.sh tool.sh
cp origin/good.sh good.sh

# The same for a program in the registry, whose owner installs and replaces it meanwhile.
sign good.sh --key signer.key --id swap --version 1 --signer signer@test >/dev/null
printf '#!/bin/sh\necho "good second"\n' >second.sh
sign second.sh --key signer.key --id swap --version 2 --signer signer@test >/dev/null
plugin install good.sh >/dev/null
(until [ -e halt ]; do plugin install second.sh; plugin install good.sh; done) >/dev/null 2>&1 &
swapper=$!
other=''
for _ in $(seq 25); do
	out=$(plugin run -q swap 2>&1)
	case $out in 'good'*) ;; *) other+="$out;" ;; esac
done
touch halt
wait $swapper
rm halt
check_same 'a plugin that is replaced in a loop always runs whole' '' "$other"

# ---- ELF ---------------------------------------------------------------------------------------------------
cp /bin/echo echo
sign echo --embed --key signer.key --id echo --version 1 --signer signer@test >/dev/null
check 'a program with an embedded manifest still runs' ./echo
says 'an ELF plugin runs' 0 'one two' plugin run ./echo one two
says 'verify -v tells what it is' 0 'ELF, 64 bits, x86-64, dynamic' plugin verify -v ./echo
size=$(stat -c %s echo)
refusals=0
for at in 24 400 $((size / 3)) $((size / 2)) $((size - 200)) $((size - 3)); do
	cp echo changed
	printf '\377' | dd of=changed bs=1 seek=$at conv=notrunc status=none
	cmp -s echo changed && { printf '\001' | dd of=changed bs=1 seek=$at conv=notrunc status=none; }
	plugin run ./changed >out 2>&1 && break
	grep -qE 'refusing to|has no manifest|embedded manifest' out && refusals=$((refusals + 1))
done
check_same 'a byte changed anywhere is refused' 6 $refusals
python3 - <<'PY'
b = open("echo", "rb").read()
i = b.index(b'{"capabilities"')
open("spaced", "wb").write(b[:i] + b[i:].replace(b'"timeout_secs":30,', b'"timeout_secs":30 ,', 1)[:len(b) - i])
PY
check_not 'an embedded manifest in another spelling is refused' plugin run ./spaced
if cat >lib.c <<<'int x;' && ${CC:-gcc} -o rpath -Wl,--disable-new-dtags,-rpath,/tmp/no-such -x c - <<<'int main(void) { return 0; }' 2>/dev/null; then
	sign rpath --key signer.key --id rpath --version 1 --signer signer@test >/dev/null
	says 'an RPATH into a place that others may write is refused' 125 'RPATH could be changed by others' plugin run ./rpath
	check_not '... and not installed' plugin install rpath
	mkdir lib
	${CC:-gcc} -o runpath -Wl,-rpath,"$S/lib" -x c - <<<'int main(void) { return 0; }'
	sign runpath --key signer.key --id runpath --version 1 --signer signer@test --capability fs:write >/dev/null
	says 'a RUNPATH that the run may write is refused' 125 'may be written by the run itself' plugin run --write "$S/lib" ./runpath
	says 'control: one that the policy protects is not' 0 '' plugin run --deny "$S/lib" ./runpath
	sign runpath --key signer.key --id runpath --version 1 --signer signer@test >/dev/null
	says 'control: nor one that the plugin does not ask to write' 0 '' plugin run --write "$S/lib" ./runpath
fi
if ${CC:-gcc} -m32 -nostdlib -static -o small -x c - <<<'void _start(void) { __asm__("mov $1, %eax; int $0x80"); }' 2>/dev/null; then
	sign small --key signer.key --id small --version 1 --signer signer@test >/dev/null
	says 'a program of another kind is refused' 125 '32-bit program' plugin run ./small
fi

mkdir open
chmod 777 open
cp /bin/sh open/sh
printf '#!%s/open/sh\necho ran\n' "$S" >others.sh
sign others.sh --key signer.key --id others --version 1 --signer signer@test >/dev/null
says 'an interpreter that others may replace is refused' 125 'interpreter could be changed by others' plugin run ./others.sh
printf '#!/usr/bin/env sh\necho "by env $1"\n' >env.sh
sign env.sh --key signer.key --id env --version 1 --signer signer@test >/dev/null
says 'an interpreter that env looks up runs' 0 'by env x' plugin run ./env.sh x
PATH=$S/open:$PATH says '... but not one that others may replace' 125 'interpreter could be changed by others' plugin run ./env.sh

# ---- capabilities ------------------------------------------------------------------------------------------
echo secret >data
cat >probe.sh <<'PY'
#!/bin/sh
read -r line <"$1" && echo "read $line"
(echo x >"$2") 2>/dev/null && echo wrote
/usr/bin/true && echo ran
echo "variable ${VARIABLE-unset}"
PY
probe() {	# CAPABILITY...
	local capability list=()
	for capability; do list+=(--capability "$capability"); done
	sign probe.sh --key signer.key --id probe --version 1 --signer signer@test "${list[@]}" >/dev/null
	VARIABLE=v plugin run -q "${policy[@]}" ./probe.sh "$S/data" "$S/written" 2>/dev/null | tr '\n' ',' ; rm -f written
}
policy=(--profile none --read / --write "$S" --write /dev/null --exec /usr/bin --env VARIABLE)
check_same 'nothing asked for, nothing given' 'variable unset,' "$(probe)"
check_same 'fs:read of this file' 'read secret,variable unset,' "$(probe "fs:read:$S/data")"
check_same 'fs:read of all' 'read secret,variable unset,' "$(probe fs:read)"
check_same 'fs:write of this place' 'read secret,wrote,variable unset,' "$(probe "fs:write:$S")"
check_same 'exec of this program' 'ran,variable unset,' "$(probe exec:/usr/bin/true)"
check_same 'env of this variable' 'variable v,' "$(probe env:VARIABLE)"
check_same 'all of it' 'read secret,wrote,ran,variable v,' "$(probe fs:read fs:write exec env:VARIABLE)"
policy=(--profile none --read /usr --read /lib --read /lib64 --read /etc/ld.so.cache --read /proc/self --write /dev/null --exec /usr/bin/dash)
check_same 'all asked for, little given' 'variable unset,' "$(probe fs:read fs:write exec env:VARIABLE)"
policy=(--profile permissive)
check_same 'an operator who only watches does not widen the manifest' 'read secret,variable unset,' "$(probe "fs:read:$S/data")"
sign probe.sh --key signer.key --id probe --version 1 --signer signer@test --capability fs:reed >out 2>&1
check 'an unknown capability cannot be signed' grep -q "unknown capability 'fs:reed'" out
policy=(--profile strict)
sign probe.sh --key signer.key --id probe --version 1 --signer signer@test --capability "fs:read:/etc/shadow" --capability fs:write --capability exec:shell >/dev/null
says '-v says what was withheld' 0 'capability fs:read:/etc/shadow: withheld' plugin run -v --profile strict ./probe.sh data written
says '... what was given in part' 0 'capability fs:write: given in part' plugin run -v --profile strict ./probe.sh data written
says '... and what was given' 0 'capability exec:shell: given' plugin run -v --profile strict ./probe.sh data written
printf '#!/bin/sh\nwhile :; do :; done\n' >forever.sh
sign forever.sh --key signer.key --id forever --version 1 --signer signer@test --timeout-secs 1 >/dev/null
says 'timeout_secs ends the run' 124 '' plugin run -q ./forever.sh
says 'a shorter --timeout counts' 124 '' plugin run -q --timeout 0.3 ./forever.sh

# ---- the result --------------------------------------------------------------------------------------------
plugin run -q -r result.json --profile strict ./probe.sh data written >/dev/null 2>&1
check_same 'the result says which plugin it was' "probe 1 signer@test ed25519 True ['fs:read:/etc/shadow', 'fs:write', 'exec:shell']" \
	"$(python3 -c 'import json; p = json.load(open("result.json"))["plugin"]
print(p["id"], p["version"], p["signed_by"], p["scheme"], p["verified"], p["capabilities"]["asked"])' 2>&1)"
"$PICKET" run -q -r result.json -- true
check_same 'the result of another run says nothing of plugins' None \
	"$(python3 -c 'import json; print(json.load(open("result.json")).get("plugin"))' 2>&1)"

# ---- the registry ------------------------------------------------------------------------------------------
rm -rf "$R"
cp saved.json tool.sh.plugin.json
check_same 'an empty registry lists nothing' '' "$("$PICKET" plugin list --registry "$R" 2>&1)"
check_same '... as JSON, too' '[]' "$("$PICKET" plugin list --registry "$R" --json)"
says 'what is not installed does not run' 125 "'tool' is not installed" plugin run tool
says '... and a file of that name is hinted at' 125 'if the file is meant: ./tool.sh' plugin run tool.sh
says 'installed' 0 "plugin 'tool' v1.0: installed" plugin install tool.sh
says 'listed' 0 'tool ' "$PICKET" plugin list --registry "$R"
check_same 'listed as JSON' 'tool 1.0 signer@test' "$("$PICKET" plugin list --registry "$R" --json |
	python3 -c 'import json, sys; p, = json.load(sys.stdin); print(p["id"], p["version"], p["signed_by"])')"
says 'verified' 0 "plugin 'tool' v1.0: verified" plugin verify tool
says 'it runs by its id' 0 'good x' plugin run tool x
rm tool.sh
says 'and needs its origin no more' 0 'good' plugin run tool
cp origin/good.sh tool.sh
old=$(ls "$R/programs")
cp "$R/programs/$old" old
printf '#!/bin/sh\necho "good new"\n' >tool.sh
sign tool.sh --key signer.key --manifest saved.json --version 2.0 >/dev/null
says 'a second install replaces' 0 "v2.0: installed" plugin install tool.sh
says 'the new one runs' 0 'good new' plugin run tool
cp old "$R/programs/$(ls "$R/programs")"
says 'old content is refused' 125 "plugin 'tool' v2.0: content hash mismatch: refusing to run" plugin run tool
check_not 'what is not verified is not installed' plugin install evil.sh
cp saved.json evil.sh.plugin.json
says '... nor under the manifest of another' 125 "plugin 'tool' v1.0: content hash mismatch: refusing to install" plugin install evil.sh
chmod 777 "$R"
says 'a registry that others may write is refused' 125 'may be written by others' plugin run tool
says '... for installing, too' 125 'may be written by others' plugin install tool.sh
chmod 755 "$R"
check 'removed' "$PICKET" plugin remove --registry "$R" tool
says 'what was removed does not run' 125 'is not installed' plugin run tool
check_same 'nothing is left of it' '' "$(ls "$R/programs")"
for n in 1 2 3 4 5 6 7 8; do
	sign tool.sh --key signer.key --id "many$n" --version 1 --signer signer@test -o "many$n.json" >/dev/null
done
for n in 1 2 3 4 5 6 7 8; do plugin install --manifest "many$n.json" tool.sh >/dev/null & done
wait
check_same 'installs at once lose nothing' 8 "$("$PICKET" plugin list --registry "$R" --json | grep -c many)"

# ---- another user ------------------------------------------------------------------------------------------
if [ "$(id -u)" = 0 ] && have setpriv; then
	cp "$PICKET" picket-copy
	chmod 755 "$S" picket-copy
	nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=/nonexistent "$S/picket-copy" "$@"; }
	says "root's registry is good enough for a user" 0 'good new' nobody plugin run --trusted "$T" --registry "$R" many1
	says '... who may not change it' 125 'Permission denied' nobody plugin remove --registry "$R" many1
	chown -R 65534 "$R"
	says "a user's registry is not good enough for root" 125 'belongs to another user' plugin run many1
	chown -R 0 "$R"
	cp signer.key his.key
	chown 65534 his.key
	says "nor is a user's key" 125 'belongs to another user' "$PICKET" plugin sign tool.sh --key his.key --manifest saved.json
fi	# only root can make what belongs to others; .ci/run tests as both

# ---- launch requests ---------------------------------------------------------------------------------------
cat >launch.conf <<'CONF'
profile = "workstation";
launch: { programs = ( "/usr/bin/printf", "/usr/bin/env", "/usr/bin/pwd" ); environment = ( "LANG", "X" ); };
CONF
request() {	# NAME STATUS WORDS JSON
	printf '%s' "$4" >request.json
	says "$1" "$2" "$3" "$PICKET" run -q -p launch.conf --request request.json
	if [ "$2" = 125 ]; then says "$1 (check)" 125 "$3" "$PICKET" request check -p launch.conf request.json; fi
}
request 'an allowed request runs' 0 'a b' '{"program": "/usr/bin/printf", "args": ["%s %s", "a", "b"]}'
request 'its variables are set' 0 'X=one two' '{"program": "//usr/./bin/env/", "env": {"X": "one two"}}'
request 'its directory is where it starts' 0 '/usr/lib' '{"program": "/usr/bin/pwd", "args": ["-P"], "cwd": "/usr/lib"}'
request 'a program not in the list' 125 'picket: program not allowed: /usr/bin/id' '{"program": "/usr/bin/id"}'
request 'an argument for a shell' 125 'picket: argv contains unsafe shell metacharacters' '{"program": "/usr/bin/printf", "args": ["a;b"]}'
request 'a variable not in the list' 125 'picket: env key not allowed: LD_PRELOAD' '{"program": "/usr/bin/env", "env": {"PATH": "", "LD_PRELOAD": ""}}'
request 'a control character in a variable' 125 'picket: env contains invalid control characters' '{"program": "/usr/bin/env", "env": {"X": "\u001b"}}'
request 'a relative directory' 125 'picket: working directory must be absolute: x' '{"program": "/usr/bin/env", "cwd": "x"}'
request 'what is no request' 125 'request.json:1:' '{"program": "/usr/bin/env"'
check_same 'a request may come on stdin' 'hello' "$(echo '{"program": "/usr/bin/printf", "args": ["hello"]}' | "$PICKET" run -q -p launch.conf --request -)"
says 'a request takes no command' 125 'no command can be given' "$PICKET" run -p launch.conf --request request.json -- true
echo 'profile = "workstation";' >plain.conf
echo '{"program": "/usr/bin/printf"}' >request.json
says 'a policy without a launch group allows nothing' 125 'program not allowed: /usr/bin/printf' "$PICKET" run -p plain.conf --request request.json

check 'the example runs as it says' env BUILD="$BUILD" PICKET="$PICKET" "$SOURCE/examples/plugins/run.sh"
finish
