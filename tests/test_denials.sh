#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each call of the table that can be refused is refused: with the right errno, without effect, with a complete record;
# and unguarded it is not (tests/boundary/denials.c makes the calls, denials.py looks at what came of them).
. "$(dirname "$0")/lib.sh"
make_scratch
levels_here
programs=$SCRATCH/programs
mkdir "$programs"
for program in denials neighbour; do
	"${CC:-cc}" -D_GNU_SOURCE -std=gnu17 -O1 -Wall -Wextra -o "$programs/$program" "$SOURCE/tests/boundary/$program.c" || exit 1
done

fresh_fixture() {
	cd "$SCRATCH" || exit 1
	rm -rf f
	mkdir -p f/open
	cd f/open || exit 1
	"$programs/denials" make
}
outside_state() { find ../shut ../hidden -printf '%p %y %i %m %U:%G %n %s %T@ %C@ %l\n' | sort; }

fresh_fixture
"$programs/neighbour" "$programs/denials" bare >"$SCRATCH/bare" 2<../shut/victim
for level in $LEVELS_HERE; do
	fresh_fixture
	before=$(outside_state)
	# shellcheck disable=SC2016
	"$programs/neighbour" sh -c 'exec "$@"' - "$PICKET" run -q --result "$SCRATCH/result" --enforce "$level" --profile none \
		--connect udp:192.0.2.1:9 --env STRANGER --read /usr --read /lib --read /lib64 --read /etc/ld.so.cache --write "$PWD" --hide "$SCRATCH/f/hidden" \
		--read "$programs" --exec "$programs" -- "$programs/denials" >"$SCRATCH/guarded" 2<../shut/victim
	if [ "$(outside_state)" = "$before" ]; then ok "$level: nothing was changed"; else
		diff <(echo "$before") <(outside_state) >"$SCRATCH/why"
		not_ok "$level: nothing was changed" <"$SCRATCH/why"
	fi
	while IFS= read -r line; do
		case $line in "not ok"*) tests_failed=$((tests_failed + 1)) ;; esac
		printf '%s\n' "${line/ - / - $level: }"
	done < <(python3 "$SOURCE/tests/boundary/denials.py" "$SCRATCH/bare" "$SCRATCH/guarded" "$SCRATCH/result" "$PWD")
done
finish
