#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The nth allocation, open, write, mapping, pipe or fork of Picket fails, for every n that a command has. Whatever fails:
# no crash, no hang, no secret read, and an exit status that says so, or the right result.
. "$(dirname "$0")/lib.sh"
make_scratch
cd "$SCRATCH" || exit 1
export FAIL_MARK=$SCRATCH/failed
echo secret-text >secret
echo 'profile = "strict"; filesystem: { forbid = ( "${WORKDIR}/secret" ); };' >policy.conf
most=${FAULTS_MOST:-400}	# of each kind; beyond, every 37th

# inject NAME KIND COMMAND...: until a run in which nothing failed.
inject() {
	local name=$1 kind=$2 at=1 tried=0 status bad=
	shift 2
	while [ "$at" -lt 20000 ]; do
		rm -f "$FAIL_MARK" result.json
		timeout -k 5 20 env LD_PRELOAD="$BUILD/tests/failing.so" FAIL_KIND="$kind" FAIL_AT="$at" "$@" >out 2>err </dev/null
		status=$?
		[ -e "$FAIL_MARK" ] || break
		tried=$((tried + 1))
		if grep -q secret-text out; then bad="the secret was read when call $at failed"
		elif [ "$status" = 124 ] || [ "$status" = 137 ]; then bad="hangs when call $at fails"
		elif [ "$status" -gt 128 ]; then bad="dies of signal $((status - 128)) when call $at fails"
		elif [ "$status" = 125 ] && [ ! -s err ] && [ "$kind" != write ]; then bad="says nothing when call $at fails"
		elif grep -qE 'AddressSanitizer|runtime error' err; then bad="a sanitizer speaks when call $at fails"
		fi
		[ -z "$bad" ] || break
		if [ "$at" -lt "$most" ]; then at=$((at + 1)); else at=$((at + 37)); fi
	done
	if [ -n "$bad" ]; then
		not_ok "$name: $kind: $bad" <err
	else
		ok "$name: $kind, $tried failures"
	fi
}

# A plugin of its own, outside the build directory: that may lie where others may write.
umask 022
P=$(mktemp -d /tmp/picket-faults.XXXXXX) || exit 1
trap 'rm -rf "$P" "$SCRATCH"' EXIT
printf '#!/bin/sh\necho ran\n' >"$P/tool"
"$PICKET" plugin keygen me -o "$P/key" --trust --trusted "$P/trusted" >/dev/null
"$PICKET" plugin sign "$P/tool" --key "$P/key" --id tool --version 1 --signer me >/dev/null
printf '#!/bin/sh\necho secret-text\n' >"$P/changed"
cp "$P/tool.plugin.json" "$P/changed.plugin.json"
where=(--trusted "$P/trusted" --registry "$P/registry")
"$PICKET" plugin install "$P/tool" "${where[@]}" >/dev/null
echo '{"program": "/usr/bin/printf", "args": ["x"], "env": {"LANG": "C"}}' >request.json
echo 'profile = "strict"; launch: { programs = ( "/usr/bin/printf" ); environment = ( "LANG" ); };' >launch.conf

for kind in malloc open write mmap pipe fork; do
	inject 'plugin verify' $kind "$PICKET" plugin verify -v "$P/tool" "${where[@]}"
	inject 'plugin verify, of another content' $kind "$PICKET" plugin run "${where[@]}" "$P/changed"
	inject 'plugin install' $kind "$PICKET" plugin install "$P/tool" "${where[@]}"
	inject 'plugin list' $kind "$PICKET" plugin list --json "${where[@]:2}"
	inject 'plugin run' $kind "$PICKET" plugin run "${where[@]}" tool
	inject 'request check' $kind "$PICKET" request check -p launch.conf request.json
	inject 'policy check' $kind "$PICKET" policy check policy.conf
	inject 'policy show' $kind "$PICKET" policy show -p policy.conf
	inject 'explain' $kind "$PICKET" explain -p policy.conf read secret
	inject 'probe' $kind "$PICKET" probe
	for level in $LEVELS; do
		inject "run at $level" $kind "$PICKET" run -p policy.conf --enforce "$level" --capture -r result.json -- \
			sh -c 'cat secret; cat /etc/shadow; true'
	done
done
finish
