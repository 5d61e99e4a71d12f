#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Audit: what the policy refuses happens, and each part of it is recorded, with what would allow it. So what a tool needs can be
# found out by running it: the options that a permissive run names are enough to run the same with nothing else allowed.
. "$(dirname "$0")/lib.sh"
make_scratch
LEVELS="$LEVELS preload" levels_here
if ! have jq; then skip audit jq; finish; fi
D=$SCRATCH/d
fresh() {	# a working directory
	cd "$SCRATCH" || exit 1
	rm -rf "$D"
	mkdir "$D" && cd "$D" || exit 1
	echo text >a
	printf '#!/bin/sh\necho ran\n' >script
	chmod +x script
}

# ---- each part of a call ----------------------------------------------------------------------------------------

# recorded KIND: targets with action and what would allow it, of what the result has of this directory and of programs
recorded() {
	jq -r --arg kind "$1" '.violations[] | select(.kind == $kind) | "\(.target) \(.action) \(.errno) \(.allow_with)"' \
		"$SCRATCH/result" | sed "s|$D/||g" | grep -v '^/dev\|^/proc' | sort -u
}
audited() {	# LEVEL COMMAND...
	local level=$1
	shift
	fresh
	"$PICKET" run -q --profile permissive --enforce "$level" -r "$SCRATCH/result" -- "$@" 2>&1
}
sh=$(realpath /bin/sh)
for level in $LEVELS_HERE; do
	check_same "$level: a script runs" ran "$(audited "$level" env sh -c ./script)"
	check_same "$level: and it, its interpreter and all before them are recorded" \
		"$(printf '%s audited null --exec %s\n' "$sh" "$sh" script script | sort)" "$(recorded process_exec)"
	check_not "$level: the loader is something to be read, and nothing to be run" grep -q -- '--exec [^"]*/ld-' "$SCRATCH/result"
	check "$level: which is recorded" grep -q -- '--read [^"]*/ld-' "$SCRATCH/result"
	check_same "$level: a rename happens" 'b script' "$(audited "$level" mv a b; echo *)"
	check_same "$level: and both its names are recorded" 'a audited null --write a
b audited null --write b' "$(recorded file_write)"
	check_same "$level: what fails by itself does so" 1 "$(audited "$level" sh -c 'mkdir . 2>/dev/null || echo $?')"
	check_same "$level: and is not recorded" '' "$(recorded file_write)"
	if ! have python3; then continue; fi
	# SIOCGIFCONF
	audited "$level" python3 -c 'import fcntl, socket; fcntl.ioctl(socket.socket(socket.AF_UNIX), 0x8912, bytes(16))' >"$SCRATCH/said"
	check_same "$level: who asks a socket for the network interfaces is told, and recorded" 'network interfaces audited' \
		"$(cat "$SCRATCH/said")$(recorded network_outbound | cut -d ' ' -f 1-3)"
	audited "$level" python3 -c 'import fcntl; fcntl.ioctl(open("a"), 0x8912, bytes(16))' >"$SCRATCH/said"
	check "$level: who asks a file fails as ever" grep -q 'Inappropriate ioctl' "$SCRATCH/said"
	check_same "$level: and is not recorded for it" '' "$(recorded network_outbound)"
done
# the same where only one of the two is refused
for level in $LEVELS_HERE; do
	fresh
	"$PICKET" run -q --on-violation audit --enforce "$level" -r "$SCRATCH/result" --read-only a -- mv a b
	check_same "$level: one refused name of two, and what the other would give" \
		'a -> b audited null null
a audited null null' "$(recorded file_write)"
done

# ---- all of it --------------------------------------------------------------------------------------------------

cat >"$SCRATCH/git.sh" <<-'END'
	git init -q repository && cd repository && echo text >file && git add file &&
	git -c user.name=n -c user.email=m@example.org commit -q -m subject && git mv file moved && git status --short
END
# options_of: what the last result names, as words of a shell
options_of() { jq -r '.violations[].allow_with | select(. != null)' "$SCRATCH/result"; }

# learned LEVEL COMMAND...: it does with these options alone what it does bare
learned() {
	local level=$1 bare round said options=()
	shift
	fresh
	bare=$("$@" 2>&1; echo "status $?")
	said=$(audited "$level" "$@"; echo "status $?")
	check_same "$level: $1: a permissive run does what a bare one does" "$bare" "$said"
	for round in 1 2 3; do
		eval "options+=($(options_of | xargs -d '\n'))"
		fresh
		said=$("$PICKET" run -q --profile none --enforce "$level" -r "$SCRATCH/result" "${options[@]}" -- "$@" 2>&1
			echo "status $?")
		[ "$said" != "$bare" ] || break
	done
	check_same "$level: $1: the options that were named are enough" "$bare" "$said"
	check "$level: $1: after a round or two" test "$round" -le 2
}
for level in $LEVELS_HERE; do
	fresh
	check_not "$level: control: without them it does not run" "$PICKET" run -q --profile none --enforce "$level" -- sh -c 'ls; env true'
	learned "$level" sh -c 'ls; env true && ./script | cat >out && mv out out2 && cat out2'
	! have bash || learned "$level" bash -c 'for i in 1 2; do (echo $i); done | sort -r; type -t ls; cat <<<here'
	! have python3 || learned "$level" python3 -c 'import json, os, subprocess; subprocess.run(["./script"]);
os.link("a", "l"); os.rename("a", "m"); print(json.dumps(sorted(os.listdir("."))))'
	! have node || learned "$level" node -e 'require("fs").writeFileSync("made", "x"); console.log(require("child_process").execSync("cat made") + "")'
	! have git || learned "$level" sh "$SCRATCH/git.sh"
done
finish
