#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Ordinary programs do not notice the guard: each does its work bare and under the profile workstation, at each level, in
# a fresh directory of the same name; output, exit status and the files it leaves must be the same.
#   test_real_programs.sh [NAME...]      all, or those named
#   LEVELS="ptrace seccomp"              the levels to try
# shellcheck disable=SC2317 # cases are called by name
# A case is a function case_NAME, run in that directory; `prepare_NAME` first sets it up, unguarded. terminal_NAME
# instead prints the steps for terminal.py, and command_NAME the command that gets the terminal.

# ---- the cases ---------------------------------------------------------------------------------------

case_git() {
	git init -q repo && cd repo || return
	printf 'one\n' >a; mkdir sub; printf 'two\n' >sub/b; ln -s a link
	git add . && git commit -q -m 'first commit' && git tag v1
	printf 'three\n' >>a; git mv sub/b sub/c; git commit -qam second
	git status --short --branch; git log --format='%h %an %s' --stat
	git checkout -q -b side v1 && git merge -q -m merged master && git gc -q && git fsck
	cd .. && git clone -q repo copy && cd copy && git log --oneline && git diff v1 --stat
}

# In the working directory itself, whose .git/config and .git/hooks are protected.
prepare_git_here() { git init -q . && mkdir -p .git/hooks && echo a >a; }
case_git_here() {
	git add a && git commit -q -m here && git status --short && git log --format=%s
	git worktree add -q wt && (cd wt && echo b >b && git add b && git commit -q -m there && git log --format=%s)
	git worktree list --porcelain | grep -c ^worktree; git worktree remove wt
}

make_project() {
	local i
	for i in 1 2 3 4; do printf 'int f%d(int x);\nint f%d(int x) { return x * %d; }\n' "$i" "$i" "$i" >"f$i.c"; done
	cat >main.c <<-'END'
		#include <math.h>
		#include <stdio.h>
		int f1(int), f2(int), f3(int), f4(int);
		int main(void) { return printf("%d %.3f\n", f1(1) + f2(2) + f3(3) + f4(4), sqrt(2)) < 0; }
	END
	printf 'OBJ = f1.o f2.o f3.o f4.o main.o\nprog: $(OBJ)\n\t$(CC) -o $@ $(OBJ) -lm\n' >Makefile
}
prepare_make_gcc() { make_project; }
case_make_gcc() { make -s -j2 CC=gcc CFLAGS='-O2 -pipe' && ./prog && make -s && rm main.o && make -s CC=gcc CFLAGS=-O0 && ./prog; }
prepare_make_clang() { make_project; }
case_make_clang() { make -s -j2 CC=clang CFLAGS=-O2 && ./prog; }

