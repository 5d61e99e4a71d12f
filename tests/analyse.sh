#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# clang-tidy and cppcheck over everything that becomes the program. What they check stands here.
. "$(dirname "$0")/lib.sh"
cd "$SOURCE" || exit 1
mapfile -t sources < <(ls policy/*.c tracer/*.c preload/*.c 2>/dev/null)
flags=(-std=c17 -D_GNU_SOURCE -iquote policy -iquote tracer '-DPREFIX="/usr/local"')
# The shim is built in its own way, and the kernel fills its variables in inline assembly that the analyser does not follow.
flags_of_shim=(-std=c17 -D_GNU_SOURCE -iquote policy -iquote preload -DCALLS_NAMELESS -ffreestanding)
tidy_of_shim=',-clang-analyzer-core.UndefinedBinaryOperatorResult,-clang-analyzer-core.uninitialized.Assign'
tidy_of_shim+=',-clang-analyzer-core.CallAndMessage'

# Without: the "safe" variants of Annex K, which glibc has not; what only counts; padding; unix.Malloc, which does not know
# __attribute__((cleanup)) and calls each cleanup_free a leak (use after free is AddressSanitizer's).
tidy='clang-analyzer-*,bugprone-*,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling'
tidy+=',-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier,-bugprone-narrowing-conversions'
tidy+=',-bugprone-assignment-in-if-condition,-bugprone-branch-clone,-clang-analyzer-optin.performance.Padding'
tidy+=',-bugprone-implicit-widening-of-multiplication-result'
tidy+=',-clang-analyzer-unix.Malloc'

if have clang-tidy; then
	for source in "${sources[@]}"; do
		checks="-*,$tidy" with=("${flags[@]}")
		[[ $source != preload/* ]] || checks+=$tidy_of_shim with=("${flags_of_shim[@]}")
		check "clang-tidy: $source" clang-tidy --quiet --warnings-as-errors='*' --checks="$checks" "$source" -- "${with[@]}"
	done
else
	skip clang-tidy clang-tidy
fi
if have cppcheck; then
	check cppcheck cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability --inline-suppr \
		--suppress=missingIncludeSystem --suppress=unknownMacro --suppress=normalCheckLevelMaxBranches \
		-D_GNU_SOURCE -D__x86_64__ '-DPREFIX="/usr/local"' -Ipolicy -Itracer "${sources[@]}"
else
	skip cppcheck cppcheck
fi
check_same 'uthash is included by hash.h and result_store.h only' 'tracer/hash.h tracer/result_store.h ' \
	"$(grep -l '<uthash.h>' policy/*.[ch] tracer/*.[ch] preload/*.[ch] 2>/dev/null | sort | tr '\n' ' ')"
if have shellcheck; then
	check shellcheck shellcheck -x -P tests -e SC2015,SC2016,SC2317 tests/*.sh scripts/*.sh examples/demo/run.sh examples/lab/*.sh .ci/run
else
	skip shellcheck shellcheck
fi
finish
