#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# machines.sh [PART...] - what was built, on other machines: qemu boots a Debian kernel with a root file system made of this
# machine's own packages, and tests/machines_guest.sh tries the parts in it: settings, groups, x32, tests (default: all).
# Kernels are fetched with this machine's apt configuration, not installed. A boot takes ten seconds, and
# programs ten times as long. The last line is "N passed, N failed". Everything is in BUILD/machines.
#   SUITES="bullseye trixie"    Debian releases whose kernels are tried (default: this machine's)
#   TESTS="denials opens"       test scripts of part "tests" (default: denials commands older)
#   LEVELS="seccomp gate"       as everywhere
#   MEMORY=2048 CPUS=1          the machine's; memory in MiB
#   ACCEL="-accel kvm -cpu host"  options for qemu (default: -accel tcg -cpu max, which works everywhere)
#   LIMIT=3600                  seconds after which a machine is switched off
set -u
here=$(cd "$(dirname "$0")" && pwd)
source_tree=$(dirname "$here")
export BUILD=${BUILD:-$source_tree/build}
place=$BUILD/machines
PATH=$PATH:/usr/sbin:/sbin
own=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
# Besides what every Debian system has: what the tests run, and the libraries of what was built.
packages='python3 jq mawk gcc libc6-dev attr mount procps psmisc bzip2 libconfig-dev libjansson-dev libsodium-dev libelf-dev'
modules='crc32c_generic virtio_pci virtio_blk ext4'

say() { echo "machines: $*"; }
die() { say "$*" >&2; exit 1; }

# ---- the kernel -----------------------------------------------------------------------------------------------

# apt SUITE COMMAND...: with this machine's sources for another release, and lists of its own
apt() {
	local dir=$place/apt/$1 command=$2 file
	shift 2
	if [ ! -d "$dir/sources" ]; then
		mkdir -p "$dir"/{sources,lists/partial,cache/archives/partial}
		for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
			grep -qsw "$own" "$file" && sed "s/\b$own\b/${dir##*/}/g" "$file" >"$dir/sources/${file##*/}"
		done
	fi
	"$command" -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$dir/sources" -o Dir::State::Lists="$dir/lists" \
		-o Dir::Cache="$dir/cache" -o Dir::State::Status=/dev/null -o APT::Sandbox::User=root "$@"
}

