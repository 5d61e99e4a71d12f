#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What other processes have in /proc is refused, and with the option that the record names it is read; no option is named where
# the kernel would refuse all the same.
. "$(dirname "$0")/lib.sh"
make_scratch
LEVELS="${LEVELS} preload"
levels_here
cd "$SCRATCH" || exit 1
STRANGER_HAS=something sleep 1000 &
stranger=$!
trap 'kill "$stranger"; cd /; rm -rf "$SCRATCH"' EXIT
until [ "$(cat "/proc/$stranger/comm")" = sleep ]; do :; done

beginning() { head -c 20 | od -c; }	# the rest of a status changes
reads() { "$PICKET" run -q --enforce "$level" -r r.json "${@:2}" -- cat "/proc/$stranger/$1" 2>err; }

for level in $LEVELS_HERE; do
	for entry in cmdline status environ maps io; do
		check "control: $entry" grep -q . "/proc/$stranger/$entry"
		check_same "$level: $entry of a stranger" '1 1 file_read' "$(reads "$entry" >out; echo \
			"$? $(grep -c 'Permission denied' err) $(jq -r '.violations[] | .kind' r.json)")"
		check_same "$level: $entry: nothing came of it" 0 "$(wc -c <out)"
		allow=$(jq -r '.violations[0].allow_with' r.json)
		case $(id -u):$entry in
		0:environ|0:maps|0:io)
			check_same "$level: $entry: root has no right to trace, and is told of no option" null "$allow" ;;
		*)	# shellcheck disable=SC2086
			check_same "$level: $entry: the option that is named opens it" "$(beginning <"/proc/$stranger/$entry")" \
				"$(reads "$entry" $allow | beginning)"
			check_same "$level: $entry: and nothing is refused" 0 "$(jq .violation_count r.json)" ;;
		esac
	done
done
finish
