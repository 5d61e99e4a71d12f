#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the shim is as a file, and whether it stands in front of all that libc offers to reach a judged call: of the
# libcs of this machine, each exported function that makes such a call is in preload/wrap.def or, with the reason, in
# preload/unwrapped.txt.
. "$(dirname "$0")/lib.sh"
make_scratch
shim=$BUILD/libpicket-preload.so
cd "$SCRATCH" || exit 1
for tool in readelf nm objdump; do have $tool || { skip "the shim's file" $tool; finish; }; done

words() { sed -n "s/^\($1\)(\([A-Za-z0-9_]*\).*/\2/p" "$SOURCE/preload/wrap.def"; }
words 'SAME\|MAPPED\|HAND\|BODY' | sort >wrapped
sed -n 's/^\([^#:]*\):.*/\1/p' "$SOURCE/preload/unwrapped.txt" | tr ' ' '\n' | sort >unwrapped

# ---- the file ------------------------------------------------------------------------------------------

check_same 'it needs no library' '' "$(readelf -dW "$shim" | grep NEEDED)"
check_same 'it exports the wrapped functions and nothing else' '' \
	"$(nm -D --defined-only "$shim" | awk '{ print $3 }' | sort | diff wrapped - 2>&1)"
check_same 'it takes from others only what either libc may lack' '_dl_debug_addr _r_debug environ' \
	"$(nm -D --undefined-only "$shim" | awk '$1 == "w" { print $2 }' | sort | xargs)"
check_same 'nothing undefined is required' '' "$(nm -D --undefined-only "$shim" | awk '$1 == "U"')"
relocations=$(readelf -rW "$shim" | grep -c R_X86_64)
check "it has few relocations ($relocations)" test "$relocations" -le 8
check_same 'it has no thread-local storage' '' "$(readelf -lW "$shim" | grep -w TLS)"
check_same 'it is mapped in two pieces' 2 "$(readelf -lW "$shim" | grep -cw LOAD)"
# column: 3 address, 6 size in memory
segment() { printf '%d' "$(readelf -lW "$shim" | awk -v flags="$1" -v column="$2" '$1 == "LOAD" && $0 ~ " " flags " +0x" { print $column }')"; }
own=$(($(segment RW 3) % 4096 + $(segment RW 6)))
check "what it adds to a process's own memory: $(segment RW 6) bytes, one page" test $own -le 4096
check_same 'which is not protected in a second step' '' "$(readelf -lW "$shim" | grep RELRO)"
pages=$(readelf -lW "$shim" | awk '$1 == "LOAD" { print $3, $6 }' | while read -r address size; do
	echo $(((address % 4096 + size + 4095) / 4096)); done | awk '{ sum += $1 } END { print sum + 0 }')
check "what it adds to a process, both together: $pages pages of 4 KiB, under 64 KiB" test "$pages" -gt 2 -a "$pages" -lt 16
check_same 'it touches no vector register' '' "$(objdump -d --no-show-raw-insn "$shim" | grep -E '%[xyz]mm[0-9]' | head -n 3)"

# ---- the lists --------------------------------------------------------------------------------------------

check_same 'no function is wrapped twice' '' "$(uniq -d wrapped)"
check_same 'none is in both lists' '' "$(comm -12 wrapped unwrapped)"
check_same 'each unwrapped one has a reason' '' "$(grep -vE '^(#|$)|^[A-Za-z0-9_ ]+: .{20,}' "$SOURCE/preload/unwrapped.txt")"

sort -u wrapped unwrapped >known
against() {	# NAME LIBRARY
	local exports
	[ -e "$2" ] || { skip "$1" "$2"; return; }
	have python3 || { skip "$1" python3; return; }
	python3 "$SOURCE/tests/reaching.py" "$2" "$SOURCE/policy/syscalls.def" >reaching
	check "$1: the search finds what it must" grep -q '^open' reaching
	check_same "$1: all that make a judged call are known" '' "$(sort reaching | join -v1 - known)"
	# by their names, whatever the code looks like
	exports=$(nm -D --defined-only "$2" | awk '$2 ~ /[TWi]/ && $3 !~ /[^@]@[^@]/ { sub(/@.*/, "", $3); print $3 }' | sort -u)
	sed -n 's/^CALL( *[0-9]*, \([a-z0-9_]*\), *\(JUDGED\|REFUSED\), *\([A-Z_0-9]*\).*/\1 \3/p' "$SOURCE/policy/syscalls.def" |
		grep -vE ' (MEMORY|CREDENTIALS|ASYNC|SECCOMP|FORK|ALLOCATE|CLONE3|PRCTL)$' | awk '{ print $1; print $1 "64" }' |
		sort >calls
	check_same "$1: all that are called as a judged call is are known" '' "$(comm -12 calls - <<<"$exports" | comm -23 - known)"
}
against glibc "$(ldd /bin/sh 2>/dev/null | awk '/libc\.so\.6/ { print $3 }')"
musl=$(ls /lib/ld-musl-x86_64.so.1 /usr/lib/x86_64-linux-musl/libc.so /usr/lib/musl/lib/libc.so 2>/dev/null | head -n 1)
against musl "${musl:-/lib/ld-musl-x86_64.so.1}"
finish
