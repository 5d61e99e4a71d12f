#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The tool that wants out: each row of the programs in tests/boundary runs bare, where it has to get out (or the row proves
# nothing), and guarded at each level, where nothing may have happened. Rows that have to work do so in both.
#   test_boundary.sh [ROW-PATTERN...]   patterns as of the shell: 'stranger_*'
. "$(dirname "$0")/lib.sh"
make_scratch
levels_here
programs=$BUILD/tests/boundary
row_seconds=${ROW_SECONDS:-20}	# a row that takes longer hangs

build() {
	local source
	mkdir -p "$programs"
	for source in "$SOURCE"/tests/boundary/*.c; do
		[ "${source##*/}" != interpreter.c ] || continue
		"${CC:-cc}" -D_GNU_SOURCE -std=gnu17 -O1 -Wall -Wextra -o "$programs/$(basename "$source" .c)" "$source" -pthread ||
			return 1
	done
	"${CC:-cc}" -std=gnu17 -O1 -Wall -Wextra -ffreestanding -fno-stack-protector -fcf-protection=none -fPIE -static-pie -nostdlib \
		-o "$programs/interpreter" "$SOURCE/tests/boundary/interpreter.c" &&
		"${CC:-cc}" -xc -Wl,--dynamic-linker=link -o "$programs/interpreted" - <<<'int main(void) { return 0; }'
}

# The directories of attempt.h. Below ../mirror the secret has the name that `open/plain` has below /.
fresh_fixture() {
	chmod -R u+rwX "$F" 2>/dev/null
	rm -rf "$F"
	mkdir -p "$F"/{open,shut,read} "$F/mirror$F/open"
	echo "$token" | tee "$F/shut/secret" >"$F/mirror$F/open/plain"
	echo victim >"$F/shut/victim"
	echo page >"$F/read/page"
	printf '%4096s' '' >"$F/read/linked"
	ln "$F/read/linked" "$F/open/linked"
}
outside_state() { find "$F/shut" "$F/read" "$F/mirror" ! -name linked -printf '%p %y %i %m %U:%G %n %s %T@ %l\n' | sort; }

# run_row LEVEL|bare PROGRAM ROW: sets status; output in $SCRATCH/out
run_row() {
	local level=$1 program=$programs/$2 row=$3 rules=()
	# whoever may read all of /proc may also know where its processes have their files
	[ "$row" != links_of_stranger ] || rules=(--deny /proc/1/environ)
	# by its own name, which the link is resolved to
	[ "$row" != terminal_named ] || rules=(--write "$F/open/stranger.tty")
	# a program of its own
	[[ $row != @(linker_exchanged|stack_exchanged|vdso_patched|known_interpreter_of_another) ]] || rules=(--exec "$F/open")
	[ "$row" != lent_memory_changes ] || rules=(--connect udp:127.0.0.1:1001)
	[ "$row" != followed_chdir ] || { mkdir "$F/open/hidden"; rules=(--hide "$F/open/hidden"); }
	# what may not be opened has a name that is the beginning of another one's
	[ "$row" != lender_dies ] || { cp "$F/shut/secret" "$F/open/kept"; rules=(--deny "$F/open/kept"); }
	[[ $row != static_program_made* ]] || rules=(--exec "$F/open" --read "$programs/interpreter")
	[ "$row" != interpreter_exchanged ] || { cp "$programs/interpreter" "$F/open/kept"
		rules=(--deny "$F/open/kept" --read "$programs/interpreted" --exec "$programs/interpreted"); }
	[ "$row" != linked_program_exchanged ] || { cp "$programs/interpreter" "$F/open/kept"
		rules=(--deny "$F/open/kept" --exec "$F/read/linked"); }
	[ "$row" != break_over_copies ] || rules=(--exec "$F/open" --exec "$programs/interpreter" --read "$programs/interpreter")
	case $row in	# see addresses.c
	listen_after_letting_go) rules=(--connect 'tcp:127.0.0.1:*' --bind 'tcp:127.0.0.1:*') ;;
	listen_elsewhere|listen_raced) rules=(--connect tcp:127.0.0.1:9 --bind tcp:0.0.0.0:40123) ;;
	listen_after_*) rules=(--connect tcp:127.0.0.1:9) ;;
	listens_where_bound) rules=(--bind tcp:127.0.0.1:0) ;;
	connect_without|connect_nowhere|send_without) rules=(--connect udp:192.0.2.1:9) ;;	# or there is no such socket
	hear_unbound*) rules=(--connect tcp:127.0.0.1:9) ;;
	zero_of_mapped) rules=(--connect 'udp:[::1]:40124' --connect udp:127.0.0.1:9 --bind 127.0.0.1:40124) ;;
	zero_*) rules=(--connect 127.0.0.1:40124 --bind '127.0.0.1:*' --bind '127.0.0.2:*') ;;
	listens_unbound) rules=(--bind tcp:0.0.0.0:0) ;;
	esac
	# the way to a name below which nothing may be written
	[[ $row != way_* ]] || rules=(--read-only "$F/open/top/kept")
	[[ $row != way_link_that_is_there* ]] || ln -s below "$F/open/top"
	[[ $row != way_file_that_is_there* ]] || echo below >"$F/open/top"
	cd "$F/open" || exit 1
	# shellcheck disable=SC2016,SC2094  # STRANGER is what the neighbour says; what is read is what the row wrote
	if [ "$level" = bare ]; then
		timeout -s KILL "$row_seconds" "$programs/neighbour" "$program" "$row"
	else
		LEVEL=$level timeout -s KILL "$row_seconds" "$programs/neighbour" sh -c 'exec "$@"' - \
			"$PICKET" run -q --profile none --enforce "$level" --env GUARDED=1 --env LEVEL --env 'STRANGER' \
			--read /usr --read /lib --read /lib64 --read /bin --read /etc/ld.so.cache --write /proc --write /dev \
			--read "$F/read" --read "$SCRATCH/out" --write "$F/open" --read "$program" --exec "$program" --exec /usr/bin --exec /bin \
			"${rules[@]}" -- "$program" "$row"
	fi >"$SCRATCH/out" 2>&1
	status=$?
	cd "$SCRATCH" || exit 1
}

