#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The shim is a good guest: signal handlers on small stacks, jumps out of them, vfork, threads, cancellation, errno, bad
# pointers, a full table of descriptors, libraries that come and go (helpers/guest.c); with glibc, with musl, in a program with
# its own open and its own heap, and with what sanitizers put into one.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/libcs.sh"
make_scratch
: "${CC:=gcc}"
cd "$SCRATCH" || exit 1
echo secret >secret
chmod 644 secret
flags=(-D_GNU_SOURCE -std=gnu17 -O1 "$SOURCE/tests/helpers/guest.c" -pthread)

guest() {	# NAME COMPILER [FLAG...]
	local name=$1 compiler=$2 line
	shift 2
	if ! have "$compiler" || ! "$compiler" "$@" -o guest "${flags[@]}" >compile.log 2>&1; then
		skip "$name" "$compiler $*"
		return
	fi
	timeout 120 "$PICKET" run -q --enforce preload --deny "$SCRATCH/secret" -- ./guest "$SCRATCH/secret" >out 2>&1
	check_same "$name: it came to its end" 0 $?
	while read -r line; do
		case $line in
		*': ok') ok "$name: ${line%: ok}" ;;
		*) not_ok "$name: $line" ;;
		esac
	done <out
}
guest glibc "$CC"
guest musl musl-gcc
for LIBC_ROOT in ${LIBCS:-}; do
	guest "$LIBC_ROOT" libc_compile
done
guest 'its own open and heap' "$CC" -DOWN_OPEN -rdynamic
guest 'undefined behaviour sanitizer' "$CC" -fsanitize=undefined -fno-sanitize=nonnull-attribute
export ASAN_OPTIONS=detect_leaks=0	# that traces the program, which no tool may
guest 'address sanitizer' "$CC" -fsanitize=address -fno-sanitize-address-use-after-scope
# started from inside as well
[ ! -x guest ] || check_same 'address sanitizer, from inside: no complaint about the order' 0 "$("$PICKET" run -q --enforce preload \
	--deny "$SCRATCH/secret" -- /bin/sh -c "./guest '$SCRATCH/secret'" 2>&1 | grep -c 'does not come first')"

# A constructor of a library that is initialized before everything else.
printf '%s\n' '#include <fcntl.h>' '#include <unistd.h>' 'int early(void);' 'static int fd = -2;' \
	'__attribute__((constructor)) static void first(void) { fd = open("secret", O_RDONLY); }' \
	'int early(void) { return fd; }' >early.c
printf '%s\n' 'int early(void);' 'int main(void) { return early() == -1 ? 0 : 1; }' >main.c
if $CC -shared -fPIC -o libearly.so early.c && $CC -o main main.c -L. -learly -Wl,-rpath,"$SCRATCH"; then
	./main
	check_same 'control: a constructor of a library opens it' 1 $?
	"$PICKET" run -q --enforce preload --deny "$SCRATCH/secret" -- ./main
	check_same 'a constructor that runs before the shim'"'"'s is guarded' 0 $?
fi
finish
