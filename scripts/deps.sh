#!/bin/sh
# SPDX-License-Identifier: MIT
# deps.sh [--only-check] GROUP... - see to it that what a group needs is there.
#   build   compiler, headers and libraries: without them nothing works
#   demo    what the demo runs
#   check   what the tests run: a test whose program is missing is skipped
#   machines  what make machines boots other kernels with
#   all     what check-all and bench use besides
# Missing things are installed with apt-get, as root or through sudo.
set -u

# What to look for, and the Debian package that has it. "lib:X" is a pkg-config module, "python:M" a Python module, "file:P" a path.
needs() {
	case $1 in
	build) cat <<-'END' ;;
		gcc gcc
		file:/usr/include/stdio.h libc6-dev
		file:/usr/include/linux/seccomp.h linux-libc-dev
		pkg-config pkg-config
		lib:libconfig libconfig-dev
		lib:jansson libjansson-dev
		lib:libsodium libsodium-dev
		lib:libelf libelf-dev
		file:/usr/include/uthash.h uthash-dev
		END
	demo) cat <<-'END' ;;
		python3 python3
		git git
		END
	check) cat <<-'END' ;;
		lib:check check
		python3 python3
		python:ensurepip python3-venv
		git git
		clang clang
		node nodejs
		npm npm
		rsync rsync
		perl perl
		go golang-go
		musl-gcc musl-tools
		vim vim
		bzip2 bzip2
		mandoc mandoc
		jq jq
		fish fish
		zsh zsh
		setpriv util-linux
		setfattr attr
		END
	all) cat <<-'END' ;;
		clang-tidy clang-tidy
		clang-format clang-format
		cppcheck cppcheck
		shellcheck shellcheck
		strace strace
		proot proot
		bwrap bubblewrap
		END
	machines) cat <<-'END' ;;
		qemu-system-x86_64 qemu-system-x86
		file:/usr/share/doc/busybox-static busybox-static
		cpio cpio
		mke2fs e2fsprogs
		xz xz-utils
		jq jq
		END
	*) echo "deps.sh: unknown group \"$1\"" >&2; exit 2 ;;
	esac
}

there() {
	case $1 in
	lib:*) pkg-config --exists "${1#lib:}" 2>/dev/null ;;
	python:*) python3 -c "import ${1#python:}" 2>/dev/null ;;
	file:*) [ -e "${1#file:}" ] ;;
	*) command -v "$1" >/dev/null 2>&1 ;;
	esac
}

missing() {	# the packages that the groups lack
	for group; do
		needs "$group" | while read -r what package; do
			there "$what" || echo "$package"
		done
	done | sort -u | tr '\n' ' '
}

only_check=
if [ "${1:-}" = --only-check ]; then only_check=1; shift; fi
PATH=$PATH:/usr/sbin:/sbin
lack=$(missing "$@")
[ -n "$lack" ] || exit 0

if [ -n "$only_check" ]; then
	printf 'Missing: %s\nRun: make deps   (or install these packages yourself)\n' "$lack" >&2
	exit 1
fi

as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
if ! command -v apt-get >/dev/null 2>&1; then
	echo "deps.sh: no apt-get here. Install what these Debian packages hold: $lack" >&2
elif [ -n "$as_root" ] && ! command -v sudo >/dev/null 2>&1; then
	echo "deps.sh: neither root nor sudo. Ask for these packages: $lack" >&2
else
	echo "deps.sh: installing $lack"
	export DEBIAN_FRONTEND=noninteractive
	install="$as_root apt-get install -y --no-install-recommends"
	# shellcheck disable=SC2086 # both are lists of words
	$install $lack >/dev/null 2>&1 || { $as_root apt-get update && $install $lack; } >&2
fi

# Without the build group nothing can go on; what a test lacks, it skips and names.
still=$(missing "$@")
[ -n "$still" ] || exit 0
echo "deps.sh: still missing: $still" >&2
case " $* " in
*' build '*) [ -z "$(missing build)" ] ;;
esac
