# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# libcs.sh - for test scripts, which source it behind lib.sh: other versions of glibc than this machine's. LIBCS names
# directories, in each of which the packages libc6, libc6-dev and libgcc-s1 of another release are unpacked; unset, there are none:
#   apt-get download libc6 libc6-dev libgcc-s1    (with the sources of that release)
#   for p in *.deb; do dpkg-deb -x "$p" /some/where/glibc-2.31; done
#   LIBCS='/some/where/glibc-2.31 /some/where/glibc-2.41' make check
# A directory named there that has no libc is a failure, not a skip. The scripts passed so with glibc 2.31 and 2.41.

# libc_files ROOT: its shared objects, the first is libc itself. '' for this machine's.
libc_files() {
	local directory name
	for directory in "$1"/lib/x86_64-linux-gnu "$1"/usr/lib/x86_64-linux-gnu "$1"/lib64 "$1"/usr/lib64; do
		[ -e "$directory/libc.so.6" ] || continue
		for name in c.so.6 pthread.so.0 dl.so.2 rt.so.1 resolv.so.2 util.so.1 anl.so.1 nsl.so.1; do
			[ ! -e "$directory/lib$name" ] || echo "$directory/lib$name"
		done
		return
	done
}

# libc_compile FLAG...: as a compiler, for the libc below LIBC_ROOT.
libc_compile() {
	local libc own objects parts=() cc=${CC:-gcc}
	libc=$(libc_files "$LIBC_ROOT" | head -n 1)
	own=${libc%/*} objects=$LIBC_ROOT/usr/lib/x86_64-linux-gnu
	[ ! -e "$own/libpthread.so.0" ] || parts=(-l:libpthread.so.0 -l:libdl.so.2)	# one library from 2.34 on
	# headers of the kernel are this machine's, and so may be numbers of calls that are newer than that libc
	"$cc" -nostdinc -isystem "$("$cc" -print-file-name=include)" -isystem "$LIBC_ROOT/usr/include" \
		-isystem "$LIBC_ROOT/usr/include/x86_64-linux-gnu" -isystem /usr/include -isystem /usr/include/x86_64-linux-gnu \
		-DSYS_openat2=437 -nostdlib -pie -fPIE "$objects/Scrt1.o" "$objects/crti.o" "$@" \
		-L"$own" -L"$objects" -Wl,--dynamic-linker="$own/ld-linux-x86-64.so.2" -Wl,-rpath,"$own:$objects" -Wl,--no-as-needed -l:libc.so.6 \
		-l:libgcc_s.so.1 ${parts[@]+"${parts[@]}"} \
		"$objects/libc_nonshared.a" -lgcc "$own/ld-linux-x86-64.so.2" "$objects/crtn.o"
}
