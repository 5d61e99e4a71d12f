#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each policy of examples/ lets its kind of work be done and refuses what its comments say. Each refusal has its
# control: the same command succeeds without the guard.
. "$(dirname "$0")/lib.sh"
make_scratch
PATH=/usr/local/bin:/usr/bin:/bin
export HOME=$SCRATCH/home
mkdir -p "$HOME/.ssh" "$SCRATCH/work" "$SCRATCH/else"
echo key >"$HOME/.ssh/id_rsa"
echo history >"$HOME/.bash_history"
cd "$SCRATCH/work" || exit 1

under() { local policy=$1; shift; "$PICKET" run -q -p "$SOURCE/examples/$policy.conf" -- "$@"; }

# refuses POLICY WHAT COMMAND...: works bare, not under the policy.
refuses() {
	local policy=$1 what=$2
	shift 2
	if ! "$@" >/dev/null 2>&1 </dev/null; then
		not_ok "$policy: control: $what works unguarded" <<<"$*"
		return
	fi
	check_not "$policy refuses: $what" under "$policy" "$@"
}
does() { check "$1 allows: $2" under "$1" "${@:3}"; }

for policy in minimal agent build; do
	check "$policy: picket policy check finds no error" "$PICKET" policy check "$SOURCE/examples/$policy.conf"
done

# Somebody who can be reached, for as long as the test runs.
coproc LISTENER { exec python3 "$SOURCE/examples/demo/listener.py" "$SCRATCH/log"; }
exec 3<&"${LISTENER[0]}"
read -r port <&3
reach=(bash -c "exec 5<>/dev/tcp/127.0.0.1/$port")

# ---- minimal: the working directory, and nothing else ------------------------------------------------
printf 'b\na\n' >names.txt
does minimal 'sorting a file in place' sort -o names.txt names.txt
check_same 'minimal: the file is sorted' 'a b ' "$(tr '\n' ' ' <names.txt)"
does minimal 'a pipeline' sh -c 'echo one two | tr " " "\n" | wc -l >count && cat count'
refuses minimal 'reading what is not named' cat /etc/passwd
refuses minimal 'writing beside the working directory' sh -c "echo x >'$SCRATCH/else/file'"
refuses minimal 'running a program of its own' sh -c 'cp /bin/true ./mine && ./mine'
refuses minimal 'a connection' "${reach[@]}"

# ---- agent: a project, no secrets, nothing that runs later ------------------------------------------
if have git; then
	git init -q . 2>/dev/null
	git config user.name Test; git config user.email test@example.org
	mkdir -p .git/hooks sub
	echo password >sub/.env
	does agent 'a commit' sh -c 'echo text >file && git add file && git commit -q -m first && git log --oneline'
	check_same 'agent: the commit is there' first "$(git log --format=%s)"
	refuses agent 'a git hook' sh -c 'echo evil >>.git/hooks/pre-commit && rm .git/hooks/pre-commit'
	refuses agent 'git configuration' git config core.editor evil
	refuses agent 'moving .git away' sh -c 'mv .git g && mv g .git'
	refuses agent 'where .git has its configuration' sh -c 'echo ../else >.git/commondir && rm .git/commondir'
	refuses agent 'the configuration of a submodule' sh -c 'mkdir -p .git/modules/a && echo >.git/modules/a/config && rm -r .git/modules'
	refuses agent 'a link for a submodule' sh -c 'mkdir -p .git/modules && ln -s /tmp .git/modules/a && rm -r .git/modules'
	refuses agent 'a repository below' sh -c 'git init -q below && rm -r below'
	refuses agent 'a file that leads git elsewhere' sh -c 'mkdir led && echo "gitdir: /tmp" >led/.git && rm -r led'
else
	skip 'agent: git' git
fi
refuses agent 'the ssh key' cat "$HOME/.ssh/id_rsa"
refuses agent 'the shell history' cat "$HOME/.bash_history"
refuses agent 'a .env of the project' cat sub/.env
# asked, not tried: where the tests run may lie below a temporary directory, which a tool may write
check_not 'agent refuses: a profile of the home' \
	"$PICKET" explain -p "$SOURCE/examples/agent.conf" write /srv/home/.profile
refuses agent 'a connection' "${reach[@]}"
check_not 'agent: no option re-opens a forbidden secret' \
	"$PICKET" run -q -p "$SOURCE/examples/agent.conf" --read "$HOME/.ssh" -- cat "$HOME/.ssh/id_rsa"
TEST_TOKEN=x refuses agent 'a token in the environment' sh -c '[ -n "$TEST_TOKEN" ]'

# ---- build: compile and test a package ---------------------------------------------------------------
mkdir package && cd package || exit 1
printf '#include <stdio.h>\nint main(void) { return puts("built") < 0; }\n' >main.c
printf 'check: main\n\t./main | grep built\nmain: main.c\n\t%s -O1 -o main main.c\n' "${CC:-gcc}" >Makefile
does build 'make check of a package' make check
check_same 'build: the program works' built "$(./main)"
refuses build 'reading the home' cat "$HOME/.ssh/id_rsa"
refuses build 'writing beside the package' sh -c "echo x >'$SCRATCH/else/file'"
refuses build 'the temp directory at large' sh -c 'f=/tmp/picket-test-$$ && echo x >$f && rm $f'
refuses build 'a connection' "${reach[@]}"

kill "$LISTENER_PID" 2>/dev/null
finish
