#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every way to open every kind of name (helpers/opens.c), also while something changes (helpers/opens_changing.c), comes to what it
# comes to without a guard, at each level, in a glibc and in a musl program. At level gate, what the shim can open needs no stop
# (helpers/opens_fast.c); programs with a filter of their own go on; and the origin of a refusal is true.
. "$(dirname "$0")/lib.sh"
make_scratch
helpers=$BUILD/tests/helpers
export LC_ALL=C
LEVELS="preload $LEVELS" levels_here

make_places() {
	chmod -R u+rwx w 2>/dev/null
	rm -rf w wx && mkdir -p w/here/d w/here/closed w/outside wx || exit 1
	local f
	for f in here/f here/d/f outside/f here/closed/f here/unreadable; do echo text >w/$f; done
	ln -s f w/here/link
	ln -s ../outside/f w/here/link-out
	ln -s "$SCRATCH/w/here/f" w/here/link-absolute
	ln -s link w/here/link-chain
	ln -s d w/here/link-directory
	ln -s missing w/here/dangling
	ln -s ../outside/missing w/here/dangling-out
	ln -s "$SCRATCH/w/here/missing" w/here/dangling-absolute
	ln -s loop w/here/loop
	ln -s /proc/self/fd/0 w/here/magic
	chmod 000 w/here/unreadable
	chmod 600 w/here/closed
}
cd "$SCRATCH" || exit 1
options=(-q --profile permissive --read / --write "$SCRATCH/w/here" --write "$SCRATCH/w/outside" --write "$SCRATCH/w"
	-r "$SCRATCH/result.json")
guarded=("$PICKET" run "${options[@]}" --write /dev/null --enforce gate --)

# ---- the same as without a guard ---------------------------------------------------------------------------

same() {	# NAME PROGRAM WHAT LEVEL...
	local name=$1 program=$2 what=$3 level
	make_places
	(cd w && umask 022 && "$program" "$what" >../bare.out 2>&1 </dev/null; echo "exit $?" >>../bare.out)
	for level in "${@:4}"; do
		make_places
		(cd w && umask 022 && "$PICKET" run "${options[@]}" --enforce "$level" -- "$program" "$what" >../guarded.out 2>&1 </dev/null
			echo "exit $?" >>../guarded.out)
		if diff bare.out guarded.out >difference; then
			ok "$name, $level: $what, $(wc -l <bare.out) answers as without a guard"
		else
			not_ok "$name, $level: $what as without a guard" <difference
		fi
	done
}
programs=("glibc $helpers")	# LIBC DIRECTORY
musl_compile() {	# NAME: of the helpers, into musl/NAME
	musl-gcc -D_GNU_SOURCE -std=gnu17 -O1 -idirafter /usr/include -idirafter "/usr/include/$(uname -m)-linux-gnu" \
		-o "musl/$1" "$SOURCE/tests/helpers/$1.c" 2>musl.log
}
mkdir musl
if have musl-gcc && musl_compile opens && musl_compile opens_changing && musl_compile opens_fast; then
	programs+=("musl $SCRATCH/musl")
else
	skip 'a musl program' musl-gcc
fi
for program in "${programs[@]}"; do
	libc=${program%% *} directory=${program#* }
	# shellcheck disable=SC2086	# words
	{
		for what in table streams full; do same "$libc" "$directory/opens" $what $LEVELS_HERE; done
		for what in threads others; do same "$libc" "$directory/opens_changing" $what $LEVELS_HERE; done
	}
	case $LEVELS_HERE in *gate*) ;; *) continue ;; esac
	fast=$directory/opens_fast
	make_places
	out=$(cd w && "${guarded[@]}" "$fast" 2>&1 </dev/null)
	check_same "$libc: nothing that the shim can open needs a stop" 'control, what no shim can open: /proc: a stop' \
		"$(grep -v ': fast$' <<<"$out")"
	check_same "$libc: of so many" 18 "$(grep -c ': fast$' <<<"$out")"
	out=$(cd w && "$fast" 2>&1 </dev/null)
	check_same "$libc: control: without the shim each would be one" 19 "$(grep -c ': a stop$' <<<"$out")"
done

case $LEVELS_HERE in *gate*) ;; *) finish ;; esac

# ---- stops ---------------------------------------------------------------------------------------------------

