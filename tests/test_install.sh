#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test_install.sh - what `make install` puts somewhere works from there alone, and `make uninstall` takes all of it away.
. "$(dirname "$0")/lib.sh"
make_scratch
cd "$SCRATCH" || exit 1
place=$SCRATCH/place
for_make=(-C "$SOURCE" --no-print-directory "BUILD=$BUILD" "CC=${CC:-gcc}")
unset MAKEFLAGS MFLAGS MAKELEVEL
what_is_in() { (cd "$1" && find . ! -type d | sort); }

check 'make install' make "${for_make[@]}" PREFIX="$place" install
what_is_in "$place" >installed
picket=$place/bin/picket
check_same 'the installed program runs' "$("$PICKET" --version)" "$("$picket" --version)"
check_same 'as any user who may look there' '755 755' \
	"$(stat -c %a "$picket" "$place/lib/picket/libpicket-preload.so" | xargs)"
cp -r "$place" "$SCRATCH/moved"	# what a package does
for home in place moved; do
	check_same "$home: the shim beside it is the one that is used" "$SCRATCH/$home/lib/picket/libpicket-preload.so" "$(
		"$SCRATCH/$home/bin/picket" run -q --enforce preload -- grep -om1 '/.*libpicket-preload.so' /proc/self/maps)"
	for profile in workstation strict permissive none; do
		check "$home: profile $profile" "$SCRATCH/$home/bin/picket" policy show --profile $profile
	done
done
mkdir -p home/.ssh; echo secret >home/.ssh/id; echo cat home/.ssh/id >tool
check_same 'control: the tool reads it' secret "$(sh tool)"
HOME=$SCRATCH/home "$picket" run -q -r r.json -- sh tool >out 2>&1
check_same 'it guards' "no file_read $SCRATCH/home/.ssh/id" \
	"$(grep -q secret out && echo yes || echo no) $(jq -r '.violations[0] | .kind + " " + .target' r.json)"
for page in "$SOURCE"/man/*; do
	check "man page ${page##*/}" cmp "$page" "$place/share/man/man${page##*.}/${page##*/}"
done
for profile in "$SOURCE"/policy/profiles/*.conf; do
	check "text of profile ${profile##*/}" cmp "$profile" "$place/share/picket/profiles/${profile##*/}"
done
for policy in "$SOURCE"/examples/*.conf; do
	check "example ${policy##*/}" env HOME="$SCRATCH" "$picket" policy check "$place/share/picket/examples/${policy##*/}"
done

# ---- completions know every option of every command ----
{
	for command in run probe explain 'policy check' 'policy show' syscalls; do
		# shellcheck disable=SC2086 # one or two words
		"$picket" help $command
	done
	"$picket" plugin run --help
} | grep -oE '(^|[ ,])--[a-z][a-z-]*' | tr -d ' ,' | sed 's/^--//' | sort -u >options
check 'there are options' test "$(wc -l <options)" -gt 40
for shell in bash zsh fish; do
	case $shell in
	bash) file=$place/share/bash-completion/completions/picket before='--' ;;
	zsh) file=$place/share/zsh/site-functions/_picket before='--' ;;
	fish) file=$place/share/fish/vendor_completions.d/picket.fish before='-l ' ;;
	esac
	check_same "the completion for $shell knows all of them" '' "$(while read -r option; do
		grep -qE -e "$before$option([^a-z-]|\$)" "$file" || echo "$option"
	done <options | xargs)"
done
check 'bash takes its completion' bash -c '. "$1" && complete -p picket' - "$place/share/bash-completion/completions/picket"
check 'and offers what begins so' bash -c '. "$1"; COMP_WORDS=(picket run --time) COMP_CWORD=2 COMP_LINE="picket run --time" COMP_POINT=17
	$(complete -p picket | sed "s/.*-F \([^ ]*\).*/\1/") picket --time run && [[ " ${COMPREPLY[*]} " == *" --timeout"* ]]' - \
	"$place/share/bash-completion/completions/picket"

# ---- below another root, and away again ----
check 'make install below DESTDIR' make "${for_make[@]}" DESTDIR="$SCRATCH/root" PREFIX=/usr install
check_same 'puts the same there' "$(cat installed)" "$(what_is_in "$SCRATCH/root/usr")"
check_same 'and nothing elsewhere' usr "$(ls "$SCRATCH/root")"
for words in "PREFIX=$place" "DESTDIR=$SCRATCH/root PREFIX=/usr"; do
	# shellcheck disable=SC2086 # words
	check "make uninstall $([ "${words:0:1}" = P ] || echo 'below DESTDIR')" make "${for_make[@]}" $words uninstall
done
check_same 'nothing is left' ' ' "$(what_is_in "$place") $(what_is_in "$SCRATCH/root")"
finish
