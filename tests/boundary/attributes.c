/* SPDX-License-Identifier: MIT */
/* attributes.c - attempts at what the secret holds by way of its extended attribute user.token, which neighbour.c sets. */
#include "attempt.h"

#include <sys/xattr.h>

#ifndef SYS_getxattrat
#define SYS_getxattrat 464
#endif
#define SECRET "../shut/secret"

static int is_secret(const char *value, ssize_t n)
{
	if (n > 0)
		fwrite(value, 1, (size_t)n, stdout);
	if (n < 0 && errno != EACCES && errno != ENODATA)
		fprintf(stderr, "getxattr: %m\n");
	return n > 5 && memcmp(value, "TOKEN", 5) == 0 ? WORKED : n < 0 && errno == EACCES ? REFUSED : BROKEN;
}

static int by_name(void)
{
	char value[64];

	return is_secret(value, getxattr(SECRET, "user.token", value, sizeof value));
}

static int of_link_itself(void)
{
	char value[64];

	return is_secret(value, lgetxattr(SECRET, "user.token", value, sizeof value));
}

static int by_raw_call(void)
{
	char value[64];

	return is_secret(value, syscall(SYS_getxattr, SECRET, "user.token", value, sizeof value));
}

static int by_held_name(void)
{
	char value[64], path[64];
	int fd = open(SECRET, O_PATH);

	NEED(fd);
	if (fgetxattr(fd, "user.token", value, sizeof value) >= 0 || errno != EBADF)
		return BROKEN;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return is_secret(value, getxattr(path, "user.token", value, sizeof value));
}

static int below_directory(void)
{
	char value[64];
	struct { uint64_t value; uint32_t size, flags; } args = { (uintptr_t)value, sizeof value, 0 };
	long n = syscall(SYS_getxattrat, AT_FDCWD, SECRET, 0, "user.token", &args, sizeof args);

	return n < 0 && errno == ENOSYS ? NOT_HERE : is_secret(value, n);
}

/* ---- the name of the attribute changes meanwhile ---- */

static char name[16] = "user.token";

static void *change_name(void *unused)
{
	(void)unused;
	for (;;) {
		*(volatile char *)name = 'x';
		*(volatile char *)name = 'u';
	}
	return NULL;
}

static int changing_name(void)
{
	double end = seconds() + RACE_SECONDS;
	pthread_t thread;
	char value[64];

	if (pthread_create(&thread, NULL, change_name, NULL) != 0)
		return BROKEN;
	while (seconds() < end)
		if (syscall(SYS_getxattr, SECRET, name, value, sizeof value) > 5)
			return is_secret(value, 6);
	return REFUSED;
}

/* ---- what has to work ---- */

#define WORKS(condition)                                                                         \
	do {                                                                                     \
		if (!(condition)) {                                                              \
			fprintf(stderr, "line %d: not so: %s: %m\n", __LINE__, #condition);      \
			return REFUSED;                                                          \
		}                                                                                \
	} while (0)

static int what_is_told(void)
{
	char value[64];

	WORKS(getxattr(SECRET, "user.token", NULL, 0) > 5);
	WORKS(listxattr(SECRET, value, sizeof value) > 0);
	WORKS(getxattr(SECRET, "user.nothing", value, sizeof value) < 0 && errno == ENODATA);
	WORKS(getxattr(SECRET, "nothing", value, sizeof value) < 0 && errno == EOPNOTSUPP);
	WORKS(getxattr(SECRET, "", value, sizeof value) < 0 && errno == ERANGE);
	WORKS(getxattr(SECRET, (char *)8, value, sizeof value) < 0 && errno == EFAULT);
	WORKS(getxattr(SECRET, "system.posix_acl_access", value, sizeof value) < 0 && (errno == ENODATA || errno == EOPNOTSUPP));
	return WORKED;
}

static int own_attributes(void)
{
	char value[64], name[300];

	close(open("own", O_CREAT | O_WRONLY, 0600));
	if (setxattr("own", "user.here", "1", 1, 0) < 0)
		return NOT_HERE;
	WORKS(getxattr("own", "user.here", value, sizeof value) == 1 && value[0] == '1');
	WORKS(getxattr("own", "user.here", value, 0) == 1);
	WORKS(getxattr("../read/page", "user.here", value, sizeof value) < 0 && errno == ENODATA);
	WORKS(removexattr("own", "user.here") == 0 && getxattr("own", "user.here", value, sizeof value) < 0);
	memset(name, 'x', sizeof name);
	memcpy(name, "user.", 5);
	name[256] = 0;
	WORKS(getxattr("own", name, value, sizeof value) < 0 && errno == ERANGE);
	name[255] = 0;
	WORKS(setxattr("own", name, "2", 1, 0) == 0 && getxattr("own", name, value, sizeof value) == 1 && value[0] == '2');
	return WORKED;
}

static void *sleep_for_ever(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static int own_attributes_of_threads(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, sleep_for_ever, NULL) ? BROKEN : own_attributes();
}

static const struct row rows[] = {
	{ GETS_OUT, "attribute_by_name", by_name },
	{ GETS_OUT, "attribute_of_link_itself", of_link_itself },
	{ GETS_OUT, "attribute_by_raw_call", by_raw_call },
	{ GETS_OUT, "attribute_by_held_name", by_held_name },
	{ GETS_OUT, "attribute_below_directory", below_directory },
	{ GETS_OUT, "attribute_of_changing_name", changing_name },
	{ HAS_TO_WORK, "attribute_what_is_told", what_is_told },
	{ HAS_TO_WORK, "attribute_own", own_attributes },
	{ HAS_TO_WORK, "attribute_own_of_threads", own_attributes_of_threads },
};
MAIN(rows)
