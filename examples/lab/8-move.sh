#!/bin/sh
# SPDX-License-Identifier: MIT
# Exercise 8: another name. Nothing may be written below .git/hooks, where git looks for programs to run; all else
# here may. So the hook is written below another name, which then becomes that one.
#
# lab: preload=shim ptrace=supervisor seccomp=supervisor
#
# Question: neither .git nor anything below it is written to. Which call has to be refused?
# Answer:   the first rename. It would give what lies below .git/hooks a name that may be written; and what lies above
#           the path of a rule must not be moved.
mv .git g &&
	printf '#!/bin/sh\n' >g/hooks/post-checkout &&
	mv g .git
