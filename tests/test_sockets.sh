#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# UNIX sockets with a name are files, too: what `forbid`, `hide` and `deny` say of the name holds for a connection, whatever the
# network's rules say. Somebody outside of the run listens and counts who comes. And what a socket may do that names no address:
# what is said to allow it does.
. "$(dirname "$0")/lib.sh"
make_scratch
LEVELS="$LEVELS preload" levels_here
if ! have python3; then skip sockets python3; finish; fi
F=$SCRATCH/f
mkdir -p "$F"/{open,shut/deep}

# ---- who listens --------------------------------------------------------------------------------------------

# At each name a stream socket, and with .dgram behind it one for datagrams. A line on standard input asks how many came.
cat >"$SCRATCH/listener.py" <<-'END'
	import select, socket, sys
	sockets = []
	for name in sys.argv[1:]:
	    for kind, end in (socket.SOCK_STREAM, ""), (socket.SOCK_DGRAM, ".dgram"):
	        s = socket.socket(socket.AF_UNIX, kind)
	        s.bind(name + end)
	        if kind == socket.SOCK_STREAM:
	            s.listen()
	        sockets.append(s)
	print("ready", flush=True)
	count = 0
	while True:
	    ready, _, _ = select.select(sockets + [0], [], [])
	    for s in ready:
	        if s in sockets:
	            count += 1
	            s.accept() if s.type == socket.SOCK_STREAM else s.recv(10)
	    if 0 in ready and len(ready) == 1:	# all that came before the question is counted
	        if not sys.stdin.readline():
	            break
	        print(count, flush=True)
	        count = 0
END
coproc LISTENER { exec python3 "$SCRATCH/listener.py" "$F"/open/s "$F"/shut/s "$F"/shut/deep/s; }
trap 'kill "$LISTENER_PID" 2>/dev/null; cd /; rm -rf "$SCRATCH"' EXIT
read -r -t 20 line <&"${LISTENER[0]}" || { not_ok 'somebody listens' </dev/null; finish; }
came() { echo >&"${LISTENER[1]}"; read -r -t 20 line <&"${LISTENER[0]}"; echo "$line"; }

# By connect, sendto and sendmsg; the error's name, or "ok".
cat >"$SCRATCH/client.py" <<-'END'
	import errno, os, socket, sys
	def tried(call):
	    try:
	        call()
	        return "ok"
	    except OSError as e:
	        return errno.errorcode[e.errno]
	name = sys.argv[1]
	stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
	datagram = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	print(tried(lambda: stream.connect(name)), tried(lambda: datagram.sendto(b"x", name + ".dgram")),
	      tried(lambda: datagram.sendmsg([b"x"], [], 0, name + ".dgram")))
END
cd "$F" || exit 1
check_same 'control: unguarded each way reaches it' 'ok ok ok, 3 came' "$(python3 "$SCRATCH/client.py" shut/s), $(came) came"

# ---- what is refused, and what is not -------------------------------------------------------------------------

# violations: what the result says of sockets: target, errno, key of the rule, what would allow it
violations() {
	jq -r '.violations[] | select(.target | startswith("unix:")) | "\(.target) \(.errno) \(.rule.key) \(.allow_with)"' \
		"$SCRATCH/result" | sed "s|$F/||g" | sort -u
}
# connects LEVEL NAME OUTCOME OPTION...
connects() {
	local level=$1 name=$2 outcome=$3 got reached=3
	shift 3
	[ "$outcome" = ok ] || reached=0
	got=$("$PICKET" run -q --enforce "$level" -r "$SCRATCH/result" "$@" -- python3 "$SCRATCH/client.py" "$name" 2>&1)
	check_same "$level: $name with ${*//$F\//}: $outcome" "$outcome $outcome $outcome, $reached came" "$got, $(came) came"
}
printf 'profile = "workstation"; network: { connect = ( "unix:%s", "unix:%s.dgram" ); };\n' "$F"/shut/deep/s{,} \
	>"$SCRATCH/policy.conf"
for level in $LEVELS_HERE; do
	connects "$level" shut/s EACCES
	check_same "$level: which says what allows it" 'unix:shut/s EACCES default --connect unix:shut/s
unix:shut/s.dgram EACCES default --connect unix:shut/s.dgram' "$(violations)"
	for everything in 'unix:*' '*'; do
		connects "$level" open/s ok --connect "$everything" --deny shut
		connects "$level" shut/s EACCES --connect "$everything" --deny shut
		check_same "$level: by the rule about files, and what allows it does" \
			'unix:shut/s EACCES filesystem.deny --connect unix:shut/s