# fetch_kernel SUITE: unpacked into kernels/SUITE
fetch_kernel() {
	local dir=$place/kernels/$1 name
	[ ! -d "$dir/boot" ] || return 0
	mkdir -p "$dir"
	apt "$1" apt-get update -q >"$dir/log" 2>&1	# a release may lack a part of the sources; what counts is the next line
	name=$(apt "$1" apt-cache show linux-image-amd64 2>/dev/null | sed -n 's/^Depends: \(linux-image-[^ ,]*\).*/\1/p' | head -n 1)
	[ -n "$name" ] || return 1
	(cd "$dir" && apt "$1" apt-get download -q "$name" >>log 2>&1 && dpkg-deb -x ./*.deb . && rm -f ./*.deb)
}

# ---- what it boots into ---------------------------------------------------------------------------------------

# The files of packages, as they are on this machine.
list_files() {
	local names
	# shellcheck disable=SC2046,SC2086 # lists of words
	names=$(apt-cache depends --recurse --installed --no-recommends --no-suggests --no-conflicts --no-breaks \
		--no-replaces --no-enhances $packages $(dpkg-query -W -f '${Package} ${Essential}\n' | sed -n 's/ yes$//p') |
		grep '^[a-z]' | sort -u)
	{
		# shellcheck disable=SC2086
		dpkg -L $names 2>/dev/null | grep -vE '^/(usr/share/(doc|man|locale|info)|etc|proc|sys|dev|tmp)(/|$)'
		find /usr/bin -lname '/etc/alternatives/*'
		find /etc/alternatives /etc/ld.so* /etc/passwd /etc/group /etc/nsswitch.conf /etc/hosts
	} | sort -u | while IFS= read -r file; do
		[ -d "$file" ] && [ ! -L "$file" ] || printf '%s\n' "$file"
	done
}

make_root() {	# root.img
	local tree=$place/tree dir
	rm -rf "$tree" "$place/root.img"
	mkdir -p "$tree"/{dev,etc,proc,sys,run,tmp,root,usr,var/tmp,picket/build/tests}
	chmod 1777 "$tree"/{tmp,var/tmp}
	for dir in bin sbin lib lib32 lib64 libx32; do	# where these are links into /usr
		[ ! -L "/$dir" ] || { cp -P "/$dir" "$tree" && mkdir -p "$tree/usr/$dir"; }
	done
	list_files >"$place/files"
	# a file that was diverted, or that we may not read, is none of those that are needed
	tar -c --ignore-failed-read -T "$place/files" 2>/dev/null | tar -x --keep-directory-symlink -C "$tree" || return 1
	(cd "$source_tree" && tar -c --exclude='./build*' --exclude=./.git .) | tar -x -C "$tree/picket" || return 1
	cp "$BUILD"/{picket,libpicket-preload.so} "$tree/picket/build" &&
		cp -r "$BUILD"/tests/{helpers,trials} "$tree/picket/build/tests" || return 1
	mke2fs -q -t ext4 -d "$tree" "$place/root.img" 2000M && rm -rf "$tree"
}

# add_module FROM TO NAME: with those that it needs, in the order in which they have to be loaded
add_module() {
	local file name=${3//-/_}
	[ ! -e "$2/$name.ko" ] || return 0
	file=$(find "$1" -name "${name//_/[-_]}.ko*" | head -n 1)
	case $file in
	'') return 0 ;;	# it is in the kernel
	*.xz) xz -dc "$file" >"$2/$name.ko" ;;
	*) cp "$file" "$2/$name.ko" ;;
	esac
	for file in $(tr '\0' '\n' <"$2/$name.ko" | sed -n 's/^depends=//p' | tr ',' ' '); do
		add_module "$1" "$2" "$file"
	done
	echo "$name" >>"$2/order"
}

make_initrd() {	# SUITE VERSION: initrd
	local dir=$place/initrd-tree name
	rm -rf "$dir"
	mkdir -p "$dir"/{bin,proc,sys,dev,new,modules}
	cp "$(command -v busybox)" "$dir/bin/busybox"
	for name in $modules; do
		add_module "$(find "$place/kernels/$1" -type d -path "*/modules/$2")" "$dir/modules" "$name"
	done
	cat >"$dir/init" <<-'END'
		#!/bin/busybox sh
		/bin/busybox --install -s /bin
		export PATH=/bin
		mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
		for name in $(cat /modules/order); do insmod "/modules/$name.ko"; done
		mount -t ext4 /dev/vda /new || poweroff -f
		for dir in proc sys dev; do mount --move /$dir /new/$dir; done
		cd /new/dev
		mkdir pts shm
		mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts pts; mount -t tmpfs -o mode=1777 tmpfs shm
		ln -s /proc/self/fd fd; ln -s fd/0 stdin; ln -s fd/1 stdout; ln -s fd/2 stderr
		ifconfig lo 127.0.0.1 up
		cp /job /new/job; cp /bin/busybox /new/root/busybox
		export PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/root LANG=C.UTF-8
		setsid chroot /new /bin/bash /job <null >ttyS1 2>&1
		echo "machine: ended" >ttyS1
		sync
		poweroff -f
	END
	chmod +x "$dir/init"
	printf 'export BUILD=/picket/build TESTS="%s" %s\nexec bash /picket/tests/machines_guest.sh %s\n' "${TESTS:-}" \
		"${LEVELS:+LEVELS=\"$LEVELS\"}" "$parts" >"$dir/job"
	(cd "$dir" && find . | cpio -o -H newc -R 0:0 --quiet | gzip -1) >"$place/initrd"
}

# ---- a machine ------------------------------------------------------------------------------------------------

boot() {	# SUITE
	local version kernel=$place/kernels/$1/boot
	version=$(cd "$kernel" && echo vmlinuz-*)
	make_initrd "$1" "${version#vmlinuz-}" || return 1
	cp --sparse=always "$place/root.img" "$place/disk.img" || return 1
	: >"$place/$1.log"
	# shellcheck disable=SC2086 # options
	nice timeout -k 5 "${LIMIT:-3600}" qemu-system-x86_64 ${ACCEL:--accel tcg -cpu max} -smp "${CPUS:-1}" -m "${MEMORY:-2048}" -nographic -monitor none \
		-nic none -no-reboot -kernel "$kernel/$version" -initrd "$place/initrd" \
		-append "console=ttyS0 loglevel=4 panic=-1 syscall.x32=y" -serial "file:$place/$1.console" \
		-serial "file:$place/$1.log" -drive "file=$place/disk.img,format=raw,if=virtio,cache=unsafe" </dev/null >/dev/null &
	machine=$!
	wait "$machine"
	machine=
	rm -f "$place/disk.img"
	grep -q '^machine: ended' "$place/$1.log"
}

clean_up() {
	[ -z "$machine" ] || kill "$machine" 2>/dev/null
	rm -rf "$place"/{disk.img,root.img,tree,initrd,initrd-tree,files}
}

machine='' parts="${*:-settings groups x32 tests}"
passed=0 failed=0
[ "$(uname -m)" = x86_64 ] || die 'only for x86-64'
[ -n "$own" ] && command -v dpkg >/dev/null || die 'this is no Debian system: where would the packages come from?'
if [ "$(id -u)" != 0 ] && [ -z "${FAKEROOTKEY:-}" ]; then	# files of the machine belong to its root
	command -v fakeroot >/dev/null || die 'run it as root, or install fakeroot'
	exec fakeroot "$0" "$@"
fi
mkdir -p "$place" || exit 1
trap clean_up EXIT
trap 'exit 130' INT TERM
say 'making a root file system'
make_root || die 'no root file system could be made'
for suite in ${SUITES:-$own}; do
	say "$suite: fetching the kernel"
	if ! fetch_kernel "$suite"; then
		say "$suite: no kernel to be had (see $place/kernels/$suite/log)"
		rm -rf "$place/apt/$suite" "$place/kernels/$suite/boot"
		failed=$((failed + 1))
		continue
	fi
	say "$suite: $(cd "$place/kernels/$suite/boot" && echo vmlinuz-*): $parts"
	if ! boot "$suite"; then
		say "$suite: the machine did not come to its end; see $place/$suite.console"
		failed=$((failed + 1))
	fi
	tr -d '\r' <"$place/$suite.log" | tee "$place/$suite.out"
	read -r p f < <(awk '/^ok - / { p++ } /^not ok - / { f++ } /^[0-9]+ passed, [0-9]+ failed/ { p += $1; f += $3 }
		END { print p + 0, f + 0 }' "$place/$suite.out")
	passed=$((passed + p)) failed=$((failed + f))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
