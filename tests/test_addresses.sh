#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What becomes of socket calls that are refused, and of those that fail anyway: a refusal has its errno and one record, and what fails
# on every machine fails as it does there, with none. That refusals have no effect is shown by boundary/addresses.c.
. "$(dirname "$0")/lib.sh"
make_scratch
LEVELS="$LEVELS preload" levels_here
if ! have python3; then skip addresses python3; finish; fi

# By libc's functions, which take any length and any family. Prints a line for each call.
cat >"$SCRATCH/calls.py" <<-'END'
	import ctypes, errno, os, socket, struct, sys
	libc = ctypes.CDLL(None, use_errno=True)
	def tried(name, *args):
	    ctypes.set_errno(0)
	    r = getattr(libc, name)(*args)
	    return r, "ok" if r >= 0 else errno.errorcode[ctypes.get_errno()]
	def told(what, name, *args):
	    r, outcome = tried(name, *args)
	    print(what, outcome)
	    return r
	def four(address, port, length=16, family=socket.AF_INET):
	    return struct.pack("=HH4s8x", family, socket.htons(port), socket.inet_aton(address))[:length] + b"\0" * (length - 16)
	def six(address, port, length=28, family=socket.AF_INET6):
	    return struct.pack("=HHI16sI", family, socket.htons(port), 0, socket.inet_pton(socket.AF_INET6, address), 0)[:length]
	INET, INET6, UNIX, STREAM, DGRAM = socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.SOCK_STREAM, socket.SOCK_DGRAM
	def new(domain, kind):
	    return tried("socket", domain, kind, 0)[0]
	def to(what, call, fd, address, length=None):
	    length = len(address) if length is None else length
	    if call == "sendto":
	        told(what, call, fd, b"x", 1, 0, address, length)
	    else:
	        told(what, call, fd, address, length)
	path = struct.pack("=H", UNIX) + b"/nowhere/s\0"
	exec(sys.argv[1])
END

# What no machine does.
# shellcheck disable=SC2016
never='
told("type 77", "socket", INET, 77, 0)
told("type 13", "socket", INET, 13, 0)
told("family 99", "socket", 99, STREAM, 0)
told("TCP datagrams", "socket", INET, DGRAM, socket.IPPROTO_TCP)
told("UDP streams", "socket", INET6, STREAM, socket.IPPROTO_UDP)
told("internet pair", "socketpair", INET, STREAM, 0, (ctypes.c_int * 2)())
for call in "connect", "bind", "sendto":
    to(call + ": no such descriptor", call, 99, four("192.0.2.9", 9))
    to(call + ": no socket", call, 0, four("192.0.2.9", 9))
    to(call + ": UDP, short", call, new(INET, DGRAM), four("192.0.2.9", 9, 15))
    to(call + ": UDP, IPv6", call, new(INET, DGRAM), six("2001:db8::9", 9))
    to(call + ": UDP, unix", call, new(INET, DGRAM), path + b"\0" * 20)
    to(call + ": UDP, family 77", call, new(INET, DGRAM), four("192.0.2.9", 9, 16, 77))
    to(call + ": UDP by IPv6, short", call, new(INET6, DGRAM), six("2001:db8::9", 9, 23))
    to(call + ": UDP by IPv6, unix", call, new(INET6, DGRAM), path + b"\0" * 20)
    to(call + ": unix, IPv4", call, new(UNIX, DGRAM), four("192.0.2.9", 9))
    to(call + ": unix, IPv6", call, new(UNIX, DGRAM), six("2001:db8::9", 9))
for call in "connect", "bind":
    to(call + ": TCP, short", call, new(INET, STREAM), four("192.0.2.9", 9, 7))
    to(call + ": TCP, IPv6", call, new(INET, STREAM), six("2001:db8::9", 9))
    to(call + ": TCP by IPv6, short", call, new(INET6, STREAM), six("2001:db8::9", 9, 20))
    to(call + ": TCP by IPv6, IPv4", call, new(INET6, STREAM), four("192.0.2.9", 9, 28))