unix:shut/s.dgram EACCES filesystem.deny --connect unix:shut/s.dgram' "$(violations)"
		connects "$level" shut/s ENOENT --connect "$everything" --hide shut
		check_same "$level: what is hidden has to be shown as well" \
			'unix:shut/s ENOENT filesystem.hide --read shut/s --connect unix:shut/s
unix:shut/s.dgram ENOENT filesystem.hide --read shut/s.dgram --connect unix:shut/s.dgram' "$(violations)"
		connects "$level" shut/s EACCES --connect "$everything" --forbid shut
		check_same "$level: what is forbidden nothing allows" 'unix:shut/s EACCES filesystem.forbid null
unix:shut/s.dgram EACCES filesystem.forbid null' "$(violations)"
	done
	both=(--connect unix:shut/deep/s --connect unix:shut/deep/s.dgram)
	connects "$level" shut/deep/s ok --deny shut "${both[@]}"
	connects "$level" shut/deep/s ok --deny "$F/**/deep" "${both[@]}"
	connects "$level" shut/deep/s EACCES --deny shut/deep/s --deny shut/deep/s.dgram --connect 'unix:shut'
	connects "$level" shut/deep/s ENOENT --hide shut "${both[@]}"
	connects "$level" shut/deep/s ok --hide shut --read shut/deep/s --read shut/deep/s.dgram "${both[@]}"
	connects "$level" shut/deep/s EACCES -p "$SCRATCH/policy.conf" --forbid shut
done

# ---- the run's own ----------------------------------------------------------------------------------------------

cat >"$SCRATCH/own.py" <<-'END'
	import socket
	listener, client = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
	listener.bind("own")
	listener.listen()
	client.connect("own")
	print("reached")
END
for level in $LEVELS_HERE; do
	rm -f own
	check_same "$level: a socket that the run has made needs no rule" reached \
		"$("$PICKET" run -q --enforce "$level" -- python3 "$SCRATCH/own.py" 2>&1)"
done
# ---- what names no address ----------------------------------------------------------------------------------------

cat >"$SCRATCH/unnamed.py" <<-'END'
	import errno, socket, sys
	def join():
	    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("239.1.2.3") + socket.inet_aton("127.0.0.1"))
	calls = {"multicast": join, "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0),
	         "ping": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP),
	         "autobind": lambda: socket.socket(socket.AF_UNIX).bind(""),
	         "nul": lambda: socket.socket(socket.AF_UNIX).bind("\0picket\0" + sys.argv[2])}
	try:
	    calls[sys.argv[1]]()
	    print("ok")
	except OSError as e:
	    print(errno.errorcode[e.errno])
END
while read -r what error option rules; do
	bare=$(python3 "$SCRATCH/unnamed.py" "$what" $$)
	[ "$bare" = ok ] || [ "$what" = ping ] || { not_ok "control: $what" <<<"$bare"; continue; }
	for level in $LEVELS_HERE; do
		# shellcheck disable=SC2086	# words
		check_same "$level: $what is refused" "$error" "$("$PICKET" run -q --enforce "$level" -r "$SCRATCH/result" $rules \
			-- python3 "$SCRATCH/unnamed.py" "$what" $$ 2>&1)"
		check_same "$level: $what: by no rule, and said to take ${option/=/ }" "default ${option/=/ }" \
			"$(jq -r '.violations[] | select(.kind | startswith("network")) | "\(.rule.key) \(.allow_with)"' "$SCRATCH/result")"
		check_same "$level: $what: with that it is as without a guard" "$bare" "$(eval "\"\$PICKET\" run -q --enforce $level ${option/=/ }" \
			-- python3 "$SCRATCH/unnamed.py" "$what" $$ 2>&1)"
		check_same "$level: $what is let be where that is only recorded" "$bare" "$("$PICKET" run -q --enforce "$level" \
			--profile permissive -- python3 "$SCRATCH/unnamed.py" "$what" $$ 2>&1)"
	done
done <<-'END'
	multicast EPERM --connect='*' --connect 127.0.0.1:9
	netlink EACCES --connect='*'
	ping EACCES --connect='*' --connect 127.0.0.1:9
	autobind EACCES --bind='unix:@*'
	nul EACCES --bind='unix:@picket*'
END

# ---- what the kernel might not have --------------------------------------------------------------------------------

