#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Level preload: each function of helpers/functions.c has the same answer and the same record as through a supervisor,
# in a glibc and in a musl program; what cannot be guarded does not start; nothing outlives the run, however it ends.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/libcs.sh"
make_scratch
helpers=$BUILD/tests/helpers
export LC_ALL=C

# ---- parity --------------------------------------------------------------------------------------------

make_places() {
	rm -rf "$SCRATCH/w" && mkdir -p "$SCRATCH/w"/{here,d,denied,hidden} && cd "$SCRATCH/w/here" || exit 1
	local d
	for d in d denied hidden; do
		echo text >../$d/f && ln -s f ../$d/link && cp /bin/true ../$d/program
		printf '#!/bin/sh\nexit 6\n' >../$d/script && chmod +x ../$d/script
	done
	echo own >own
	ln -s below ../led && echo leaf >../leaf
}
cat >"$SCRATCH/policy.conf" <<-END
	filesystem: { read = ( "/" ); write = ( "$SCRATCH/w", "/dev/null", "/proc/self/fd" );
	              read_only = ( "$SCRATCH/w/top/kept", "$SCRATCH/w/led/kept", "$SCRATCH/w/leaf/kept" );
	              deny = ( "$SCRATCH/w/denied" ); hide = ( "$SCRATCH/w/hidden" ); };
	exec: { allow = ( "/" ); };
	network: { connect = ( "127.0.0.1:1" ); bind = ( "127.0.0.1:1" ); };
	environment: { keep = ( "PATH", "LC_ALL" ); };
END
# What was refused: kind, target, errno, sorted. Calls have several names for one thing.
refusals() {
	python3 - "$1" <<-'END'
		import json, sys
		for v in sorted({(v["kind"], v["target"], v["errno"] or "") for v in json.load(open(sys.argv[1]))["violations"]}):
		    print(*v)
	END
}
run_at() {	# LEVEL PROGRAM
	make_places
	"$PICKET" run -q -p "$SCRATCH/policy.conf" --enforce "$1" -r "$SCRATCH/$1.json" -- "$2" ../denied ../hidden \
		>"$SCRATCH/$1.out" 2>"$SCRATCH/$1.err"
	echo "exit $?" >>"$SCRATCH/$1.out"
	# what is there afterwards, names that are made up left out
	(cd "$SCRATCH/w" && find . -printf '%P %y %m %s\n' | sed 's/temp[A-Za-z0-9]\{6\}/tempXXXXXX/' | sort) >"$SCRATCH/$1.left"
	refusals "$SCRATCH/$1.json" | sed 's/temp[A-Za-z0-9]\{6\}/tempXXXXXX/' | sort -u >"$SCRATCH/$1.refusals"
}
parity() {	# NAME PROGRAM
	local part
	run_at "$supervised" "$2"
	run_at preload "$2"
	check_same "$1: it came to its end" 'exit 0' "$(tail -n 1 "$SCRATCH/preload.out")"
	for part in out left refusals; do
		if diff -u "$SCRATCH/$supervised.$part" "$SCRATCH/preload.$part" >"$SCRATCH/diff"; then
			ok "$1: $part as with a supervisor ($(wc -l <"$SCRATCH/preload.$part") lines)"
		else
			not_ok "$1: $part as with a supervisor" <"$SCRATCH/diff"
		fi
	done
}

LEVELS='seccomp ptrace' levels_here
# shellcheck disable=SC2086	# words
supervised=$(set -- $LEVELS_HERE; echo "${1:-}")
if [ -n "$supervised" ]; then
	parity glibc "$helpers/functions"
	if have musl-gcc && musl-gcc -D_GNU_SOURCE -std=gnu17 -O1 -o "$SCRATCH/functions-musl" \
		"$SOURCE/tests/helpers/functions.c" 2>"$SCRATCH/musl.log"; then
		parity musl "$SCRATCH/functions-musl"
	else
		skip 'parity in a musl program' musl-gcc
	fi
	for LIBC_ROOT in ${LIBCS:-}; do
		check "$LIBC_ROOT: a program for it" libc_compile -D_GNU_SOURCE -std=gnu17 -O1 -o "$SCRATCH/functions-other" \
			"$SOURCE/tests/helpers/functions.c"
		parity "$LIBC_ROOT" "$SCRATCH/functions-other"
	done