judge_row() {	# LEVEL KIND PROGRAM ROW
	local level=$1 kind=$2 row=$4 before expected=1 or
	fresh_fixture
	before=$(outside_state)
	run_row "$level" "$3" "$row"
	[ "$kind" = gets-out ] || expected=0
	or=$expected
	[ "$level:$row" != notify:followed_chdir ] || or=137	# it is seen when it has happened, and ends the run
	if { [ "$status" = "$expected" ] || [ "$status" = "$or" ]; } && [ "$(outside_state)" = "$before" ] &&
		{ [ "$kind" = has-to-work ] || ! grep -qa "$token" "$SCRATCH/out"; }; then
		ok "$level: $row"
	else
		{ echo "status $status, not $expected"; diff <(echo "$before") <(outside_state); cat "$SCRATCH/out"; } >"$SCRATCH/why"
		not_ok "$level: $row" <"$SCRATCH/why"
	fi
}

wanted() {
	local pattern
	[ $# -gt 1 ] || return 0
	# shellcheck disable=SC2053  # it is a pattern
	for pattern in "${@:2}"; do [[ $1 == $pattern ]] && return 0; done
	return 1
}

# ---- the supervisor dies -------------------------------------------------------------------------------------

# end_of_guard LEVEL|bare: 0 when nothing was left, and nothing leaked, soon after the first process was killed
end_of_guard() {	# the shell says of a killed job that it was; nobody has to know
	end_of_guard_quietly "$@" 2>/dev/null
}
end_of_guard_quietly() {
	local level=$1 command=("$programs/outlive") first line gone
	[ "$level" = bare ] || command=("$PICKET" run -q --profile none --enforce "$level" --read /usr --read /lib --read /lib64
		--read /etc/ld.so.cache --write "$F/open" --read "$programs/outlive" --exec "$programs/outlive" -- "${command[@]}")
	fresh_fixture
	cd "$F/open" || exit 1
	mkfifo "$F/alive"
	"${command[@]}" >"$F/alive" 2>/dev/null &
	first=$!
	exec 9<"$F/alive"
	IFS= read -r line <&9
	kill -KILL "$first"
	timeout 3 cat <&9 >/dev/null
	gone=$?
	exec 9<&-
	wait "$first"
	cd "$SCRATCH" || exit 1
	[ "$line" = started ] && [ "$gone" = 0 ] && [ ! -e "$F/open/leak" ]
}

# Those that are left do what they can for some seconds more, and one of them is stopped for ever.
end_leftovers() {
	local process
	for process in /proc/[0-9]*; do
		[ "$(readlink "$process/exe" 2>/dev/null)" = "$programs/outlive" ] && kill -KILL "${process#/proc/}"
	done
}

test_end_of_guard() {	# the control comes last: what it leaves behind would leak into what is tested
	local level
	for level in $LEVELS_HERE; do
		check "$level: nothing outlives its supervisor" end_of_guard "$level"
		end_leftovers
	done
	if end_of_guard bare; then skip end_of_guard 'what outlives its parent does not'; fi
	end_leftovers
}

# ---- who else is at the terminal ------------------------------------------------------------------------------

# The shell and the supervisor are in the terminal's foreground group, the tool is its guest. terminal.c asks for a signal
# to that group at the next line that is typed, and reads that line.
# heard_at_terminal LEVEL|bare OPTION...: 0 when the shell heard it
heard_at_terminal() {
	local level=$1 command=("$programs/terminal") line heard=1
	shift
	[ "$level" = bare ] || command=("$PICKET" run -q --profile none --enforce "$level" --read /usr --read /lib --read /lib64
		--read /etc/ld.so.cache --write /dev --read "$programs/terminal" --exec "$programs/terminal" "$@" -- "${command[@]}")
	printf '%q ' "${command[@]}" >"$SCRATCH/command"
	rm -f "$SCRATCH/keys" "$SCRATCH/screen"
	mkfifo "$SCRATCH/keys" "$SCRATCH/screen"
	exec 7<>"$SCRATCH/keys" 8<>"$SCRATCH/screen"
	script -qec "exec sh -c 'trap \"echo HEARD\" USR1; . $SCRATCH/command; echo over'" /dev/null <&7 >&8 2>&1 &
	while IFS= read -r -t 20 line <&8; do
		case $line in
		ready*) echo typed >&7 ;;
		HEARD*) heard=0 ;;
		*over*) break ;;
		esac
	done
	exec 7>&- 8>&-
	wait $! 2>/dev/null
	return "$heard"
}

