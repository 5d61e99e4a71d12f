/* SPDX-License-Identifier: MIT */
/* names.c - attempts by way of what a name means. */
#include "attempt.h"

#include <linux/openat2.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

/* openat2 may take a directory for the root: then "/inner/file" is a name below it. The same name must not be judged
 * from the real root. */
static int another_root(void)
{
	char here[4096], name[8192];
	struct open_how how = { .flags = O_RDONLY, .resolve = RESOLVE_IN_ROOT };
	int top;

	/* ../shut/<here>/plain -> the secret; and /<here>/plain is ours */
	NEED(getcwd(here, sizeof here) ? 0 : -1);
	NEED(close(open("plain", O_CREAT | O_WRONLY, 0600)));
	NEED(top = open("../mirror", O_PATH | O_DIRECTORY));
	snprintf(name, sizeof name, "%s/plain", here);
	return holds_secret((int)syscall(SYS_openat2, top, name, &how, sizeof how));
}

/*
 * A program that we may not write to has a link of ours as its ELF interpreter; and what that leads to is another file, `kept`, which
 * may neither be read nor run, when the kernel follows it. That one says 2, and the program itself 0.
 */
static int interpreter_exchanged(void)
{
	char program[4096] = { 0 };
	int status, won = REFUSED;

	NEED(readlink("/proc/self/exe", program, sizeof program - sizeof "interpreted"));
	strcpy(strrchr(program, '/') + 1, "interpreted");
	NEED(symlink("kept", "other"));
	NEED(symlink("/lib64/ld-linux-x86-64.so.2", "link"));
	pid_t swapper = fork();
	NEED(swapper);
	if (swapper == 0)
		for (;; usleep((useconds_t)rand() % 300))
			renameat2(AT_FDCWD, "link", AT_FDCWD, "other", RENAME_EXCHANGE);
	for (double end = seconds() + 2 * RACE_SECONDS; won == REFUSED && seconds() < end;) {
		pid_t child = fork();
		NEED(child);
		if (child == 0) {
			execl(program, program, (char *)NULL);
			_exit(1);
		}
		NEED(waitpid(child, &status, 0));
		won = WIFEXITED(status) && WEXITSTATUS(status) == 2 ? WORKED : REFUSED;
	}
	kill(swapper, SIGKILL);
	return won;
}

/* A crash writes a file where the crashing process is. */
static int core_file(void)
{
	struct rlimit most;
	int status;

	NEED(getrlimit(RLIMIT_CORE, &most));
	most.rlim_cur = most.rlim_max;
	NEED(setrlimit(RLIMIT_CORE, &most));
	pid_t child = fork();
	NEED(child);
	if (child == 0) {
		NEED(chdir("../shut"));
		abort();
	}
	NEED(waitpid(child, &status, 0));
	return WCOREDUMP(status) ? WORKED : REFUSED;
}

/* ---- the socket of somebody outside, in a directory that we may write ---------------- */

static int connect_to(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, name);
	int r = connect(fd, (struct sockaddr *)&address, sizeof address);
	close(fd);
	return r;
}

static int bind_at(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, name);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 100) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int stranger_plain(void)
{
	connect_to("stranger.sock");
	return WORKED;
}

static int stranger_moved(void)
{
	rename("stranger.sock", "s");
	connect_to("s");
	link("s", "t");
	connect_to("t");
	symlink("t", "u");
	connect_to("u");
	return WORKED;
}

/* By the time of the call another socket has the name. */
static int stranger_exchanged(void)
{
	NEED(bind_at("mine"));
	NEED(link("mine", "name"));
	pid_t child = fork();
	NEED(child);
	while (child == 0) {
		link("stranger.sock", "next");
		rename("next", "name");
		link("mine", "next");
		rename("next", "name");
	}
	for (double end = seconds() + RACE_SECONDS; seconds() < end;)
		connect_to("name");
	return kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child ? WORKED : BROKEN;
}

/* By the end of the bind another socket has the name, and is taken for ours. */
static int stranger_adopted(void)
{
	pid_t child = fork();

	NEED(child);
	while (child == 0) {
		link("stranger.sock", "next");
		rename("next", "name");
	}
	for (double end = seconds() + RACE_SECONDS; seconds() < end;) {
		int fd;
		unlink("name");
		fd = bind_at("name");
		close(fd);
		connect_to("stranger.sock");
	}
	return kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child ? WORKED : BROKEN;
}