fi
# ---- what differs: picket(7) ------------------------------------------------------------------------------

cat >"$SCRATCH/differs.c" <<-'END'
	#define _GNU_SOURCE
	#include <errno.h>
	#include <ftw.h>
	#include <signal.h>
	#include <stdio.h>
	#include <unistd.h>
	static int called = -1;
	static int note(const char *path, const struct stat *st, int kind, struct FTW *where)
	{
		(void)path, (void)st, (void)where;
		called = kind;
		return 0;
	}
	static int mine(int r) { return r < 0 ? errno : 0; }
	int main(int argc, char **argv)
	{
		int walk = mine(nftw(argv[argc - 1], note, 4, 0));
		printf("nftw %d called %d\n", walk, called == FTW_DNR);
		printf("kill(0) %d kill(-1) %d\n", mine(kill(0, SIGCONT)), mine(kill(-1, SIGCONT)));
		setpgid(0, 0);
		printf("kill(0), own group %d\n", mine(kill(0, SIGCONT)));
	}
END
if [ -n "$supervised" ] && "${CC:-gcc}" -o "$SCRATCH/differs" "$SCRATCH/differs.c" 2>"$SCRATCH/differs.log"; then
	make_places
	differs() { "$PICKET" run -q -p "$SCRATCH/policy.conf" --enforce "$1" -- "$SCRATCH/differs" ../denied 2>&1; }
	# 13 is EACCES, 1 EPERM, 3 ESRCH: there is no other process
	check_same "$supervised: a walk tells of what may not be read, signals reach the run" \
		'nftw 0 called 1 kill(0) 0 kill(-1) 3 kill(0), own group 0' "$(differs "$supervised" | xargs)"
	check_same 'preload: the walk fails, signals that would reach strangers are refused' \
		'nftw 13 called 0 kill(0) 1 kill(-1) 1 kill(0), own group 0' "$(differs preload | xargs)"
fi

# ---- a run within a run ------------------------------------------------------------------------------------

# It comes to have this level, whatever the outer one's. echo needs no shim at level gate, cat would go by the gate.
cd "$SCRATCH" || exit 1
echo secret >inner-secret
for level in $LEVELS_HERE; do
	within() { "$PICKET" run -q --enforce "$level" --read "$SCRATCH" --read "$BUILD" --exec "$BUILD" "$@" 2>&1; }
	check_same "control: $level: cat reads it" secret "$(within -- cat inner-secret)"
	check_same "$level: a run within is guarded by its own policy" "$(printf 'hi\ncat: inner-secret: Permission denied')" \
		"$(within -- "$PICKET" run -q -r inner.json --deny "$SCRATCH/inner-secret" -- sh -c '/bin/echo hi; cat inner-secret')"
	check_same "$level: and records it" "denied $SCRATCH/inner-secret" \
		"$(jq -r '.violations[0] | "\(.action) \(.target)"' inner.json)"
	check_same "$level: with few descriptors, fewer inside, and fewer still" 'cat: inner-secret: Permission denied' \
		"$(within --files 250 -- "$PICKET" run -q --deny "$SCRATCH/inner-secret" -- sh -c 'ulimit -n 100; exec cat inner-secret')"
	check_same "$level: a program that needs no shim, and what the level is worth" 'hi picket: level preload: no boundary' \
		"$(within -- "$PICKET" run -- /bin/echo hi | sed -n '/^hi/p; s/, as it guards only .*//p' | xargs)"
	check_same "$level: which it does not say when it is to be quiet" hi "$(within -- "$PICKET" run -q -- /bin/echo hi)"
done

# ---- what cannot be guarded ------------------------------------------------------------------------------

