/* SPDX-License-Identifier: MIT */
/*
 * trials.c - the main program and the helpers.
 *
 *	trials NAME FIXTURE PORT HOST_PID	one trial
 *	trials --list				name, effect, needs, what: one a line, tab-separated
 *	trials --stand-in COMMAND...		start a command and wait: in the place of a guard, for the controls
 */
#include <stdarg.h>

#include "trials.h"

struct here here;
static struct trial *trials;

void trial_add(struct trial *trial)
{
	trial->next = trials;
	trials = trial;
}

char *at(const char *directory, const char *name)
{
	static char buffers[32][PATH_MAX];
	static unsigned next;
	char *buffer = buffers[next++ % 32];
	snprintf(buffer, PATH_MAX, "%s/%s", directory, name);
	return buffer;
}

void reach(void)
{
	static const char line[] = "REACHED\n";
	raw(SYS_write, 1, line, sizeof(line) - 1);
}

void spill(int fd)
{
	char buffer[4096];
	long length;
	while (fd >= 0 && (length = raw(SYS_read, fd, buffer, sizeof(buffer))) > 0)
		raw(SYS_write, 1, buffer, length);
}

void spill_path(const char *path)
{
	spill(open(path, O_RDONLY));
}

void spill_file(FILE *file)
{
	char line[4096];
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		fputs(line, stdout);
	fflush(stdout);
}

void scribble(int fd)
{
	if (fd >= 0)
		raw(SYS_write, fd, "scribble\n", 9);
}

void make_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	if (fd >= 0) {
		if (write(fd, text, strlen(text)) < 0)
			perror(path);
		close(fd);
	}
}

void wait_for(pid_t child)
{
	int status;
	while (child > 0 && waitpid(child, &status, __WALL) < 0 && errno == EINTR)
		;
}

void in_child(void (*function)(void))
{
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		function();
		fflush(stdout);
		_exit(0);
	}
	wait_for(child);
}

void run(const char *program, ...)
{
	char *arguments[16] = {(char *)program};
	va_list list;
	va_start(list, program);
	for (int i = 1; i < 15 && (arguments[i] = va_arg(list, char *)) != NULL; i++)
		;
	va_end(list);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		execve(program, arguments, here.environment);
		_exit(127);
	}
	wait_for(child);
}

void run_self(const char *build, const char *trial, char *const environment[])
{
	char fixture[PATH_MAX], port[16], host[16];
	snprintf(fixture, sizeof(fixture), "%.*s", (int)(strrchr(here.inside, '/') - here.inside), here.inside);
	snprintf(port, sizeof(port), "%d", here.port);
	snprintf(host, sizeof(host), "%d", here.host);
	char *arguments[] = {at(here.tools, build), (char *)trial, fixture, port, host, NULL};
	execve(arguments[0], arguments, environment);
}

double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

pid_t guard(void)
{
	char line[256];
	int tracer = 0;
	FILE *file = fopen("/proc/self/status", "r");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		sscanf(line, "TracerPid: %d", &tracer);
	if (file != NULL)
		fclose(file);
	return tracer > 0 ? tracer : getppid();
}

static int list(void)
{
	static const char *const names[] = {"leak", "change", "contact", "run", "reach", "work"};
	for (const struct trial *t = trials; t != NULL; t = t->next)
		printf("%s\t%s\t%s%s%s%s%s-\t%s\n", t->name, names[t->effect], t->needs & AS_ROOT ? "root," : "",
		       t->needs & AS_USER ? "user," : "", t->needs & MAYBE ? "maybe," : "",
		       t->needs & DYNAMIC ? "dynamic," : "", t->needs & TERMINAL ? "terminal," : "", t->what);
	return 0;
}

static int stand_in(char **command)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		unsetenv("TRIAL_KEY"); /* as a guard's policy would */
		execv(command[0], command);
		_exit(127);
	}
	while (waitpid(child, &status, 0) < 0)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv, char **environment)
{
	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return list();
	if (argc > 2 && strcmp(argv[1], "--stand-in") == 0)
		return stand_in(argv + 2);
	if (argc != 5)
		return 2;
	const char *fixture = argv[2];
	here = (struct here){.inside = strdup(at(fixture, "inside")),
			     .shown = strdup(at(fixture, "shown")),
			     .vault = strdup(at(fixture, "vault")),
			     .tools = strdup(at(fixture, "tools")),
			     .secret = strdup(at(fixture, "vault/secret")),
			     .victim = strdup(at(fixture, "vault/victim")),
			     .page = strdup(at(fixture, "shown/page")),
			     .intruder = strdup(at(fixture, "vault/intruder")),
			     .port = atoi(argv[3]),
			     .host = atoi(argv[4]),
			     .environment = environment};
	signal(SIGPIPE, SIG_IGN);
	for (const struct trial *t = trials; t != NULL; t = t->next)
		if (strcmp(t->name, argv[1]) == 0) {
			t->run();
			fflush(stdout);
			_exit(0);
		}
	fprintf(stderr, "no trial \"%s\"\n", argv[1]);
	return 2;
}
