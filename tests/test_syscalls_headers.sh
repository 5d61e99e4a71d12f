#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every system call of the installed kernel headers is in policy/syscalls.def, with its number and name; what the table
# has beyond them is listed. That the comparison can fail is tested, too, with tables that lack or misname a call.
. "$(dirname "$0")/lib.sh"
make_scratch
CC=${CC:-cc}
# The numbers between the old calls of x86-64 and those that all architectures share belong to nobody.
FIRST_UNUSED=337 LAST_UNUSED=423

# calls_of_headers: "number name" of each call that <asm/unistd_64.h> declares.
calls_of_headers() {
	echo '#include <asm/unistd_64.h>' | "$CC" -m64 -E -dM -x c - |
		sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9][0-9]*\)$/\2 \1/p' | sort -n
}

# calls_of_table FILE: the same, of a table.
calls_of_table() {
	"$CC" -E -P '-DCALL(number, name, ...)=@number name@' -x c "$1" | grep -o '@[^@]*@' | tr -d @ | sort -n
}

# compare HEADERS TABLE: both files of "number name". Says what the table lacks, misnames or puts where no call can be,
# and (as notes, no failure) what is newer than the headers.
compare() {
	awk -v first="$FIRST_UNUSED" -v last="$LAST_UNUSED" '
	NR == FNR { header[$1] = $2; number[$2] = $1; next }
	{ table[$1] = $2; seen[$2] = $1 }
	END {
		for (n in header)
			if (!(n in table))
				bad[++count] = "call " n " (" header[n] ") of the headers is not in the table"
			else if (table[n] != header[n])
				bad[++count] = "call " n " is " header[n] " in the headers, " table[n] " in the table"
		for (n = 0; n < 4096; n++) {
			if (!(n in table) || n in header)
				continue
			if (table[n] in number)
				bad[++count] = table[n] " is call " number[table[n]] " in the headers, " n " in the table"
			else if (n >= first && n <= last)
				bad[++count] = "call " n " (" table[n] ") has a number that belongs to nobody"
			else
				newer = newer " " table[n] "(" n ")"
		}
		if (length(header) == 0) bad[++count] = "the headers declare no call at all"
		if (length(table) == 0) bad[++count] = "the table has no call at all"
		for (i = 1; i <= count; i++) print bad[i]
		if (newer) print "newer than the headers:" newer
		exit count > 0
	}' "$1" "$2"
}

if ! calls_of_headers >"$SCRATCH/headers" 2>"$SCRATCH/error" || [ ! -s "$SCRATCH/headers" ]; then
	skip 'the table has every call of the kernel headers' 'asm/unistd_64.h (package linux-libc-dev), or a C compiler'
	finish
fi
calls_of_table "$SOURCE/policy/syscalls.def" >"$SCRATCH/table"

name="the table has every call of the kernel headers ($(wc -l <"$SCRATCH/headers") of them)"
if compare "$SCRATCH/headers" "$SCRATCH/table" >"$SCRATCH/report"; then ok "$name"; else not_ok "$name" <"$SCRATCH/report"; fi
echo '# table'
grep '^newer' "$SCRATCH/report" | fold -s -w 100 | sed 's/^/     /; s/ *$//'
echo '# end'

# The same headers against a table with one fault each.
fault() {	# NAME EXPECTED_WORDS SED_SCRIPT
	sed "$3" "$SCRATCH/table" >"$SCRATCH/faulty"
	if cmp -s "$SCRATCH/table" "$SCRATCH/faulty"; then
		not_ok "$1" <<<'the fault was not put in'
	elif compare "$SCRATCH/headers" "$SCRATCH/faulty" >"$SCRATCH/report"; then
		not_ok "$1" <"$SCRATCH/report"
	elif ! grep -q "$2" "$SCRATCH/report"; then
		not_ok "$1" <"$SCRATCH/report"
	else
		ok "$1"
	fi
}
fault 'a call that is missing is found' '(openat) of the headers is not in the table' '/^257 /d'
fault 'a call with another name is found' 'is openat in the headers, openta in' 's/^257 openat$/257 openta/'
fault 'two calls with each other'"'"'s numbers are found' 'call 82 is rename' 's/^82 rename/82 mkdir/; s/^83 mkdir/83 rename/'
fault 'a call in the unused numbers is found' 'belongs to nobody' '$s/$/\n400 strange/'
fault 'an empty table is found' 'no call at all' d
finish
