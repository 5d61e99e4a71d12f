#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the shim is as a file, and whether it stands in front of all that libc offers to reach a judged call: of the
# libcs of this machine, each exported function that makes such a call is in preload/wrap.def or, with the reason, in
# preload/unwrapped.txt.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/libcs.sh"
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
below=$(shim_pages_below)
check "what it adds to a process, both together: $pages pages of 4 KiB, fewer than $below" test "$pages" -gt 2 -a "$pages" -lt "$below"
check_same 'it touches no vector register' '' "$(objdump -d --no-show-raw-insn "$shim" | grep -E '%[xyz]mm[0-9]' | head -n 3)"

# ---- the lists --------------------------------------------------------------------------------------------

check_same 'no function is wrapped twice' '' "$(uniq -d wrapped)"
check_same 'none is in both lists' '' "$(comm -12 wrapped unwrapped)"
check_same 'each unwrapped one has a reason' '' "$(grep -vE '^(#|$)|^[A-Za-z0-9_ ]+: .{20,}' "$SOURCE/preload/unwrapped.txt")"

sort -u wrapped unwrapped >known
sed -n 's/^CALL( *[0-9]*, \([a-z0-9_]*\), *\(JUDGED\|REFUSED\), *\([A-Z_0-9]*\).*/\1 \3/p' "$SOURCE/policy/syscalls.def" |
	grep -vE ' (MEMORY|CREDENTIALS|ASYNC|SECCOMP|FORK|ALLOCATE|CLONE3|PRCTL)$' | awk '{ print $1; print $1 "64" }' | sort >calls

# What new programs get of these libraries.
exports() {
	nm -D --defined-only "$@" | awk '$2 ~ /[TWi]/ && $3 !~ /[^@]@[^@]|GLIBC_PRIVATE/ { sub(/@.*/, "", $3); print $3 }' | sort -u
}
against() {	# NAME LIBRARY...: the first is libc itself
	local name=$1 library
	shift
	[ -e "${1:-}" ] || { skip "$name" "${1:-its library}"; return; }
	have python3 || { skip "$name" python3; return; }
	for library; do
		python3 "$SOURCE/tests/reaching.py" "$library" "$SOURCE/policy/syscalls.def"
	done | sort >reaching
	check "$name: the search finds what it must" test "$(grep -cE '^(open|connect|unlink|kill|execve) ' reaching)" -ge 2
	check_same "$name: all that make a judged call are known" '' "$(join -v1 reaching known)"
	# by their names, whatever the code looks like
	check_same "$name: all that are called as a judged call is are known" '' "$(comm -12 calls <(exports "$@") | comm -23 - known)"
}

# ---- versions -------------------------------------------------------------------------------------------------

sed -n 's/^[a-z]* [0-9.]* not [0-9.]*: //p' "$SOURCE/tests/libc_names.txt" | tr ' ' '\n' | sort >differ
check "there are names that not every version has ($(wc -l <differ))" test -s differ
check_same 'each of them is known' '' "$(comm -23 <(sort -u differ) known)"
at_most() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }
versions() {	# NAME LIBC VERSION LIBRARY...: has what libc_names.txt says of that version
	local name=$1 libc=$2 version=$3 which has lacks _ names wrong=
	shift 3
	exports "$@" | comm -12 - known >exported
	while read -r which has _ lacks names; do
		[ "$which" = "$libc" ] || continue
		lacks=${lacks%:} names=$(tr ' ' '\n' <<<"$names" | sort)
		if at_most "$has" "$lacks"; then
			at_most "$version" "$has" && wrong+=$(comm -23 <(echo "$names") exported)
			at_most "$lacks" "$version" && wrong+=$(comm -12 <(echo "$names") exported)
		else
			at_most "$has" "$version" && wrong+=$(comm -23 <(echo "$names") exported)
			at_most "$version" "$lacks" && wrong+=$(comm -12 <(echo "$names") exported)
		fi
	done <"$SOURCE/tests/libc_names.txt"
	check_same "$name: version $version exports of them what is written down" '' "$(echo "$wrong" | xargs)"
}

mapfile -t files < <(libc_files '')
against glibc "${files[@]}"
[ ${#files[@]} = 0 ] || versions glibc glibc "$(getconf GNU_LIBC_VERSION | awk '{ print $2 }')" "${files[@]}"
for root in ${LIBCS:-}; do
	mapfile -t files < <(libc_files "$root")
	[ ${#files[@]} -gt 0 ] || { not_ok "there is a libc below $root" </dev/null; continue; }
	version=$("${files[0]%/*}/ld-linux-x86-64.so.2" --library-path "${files[0]%/*}" "${files[0]}" | sed -n '1s/.* \([0-9.]*[0-9]\)\.$/\1/p')
	against "glibc $version" "${files[@]}"
	versions "glibc $version" glibc "$version" "${files[@]}"
done
# shellcheck disable=SC2012	# plain names
musl=$(ls /lib/ld-musl-x86_64.so.1 /usr/lib/x86_64-linux-musl/libc.so /usr/lib/musl/lib/libc.so 2>/dev/null | head -n 1)
against musl "${musl:-/lib/ld-musl-x86_64.so.1}"
[ -z "$musl" ] || versions musl musl "$("$musl" 2>&1 | sed -n 's/^Version //p')" "$musl"
finish
