#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is hidden is not there: each call on a hidden directory, file or socket fails as it does on a hidden name at which nothing is,
# without effect and recorded. Unguarded it does something else, or the row proves nothing.
. "$(dirname "$0")/lib.sh"
make_scratch
LEVELS="$LEVELS preload" levels_here
if ! have python3; then skip hide python3; finish; fi
D=$SCRATCH/d

# Rows: what is called, with the name in question as n. Each prints "row: outcome".
cat >"$SCRATCH/calls.py" <<-'END'
	import ctypes, errno, os, socket, stat, sys
	libc = ctypes.CDLL(None, use_errno=True)
	def unix(kind, name, call):
	    getattr(socket.socket(socket.AF_UNIX, kind), call)(name)
	def rename(a, b, flags):
	    if libc.renameat2(-100, a.encode(), -100, b.encode(), flags) < 0:
	        raise OSError(ctypes.get_errno(), a)
	calls = {
	    "mkdir": lambda n: os.mkdir(n),
	    "symlink": lambda n: os.symlink("x", n),
	    "link to": lambda n: os.link("plain", n),
	    "mkfifo": lambda n: os.mkfifo(n),
	    "mknod": lambda n: os.mknod(n, stat.S_IFREG | 0o600),
	    "open exclusively": lambda n: os.open(n, os.O_CREAT | os.O_EXCL | os.O_WRONLY),
	    "open exclusively to read": lambda n: os.open(n, os.O_CREAT | os.O_EXCL),
	    "bind": lambda n: unix(socket.SOCK_STREAM, n, "bind"),
	    "connect": lambda n: unix(socket.SOCK_STREAM, n, "connect"),
	    "stat": lambda n: os.stat(n),
	    "access": lambda n: os.chdir("/") if not os.access(n, os.F_OK) and os.stat(n) else os.stat(n),
	    "rename to, keeping": lambda n: rename("plain", n, 1),
	    "unlink": lambda n: os.unlink(n),
	    "rmdir": lambda n: os.rmdir(n),
	    "chdir": lambda n: os.chdir(n),
	    "execve": lambda n: os.execv(n, [n]),
	    "mkdir /": lambda n: os.mkdir(n + "/"),
	    "stat past": lambda n: os.stat(n + "/../plain"),
	    "open past": lambda n: os.close(os.open(n + "/./../plain", os.O_RDONLY)),
	    "stat below": lambda n: os.stat(n + "/x"),
	    "stat /": lambda n: os.stat(n + "/"),
	    "mkdir past": lambda n: os.mkdir(n + "/../plain"),
	    "link from": lambda n: os.link(n, "plain"),
	    "rename dots": lambda n: os.rename(n + "/.", "moved"),
	    "execve past": lambda n: os.execv(n + "/../plain", ["x"]),
	}
	name = sys.argv[1]
	for row, call in calls.items():
	    here = os.open(".", os.O_RDONLY)
	    try:
	        call(name)
	        print(f"{row}: done")
	    except OSError as e:
	        print(f"{row}: {errno.errorcode[e.errno]}")
	    os.fchdir(here)
	    os.close(here)
END
fresh() {
	cd "$SCRATCH" || exit 1
	rm -rf "$D"
	mkdir -p "$D/directory" && cd "$D" || exit 1
	echo text | tee plain >file
	python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
}
state() { find "$D" -printf '%P %y %i %m %n %s %l\n' | sort; }

for kind in directory file socket; do
	fresh
	bare=$(python3 "$SCRATCH/calls.py" $kind 2>&1)
	# what the kernel says of what is there
	check "control: $kind: unguarded it is noticed" test "$(grep -c ': \(done\|EEXIST\|ENOTDIR\|EADDRINUSE\|ECONNREFUSED\|EBUSY\|EACCES\)' <<<"$bare")" -gt 12
done
for level in $LEVELS_HERE; do
	fresh
	guarded() {	# NAME OPTION...
		"$PICKET" run -q --enforce "$level" -r "$SCRATCH/result" --hide directory --hide file --hide socket --hide missing \
			"${@:2}" -- python3 "$SCRATCH/calls.py" "$1" 2>&1
	}
	guarded missing >"$SCRATCH/missing"
	check_not "$level: control: of nothing there is nothing to tell" grep -v ENOENT "$SCRATCH/missing"
	for kind in directory file socket; do
		fresh
		before=$(state)
		guarded $kind >"$SCRATCH/said"
		check "$level: a hidden $kind is as if it were not there" diff "$SCRATCH/missing" "$SCRATCH/said"
		check_same "$level: nothing happens to it" "$before" "$(state)"
		check_same "$level: each refusal of it is recorded as one by that rule" 'ENOENT filesystem.hide' \
			"$(jq -r --arg d "$D/$kind" '.violations[] | select(.target | contains($d)) | "\(.errno) \(.rule.key)"' "$SCRATCH/result" | sort -u)"
	done
	# a more specific rule shows a part, and the way there and back
	fresh
	echo shown >directory/part
	check_same "$level: what is shown again is there" shown "$("$PICKET" run -q --enforce "$level" --hide directory \
		--read directory/part -- sh -c 'cat directory/part' 2>&1)"
	check_same "$level: and a name that fails there is no violation" 'Not a directory 0' "$(LC_ALL=C "$PICKET" run -q --enforce "$level" \
		-r "$SCRATCH/result" --hide directory --read directory/part -- sh -c 'cat "$PWD/directory/part/x"' 2>&1 | sed 's/.*: //') $(
		jq .violation_count "$SCRATCH/result")"
done
finish
