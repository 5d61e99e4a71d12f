#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The man pages say what the program does: the same options, the same policy keys, the same keys of a result.
. "$(dirname "$0")/lib.sh"
make_scratch
man=$SOURCE/man
cd "$SCRATCH" || exit 1

# same_set NAME FILE_OF_MAN FILE_OF_PROGRAM
same_set() {
	sort -u "$2" -o "$2"
	sort -u "$3" -o "$3"
	if [ -s "$2" ] && cmp -s "$2" "$3"; then ok "$1"; else
		not_ok "$1" < <(comm -23 "$2" "$3" | sed 's/^/only in the man page: /'; comm -13 "$2" "$3" | sed 's/^/only in the program: /')
	fi
}

# ---- options --------------------------------------------------------------------------------------------
grep -ohE 'Fl Fl [a-z][a-z-]*' "$man/picket.1" | sed 's/Fl Fl /--/' >man.options
{
	"$PICKET" help
	for command in run probe explain policy syscalls plugin request help completion; do "$PICKET" help $command; done
} 2>/dev/null | grep -oE '(^|[ ,])--[a-z][a-z-]*' | tr -d ' ,' >program.options
same_set 'picket(1) has the options of the program' man.options program.options

# Commands: the first column of the usage, without options and arguments.
"$PICKET" help | sed -n 's/^  picket \([a-z]\+\( [a-z]\+\)\?\).*/\1/p' >program.commands
# shellcheck disable=SC2013	# words
for command in $(cut -d' ' -f1 program.commands | sort -u); do
	check "picket(1) knows: $command" grep -qE "^\\.Cm $command|^\\.It Cm $command" "$man/picket.1"
done
while read -r first second; do
	[ -z "$second" ] || check "picket(1) knows: $first $second" grep -qE "Cm $first .*$second" "$man/picket.1"
done <program.commands

for status in 123 124 125 126 127; do
	check "picket(1) explains exit status $status" grep -q "^\\.It $status" "$man/picket.1"
done

# ---- the threat model -----------------------------------------------------------------------------------
awk '/^\.S[sh] /{here = $0 == ".Sh LEVELS"} here && /^\.It Cm /{print $3}' "$man/picket.7" >man.levels
"$PICKET" probe | sed -n 's/^  \(preload\|ptrace\|seccomp\|notify\|gate\)  *.*/\1/p' >program.levels
same_set 'picket(7) has the levels of the program' man.levels program.levels
check 'picket(7) is installed' grep -q '^	for m in man/\*\.7;' "$SOURCE/Makefile"

# ---- policy keys ----------------------------------------------------------------------------------------
# The program lists the keys that it knows when it is given one that is like none.
known() { "$PICKET" policy check "$1" 2>&1 | sed -n 's/.*known are \([a-z_, ]*\).*/\1/p' | tr -d ' ' | tr , '\n'; }
in_section() {	# keys of a section of picket-policy(5)
	awk -v section="$1" '/^\.S[sh] /{here = $0 == section} here && /^\.It Ic /{print $3}' "$man/picket-policy.5"
}
echo 'qqqqqqqqq = 1;' >top.conf
known top.conf >program.top
{ in_section '.Sh KEYS'; sed -n 's/^\.Ss \(filesystem\|exec\|network\|environment\|limits\|launch\)$/\1/p' "$man/picket-policy.5"; } >man.top
same_set 'picket-policy(5) has the keys of the program' man.top program.top
for section in filesystem exec network environment launch; do
	echo "$section: { qqqqqqqqq = (); };" >section.conf
	known section.conf >program.section
	in_section ".Ss $section" >man.section
	same_set "picket-policy(5) has the keys of $section" man.section program.section
done
echo 'limits: { qqqqqqqqq = 1; };' >limits.conf
for limit in $(known limits.conf); do
	check "picket-policy(5) knows the limit $limit" grep -qx "\\.It Ic $limit" "$man/picket-policy.5"
done
for limit in $(in_section '.Ss limits'); do
	echo "limits: { $limit = 0; };" >limit.conf
	check_not "the program knows the limit $limit" sh -c '"$0" policy check limit.conf 2>&1 | grep "unknown key"' "$PICKET"
done
for profile in workstation strict permissive none; do
	check "picket-policy(5) tells the profile $profile" grep -qx "\\.It Cm $profile" "$man/picket-policy.5"
done
sed -n '/^\.Bd/,/^\.Ed/{/^\./!p}' "$man/picket-policy.5" >sample.conf
check 'the sample of picket-policy(5) is a policy' env HOME="$SCRATCH" "$PICKET" policy check sample.conf

# ---- keys of a result -----------------------------------------------------------------------------------
if have jq; then
	printf '#!/bin/sh\ncat /etc/shadow\n' >tool; chmod 755 tool
	export PICKET_PLUGIN_SIGNING_KEY=0123456789abcdef0123456789abcdef
	check 'a plugin is signed' "$PICKET" plugin sign --hmac --id tool --version 1 --signer me@example.org --capability fs:read \
		-o tool.plugin.json ./tool
	"$PICKET" plugin run -q --capture -r plugin.json ./tool >/dev/null 2>&1 </dev/null
	"$PICKET" run -q --capture -r run.json -- sh -c 'sh -c "cat /etc/shadow"' >/dev/null 2>&1 </dev/null
	jq -r 'del(.labels[]?) | [paths | map(strings)[]] | unique[]' run.json plugin.json | grep -v '_base64$' >program.result
	{
		sed -n 's/^\.It Va //p' "$man/picket-result.5"
		sed -n '/^\.Ss Plugins/,/^\.Sh/s/^\.Va //p' "$man/picket-result.5"
		sed -n '/^\.It Va ancestry/,/^\.It/s/^\.Va //p' "$man/picket-result.5"
		sed -n '/^\.It Va rule/,/^\.It/s/^\.Va //p' "$man/picket-result.5"
	} | sed 's/ , /\n/g; s/ , */\n/g; s/ \.$//' | tr -d ' ' | grep . >man.result
	same_set 'picket-result(5) has the keys of a result' man.result program.result
else
	skip 'keys of a result' jq
fi

# ---- form -----------------------------------------------------------------------------------------------
if have mandoc; then
	for page in "$man"/*; do
		check_same "mandoc has nothing to say of ${page##*/}" '' "$(mandoc -T lint "$page" 2>&1 |
			grep -v -e 'referenced manual not found' -e 'outdated mandoc.db')"
	done
else
	skip 'form of the man pages' mandoc
fi
check_same 'README names no file that is not there' '' "$(grep -oE '`(policy|tracer|preload|tests|examples|scripts|man)/[A-Za-z0-9_./-]*`' \
	"$SOURCE/README.md" | tr -d '`' | while read -r name; do [ -e "$SOURCE/$name" ] || echo "$name"; done)"
finish
