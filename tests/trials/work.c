/* SPDX-License-Identifier: MIT */
/* work.c - what the policy allows has to work: without this, "no effect" would prove nothing. */
#include <dirent.h>
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