# libaudit and PAM go on without the kernel's audit where that is not there, and at no other error; by libc and by itself.
cat >"$SCRATCH/absent.py" <<-'END'
	import ctypes, errno
	libc = ctypes.CDLL(None, use_errno=True)
	for call in libc.socket, lambda *a: libc.syscall(41, *a):
	    for domain, protocol in (16, 9), (16, 15), (16, 0), (38, 0), (2, 0):
	        r = call(domain, 3 if domain == 16 else 5 if domain == 38 else 1, protocol)
	        print("ok" if r >= 0 else errno.errorcode[ctypes.get_errno()], end=" ")
END
check_same 'control: unguarded there are all of them' 'ok ok ok ok ok ok ok ok ok ok ' "$(python3 "$SCRATCH/absent.py" | sed 's/EAFNOSUPPORT/ok/g')"
for level in $LEVELS_HERE; do
	inet=ok
	[ "$level" != preload ] || inet=EACCES	# the filter says it
	each="EPROTONOSUPPORT EPROTONOSUPPORT EACCES EAFNOSUPPORT $inet "
	check_same "$level: without a network" "$each$each" \
		"$("$PICKET" run -q --enforce "$level" -r "$SCRATCH/result" -- python3 "$SCRATCH/absent.py" 2>&1)"
	check_same "$level: that there is no audit is recorded" 'EPROTONOSUPPORT null' "$(jq -r '.violations[] |
		select(.target == "socket of family 16, type 3, protocol 9") | "\(.errno) \(.allow_with)"' "$SCRATCH/result")"
	each='EPROTONOSUPPORT EPROTONOSUPPORT ok EAFNOSUPPORT ok '
	check_same "$level: with one" "$each$each" \
		"$("$PICKET" run -q --enforce "$level" --connect 127.0.0.1:9 -- python3 "$SCRATCH/absent.py" 2>&1)"
	if [ "$(id -u)" = 0 ] && have su && [ "$(su nobody -s /bin/sh -c 'id -u' 2>/dev/null </dev/null)" = 65534 ]; then
		check_same "$level: su" 65534 "$("$PICKET" run -q --enforce "$level" --read /etc/shadow -- su nobody -s /bin/sh -c 'id -u' 2>&1)"
	fi
done

check 'control: to forbid something else' "$PICKET" run -q --forbid shut --connect unix:open/s -- true
check_not 'to forbid and to connect is a contradiction' "$PICKET" run --forbid shut --connect unix:shut/s -- true
# ---- a stranger's socket under another name ---------------------------------------------------------------------

# By rename, by a second name, and by the name of its directory; each is undone.
cat >"$SCRATCH/move.py" <<-'END'
	import errno, os, socket
	def tried(move, undo, name):
	    try:
	        move()
	    except OSError as e:
	        return errno.errorcode[e.errno]
	    try:
	        socket.socket(socket.AF_UNIX).connect(name)
	        return "connected"
	    finally:
	        undo()
	print(tried(lambda: os.rename("shut/s", "open/moved"), lambda: os.rename("open/moved", "shut/s"), "open/moved"),
	      tried(lambda: os.link("shut/s", "open/moved"), lambda: os.unlink("open/moved"), "open/moved"),
	      tried(lambda: os.rename("shut/deep", "open/to"), lambda: os.rename("open/to", "shut/deep"), "open/to/s"))
	own = socket.socket(socket.AF_UNIX)
	own.bind("open/own.new")
	own.listen()
	os.rename("open/own.new", "open/own")
	socket.socket(socket.AF_UNIX).connect("open/own")
	os.unlink("open/own")
	print("its own")
END
check_same 'control: unguarded each name leads to it' 'connected connected connected its own' "$(python3 "$SCRATCH/move.py" | xargs)"
for level in ${LEVELS_HERE/preload/}; do
	check_same "$level: no move makes it one that may be connected to" 'EACCES EACCES EACCES its own' "$("$PICKET" run -q --enforce "$level" \
		--profile none --read / --exec / --write "$F" --connect "unix:$F/open/moved" --connect "unix:$F/open/to/s" \
		--connect "unix:$F/open/own" -r "$SCRATCH/result" -- python3 "$SCRATCH/move.py" 2>/dev/null | xargs)"
	check_same "$level: and each is told of" 3 "$(jq '[.violations[] | select(.target | contains(" -> ")) | .count] | add' "$SCRATCH/result")"
done

finish