test_terminal() {
	local level
	if ! have script; then skip terminal 'script(1)'; return; fi
	check 'control: a guest of the terminal reaches the shell' heard_at_terminal bare
	for level in $LEVELS_HERE; do
		check_not "$level: no signal to whoever is at the terminal" heard_at_terminal "$level"
		check_not "$level: nor without the floor of Landlock" heard_at_terminal "$level" --write /proc
	done
}

# What is refused of another session's terminal is told as any refusal is.
test_terminal_record() {
	local level
	for level in $LEVELS_HERE; do
		fresh_fixture
		cd "$F/open" || exit 1
		# shellcheck disable=SC2016
		"$programs/neighbour" sh -c 'exec "$@"' - "$PICKET" run -q --profile none --enforce "$level" --result "$SCRATCH/result" \
			--read /usr --read /lib --read /lib64 --read /etc/ld.so.cache --read "$F/open" --write /dev \
			--read "$programs/terminals" --exec "$programs/terminals" -- "$programs/terminals" terminal_read
		check "$level: the refused terminal is in the result" jq -e --arg name "$(readlink stranger.tty)" \
			'.violation_count == 1 and (.violations[0] | .target == $name and .requested == $name and .errno == "EACCES" and
			.kind == "file_read" and .action == "denied")' "$SCRATCH/result"
		cd "$SCRATCH" || exit 1
	done
}

# ---- System V objects ----------------------------------------------------------------------------------------

guarded_objects() {	# LEVEL ARG...
	local level=$1
	shift
	"$PICKET" run -q --profile none --enforce "$level" --result "$SCRATCH/result" --read /usr --read /lib --read /lib64 \
		--read /etc/ld.so.cache --read "$programs/objects" --exec "$programs/objects" -- "$programs/objects" "$@"
}

