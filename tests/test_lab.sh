#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The exercises of examples/lab come out as their sources and the README beside them say, at each level.
. "$(dirname "$0")/lib.sh"
make_scratch
lab=$SOURCE/examples/lab
LEVELS='preload ptrace seccomp' levels_here
mkdir "$SCRATCH/tmp"
export BUILD PICKET TMPDIR=$SCRATCH/tmp LEVELS=$LEVELS_HERE

for exercise in 1 2 3 4 5 6 7 8; do
	if [ "$exercise" = 7 ] && [ "$(cat /proc/sys/kernel/io_uring_disabled 2>/dev/null || echo 0)" != 0 ]; then
		skip 'exercise 7' 'io_uring'
		continue
	fi
	check "exercise $exercise" "$lab/run.sh" "$exercise"
done
check_same 'the lab leaves nothing behind' '' "$(ls -A "$TMPDIR")"

# The table of the README against the sources.
table=$(sed -n 's/^| \([1-8]\) |.*| \([a-z]*\) | \([a-z]*\) | \([a-z]*\) |$/\1 preload=\2 ptrace=\3 seccomp=\4/p' "$lab/README.md")
sources=$(for source in "$lab"/[0-9]-*; do
	name=$(basename "$source")
	sed -n "s/.*lab: /${name%%-*} /p" "$source"
done)
check_same 'the README says the same' "$sources" "$table"

# A run that comes out otherwise is not taken for a success: the test would notice.
mkdir "$SCRATCH/other"
cp -r "$lab" "$SCRATCH/other/lab"
sed -i 's/ptrace=supervisor/ptrace=through/' "$SCRATCH/other/lab/1-open.c"
case " $LEVELS_HERE " in
*' ptrace '*) check_not 'control: an exercise that comes out otherwise fails' "$SCRATCH/other/lab/run.sh" 1 ;;
esac
finish