case_python_venv() {
	# shellcheck disable=SC1091	# made here
	python3 -m venv env && env/bin/python -c 'import sys; print(sys.prefix)' && env/bin/pip --version &&
		. env/bin/activate && command -v python
}
case_python_subprocess() {
	python3 - <<-'END'
		import os, signal, subprocess
		print(subprocess.run(["sort"], input="b\na\n", capture_output=True, text=True))
		print(subprocess.run("exit 7", shell=True).returncode)
		first = subprocess.Popen(["printf", "x\\ny\\n"], stdout=subprocess.PIPE)
		print(subprocess.check_output(["wc", "-l"], stdin=first.stdout).strip(), first.wait())
		child = subprocess.Popen(["sleep", "60"], start_new_session=True, close_fds=True, cwd="/")
		os.killpg(child.pid, signal.SIGTERM)
		print(child.wait())
		try:
			subprocess.run(["sleep", "60"], timeout=0.1)
		except subprocess.TimeoutExpired as e:
			print("timeout", e.timeout)
		try:
			subprocess.run(["/nonexistent"])
		except FileNotFoundError as e:
			print(e)
	END
}
case_python_multiprocessing() {
	cat >work.py <<-'END'
		import multiprocessing as m
		from concurrent.futures import ProcessPoolExecutor
		def square(n): return n * n
		def put(queue, value, lock):
		    with lock: value.value += 1
		    queue.put("there")
		if __name__ == "__main__":
		    for method in "fork", "spawn", "forkserver":
		        c = m.get_context(method)
		        with c.Pool(3) as pool: print(method, sum(pool.map(square, range(1000))))
		    queue, value, lock = m.Queue(), m.Value("i", 0), m.Lock()
		    all = [m.Process(target=put, args=(queue, value, lock)) for _ in range(4)]
		    [p.start() for p in all]; [queue.get() for _ in all]; [p.join() for p in all]
		    print(value.value)
		    with ProcessPoolExecutor(2) as pool: print(list(pool.map(square, range(5))))
	END
	python3 work.py
}
case_python_asyncio() {
	python3 - <<-'END'
		import asyncio, signal, os
		async def main():
		    p = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
		    print(await p.communicate(b"through a pipe"))
		    print(await asyncio.gather(*(asyncio.to_thread(sum, range(n)) for n in (10, 100, 1000))))
		    got = asyncio.Event()
		    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, got.set)
		    os.kill(os.getpid(), signal.SIGUSR1)
		    await got.wait()
		    async def slow(): await asyncio.sleep(60)
		    try: await asyncio.wait_for(slow(), 0.05)
		    except asyncio.TimeoutError: print("timeout")
		asyncio.run(main())
	END
}
case_python_sqlite3() {
	python3 - <<-'END'
		import sqlite3
		for mode in "delete", "wal":
		    db = sqlite3.connect(mode + ".db")
		    print(db.execute("pragma journal_mode=" + mode).fetchone())
		    db.execute("create table t (k integer primary key, v text)")
		    with db: db.executemany("insert into t (v) values (?)", [(str(i),) for i in range(500)])
		    try:
		        with db: db.execute("insert into t values (1, 'again')")
		    except sqlite3.IntegrityError as e: print(e)
		    print(db.execute("select count(*), sum(v) from t").fetchone())
		    db.close()
	END
}
case_node() {
	cat >main.js <<-'END'
		const fs = require('fs'), { execFileSync, spawn } = require('child_process');
		const { Worker, isMainThread, parentPort } = require('worker_threads');
		if (!isMainThread) { parentPort.postMessage('from a worker'); return; }
		fs.mkdirSync('d/e', { recursive: true });
		fs.writeFileSync('d/e/f', 'text'); fs.renameSync('d/e/f', 'd/g'); fs.symlinkSync('g', 'd/l');
		console.log(fs.readdirSync('d'), fs.readFileSync('d/l', 'utf8'));
		console.log(execFileSync('sort', { input: 'b\na\n' }).toString());
		spawn('sh', ['-c', 'exit 3']).on('exit', code => {
			console.log('exit', code);
			new Worker(__filename).on('message', message => {
				console.log(message);
				fs.promises.readFile('/nonexistent').catch(e => console.log(e.code));
			});
		});
	END
	node main.js
}
case_npm() {
	mkdir -p lib app
	echo '{"name":"lib","version":"1.0.0","main":"m.js","bin":{"libtool":"m.js"},"scripts":{"postinstall":"node -e \"fs.writeFileSync(process.env.INIT_CWD+String.fromCharCode(47,110),String(1))\""}}' >lib/package.json
	printf '#!/usr/bin/env node\nconsole.log("from lib");\n' >lib/m.js
	(cd lib && npm pack --silent) && cd app || return
	echo '{"name":"app","version":"1.0.0","scripts":{"hello":"node -p 6*7","prehello":"echo before"}}' >package.json
	npm install --offline --no-audit --no-fund --silent ../lib/lib-1.0.0.tgz && npm run --silent hello &&
		npx --offline libtool && node -e 'require("lib")'
}
prepare_tar() { mkdir -p in/sub; seq 5000 >in/numbers; ln in/numbers in/sub/hard; ln -s ../numbers in/sub/soft; chmod 640 in/numbers; }
case_tar() {
	tar -czf a.tgz --mtime=@0 --sort=name in && tar -tzf a.tgz && mkdir gz bz && tar -xzf a.tgz -C gz &&
		tar -cj --mtime=@0 in | tar -xj -C bz && diff -r gz/in bz/in && tar -d -f <(tar -c in)
}
prepare_find() { mkdir -p t/{a,b/{c,d}} && touch t/a/1.txt t/b/2.txt t/b/c/3.log t/b/d/4.txt && touch -d @0 t/a/1.txt; }
case_find() {
	find t -name '*.txt' -print0 | sort -z | xargs -0 -n1 -P1 basename
	find t -type f -newer t/a/1.txt -exec sh -c 'echo "$@" | wc -w' x {} +
	find t -name '*.log' -delete; find t -type d -empty -print; find t -perm -u+w -printf '%y %P\n' | sort
}
prepare_rsync() { mkdir -p src/sub; seq 3000 >src/one; echo two >src/sub/two; ln -s one src/link; chmod 600 src/sub/two; touch -d @1000 src/one; }
case_rsync() { rsync -a src/ dst && echo more >>src/one && touch -d @2000 src/one && rsync -aic --delete src/ dst && diff -r src dst; }
prepare_sed() { seq 20 >numbers; ln -s numbers link; }
# shellcheck disable=SC2012	# what ls says of it is asked
case_sed() { sed -i.bak 's/1/one/g; 5d' numbers && sed -i --follow-symlinks '$a end' link && cat numbers; ls -l link | cut -c1; }
case_bash() {
	set -m
	sleep 60 & kill -STOP %1; wait %1; echo "status $?"; jobs; kill -CONT %1; kill %1; wait %1; echo "status $?"
	set +m
	diff <(seq 3) <(seq 2 4); tee >(wc -l >count) <<<here >/dev/null
	cat <<-END
		a here document of $((6 * 7)) lines: $(seq 2000 | md5sum)
	END
	cat < <(printf 'x%.0s' {1..100000}) | wc -c
	coproc CAT { cat; }; echo ping >&"${CAT[1]}"; read -r answer <&"${CAT[0]}"; echo "$answer"
	eval "exec ${CAT[1]}>&-"
	trap 'echo trapped' USR1; kill -USR1 $$; (exit 5) || echo "subshell $?"; sh -c 'kill -9 $$'; echo "killed $?"
	exec 9>out; echo via nine >&9; exec 9>&-; ulimit -n 64; umask 077; mkdir m; umask
	wait; while [ ! -s count ]; do :; done; cat count; exec -a renamed bash -c 'echo $0'
}
case_perl() {
	perl -we 'use strict; use File::Temp; use Fcntl ":flock"; open my $f, "+>", "file" or die; flock $f, LOCK_EX or die;
		print $f "text\n"; close $f; rename "file", "renamed" or die; my @l = `ls`; print @l;
		defined(my $p = fork) or die; exit 3 unless $p; waitpid $p, 0; print $? >> 8, "\n";
		pipe my $r, my $w; local $SIG{ALRM} = sub { print $w "alarm\n"; close $w }; alarm 1; my $got = <$r> // <$r>; print $got;
		print -e "/nonexistent" ? 1 : 0, " $!\n";'
}
prepare_go() {
	printf 'module example.org/hello\n\ngo 1.18\n' >go.mod
	cat >main.go <<-'END'
		package main

		import (
			"fmt"
			"os"
			"os/exec"
			"sync"
		)

		func main() {
			var wait sync.WaitGroup
			sums := make([]int, 50)
			for i := range sums {
				wait.Add(1)
				go func(i int) {
					defer wait.Done()
					name := fmt.Sprintf("go-%d", i)
					if os.WriteFile(name, []byte(name), 0600) == nil {
						data, _ := os.ReadFile(name)
						sums[i] = len(data)
						os.Remove(name)
					}
				}(i)
			}
			wait.Wait()
			out, err := exec.Command("echo", "from a child").Output()
			fmt.Print(sums, string(out), err, "\n")
			_, err = os.Open("/nonexistent")
			fmt.Println(err)
		}
	END
}
case_go() { go build -o hello . && ./hello; }
case_musl_static() {
	printf '#include <stdio.h>\n#include <unistd.h>\nint main(void) { FILE *f = fopen("made", "w"); fputs("musl\\n", f); fclose(f); return puts(access("made", R_OK) ? "no" : "yes") < 0; }\n' >m.c
	musl-gcc -static -O1 -o m m.c && ./m && ldd ./m 2>&1 | sed 's/^[[:space:]]*//'
}
case_threads() { "$BUILD/tests/helpers/threads" 200 && "$BUILD/tests/helpers/threads" 50; }
case_coreutils() {
	seq 1000 | sort -rn -S1M -T. | head -n 3; seq 9 | split -l 4 - part; paste part*; md5sum part*; ls -la / >/dev/null
	seq 20 | xargs -P4 -n5 sh -c 'echo $#' x; dd if=/dev/zero of=z bs=64k count=4 status=none; du -b z | cut -f1
	cp -a part* "$PWD" 2>&1 | wc -l; mkdir d; mv partaa d; cp -r d e; rm -r d; install -m 700 partab f; stat -c %a f
	touch -d @1000000000 f; date -u -r f +%F; df . >/dev/null; id -un; timeout 0.1 sleep 60; echo "timeout $?"; mkfifo p
	cat p & echo through a fifo >p; wait; truncate -s 10 z; gzip -kn f; zcat f.gz; nproc >/dev/null; ps >/dev/null; env -i /bin/pwd
}
case_terminals() {
	script -qec 'tty | cut -c1-9; echo to the terminal >/dev/tty; echo by name >"$(tty)"' /dev/null </dev/null
	python3 -c 'import pty; pty.spawn(["sh", "-c", "echo x >$(tty); echo y >/dev/tty"])' </dev/null
	tmux -S socket -f /dev/null new-session -d 'tty | cut -c1-9 >inside; echo by name >"$(tty)"; tmux -S socket wait-for -S over' \; \
		wait-for over
	cat inside; rm -f socket
}

