#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The demo: a tool that does what it says and something else besides, first unguarded, then under
# examples/agent.conf. Home, project and listener are made for it and removed again; nothing leaves this machine.
# Exit status 0: unguarded everything was stolen, guarded nothing, and the honest work was the same.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../../build}
policy=$(cd "$here/.." && pwd)/agent.conf
picket=${PICKET:-$build/picket}
PATH=/usr/local/bin:/usr/bin:/bin

bold='' red='' green='' plain=''
if [ -t 1 ]; then bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'; fi

top=$(mktemp -d "${TMPDIR:-/tmp}/picket-demo.XXXXXX") || exit 1
top=$(cd "$top" && pwd -P)
clean_up() {
	cd /
	[ -z "${LISTENER_PID:-}" ] || kill "$LISTENER_PID"
	rm -rf "$top"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
die() { echo "demo: $*" >&2; exit 1; }

# ---- a home, a tool and somebody who waits for it --------------------------------------------------

export HOME=$top/home
mkdir -p "$HOME/.ssh" "$top/tools"
printf -- '-----BEGIN OPENSSH PRIVATE KEY----- not-a-real-key\n' >"$HOME/.ssh/id_rsa"
printf 'mysql -u root -phunter2 shop\n' >"$HOME/.bash_history"

coproc LISTENER { exec python3 "$here/listener.py" "$top/stolen"; }
exec 3<&"${LISTENER[0]}"
read -r -t 20 port <&3 || die 'the listener did not start'
sed "s/(\"127.0.0.1\", 0)/(\"127.0.0.1\", $port)/" "$here/changelog-tidy" >"$top/tools/changelog-tidy"
chmod 755 "$top/tools/changelog-tidy"
"${CC:-gcc}" -O1 -nostdlib -static -fno-stack-protector -o "$top/tools/wrap-native" "$here/wrap-native.c" ||
	die 'the helper did not build'

fresh_project() {
	rm -rf "$top/project"
	mkdir "$top/project"
	cd "$top/project" || exit 1
	git init -q . 2>/dev/null || die 'git init failed'
	mkdir -p .git/hooks
	cat >CHANGELOG.md <<-'END'
		# Changelog
		## 1.1
		* sort the entries of a release by name, so that two people who add one each do not meet
		- faster
		## 1.0
		- first release
	END
	: >"$top/stolen"
}

# What happened besides the honest work, as seen from outside.
damage() {
	exec 4<>"/dev/tcp/127.0.0.1/$port" || die 'the listener is gone'
	echo flush >&4
	read -r _ <&4
	exec 4>&-
	sed 's/^/  sent away: /' "$top/stolen"
	[ ! -e .git/hooks/pre-commit ] || printf '  git hook:  pre-commit now runs "%s"\n' "$(cat .git/hooks/pre-commit)"
}

# ---- unguarded --------------------------------------------------------------------------------------

echo "${bold}changelog-tidy formats a CHANGELOG.md. It also has a hidden side.$plain"
echo
echo "${bold}1. Unguarded:$plain  changelog-tidy CHANGELOG.md"
fresh_project
"$top/tools/changelog-tidy" CHANGELOG.md | sed 's/^/  /'
bare=$(damage)
cp CHANGELOG.md "$top/expected"
echo " What else it did:"
echo "$red$bare$plain"
echo

# ---- guarded ----------------------------------------------------------------------------------------

echo "${bold}2. Guarded:$plain  picket run -p examples/agent.conf -- changelog-tidy CHANGELOG.md"
fresh_project
"$picket" run -q -p "$policy" -r "$top/result.json" -- "$top/tools/changelog-tidy" CHANGELOG.md >"$top/output"
status=$?
sed 's/^/  /' "$top/output"
guarded=$(damage)
echo " What else it did:"
if [ -n "$guarded" ]; then echo "$red$guarded$plain"; else echo "  ${green}nothing$plain"; fi
echo " What it tried, and what said no:"
refused=$(python3 "$here/show.py" "$top/result.json") || die 'no result'
echo "$refused"
echo

# ---- was that so? -----------------------------------------------------------------------------------

if [ "$(grep -c 'sent away' <<<"$bare")" != 5 ] || ! grep -q 'git hook' <<<"$bare"; then
	die 'unguarded, the tool should have succeeded at everything'
fi
[ "$status" = 0 ] || die "guarded, the tool ended with $status"
cmp -s CHANGELOG.md "$top/expected" || die 'the honest work differs'
[ -z "$guarded" ] || die 'something got through'
for line in 'connect .*127.0.0.1' 'read .*id_rsa .*python3' 'read .*id_rsa .*wrap-native' 'read .*\.bash_history' \
	'write .*pre-commit'; do
	grep -q "$line" <<<"$refused" || die "not reported: $line"
done
echo "${bold}The same honest work, and nothing besides.$plain"
