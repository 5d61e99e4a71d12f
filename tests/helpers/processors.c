/* SPDX-License-Identifier: MIT */
/*
 * processors.c - which processors a program, its threads and its children are told that they may run on, while it makes call
 * after call: each different answer once, on a line of its own.
 *   processors OPENS
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWERS_MOST = 16, ANSWER_SIZE = 256 };

/* Shared with all children; they come one after the other, but for the watcher, who has a table of its own. */
static struct table {
	int count;
	char text[ANSWERS_MOST][ANSWER_SIZE];
} * answers;

static void note(const char *text)
{
	for (int i = 0; i < answers->count; i++)
		if (strcmp(answers->text[i], text) == 0)
			return;
	if (answers->count < ANSWERS_MOST)
		snprintf(answers->text[answers->count++], ANSWER_SIZE, "%s", text);
}

static void ask(pid_t pid)
{
	cpu_set_t set;
	char text[ANSWER_SIZE] = "may run on";
	size_t used = strlen(text);

	if (sched_getaffinity(pid, sizeof set, &set) < 0)
		return;
	for (int i = 0; i < CPU_SETSIZE && used < sizeof text - 8; i++)
		if (CPU_ISSET(i, &set))
			used += (size_t)snprintf(text + used, sizeof text - used, " %d", i);
	note(text);
}

/* The file stays open, and is read again and again. */
static void read_status(FILE *status)
{
	char line[ANSWER_SIZE];

	rewind(status);
	while (fgets(line, sizeof line, status))
		if (strncmp(line, "Cpus_allowed_list:", 18) == 0)
			note(strtok(line, "\n"));
}

static void *thread(void *unused)
{
	ask(0);
	return unused;
}

static void child(void)
{
	ask(0);
	FILE *status = fopen("/proc/self/status", "r");
	if (status)
		read_status(status);
	_exit(0);
}

static void open_often(int times)
{
	for (int i = 0; i < times; i++)
		close(open("/dev/null", O_RDONLY));
}

static void read_status_of(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	FILE *status = fopen(path, "r");
	if (status) {
		read_status(status);
		fclose(status);
	}
}

/* One who waits for a child, which asks of him and of those before him, by the call or by the file: nobody may have asked before
 * about anybody whom it reads about. */
static void wait_for_asker(bool by_file, int depth)
{
	pid_t before = getppid(), parent = getpid(), child;

	open_often(20);
	child = fork();
	if (child == 0 && depth > 0) {
		wait_for_asker(by_file, depth - 1);
	} else if (child == 0) {
		open_often(20);
		by_file ? read_status_of(parent) : ask(parent);
		open_often(20);
		by_file ? read_status_of(before) : ask(before);
	} else {
		waitpid(child, NULL, 0);
		ask(0);
	}
	if (child == 0)
		_exit(0);
}

/* One who asks about a child that has hardly begun. */
static void ask_of_newborn(bool by_file)
{
	open_often(20);
	pid_t child = fork();
	if (child == 0) {
		open_often(2);
		_exit(0);
	}
	by_file ? read_status_of(child) : ask(child);
	waitpid(child, NULL, 0);
}

static void in_a_child(void (*work)(bool by_file), bool by_file)
{
	pid_t pid = fork();

	if (pid == 0) {
		work(by_file);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void families(bool by_file)
{
	wait_for_asker(by_file, 0);
	wait_for_asker(by_file, 2);
}

static struct table *new_table(void)
{
	void *at = mmap(NULL, sizeof *answers, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? exit(1), NULL : at;
}

static void print(const struct table *table)
{
	for (int i = 0; i < table->count; i++)
		puts(table->text[i]);
}

int main(int argc, char **argv)
{
	long opens = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
	pid_t self = getpid();
	struct table *mine = new_table(), *watchers = new_table();
	pthread_t id;

	answers = mine;
	for (long i = 0; i < opens; i++) {
		close(open(i % 2 ? "/dev/null" : "/nowhere", O_RDONLY));
		if (i % 64 == 63)
			ask(0);
		if (i % 1024 == 1023 && pthread_create(&id, NULL, thread, NULL) == 0)
			pthread_join(id, NULL);
		if (i % 256 == 255) {
			pid_t pid = fork();
			if (pid == 0)
				child();
			waitpid(pid, NULL, 0);
		}
	}
	for (long i = 0; i < opens / 512; i++) {
		in_a_child(families, i % 2);
		in_a_child(ask_of_newborn, i % 2);
	}
	/* somebody else of the run asks while we go on */
	pid_t watcher = fork();
	answers = watchers;
	if (watcher == 0)
		for (;;)
			ask(self);
	while (*(volatile int *)&watchers->count == 0)
		sched_yield();
	for (long i = 0; i < opens / 4; i++)
		close(open("/dev/null", O_RDONLY));
	kill(watcher, SIGKILL);
	waitpid(watcher, NULL, 0);
	answers = mine;
	FILE *status = fopen("/proc/self/status", "r");
	for (long i = 0; status && i < opens / 16; i++) {
		close(open("/dev/null", O_RDONLY));
		read_status(status);
	}
	print(mine);
	if (watchers->count != 1 || strcmp(watchers->text[0], mine->text[0]) != 0) {
		puts("somebody else was told:");
		print(watchers);
	}
	return 0;
}