terminal_vim() { printf '%s\n' '"note"=>ihello from vim\x1b' 'vim=>:w\r' 'written=>:!echo shell-$((6*7))\r' 'shell-42=>\r' '~=>:q\r'; }
command_vim() { echo 'vim -u NONE -N --noplugin note'; }

# Ctrl-Z, jobs, fg and Ctrl-C of an interactive shell. The job says when it is ready for the next key.
prepare_shell() { printf 'trap "echo continued" CONT\necho started\nwhile :; do sleep 0.1; done\n' >job; }
terminal_shell() {
	printf '%s\n' 'ready$=>bash job\r' 'started=>\x1a' 'ready$=>jobs >jobs\r' 'ready$=>fg\r' 'continued=>\x03' \
		'ready$=>echo "status $?" >status; stty size >size; tty | cut -c1-5 >tty\r' 'ready$=>exit 4\r'
}
command_shell() { echo 'env PS1=ready$ bash --norc --noprofile -i'; }

CASES='git:git git_here:git make_gcc:gcc make_clang:clang python_venv:python3,ensurepip python_subprocess:python3
	python_multiprocessing:python3 python_asyncio:python3 python_sqlite3:python3 node:node npm:npm tar:bzip2 find:find
	rsync:rsync sed:sed bash:bash perl:perl go:go musl_static:musl-gcc threads:gcc coreutils:sort terminals:script,tmux,python3 vim:vim,python3
	shell:python3'

