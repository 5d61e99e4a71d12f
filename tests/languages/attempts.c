/* SPDX-License-Identifier: MIT */
/*
 * attempts.c - the ways out of test_languages.sh in C, for a C library that is not the one the shim is built beside:
 * attempts FIXTURE PORT ABSTRACT-NAME, in FIXTURE/inside. Says "GOT name" for what it got, "DONE" at the end.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *fixture, *host;

static char *at(const char *rest)
{
	static char names[4][512];
	static unsigned next;
	char *name = names[next++ % 4];

	snprintf(name, sizeof names[0], "%s/%s", fixture, rest);
	return name;
}

static void got(const char *what, int yes)
{
	if (yes)
		printf("GOT %s\n", what);
	fflush(stdout);
}

static int shows(long fd)
{
	char text[128];
	ssize_t n = fd < 0 ? -1 : read((int)fd, text, sizeof text);

	return n > 0 && fwrite(text, 1, (size_t)n, stdout) > 0;
}

static int runs(const char *name)
{
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		char *argv[] = {(char *)name, NULL}, *none[] = {NULL};
		syscall(SYS_execve, name, argv, none);
		_exit(1);
	}
	return waitpid(child, &status, 0) == child && status == 0;
}

static int memory_runs(void)
{
	static char program[1 << 20];
	char name[64];
	int from = open(at("shown/intruder"), O_RDONLY), to = (int)syscall(SYS_memfd_create, "x", 0);
	ssize_t n = read(from, program, sizeof program);

	if (n <= 0 || write(to, program, (size_t)n) != n)
		return 0;
	snprintf(name, sizeof name, "/proc/self/fd/%d", to);
	return runs(name);
}

static int connects(int family, const void *address, socklen_t length)
{
	int fd = socket(family, SOCK_STREAM, 0);

	return connect(fd, address, length) == 0 && write(fd, host, strlen(host)) > 0;
}

/* open(2) by the 32-bit door: the name lies below 4 GiB. */
static long old_door(const char *path)
{
#ifdef __x86_64__
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long result = 5;

	if (low == MAP_FAILED)
		return -1;
	strcpy(low, path);
	__asm__ volatile("int $0x80" : "+a"(result) : "b"(low), "c"(0L), "d"(0L) : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
#else
	(void)path;
	return -1;
#endif
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	fixture = argv[1];
	host = argv[3];
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2])),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	char parameters[120] = "";

	snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "%s", argv[3]);
	got("read", shows(syscall(SYS_openat, AT_FDCWD, at("vault/secret"), O_RDONLY)));
	got("link", symlink("../vault/secret", "link") == 0 && shows(open("link", O_RDONLY)));
	got("second", link(at("vault/secret"), "second") == 0 && shows(open("second", O_RDONLY)));
	got("write", open(at("vault/victim"), O_WRONLY | O_APPEND) >= 0);
	close(open("mine", O_CREAT | O_WRONLY, 0644));
	got("rename", syscall(SYS_rename, "mine", at("vault/overwritten")) == 0);
	got("connect", connects(AF_INET, &to, sizeof to));
	got("abstract", connects(AF_UNIX, &name, (socklen_t)(sizeof name.sun_family + 1 + strlen(argv[3]))));
	got("exec", runs(at("vault/intruder")));
	got("memory_exec", memory_runs());
	got("own_memory", open("/proc/self/mem", O_WRONLY) >= 0);
	got("ring", syscall(425, 1, parameters) >= 0);
	got("old_door", shows(old_door(at("vault/secret"))));
	puts("DONE");
	return 0;
}