# are_there FILE: all objects that it has a line of; are_gone: none
are_there() { while read -r family id; do awk -v id="$id" '$2 == id { f = 1 } END { exit !f }' "/proc/sysvipc/$family" || return 1; done <"$1"; }
are_gone() { while read -r family id; do awk -v id="$id" '$2 == id { f = 1 } END { exit f }' "/proc/sysvipc/$family" || return 1; done <"$1"; }

test_objects() {
	local level family id
	"$programs/objects" make >"$SCRATCH/bare"
	check 'control: System V objects outlast their maker' are_there "$SCRATCH/bare"
	for level in $LEVELS_HERE; do
		guarded_objects "$level" make >"$SCRATCH/made"
		check_same "$level: System V objects are made" 3 "$(grep -c '^... [0-9]' "$SCRATCH/made")"
		check "$level: they do not outlast the run" are_gone "$SCRATCH/made"
		check "$level: those of others do" are_there "$SCRATCH/bare"
		check_same "$level: no more are made than can be removed" '4096 No space left on device' "$(guarded_objects "$level" make 4100)"
	done
	while read -r family id; do "$programs/objects" remove "$family" "$id"; done <"$SCRATCH/bare"
	check 'control: they can be removed' are_gone "$SCRATCH/bare"
}

# ---- the machine by other names --------------------------------------------------------------------------------

# names_of_machine LEVEL|bare WHAT: 0 when it could be opened. /proc a second time, devices beside /dev, and names in /dev that
# are made of others, where the policy lets the tool write. Run in a mount namespace.
names_of_machine() {
	local level=$1 what=$2 command=(sh -c "$2")
	[ "$level" = bare ] || command=("$PICKET" run -q --profile none --enforce "$level" --read /usr --read /lib --read /lib64
		--read /etc/ld.so.cache --write "$F/open" --write /dev --exec /usr/bin --exec /bin -- "${command[@]}")
	fresh_fixture
	# shellcheck disable=SC2016
	unshare -m --propagation private sh -c 'cd "$0" && mkdir proc && mount -t proc proc proc && mknod fuse c 10 229 &&
		mknod null c 1 3 && mount -t tmpfs dev /dev && mkdir /dev/mapper && mknod /dev/mapper/control c 10 229 &&
		mknod /dev/fuse c 10 229 && mknod /dev/null c 1 3 && exec "$@"' "$F/open" "${command[@]}"
}

test_names_of_machine() {
	local level what
	if ! [ "$(id -u)" = 0 ] || ! unshare -m true 2>/dev/null; then echo '# not here: names_of_machine'; return; fi
	for what in ': >>proc/sys/vm/swappiness' ': <proc/1/status' ': >>proc/self/mem' ': <>fuse' \
		'ln /dev/fuse /dev/other && : <>/dev/other' 'mv /dev/mapper /dev/other && : <>/dev/other/control'; do
		if ! names_of_machine bare "$what" >/dev/null 2>&1; then echo "# not here: $what"; continue; fi
		for level in $LEVELS_HERE; do check_not "$level: $what" names_of_machine "$level" "$what"; done
	done
	for level in $LEVELS_HERE; do check "$level: null by another name" names_of_machine "$level" ': <>null'; done
}

build || { not_ok 'the programs are built' </dev/null; finish; }
F=$SCRATCH/f
token=TOKEN$$
for program in memory names known addresses nameless process work gate gate_exec attributes terminals leases; do
	while read -r kind row; do
		wanted "$row" "$@" || continue
		fresh_fixture
		run_row bare "$program" "$row"
		case $kind:$status in
		gets-out:0|is-heard:7|has-to-work:0) ;;
		*:3) echo "# not here: $row"; continue ;;
		*)
			skip "$row" "it does not get out on this machine even unguarded (status $status): $(head -c 200 "$SCRATCH/out")"
			continue ;;
		esac
		for level in $LEVELS_HERE; do judge_row "$level" "$kind" "$program" "$row"; done
	done < <("$programs/$program" --list)
done
if wanted names_of_machine "$@"; then test_names_of_machine; fi
if wanted terminal "$@"; then test_terminal; fi
if wanted terminal_record "$@"; then test_terminal_record; fi
if wanted objects "$@"; then test_objects; fi
if wanted end_of_guard "$@"; then test_end_of_guard; fi
finish