check_contains() { case $3 in *"$2"*) ok "$1" ;; *) not_ok "$1" <<<"no \"$2\" in: $3" ;; esac; }
alone() { "$PICKET" run --enforce preload "$@"; }
cd "$SCRATCH" || exit 1
printf '#include <stdio.h>\nint main(void) { return puts("it ran") < 0; }\n' >program.c
: "${CC:=gcc}"
if $CC -static -o static program.c 2>static.log; then
	out=$(alone -- ./static 2>&1)
	check_same 'a static program does not start' 126 $?
	check_contains 'and is said to need --exec' "statically linked and cannot be guarded at level preload; --exec $SCRATCH/static" "$out"
	out=$(alone --exec ./static -- ./static 2>&1)
	check_same 'named on the command line it runs, unguarded' "0 it ran" "$? $out"
	out=$(alone -r inside.json -- /bin/sh -c './static; echo $?' 2>/dev/null)
	check_same 'nor does it start from inside' 126 "$out"
	check 'which is recorded, with what allows it' grep -q "\"allow_with\": \"--exec $SCRATCH/static\"" inside.json
	out=$(alone --exec ./static -- /bin/sh -c './static' 2>&1)
	check_same 'unless it is named' 'it ran' "$out"
else
	skip 'static programs' "a static libc"
fi
cp /bin/true unreadable && chmod 111 unreadable
if [ "$(id -u)" != 0 ]; then
	alone -- ./unreadable >/dev/null 2>&1
	check_same 'what may be run but not read does not start' 126 $?
fi

# shellcheck disable=SC2016 # assembler
if $CC -m32 -nostdlib -static -no-pie -o foreign -xassembler - 2>foreign.log \
	<<<'.globl _start; _start: mov $1, %eax; mov $5, %ebx; int $0x80' && { ./foreign; [ $? = 5 ]; }; then
	out=$(alone -- ./foreign 2>&1)
	check_same 'nor does a program of another architecture' 126 $?
	check_contains 'which is said to need --exec' "another architecture and cannot be guarded at level preload; --exec $SCRATCH/foreign" "$out"
else
	skip 'programs of another architecture' '32-bit programs'
fi
if [ "$(id -u)" = 0 ]; then
	cp /bin/cat setuid && chown 65534 setuid && chmod 4755 setuid && echo secret >unseen
	check_same 'control: a set-user-id program has its rights' 65534 "$(cp /usr/bin/id id && chown 65534 id && chmod 4755 id && ./id -u)"
	check_same 'guarded it has none' 0 "$(alone -q -- ./id -u)"
	check_same 'but the shim' denied "$(alone -q --deny "$SCRATCH/unseen" -- sh -c './setuid unseen 2>/dev/null || echo denied')"
fi

# ---- no shim -----------------------------------------------------------------------------------------------

mkdir lone && cp "$PICKET" lone/picket
LEVELS=gate levels_here
for level in preload $LEVELS_HERE; do
	for what in none foreign older; do
		rm -f lone/libpicket-preload.so
		case $what in
		foreign) cp /lib/x86_64-linux-gnu/libc.so.6 lone/libpicket-preload.so 2>/dev/null || cp /bin/true lone/libpicket-preload.so ;;
		older) python3 - "$BUILD/libpicket-preload.so" lone/libpicket-preload.so <<-'END' ;;
			import struct, sys
			library = bytearray(open(sys.argv[1], "rb").read())
			at = library.index(b"Picket\0\0") + 8	# of the note; its version is behind the owner
			version, = struct.unpack_from("<I", library, at)
			struct.pack_into("<I", library, at, version + 1)
			open(sys.argv[2], "wb").write(library)
		END
		esac
		out=$(lone/picket run -q --enforce "$level" -- /bin/echo it ran 2>&1)
		check_same "$level, the shim: $what: nothing runs" 125 $?
		check_contains "which says why" 'libpicket-preload.so is n' "$out"
	done
done
cp "$BUILD/libpicket-preload.so" lone/ && check_same 'control: with its own' 'it ran' "$(lone/picket run -q --enforce preload -- /bin/echo it ran 2>&1)"

# ---- the result -------------------------------------------------------------------------------------------

alone -q -r result.json -- /bin/true
check 'the result says that it is no boundary' grep -q '"level": "preload", "transport": null, "boundary": false' result.json
alone -q -r result.json --deny "$SCRATCH/program.c" -- /bin/cat program.c 2>/dev/null
check 'a refusal is of the shim' grep -q '"origin": "shim"' result.json
check 'and names program, directory and command' \
	grep -q "\"command\": \"/bin/cat program.c\", \"cwd\": \"$SCRATCH\"" result.json