stops() {	# COMMAND...
	"${guarded[@]}" "$@" >/dev/null 2>&1
	sed -n 's/.*"supervisor_stops": \([0-9]*\).*/\1/p' result.json
}
few=$(stops "$helpers/openclose" 10)
many=$(stops "$helpers/openclose" 10010)
check "ten thousand opens more cost $((many - few)) stops more" test $((many - few)) -lt 10
many=$(stops env -i "$helpers/openclose" 10010)
check "with an emptied environment, too" test $((many - few)) -lt 1000
many=$(stops python3 -c "
import os
os.setresuid(-1, os.geteuid(), -1)
os.setresgid(-1, os.getegid(), -1)
os.execv('$helpers/openclose', ['openclose', '10010'])")
check "for a program that said again who it is, as GNU make does, too" test $((many - few)) -lt 1000
if [ "$(id -u)" = 0 ]; then
	many=$(stops python3 -c "
import os
os.setresuid(1, 1, 1)
os.execv('$helpers/openclose', ['openclose', '10010'])")
	check 'control: not for one that becomes somebody else' test $((many - few)) -gt 9000
fi
many=$(stops sh -c "ulimit -n 64; '$helpers/openclose' 10010")
check "with a limit of 64 descriptors, too" test $((many - few)) -lt 1000
many=$(stops python3 -c "
import os
os.closerange(3, 1 << 20)
os.execv('$helpers/openclose', ['openclose', '10010'])")
check "and when every descriptor was closed" test $((many - few)) -lt 5000

# What libc opens inside itself: of a locale a dozen files, names that are not there among them.
if [ "$(LC_ALL=C.UTF-8 locale charmap 2>locale.log)" = UTF-8 ] && have strace &&
	[ "$(LC_ALL=C.UTF-8 strace -qq -e trace=open,openat sort /dev/null 2>&1 | wc -l)" -gt \
		"$(($(LC_ALL=C strace -qq -e trace=open,openat sort /dev/null 2>&1 | wc -l) + 5))" ]; then
	few=$(stops sort /dev/null)
	many=$(LC_ALL=C.UTF-8 stops sort /dev/null)
	check "the files of a locale cost $((many - few)) stops" test $((many - few)) -lt 3
	LC_ALL=C.UTF-8 "$PICKET" run "${options[@]}" --enforce seccomp -- sort /dev/null
	many=$(sed -n 's/.*"supervisor_stops": \([0-9]*\).*/\1/p' result.json)
	check 'control: at level seccomp each is one' test $((many - few)) -gt 5
else
	echo '# not here: a locale that is read from files'
fi

# What the dynamic linker opens: each library that a program needs.
libraries='-lm -lresolv -l:libpthread.so.0 -l:libdl.so.2 -l:librt.so.1 -l:libutil.so.1'
echo 'int main(void) { return 0; }' >needs.c
# shellcheck disable=SC2086	# words
if ${CC:-gcc} -o needs-one -Wl,--no-as-needed needs.c -lm && ${CC:-gcc} -o needs-six -Wl,--no-as-needed needs.c $libraries; then
	few=$(stops ./needs-one)
	many=$(stops ./needs-six)
	check "six libraries cost $((many - few)) stops more than one" test $((many - few)) -lt 1
	few=$(stops env NOTHING=/none ./needs-six)
	many=$(stops env LD_LIBRARY_PATH=/none:/usr/none ./needs-six)
	check "and $((many - few)) when they are not where they are looked for first" test $((many - few)) -lt 1
	few=$("$PICKET" run "${options[@]}" --enforce seccomp -- ./needs-one; sed -n 's/.*"supervisor_stops": \([0-9]*\).*/\1/p' result.json)
	many=$("$PICKET" run "${options[@]}" --enforce seccomp -- ./needs-six; sed -n 's/.*"supervisor_stops": \([0-9]*\).*/\1/p' result.json)
	check 'control: at level seccomp each is one' test $((many - few)) -ge 5
else
	skip 'libraries' "${CC:-gcc}"
fi

few=$(stops python3 -c 0)
many=$(stops python3 -c "
import os
for i in range(100):
    for call, name in ((os.mkdir, '$SCRATCH/w'), (os.unlink, 'none'), (os.rmdir, 'none'), (os.mkdir, 'w/here/d')):
        try: call(name)
        except (FileExistsError, FileNotFoundError): continue
        raise Exception(call)")
check "four hundred directories that are there and names that are not cost $((many - few)) stops" test $((many - few)) -lt 20
many=$("$PICKET" run "${options[@]}" --enforce seccomp -- python3 -c "
import os
for i in range(100):
    try: os.mkdir('w')
    except FileExistsError: pass"; sed -n 's/.*"supervisor_stops": \([0-9]*\).*/\1/p' result.json)
check 'control: at level seccomp each is one' test "$many" -ge 100

# Whoever looks for a program in many directories does not ask the supervisor of each.
searches() {	# LEVEL
	local path
	path=$(printf '/none/%d:' {1..50})/usr/bin:/bin
	"$PICKET" run "${options[@]}" --enforce "$1" -- env PATH="$path" true
	sed -n 's/.*"supervisor_stops": \([0-9]*\).*/\1/p' result.json
}
few=$(stops env true)
many=$(searches gate)
check "fifty directories without the program cost $((many - few)) stops" test $((many - few)) -lt 10
many=$(searches seccomp)
check 'control: at level seccomp each is one' test "$many" -ge 50
for path in /none "$SCRATCH/w/here/f" "$SCRATCH/w/here/d:/none" "$SCRATCH/w/here/link-directory"; do
	check_same "what is not there is not there: ${path#"$SCRATCH"/}" "$(/usr/bin/env PATH="$path" none 2>&1; echo " $?")" \
		"$("${guarded[@]}" /usr/bin/env PATH="$path" none 2>&1; echo " $?")"
done

# ---- programs that do without the shim ------------------------------------------------------------------------

cat >shows.c <<'END'
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
	const char *list = getenv("LD_PRELOAD");
#ifdef OPENS
	if (open("/usr/include/stdio.h", O_RDONLY) < 0)
		return 1;
#endif
	return puts(list ? list : "") < 0;
}
END
if ${CC:-gcc} -o shows-plain shows.c && ${CC:-gcc} -DOPENS -o shows-opens shows.c && ${CC:-gcc} -Wl,--no-as-needed -o shows-more shows.c -lm; then
	check_same 'a program that opens nothing starts without the shim' '' "$("${guarded[@]}" ./shows-plain | tr -d :)"
	check_same 'as the command of a shell' '' "$("${guarded[@]}" sh -c './shows-plain; true' | tr -d :)"
	check_same 'with many variables' '' "$(for i in {1..100}; do export "MANY_$i=$i"; done; "${guarded[@]}" ./shows-plain | tr -d :)"
	shim=$(readlink -f "$BUILD/libpicket-preload.so")
	check_same 'control: one that opens has it' "$shim" "$("${guarded[@]}" ./shows-opens)"
	check_same 'one with a library of which nothing is known has it' "$shim" "$("${guarded[@]}" ./shows-more)"
	check_same 'one with a library of the caller has both' "$shim:libm.so.6" "$("${guarded[@]}" env LD_PRELOAD=libm.so.6 ./shows-plain)"
	cp shows-plain changed
	out=$("${guarded[@]}" sh -c './changed; cp shows-opens changed; ./changed')
	check_same 'a file that changes is looked at again' "$shim" "$(tr -d '\n' <<<"$out" | sed 's/^:*//')"
else
	skip 'programs without the shim' "${CC:-gcc}"
fi

# An ordinary user opens a directory that may be read and not searched, by whichever way.
mkdir listed && touch listed/name && chmod 400 listed
for level in $LEVELS_HERE; do
	check_same "$level: a directory that may only be listed is" name "$("$PICKET" run -q --profile none --read / --exec / --write /dev/null \
		--write "$SCRATCH/listed" --enforce "$level" -- ls -U "$SCRATCH/listed" 2>&1)"
done
chmod 700 listed

# ---- devices ---------------------------------------------------------------------------------------------------

# Through the gate nobody sees what kind of thing is opened. So no block device gets below a root: neither by itself nor in what it lies in.
make_devices() {
	rm -rf root apart home
	mkdir -p root/own apart/plain/a/b apart/full/a/b apart/many apart/git home/.config/git
	mknod apart/full/a/b/disk b 7 0 2>mknod.log && cp -a apart/full apart/exchanged && cp -a apart/full apart/far && (cd apart/many && mkdir $(seq 200)) &&
		touch root/file home/.config/git/config && mknod apart/git/config b 7 0
}
cat >moves.py <<'END'
import ctypes, errno, os
def attempt(name, call, *args):
    try:
        call(*args)
        print(name, 'worked')
    except OSError as e:
        print(name, errno.errorcode[e.errno])
def exchange(a, b):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(-100, a.encode(), -100, b.encode(), 2) != 0:
        raise OSError(ctypes.get_errno(), 'renameat2')
attempt('a directory without any', os.rename, 'apart/plain', 'root/plain')
attempt('out of the root again', os.rename, 'root/plain', 'apart/plain')
attempt('one with a device', os.rename, 'apart/full', 'root/full')
attempt('in exchange for a directory', exchange, 'apart/exchanged', 'root/own')
attempt('in exchange for a file', exchange, 'root/file', 'apart/exchanged')
attempt('too many to be looked at', os.rename, 'apart/many', 'root/many')
deep = 'root/own' + 400 * '/d'
os.makedirs(deep)
attempt('far below', os.rename, 'apart/far', deep + '/far')
attempt('to elsewhere', os.rename, 'apart/full', 'apart/elsewhere')
attempt('the device', os.rename, 'apart/elsewhere/a/b/disk', 'root/disk')
attempt('another name of it', os.link, 'apart/elsewhere/a/b/disk', 'root/disk')
attempt('the directory of a single file', os.rename, 'home/.config/git', 'apart/was')
attempt('a device in its place', os.rename, 'apart/git', 'home/.config/git')
END
if [ "$(id -u)" = 0 ] && make_devices; then
	check_same 'control: without a guard it would' 7 "$(python3 moves.py 2>&1 | grep -c -e 'device worked' -e 'any worked' \
		-e 'exchange.*worked' -e 'many.*worked' -e 'below worked' -e 'place worked')"
	make_devices
	check_same 'no block device comes to lie below a root' "$(cat <<'END'
a directory without any worked
out of the root again worked
one with a device EXDEV
in exchange for a directory EXDEV
in exchange for a file EXDEV
too many to be looked at EXDEV
far below EXDEV
to elsewhere worked
the device EPERM
another name of it EPERM
the directory of a single file worked
a device in its place EXDEV
END
)" "$("$PICKET" run -q --profile none --read / --write "$SCRATCH" --write "$SCRATCH/root" --write /dev/null --exec / --env "HOME=$SCRATCH/home" \
		--deny "$SCRATCH/home/.config/gh" --enforce gate -- python3 moves.py 2>&1)"
else
	echo '# not here: devices below roots (only root makes them, and not everywhere)'
fi

# A program begins in its dynamic linker, with a few instructions of ours: also in one that lies elsewhere, or is another's.
linker=$(readlink -f "$(sed -n 's/.*interpreter: \(.*\)]/\1/p' <(LC_ALL=C readelf -lW /bin/sh 2>/dev/null))")
if [ -n "$linker" ] && cp "$linker" own-linker && ${CC:-gcc} -o begins-own -Wl,--dynamic-linker="$SCRATCH/own-linker" -Wl,--no-as-needed needs.c -lm; then
	few=$(stops ./needs-one)
	many=$(stops ./begins-own)
	check_same 'a program with a linker of its own costs what another does' "$few" "$many"
	printf '\220' | dd of=own-linker bs=1 seek=$(($(LC_ALL=C grep -obUaP '\xb8\x01\x01\x00\x00(?=\x48\x89\xfe\xbf\x9c\xff\xff\xff\x0f\x05|\x0f\x05)' own-linker |
		tail -n 1 | cut -d: -f1) + 1)) conv=notrunc status=none	# number 0x190, which the kernel does not know
	many=$("${guarded[@]}" ./begins-own 2>&1 | grep -v LD_PRELOAD; echo "${PIPESTATUS[0]}")
	check_same 'and one whose linker cannot open fails as without a guard' "$(./begins-own 2>&1; echo $?)" "$many"
else
	skip 'a linker of its own' "${CC:-gcc}"
fi

# ---- programs with a filter of their own ----------------------------------------------------------------------

cat >own_filter.c <<'END'
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <locale.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
/* Whoever makes an openat2 is killed, as by the filters of programs that know of none. */
int main(int argc, char **argv)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof code / sizeof *code, code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (strcmp(argv[1], "prctl") == 0 ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 :
					    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return 3;
	if (open("/usr/include/stdio.h", O_RDONLY) < 0)
		return 4;
	/* what the C library and the dynamic linker open by themselves */
	setlocale(LC_ALL, "C.UTF-8");
	if (!dlopen("libm.so.6", RTLD_NOW))
		return 5;
	if (argc > 2)
		execv(argv[2], argv + 2);
	return 0;
}
END
: "${CC:=gcc}"
if $CC -o own_filter own_filter.c -ldl 2>compile.log; then
	for by in prctl seccomp; do
		check "a filter by $by that ends whoever calls openat2" "${guarded[@]}" ./own_filter $by
		check "nor does it end what is started then, $by" "${guarded[@]}" ./own_filter $by /bin/cat /usr/include/stdio.h
	done
	check 'the LD_PRELOAD of others is kept' test "$("${guarded[@]}" env LD_PRELOAD=/none.so ./own_filter prctl /usr/bin/env 2>/dev/null |
		grep ^LD_PRELOAD=)" = "LD_PRELOAD=:/none.so"
else
	skip 'filters' "$CC"
fi
# AddressSanitizer's library must be the first; clang puts it into the program unless it is told not to.
libm=/usr/lib/x86_64-linux-gnu/libm.so.6
sanitized() {	# NAME KEPT COMPILER...: KEPT is what comes before its library
	if ! "${@:3}" -fsanitize=address -o sanitized -xc - <<<'int main(void) { return 0; }' 2>/dev/null; then
		skip "AddressSanitizer of $1" "what ${*:3} needs"
		return
	fi
	check "$1: a program with AddressSanitizer" "${guarded[@]}" env ASAN_OPTIONS=detect_leaks=0 ./sanitized
	check "$1: as the command" "$PICKET" run "${options[@]}" --enforce gate --env ASAN_OPTIONS=detect_leaks=0 -- ./sanitized
	check "$1: at level preload" "$PICKET" run "${options[@]}" --enforce preload --env ASAN_OPTIONS=detect_leaks=0 -- ./sanitized
	check "$1: started with another environment" "${guarded[@]}" sh -c "env -i ASAN_OPTIONS=detect_leaks=0 '$SCRATCH/sanitized'"
	check "$1: where the gate does not lead" "$PICKET" run "${options[@]}" --enforce gate --deny "$SCRATCH/none" -- \
		env ASAN_OPTIONS=detect_leaks=0 ./sanitized
	"${@:3}" -fsanitize=address -o shows -xc - <<<'#include <stdlib.h>
		#include <stdio.h>
		int main(void) { printf("%s\n", getenv("LD_PRELOAD")); return 0; }'
	check_same "$1: the shim only where it may be the first, and what else it was to have" "$2$libm" \
		"$("${guarded[@]}" env ASAN_OPTIONS=detect_leaks=0,verify_asan_link_order=0 LD_PRELOAD=$libm ./shows 2>&1 | tr -d :)"
}
clang_library=$(clang -print-file-name=libclang_rt.asan-x86_64.so 2>/dev/null)
sanitized gcc '' gcc
sanitized clang '' clang -shared-libasan "-Wl,-rpath,${clang_library%/*}"
sanitized 'clang, static' "$BUILD/libpicket-preload.so" clang

# ---- origin -----------------------------------------------------------------------------------------------------

echo secret >secret.so
origin() {	# EXPECTED COMMAND...
	"$PICKET" run -q --enforce gate --deny "$SCRATCH/secret.so" -r origin.json -- "${@:2}" >/dev/null 2>&1
	check_same "origin of a refusal: $1" "$1" "$(python3 -c 'import json; v = json.load(open("origin.json"))["violations"]
print(*{x["origin"] for x in v})')"
}
origin shim /bin/cat secret.so
origin raw "$helpers/opens_fast" raw secret.so
origin loader env "LD_PRELOAD=$SCRATCH/secret.so" /bin/true
if $CC -D_GNU_SOURCE -std=gnu17 -static -o opens-static "$SOURCE/tests/helpers/opens_fast.c" 2>static.log; then
	origin static ./opens-static raw secret.so
else
	skip 'a static program' 'a static libc'
fi
[ ! -x musl/opens_fast ] || origin raw ./musl/opens_fast raw secret.so
finish