/* A bind that fails since somebody else was there first does not make his socket ours. */
static int stranger_first(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "first.sock" };

	for (double end = seconds() + RACE_SECONDS; seconds() < end;) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
			unlink(address.sun_path);
		else
			connect_to(address.sun_path);
		close(fd);
	}
	return WORKED;
}

/* What root may open, and the policy lets be written: everything below /dev. */
static int device_beside(const char *name)
{
	int fd = open(name, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	/* without a guard: there is no such device, or it is for root alone. Root is refused none that there is. */
	if (fd < 0 && !getenv("GUARDED"))
		return geteuid() != 0 || errno == ENOENT || errno == ENXIO || errno == ENODEV ? NOT_HERE : BROKEN;
	if (fd < 0 && errno != EPERM && errno != EACCES)
		return BROKEN;
	return fd < 0 ? REFUSED : WORKED;
}
static int device_screen(void) { return device_beside("/dev/vcsa1"); }
static int device_faults(void) { return device_beside("/dev/userfaultfd"); }
static int device_log(void) { return device_beside("/dev/kmsg"); }
static int device_disks(void) { return device_beside("/dev/loop-control"); }
static int device_network(void) { return device_beside("/dev/net/tun"); }
static int device_linked(void)
{
	NEED(symlink("/dev/fuse", "d"));
	return device_beside("d");
}
static int device_null(void) { return device_beside("/dev/null"); }

/* ---- on the way to what may not be written: top/kept --------------------------------- */

/* Did the call that is over put what is no directory at `top`, or take away what was there? */
static int at_top(int result, mode_t before)
{
	struct stat st;
	int error = errno;
	mode_t now = lstat("top", &st) == 0 ? st.st_mode & S_IFMT : 0;

	if (result == 0)
		return now != before ? WORKED : BROKEN;
	return error == EACCES && now == before ? REFUSED : BROKEN;
}

static int way_link(void) { return at_top(symlink("mine", "top"), 0); }
static int way_file(void)
{
	int fd = open("top", O_CREAT | O_WRONLY, 0600);

	return at_top(fd < 0 ? -1 : 0, 0);
}
static int way_fifo(void) { return at_top(mkfifo("top", 0600), 0); }
static int way_socket(void) { return at_top(bind_at("top") < 0 ? -1 : 0, 0); }
static int way_link_moved(void)
{
	NEED(symlink("mine", "l"));
	return at_top(rename("l", "top"), 0);
}
static int way_link_linked(void)
{
	NEED(symlink("mine", "l"));
	return at_top(link("l", "top"), 0);
}
static int way_link_that_is_there(void) { return at_top(unlink("top"), S_IFLNK); }
static int way_link_that_is_there_moved(void) { return at_top(rename("top", "l"), S_IFLNK); }
static int way_link_that_is_there_replaced(void)
{
	NEED(close(open("f", O_CREAT | O_WRONLY, 0600)));
	return at_top(rename("f", "top"), S_IFLNK);
}
static int way_link_that_is_there_exchanged(void)
{
	NEED(close(open("f", O_CREAT | O_WRONLY, 0600)));
	return at_top(renameat2(AT_FDCWD, "f", AT_FDCWD, "top", RENAME_EXCHANGE), S_IFLNK);
}
static int way_file_that_is_there(void) { return at_top(unlink("top"), S_IFREG); }
static int way_file_that_is_there_written(void)
{
	int fd = open("top", O_WRONLY | O_TRUNC);

	return fd >= 0 ? WORKED : errno == EACCES ? REFUSED : BROKEN;
}
static int way_directory(void)
{
	NEED(mkdir("top", 0700));
	NEED(close(open("top/file", O_CREAT | O_WRONLY, 0600)));
	NEED(symlink("file", "top/link"));
	NEED(rename("top/link", "top/moved"));
	NEED(unlink("top/moved"));
	NEED(unlink("top/file"));
	NEED(chmod("top", 0755));
	NEED(rmdir("top"));
	return WORKED;
}

/* What the kernel says a task is doing (proc(5)); 0: it has ended. */
static char state_of(int stat)
{
	char text[256];
	ssize_t n = pread(stat, text, sizeof text - 1, 0);

	text[n > 0 ? n : 0] = 0;
	char *end = strrchr(text, ')');
	return end ? end[2] : 0;
}

static void stay_on(int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	NEED(sched_setaffinity(0, sizeof set, &set));
}

/* One that renames x, but gets no time to do it: another keeps its processor busy. */
struct slow {
	pid_t pid;
	int go, stat;
};

static struct slow start_slowly(void)
{
	struct sched_param none = { 0 };
	struct slow slow;
	char name[64], byte, x[] = "x", top[] = "top";	/* in memory that nobody shares: nothing else is done before the call */
	int go[2];

	NEED(pipe(go));
	NEED(slow.pid = fork());
	if (slow.pid == 0) {
		close(go[1]);
		stay_on(1);
		sched_setscheduler(0, SCHED_IDLE, &none);
		if (read(go[0], &byte, 1) == 1)
			rename(x, top);
		_exit(0);
	}
	close(go[0]);
	slow.go = go[1];
	snprintf(name, sizeof name, "/proc/%d/stat", (int)slow.pid);
	NEED(slow.stat = open(name, O_RDONLY | O_CLOEXEC));
	while (state_of(slow.stat) != 'S')
		;
	return slow;
}

/* Until the call was let go, as far as can be seen: unguarded it is never stopped. */
static void let_go(const struct slow *slow)
{
	bool judged = false;
	char state;

	NEED(write(slow->go, "", 1));
	for (double late = seconds() + 0.2; getenv("GUARDED") && seconds() < late && (state = state_of(slow->stat));) {
		judged |= state == 't';
		if (judged && state == 'R')
			return;
	}
}

static void end_slowly(const struct slow *slow)
{
	waitpid(slow->pid, NULL, 0);
	close(slow->stat), close(slow->go);
}

static pid_t keep_busy(void)
{
	pid_t child = fork();

	NEED(child);
	if (child == 0)
		stay_on(1);
	while (child == 0)
		;
	return child;
}

/* A directory is put in the place of a file after it was said that this may be moved. */
static void exchange_behind(void)
{
	struct slow mover = start_slowly();
	pid_t busy = keep_busy();

	NEED(close(open("x", O_CREAT | O_WRONLY, 0600)));
	let_go(&mover);
	unlink("x"), mkdir("x", 0700), mkdir("x/kept", 0700);
	NEED(kill(busy, SIGKILL));
	end_slowly(&mover);
	waitpid(busy, NULL, 0);
}

static int way_exchanged_after(void)
{
	struct stat st;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		return NOT_HERE;
	stay_on(0);
	for (double end = seconds() + 2 * RACE_SECONDS; seconds() < end;) {
		exchange_behind();
		if (lstat("top", &st) == 0 && S_ISDIR(st.st_mode))
			return WORKED;
		rmdir("x/kept"), rmdir("x"), unlink("x"), unlink("top");
	}
	return REFUSED;
}

static const struct row rows[] = {
	{ GETS_OUT, "way_link", way_link },
	{ GETS_OUT, "way_file", way_file },
	{ GETS_OUT, "way_fifo", way_fifo },
	{ GETS_OUT, "way_socket", way_socket },
	{ GETS_OUT, "way_link_moved", way_link_moved },
	{ GETS_OUT, "way_link_linked", way_link_linked },
	{ GETS_OUT, "way_link_that_is_there_exchanged", way_link_that_is_there_exchanged },
	{ GETS_OUT, "way_link_that_is_there", way_link_that_is_there },
	{ GETS_OUT, "way_link_that_is_there_moved", way_link_that_is_there_moved },
	{ GETS_OUT, "way_link_that_is_there_replaced", way_link_that_is_there_replaced },
	{ GETS_OUT, "way_file_that_is_there", way_file_that_is_there },
	{ GETS_OUT, "way_file_that_is_there_written", way_file_that_is_there_written },
	{ HAS_TO_WORK, "way_directory", way_directory },
	{ GETS_OUT, "way_exchanged_after", way_exchanged_after },
	{ IS_HEARD, "stranger_plain", stranger_plain },
	{ IS_HEARD, "stranger_moved", stranger_moved },
	{ IS_HEARD, "stranger_exchanged", stranger_exchanged },
	{ IS_HEARD, "stranger_adopted", stranger_adopted },
	{ IS_HEARD, "stranger_first", stranger_first },
	{ GETS_OUT, "another_root", another_root },
	{ GETS_OUT, "interpreter_exchanged", interpreter_exchanged },
	{ GETS_OUT, "core_file", core_file },
	{ GETS_OUT, "device_screen", device_screen },
	{ GETS_OUT, "device_faults", device_faults },
	{ GETS_OUT, "device_log", device_log },
	{ GETS_OUT, "device_disks", device_disks },
	{ GETS_OUT, "device_network", device_network },
	{ GETS_OUT, "device_linked", device_linked },
	{ HAS_TO_WORK, "device_null", device_null },
};
MAIN(rows)