told("listen: no such descriptor", "listen", 99, 5)
told("listen: no socket", "listen", 0, 5)
told("listen: UDP", "listen", new(INET, DGRAM), 5)
told("listen: unix datagrams", "listen", new(UNIX, DGRAM), 5)
told("listen: unix without a name", "listen", new(UNIX, STREAM), 5)
told("credentials: no such descriptor", "setsockopt", 99, 1, 16, struct.pack("i", 1), 4)
told("credentials: no socket", "setsockopt", 0, 1, 16, struct.pack("i", 1), 4)
'
# What is refused, and what the record says of it.
# shellcheck disable=SC2016
refused='
to("connect", "connect", new(INET, STREAM), four("127.0.0.1", 9))
fd = new(INET, STREAM)
to("allowed", "connect", fd, four("127.0.0.1", 8))
told("listen", "listen", new(INET, STREAM), 5)
told("listen at the port of before", "listen", fd, 5)
told("credentials", "setsockopt", new(UNIX, DGRAM), 1, 16, struct.pack("i", 1), 4)
told("process", "setsockopt", new(UNIX, DGRAM), 1, 76, struct.pack("i", 1), 4)
told("label", "setsockopt", new(INET6, STREAM), 41, 32, b"\0" * 40, 40)
told("UDP", "socket", INET, DGRAM, 0)
told("UDP by IPv6", "socket", INET6, DGRAM | socket.SOCK_CLOEXEC, socket.IPPROTO_UDP)
'
expected='allowed ECONNREFUSED
connect EACCES
credentials EACCES
label EPERM
listen EACCES
listen at the port of before EACCES
process EACCES
UDP by IPv6 EACCES
UDP EACCES'
records='0.0.0.0:0 listen EACCES network_bind default --bind tcp:0.0.0.0:0 1
0.0.0.0:PORT listen EACCES network_bind default --bind tcp:0.0.0.0:PORT 1
127.0.0.1:9 connect EACCES network_outbound default --connect tcp:127.0.0.1:9 1
a UDP socket: no rule of the policy is for UDP socket EACCES network_outbound default --connect '\''udp:*:*'\'' 2
source route setsockopt EPERM network_outbound always null 1
unix:@* setsockopt EACCES network_bind default --bind '\''unix:@*'\'' 2'

records() {
	jq -r '.violations[] | select(.kind | startswith("network")) |
		"\(.target) \(.syscall) \(.errno) \(.kind) \(.rule.key) \(.allow_with) \(.count)"' "$SCRATCH/result" |
		sed -E 's/0\.0\.0\.0:[1-9][0-9]+/0.0.0.0:PORT/g' | sort
}
# calls LEVEL|bare CODE OPTION...
calls() {
	local level=$1 code=$2 guarded=()
	shift 2
	[ "$level" = bare ] || guarded=("$PICKET" run -q --enforce "$level" -r "$SCRATCH/result" --read "$SCRATCH" "$@" --)
	"${guarded[@]}" python3 "$SCRATCH/calls.py" "$code" </dev/null 2>&1 | sort
}

bare=$(calls bare "$never")
check_same 'control: what never works does not' '' "$(grep -E ' ok$' <<<"$bare")"
bare_refused=$(calls bare "$refused")
check_same 'control: what is refused works unguarded' '' \
	"$(grep -vE ' ok$|ECONNREFUSED$|^process ENOPROTOOPT$|^label EINVAL$' <<<"$bare_refused")"
for level in $LEVELS_HERE; do
	check_same "$level: what never works fails as without a guard" "$bare" \
		"$(calls "$level" "$never" --connect udp:192.0.2.1:9)"
	check_same "$level: and leaves no record" '' "$(records)"
	check_same "$level: what is refused says so" "$(sort <<<"$expected")" \
		"$(calls "$level" "$refused" --connect tcp:127.0.0.1:8)"
	check_same "$level: and is recorded" "$(sort <<<"$records")" "$(records)"
done

# ---- names are looked up without UDP, too -------------------------------------------------------------------

cat >"$SCRATCH/names.py" <<-'END'
	import socket
	print(sorted({a[4][0] for a in socket.getaddrinfo("127.0.0.1", 80)}), bool(socket.getaddrinfo("localhost", 80)))
	try:
	    socket.create_connection(("localhost", 9))
	except OSError as e:
	    print(type(e).__name__)
END
for level in $LEVELS_HERE; do
	check_same "$level: addresses are found without UDP" "['127.0.0.1'] True PermissionError" "$("$PICKET" run -q --enforce "$level" \
		-r "$SCRATCH/result" --read "$SCRATCH" -- python3 "$SCRATCH/names.py" | xargs -d '\n')"
done

# ---- level preload: by an instruction -----------------------------------------------------------------------

"${CC:-cc}" -D_GNU_SOURCE -std=gnu17 -O1 -Wall -Wextra -o "$SCRATCH/addresses" "$SOURCE/tests/boundary/addresses.c" -pthread || exit 1
check 'control: an unbound UDP socket hears' "$SCRATCH/addresses" hear_unbound_raw
raw() { "$PICKET" run -q --enforce preload --read "$SCRATCH" --exec "$SCRATCH" "$@" -- "$SCRATCH/addresses" hear_unbound_raw; }
case $LEVELS_HERE in *preload*)
	raw --connect tcp:127.0.0.1:9; check_same 'preload: no UDP socket by an instruction' 1 $?
	raw; check_same 'preload: nor without any network' 1 $?
	raw --connect udp:192.0.2.1:9; check_same 'preload: but where a rule is for UDP' 0 $? ;;
esac
finish