if [ "${1:-}" = --case ]; then "case_$2"; exit; fi

# ---- running and comparing ------------------------------------------------------------------------------

. "$(dirname "$0")/lib.sh"
make_scratch
W=$SCRATCH/w
export PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=$W/home LANG=C.UTF-8 BUILD TZ=UTC
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.org
export GIT_AUTHOR_DATE='@1000000000 +0000' GIT_COMMITTER_DATE='@1000000000 +0000' GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
export GOFLAGS=-mod=mod GOTOOLCHAIN=local npm_config_update_notifier=false
unset XDG_CACHE_HOME XDG_CONFIG_HOME PYTHONPATH MAKEFLAGS MFLAGS MAKELEVEL CC CFLAGS
umask 022

# Every file with its kind, mode, target and contents, but for what holds times: git's index, byte code, caches.
manifest() {
	(cd "$1" && find . -path ./home -prune -o ! -name '*.pyc' ! -name '*.db' ! -path '*/.git/index' \
		! -path '*/.git/logs/*' -printf '%p %y %m %l\n' | sort
	find . -path ./home -prune -o -type f ! -name '*.pyc' ! -name '*.db' ! -path '*/.git/index' ! -path '*/.git/logs/*' \
		! -name '*.tgz' ! -name .package-lock.json -print0 | sort -z | xargs -0r sha256sum)
}

