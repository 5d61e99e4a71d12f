/* SPDX-License-Identifier: MIT */
/* work.c - what the policy allows has to work: without this, "no effect" would prove nothing. */
#include <dirent.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/xattr.h>

#include "trials.h"

static void reach_if(bool good)
{
	if (good)
		reach();
}

TRIAL(work_files, WORK, 0, "files and directories inside: make, read, link, rename, change, remove")
{
	struct stat status;
	make_file("f", "text");
	bool good = mkdir("d", 0755) == 0 && symlink("../f", "d/s") == 0 && link("f", "d/h") == 0 &&
		    rename("d/h", "g") == 0 && chmod("g", 0600) == 0 && truncate("g", 2) == 0 &&
		    stat("d/s", &status) == 0 && status.st_size == 2 && utimensat(AT_FDCWD, "g", NULL, 0) == 0 &&
		    renameat2(AT_FDCWD, "f", AT_FDCWD, "g", RENAME_EXCHANGE) == 0 && unlink("d/s") == 0 &&
		    rmdir("d") == 0;
	reach_if(good && unlink("f") == 0 && unlink("g") == 0);
}

TRIAL(work_names, WORK, 0, "relative names, directory descriptors, symbolic links and .. that stay allowed")
{
	mkdir("d", 0755);
	mkdir("d/e", 0755);
	make_file("d/e/f", "x");
	symlink("../d/e", "d/up");
	int directory = open("d", O_RDONLY | O_DIRECTORY);
	reach_if(openat(directory, "e/../e/f", O_RDONLY) >= 0 && openat(directory, "up/f", O_RDWR) >= 0 &&
		 chdir("d/e") == 0 && open("../../d/e/f", O_RDONLY) >= 0 && open(IN("d/e/f"), O_RDONLY) >= 0 &&
		 open("/proc/self/cwd/f", O_RDONLY) >= 0 && fchdir(directory) == 0 && access("e/f", R_OK) == 0);
}

TRIAL(work_shown, WORK, 0, "reading what is only readable, and the system's programs")
{
	char buffer[64];
	int fd = open(here.page, O_RDONLY);
	DIR *programs = opendir("/usr/bin");
	reach_if(fd >= 0 && read(fd, buffer, sizeof(buffer)) > 0 && programs != NULL && readdir(programs) != NULL);
}

TRIAL(work_proc, WORK, 0, "its own /proc")
{
	reach_if(open("/proc/self/maps", O_RDONLY) >= 0 && open("/proc/self/status", O_RDONLY) >= 0 &&
		 open("/proc/thread-self/stat", O_RDONLY) >= 0);
}

TRIAL(work_programs, WORK, 0, "running programs that are allowed, static and dynamic, and a shell")
{
	run("/bin/sh", "-c", "echo inner >made && /usr/bin/cat made >/dev/null && /usr/bin/true && touch ran", NULL);
	reach_if(access("ran", F_OK) == 0);
}

static void *nothing(void *argument)
{
	return argument;
}

TRIAL(work_processes, WORK, 0, "threads, processes, pipes, socket pairs, signals among themselves")
{
	int ends[2], pair[2], good = 0;
	pthread_t threads[20];
	for (int i = 0; i < 20; i++)
		pthread_create(&threads[i], NULL, nothing, NULL);
	for (int i = 0; i < 20; i++)
		pthread_join(threads[i], NULL);
	if (pipe(ends) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return;
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();
		if (child == 0) {
			good = write(ends[1], "x", 1) == 1 && write(pair[1], "y", 1) == 1;
			pause();
			_exit(good ? 0 : 1);
		}
		char letter;
		good += read(ends[0], &letter, 1) == 1 && read(pair[0], &letter, 1) == 1 && kill(child, SIGTERM) == 0;
		wait_for(child);
	}
	reach_if(good == 20);
}

TRIAL(work_editor, WORK, 0, "a file replaced as editors do: written beside it, locked, synced, moved over")
{
	struct stat before, after;
	char beside[] = "text.XXXXXX";
	make_file("text", "old");
	int fd = mkstemp(beside), other = open("text", O_RDWR);
	bool good = fstat(other, &before) == 0 && flock(other, LOCK_EX) == 0 && write(fd, "new", 3) == 3 &&
		    fchmod(fd, before.st_mode & 0777) == 0 && fsync(fd) == 0 && link("text", "text~") == 0 &&
		    rename(beside, "text") == 0 && stat("text", &after) == 0 && fstat(fd, &before) == 0;
	struct flock range = {.l_type = F_WRLCK, .l_len = 3};
	good &= fcntl(fd, F_OFD_SETLK, &range) == 0 && open("text", O_CREAT | O_EXCL, 0600) < 0 && errno == EEXIST;
	reach_if(good && before.st_ino == after.st_ino && unlink("text~") == 0 && unlink("text") == 0);
}

