#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A rule holds for the symbolic link that it names: what the link leads to is not to be had through it, at no level, and the record
# names the link. By its own name it is, and links that no rule names lead where they lead.
. "$(dirname "$0")/lib.sh"
make_scratch
LEVELS="$LEVELS preload" levels_here
D=$SCRATCH/d
mkdir -p "$D"/{app,keys,store,hidden,kept} && cd "$D" || exit 1
for name in env key seen; do echo "text of $name" >store/$name; done
ln -s ../store/env app/.env
ln -s ../store/key keys/id
ln -s ../store/seen hidden/link
ln -s ../store/seen kept/link
ln -s ../store/new app/new.env
ln -s app/.env alias
ln -s app way
ln -s /usr/bin/true app/program.env
policy=(--profile none --read /usr --read /bin --read /lib --read /lib64 --read /etc/ld.so.cache --exec / --write "$D" --write /dev/null
	--read /proc/self --read /proc/filesystems --write /proc/self/fd --forbid "$D/**/.env" --deny "$D/**/*.env" --forbid keys --hide hidden --read-only kept)
under() { "$PICKET" run -q --enforce "$level" -r "$SCRATCH/result" "${policy[@]}" -- "$@"; }

# refused LINK ERROR COMMAND...: unguarded it says something of a file in store; guarded nothing but ERROR, and the link is told.
refused() {
	local link=$1 error=$2 out
	shift 2
	check "control: $*" "$@"
	rm -f store/new
	out=$(under "$@" 2>&1 </dev/null) && { not_ok "$level: $*" <<<"$out"; return; }
	if [[ $out != *"$error"* || -e store/new ]] || grep -q 'text of' <<<"$out"; then not_ok "$level: $*" <<<"$out"; return; fi
	check_same "$level: $*: the record names the link" "$D/$link" \
		"$(sed -n 's/.*"target": *"\([^"]*\)".*/\1/p' "$SCRATCH/result" | sort -u)"
}
works() { check "$level: $*" under "$@"; }

export LC_ALL=C
for level in $LEVELS_HERE; do
	refused app/.env 'Permission denied' cat app/.env
	refused app/.env 'Permission denied' cat "$D/app/../alias"
	refused app/.env 'Permission denied' cat way/.env
	refused app/.env 'Permission denied' sh -c ': >>way/.env'
	refused app/new.env 'annot create' sh -c ': >app/new.env'
	refused keys/id 'Permission denied' cat keys/id
	refused hidden/link 'No such file' cat hidden/link
	refused hidden/link 'No such file' stat -L hidden/link
	refused kept/link 'Permission denied' sh -c ': >>kept/link'
	refused app/program.env 'Permission denied' env app/program.env
	works cat kept/link
	works cat store/env store/key store/seen
	works readlink app/.env
	works stat -L app/.env
	works cat way/../store/seen
	works sh -c 'cat </dev/null 2>/dev/null'
done

# The profile names devices by a star, but for the links that everybody uses.
for level in $LEVELS_HERE; do
	policy=(--profile workstation -C "$D")
	for link in /dev/stdin /dev/fd/0; do
		check_same "$level: workstation: $link" "text of seen" "$(under cat $link <store/seen 2>&1)"
	done
	check_same "$level: workstation: /dev/stdout" out "$(under sh -c 'echo out >/dev/stdout' 2>&1)"
	policy=(--profile workstation --deny / --read /usr --exec /usr --read /lib --read /lib64 --read /etc/ld.so.cache)
	check "$level: a rule of the root is no rule of /bin" under /bin/sh -c true
done
check_not 'explain says the same' "$PICKET" explain --forbid "$D/**/.env" read alias
check_same 'and of which link' "read $D/app/.env: denied (EACCES)" "$("$PICKET" explain --forbid "$D/**/.env" read alias | head -n 1)"
check 'explain: the file itself' "$PICKET" explain --forbid "$D/**/.env" read store/env
finish