# run_case NAME [picket's words...]: in a fresh $W; leaves $SCRATCH/got: output, status, manifest.
run_case() {
	local name=$1 status
	shift
	rm -rf "$W" "$SCRATCH/got"
	mkdir -p "$W" "$HOME" "$SCRATCH/got" && cd "$W" || exit 1
	if declare -F "prepare_$name" >/dev/null; then "prepare_$name" >/dev/null 2>&1; fi
	if declare -F "terminal_$name" >/dev/null; then
		# shellcheck disable=SC2046 # the words of a command
		timeout 120 python3 "$SOURCE/tests/terminal.py" "$("terminal_$name")" "$@" $("command_$name") \
			>"$SCRATCH/got/screen" 2>&1 </dev/null
		status=$?
	else
		timeout 120 "$@" bash "$SOURCE/tests/test_real_programs.sh" --case "$name" \
			>"$SCRATCH/got/output" 2>"$SCRATCH/got/errors" </dev/null
		status=$?
	fi
	echo "status $status" >"$SCRATCH/got/status"
	manifest "$W" >"$SCRATCH/got/manifest" 2>&1
	cd "$SCRATCH" || exit 1
}

declare -A table
levels_here
wanted=" $* "
shown=
for entry in $CASES; do
	name=${entry%%:*}
	[ "$wanted" = '  ' ] || [[ $wanted = *" $name "* ]] || continue
	shown+=" $name"
	lack=
	for need in $(tr , ' ' <<<"${entry#*:}"); do
		case $need in
		ensurepip) python3 -c 'import ensurepip' 2>/dev/null || lack=python3-venv ;;
		*) have "$need" || lack=$need ;;
		esac
	done
	if [ -n "$lack" ]; then
		skip "$name" "$lack"
		for level in $LEVELS_HERE; do table[$name,$level]=skipped; done
		continue
	fi
	run_case "$name"
	rm -rf "$SCRATCH/bare"; mv "$SCRATCH/got" "$SCRATCH/bare"
	if [ "$(cat "$SCRATCH/bare/status")" = 'status 99' ] || grep -qE 'status (124|127)' "$SCRATCH/bare/status"; then
		not_ok "$name: works bare" <"$SCRATCH/bare/$([ -e "$SCRATCH/bare/screen" ] && echo screen || echo errors)"
		continue
	fi
	for level in $LEVELS_HERE; do
		run_case "$name" "$PICKET" run -q --profile workstation --enforce "$level" -C "$W" --result "$SCRATCH/result.json" --
		difference=$(diff -r -x screen -x errors "$SCRATCH/bare" "$SCRATCH/got")
		if [ -z "$difference" ]; then
			ok "$name at $level"; table[$name,$level]=same
		else
			not_ok "$name at $level" < <(echo "$difference" | head -n 30; tail -n 5 "$SCRATCH"/got/{errors,screen} 2>/dev/null
				jq -r '.sandbox_violations[]' "$SCRATCH/result.json" 2>/dev/null | head -n 10)
			table[$name,$level]=DIFFERS
		fi
	done
done

echo '# table'
printf '     %-24s' program; for level in $LEVELS_HERE; do printf '%10s' "$level"; done; echo
for name in $shown; do
	printf '     %-24s' "$name"
	for level in $LEVELS_HERE; do printf '%10s' "${table[$name,$level]:-broken}"; done; echo
done
echo '# end'
finish