alone -q -r result.json --on-violation audit --deny "$SCRATCH/program.c" -- /bin/cat program.c >audited 2>&1
check 'audit allows and records' cmp -s audited program.c
check 'as audited' grep -q '"action": "audited"' result.json
alone -q -r result.json --on-violation kill --deny "$SCRATCH/program.c" -- \
	/bin/sh -c 'sleep 60 & cat program.c; sleep 60; echo went on' >killed 2>&1
check_same 'kill ends the run' 137 $?
check_not 'and nothing goes on' grep -q 'went on' killed
check 'and says so' grep -q '"action": "killed"' result.json
cat >many.py <<-'END'
	for i in range(30000):
	    try:
	        open("program.c")
	    except OSError as e:
	        assert e.errno == 13
END
alone -q -r result.json --deny "$SCRATCH/program.c" -- python3 many.py 2>/dev/null
check 'all of many refusals are counted' grep -q '"violation_count": 30000' result.json

# ---- what it costs -----------------------------------------------------------------------------------------

# In KiB, as the process itself sees it: whole pages of the shim's file and what is mapped behind it.
# shellcheck disable=SC2016 # awk's
mapped='/^[0-9a-f]+-[0-9a-f]+ / { shim = /libpicket-preload/ } shim && /^Size:/ { sum += $2 } END { print sum + 0 }'
check_same 'control: without it there is nothing of it' 0 "$(awk "$mapped" /proc/self/smaps)"
LEVELS=gate levels_here
below=$((4 * $(shim_pages_below)))
for level in preload $LEVELS_HERE; do
	adds=$("$PICKET" run -q --enforce "$level" -- awk "$mapped" /proc/self/smaps)
	check "$level: the shim adds under $below KiB to a process ($adds)" test "$adds" -gt 0 -a "$adds" -lt "$below"
done

# ---- names ------------------------------------------------------------------------------------------------

# However a file is called, it is the one that the policy speaks of. Each name is tried from the directory "at", without the guard as
# a control; what is refused is recorded under its own name.
mkdir -p at names/real && cd names && ln -s real linked && ln -s ../linked/secret real/behind && ln -s secret real/near &&
	ln -s "$SCRATCH/names/linked/near" far && ln -s missing real/dangling && cd .. && echo secret >names/real/secret