TRIAL(work_events, WORK, 0, "inotify, epoll, eventfd, signalfd and timers")
{
	sigset_t set;
	uint64_t count;
	char text[512];
	struct signalfd_siginfo told;
	struct epoll_event event = {.events = EPOLLIN};
	struct itimerspec soon = {.it_value.tv_nsec = 1000000};
	int watch = inotify_init1(0), poll = epoll_create1(0), number = eventfd(0, 0);
	int timer = timerfd_create(CLOCK_MONOTONIC, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	bool good = sigprocmask(SIG_BLOCK, &set, NULL) == 0 && kill(getpid(), SIGUSR1) == 0 &&
		    read(signalfd(-1, &set, 0), &told, sizeof(told)) == sizeof(told) &&
		    told.ssi_pid == (uint32_t)getpid();
	good &= inotify_add_watch(watch, ".", IN_CREATE) > 0 && mkdir("new", 0755) == 0 &&
		read(watch, text, sizeof(text)) > 0 && strcmp(((struct inotify_event *)(void *)text)->name, "new") == 0;
	good &= epoll_ctl(poll, EPOLL_CTL_ADD, number, &event) == 0 && eventfd_write(number, 3) == 0 &&
		epoll_wait(poll, &event, 1, 5000) == 1 && timerfd_settime(timer, 0, &soon, NULL) == 0 &&
		read(timer, &count, sizeof(count)) == sizeof(count);
	reach_if(good);
}

TRIAL(work_sockets, WORK, 0, "UNIX sockets with names inside, a descriptor sent through one")
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
	char letter = 'x', control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec text = {&letter, 1};
	struct msghdr message = {
		.msg_iov = &text, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
	int sent = open(here.page, O_RDONLY), received = -1;
	if (bind(server, (struct sockaddr *)&name, sizeof(name)) != 0 || listen(server, 4) != 0 ||
	    connect(client, (struct sockaddr *)&name, sizeof(name)) != 0)
		return;
	int peer = accept(server, NULL, NULL);
	struct cmsghdr *part = CMSG_FIRSTHDR(&message);
	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(part), &sent, sizeof(sent));
	if (sendmsg(client, &message, 0) != 1 || recvmsg(peer, &message, 0) != 1)
		return;
	memcpy(&received, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(received));
	reach_if(read(received, &letter, 1) == 1 && letter == 'p' && unlink("socket") == 0);
}

/* The exit status of a child, or -1. */
static int status_of(pid_t child)
{
	int status;
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TRIAL(work_spawn, WORK, 0, "posix_spawn, popen, system, vfork, fexecve, a child that stops")
{
	char *const arguments[] = {"sh", "-c", "exit 7", NULL};
	char line[16] = "";
	int status;
	pid_t child = 0;
	bool good = posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, here.environment) == 0 &&
		    status_of(child) == 7 && WEXITSTATUS(system("exit 3")) == 3;
	FILE *said = popen("echo said", "r");
	good &= said != NULL && fgets(line, sizeof(line), said) != NULL && strcmp(line, "said\n") == 0 &&
		pclose(said) == 0;
	child = vfork();
	if (child == 0) {
		execl("/usr/bin/false", "false", NULL);
		_exit(9);
	}
	good &= status_of(child) == 1;
	child = fork();
	if (child == 0) {
		fexecve(open("/usr/bin/true", O_RDONLY | O_CLOEXEC), (char *const[]){"true", NULL}, here.environment);
		_exit(9);
	}
	good &= status_of(child) == 0;
	child = fork();
	if (child == 0) {
		raise(SIGSTOP);
		_exit(4);
	}
	good &= waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) && kill(child, SIGCONT) == 0;
	reach_if(good && status_of(child) == 4 && execl("/usr/bin/none", "none", NULL) < 0 && errno == ENOENT);
}

TRIAL(work_memory, WORK, 0, "shared mappings of a file, a memory file, code made at run time")
{
	static const unsigned char code[] = {0xb8, 0x2a, 0, 0, 0, 0xc3}; /* mov $42,%eax; ret */
	int fd = open("mapped", O_RDWR | O_CREAT, 0600), memory = memfd_create("memory", MFD_ALLOW_SEALING);
	if (ftruncate(fd, 8192) != 0 || ftruncate(memory, 4096) != 0)
		return;
	char *text = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), letter = 0;
	pid_t child = fork();
	if (child == 0) {
		text[4096] = 'c';
		_exit(0);
	}
	wait_for(child);
	bool good = msync(text, 8192, MS_SYNC) == 0 && pread(fd, &letter, 1, 4096) == 1 && letter == 'c' &&
		    fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK) == 0;
	void *made = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(made, code, sizeof(code));
	reach_if(good && mprotect(made, 4096, PROT_READ | PROT_EXEC) == 0 && ((int (*)(void))made)() == 42 &&
		 munmap(text, 8192) == 0);
}