deep=$(printf 'd%.0s' {1..200})
mkdir -p "names/$deep/$deep/$deep" && ln -s ../../../real/secret "names/$deep/$deep/$deep/secret"
alone_at() { (cd "$SCRATCH/$1" && shift && "$PICKET" run --enforce preload "$@"); }
real=$SCRATCH/names/real
while read -r at name; do
	check_same "control: $at: $name" secret "$(cd "$at" && cat "${name//ROOT/$SCRATCH}")"
	rm -f name.json
	alone_at "$at" -q -r "$SCRATCH/name.json" --deny "$real" -- cat "${name//ROOT/$SCRATCH}" >out 2>&1
	check_not "$at: $name is denied" grep -q '^secret' out
	check "$at: $name is recorded as what it is" grep -q "\"target\": \"$real/secret\"" name.json
	check_same "$at: $name is read where nothing denies it" secret "$(alone_at "$at" -q --deny "$SCRATCH/at" -- cat "${name//ROOT/$SCRATCH}" 2>&1)"
done <<-END
	names real/secret
	names ./real/.//secret
	names/real secret
	names/real ../real/../real/secret
	names/real near
	at/../names linked/../../names/real/secret
	names linked/secret
	names linked/behind
	names far
	names/linked near
	names/linked behind
	. names/linked/../linked/near
	. ROOT/names/real/secret
	. ROOT/names/./real/../linked/near
	. ROOT/at/../names/far
	names/real /proc/self/cwd/secret
	names/real ../../../../../../../../../../../../../..ROOT/names/real/secret
	names $deep/$deep/$deep/secret
	names/$deep/$deep/$deep secret
	names/$deep/$deep/$deep ../../../linked/near
END
alone_at names/real -q -r "$SCRATCH/name.json" --deny "$real" -- sh -c 'echo x >made; echo x >dangling; echo x >../linked/made' 2>/dev/null
check_same 'nor is anything made there' 'behind dangling near secret' "$(cd names/real && echo *)"
check_same 'which is recorded under the names that it would have had' 'made missing' \
	"$(sed -n 's/.*"target": "[^"]*\/\([a-z]*\)".*/\1/p' name.json | sort -u | xargs)"
cp /bin/true names/real/program && ln -s program names/real/starts
for name in names/linked/program names/real/starts names/linked/starts; do
	check_same "control: $name runs" 0 "$(alone -q -- sh -c "$name; echo \$?" 2>&1)"
	check_same "$name is denied" 126 "$(alone -q --deny "$real" -- sh -c "$name; echo \$?" 2>/dev/null)"
done

# ---- descriptors -------------------------------------------------------------------------------------------

# Those of the run lie in the midst of the program's own.
cat >descriptors.py <<-'END'
	import os, subprocess, sys
	own = os.open("/dev/null", os.O_RDONLY)
	high = [900, 975, 1024, 1500, 1999]
	for fd in high:
	    os.dup2(own, fd, inheritable=True)
	reserved = [fd for fd in map(int, os.listdir("/proc/self/fd")) if 976 <= fd < 1024]
	assert len(reserved) >= 4, reserved
	def refused(call, *args):
	    try:
	        call(*args)
	    except OSError as e:
	        return e.errno == 9
	for fd in reserved:
	    assert refused(os.close, fd) and refused(os.dup2, own, fd), fd
	what = sys.argv[1]
	if what == "spawned":	# libc closes what is above
	    actions = [(os.POSIX_SPAWN_CLOSE, fd) for fd in high]
	    pid = os.posix_spawn("/bin/sh", ["sh", "-c", sys.argv[2]], os.environ, file_actions=actions)
	    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	os.closerange(*{"all": (3, 1 << 20), "above": (1000, 1 << 20), "below": (3, 1000), "one": (1500, 1501)}[what])
	left = [fd for fd in map(int, os.listdir("/proc/self/fd")) if fd in high]
	expected = {"all": [], "above": [900, 975], "below": [1024, 1500, 1999], "one": [900, 975, 1024, 1999]}[what]
	assert sorted(left) == expected, left
	assert set(reserved) <= set(map(int, os.listdir("/proc/self/fd")))
	sys.exit(subprocess.run(["/bin/sh", "-c", sys.argv[2]]).returncode)
END
for what in all above below one spawned; do
	check_same "closing $what leaves those of the run" denied "$(alone -q --deny "$real" -- python3 descriptors.py $what \
		"cat $real/secret 2>/dev/null || echo denied" 2>&1)"
done
limits='ulimit -Hn; ulimit -Sn'
check_same 'the limit of descriptors is what it is at other levels' \
	"$(for level in $supervised; do "$PICKET" run -q --enforce "$level" -- sh -c "$limits"; done)" "$(alone -q -- sh -c "$limits")"
check_same "and the soft one is the caller's" 200 "$(ulimit -Sn 200; alone -q -- sh -c 'ulimit -Sn')"

# Looked at round the shim, and by it.
cat >maps.c <<-'END'
	#include <fcntl.h>
	#include <stdio.h>
	#include <string.h>
	#include <sys/syscall.h>
	#include <unistd.h>
	static long raw(long number, long a, long b, long c)
	{
		long result;
		__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
		return result;
	}
	static int of_the_run(long fd)	/* mappings */
	{
		static char text[1 << 16];
		long n, length = 0;
		int count = 0;
		while ((n = raw(SYS_read, fd, (long)(text + length), sizeof text - 1 - length)) > 0)
			length += n;
		text[length] = 0;
		for (char *at = text; (at = strstr(at, "memfd:picket")); at++)
			count++;
		return count;
	}
	int main(void)
	{
		int before = of_the_run(raw(SYS_open, (long)"/proc/self/maps", O_RDONLY, 0));
		return printf("%d %d\n", before, of_the_run(open("/proc/self/maps", O_RDONLY))) < 0;
	}
END
if $CC -o maps maps.c 2>maps.log; then
	check_same 'a program that asks for nothing maps nothing of the run, one that does policy and account' '0 2' "$(alone -q -- ./maps)"
fi
alone -q -r result.json -- /bin/sh -c '/bin/true; ./maps >maps.out; :'
check 'all of them are counted' grep -q '"processes": 3,' result.json

# ---- environments -------------------------------------------------------------------------------------------

secret=$SCRATCH/secret
echo secret >"$secret"
without_shim() {	# NAME COMMAND...: the secret stays secret however the environment is
	local name=$1 out
	shift
	out=$(alone -q --deny "$secret" -- "$@" 2>/dev/null)
	check_same "guarded still: $name" denied "$out"
}
try="cat $secret 2>/dev/null || echo denied"
without_shim 'an emptied environment' env -i /bin/sh -c "PATH=/usr/bin:/bin; $try"
without_shim 'LD_PRELOAD unset in a shell' /bin/sh -c "unset LD_PRELOAD; $try"
without_shim 'LD_PRELOAD replaced in a shell' /bin/sh -c "LD_PRELOAD=; export LD_PRELOAD; $try"
for how in 'os.system(c)' 'print(os.popen(c).read(), end="")' 'os.execve("/bin/sh", ["sh", "-c", c], {})' \
	'subprocess.run(["/bin/sh", "-c", c], env={})' 'subprocess.run(["/bin/sh", "-c", c], env={}, close_fds=False)' \
	'os.posix_spawn("/bin/sh", ["sh", "-c", c], {}) and os.wait()'; do
	without_shim "${how%%(*}(), environ cleared" python3 -c "
import os, subprocess
os.environ.clear()
os.environ['PATH'] = '/usr/bin:/bin'
c = '$try'
$how"
done
out=$(alone -q -- /bin/sh -c 'unset LD_PRELOAD; env -u X sh -c :; env | grep -c ^LD_PRELOAD')
check_same "the parent's own environment stays as it made it" 1 "$out"	# env(1) is a child, it has the shim again
if $CC -shared -fPIC -o own.so -xc - <<<'__attribute__((constructor)) static void f(void) { extern int puts(const char *); puts("own"); }'; then
	out=$(alone -q --env "LD_PRELOAD=$SCRATCH/own.so" -- printenv LD_PRELOAD)
	check_same "the user's own LD_PRELOAD is kept, behind the shim" "own
$BUILD/./libpicket-preload.so:$SCRATCH/own.so" "$out"
	out=$(alone -q --deny "$SCRATCH/own.so" -- env "LD_PRELOAD=$SCRATCH/own.so" /bin/true 2>/dev/null; echo $?)
	check_same 'one that may not be read is not loaded' 126 "$out"
fi
check_same 'a tool that lowers its limit of descriptors stays guarded' denied \
	"$(alone -q --deny "$secret" -- /bin/sh -c "ulimit -n 20; sh -c '$try'" 2>/dev/null)"
check_same 'a tool that closes everything stays guarded' denied "$(alone -q --deny "$secret" -- python3 -c "
import os, subprocess
os.closerange(3, 1 << 20)
subprocess.run(['/bin/sh', '-c', '$try'])" 2>/dev/null)"
out=$(LD_PRELOAD=$BUILD/libpicket-preload.so /bin/true 2>&1)
check_same 'the shim without a run does not let a program run' 126 $?

# ---- the end --------------------------------------------------------------------------------------------------

gone() {	# MARK: nothing of that name is left, soon
	for _ in $(seq 100); do
		pgrep -f "^sleep $1\$" >/dev/null || return 0
		read -rt 0.05 <> <(:) || :
	done
	pkill -f "^sleep $1\$"
	return 1
}
started() { until pgrep -f "^sleep $1\$" >/dev/null; do read -rt 0.02 <> <(:) || :; done; }
family='setsid sh -c "sleep MARK & sleep MARK" & (sleep MARK &); exec sleep MARK'
mark=$((RANDOM + 100000))
alone -q -- /bin/sh -c "setsid sleep $mark & exit 3"
check_same 'the status is the first process'"'"'s' 3 $?
check 'and nothing outlives it' gone $mark
alone -q --timeout 0.3 -- /bin/sh -c "${family//MARK/$mark}"
check_same 'a timeout ends it' 124 $?
check 'all of it' gone $mark
for victim in launcher keeper; do
	mark=$((mark + 1))
	"$PICKET" run --enforce preload -q -- /bin/sh -c "${family//MARK/$mark}" &
	launcher=$!
	started $mark
	case $victim in
	launcher) kill -9 $launcher ;;
	keeper) kill -9 "$(pgrep -P $launcher)" ;;
	esac
	wait $launcher 2>/dev/null
	status=$?
	check "killing the $victim ends it" test $status = 137
	check 'all of it' gone $mark
done

finish
