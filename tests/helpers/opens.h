/* SPDX-License-Identifier: MIT */
/*
 * opens.h - what opens.c and opens_changing.c share: where they work, the names, and how they say what came of an open.
 */
#ifndef PICKET_TESTS_OPENS_H
#define PICKET_TESTS_OPENS_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[PATH_MAX]; /* the absolute name of w */

static inline const char *errno_word(void)
{
	static char word[16];

	snprintf(word, sizeof word, "errno %d", errno);
	return word;
}

/* Its name below `top`, or "?" and what kind of thing it is. */
static inline void say_object(int fd)
{
	char link[64], name[PATH_MAX] = "";
	struct stat st;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, name, sizeof name - 1);
	name[n > 0 ? n : 0] = 0;
	fstat(fd, &st);
	if (st.st_nlink == 0)
		printf("unnamed");
	else
		printf("%s", strncmp(name, top, strlen(top)) == 0 ? name + strlen(top) : name);
	/* O_NOFOLLOW of what is opened already means nothing, and gets lost where a supervisor opens it */
	printf(" mode %o size %ld flags %o %o", st.st_mode, S_ISREG(st.st_mode) ? (long)st.st_size : 0L,
	       fcntl(fd, F_GETFL) & ~(O_LARGEFILE | O_NOFOLLOW), fcntl(fd, F_GETFD));
}

static inline void say(int fd)
{
	if (fd < 0) {
		printf("%s\n", errno_word());
		return;
	}
	say_object(fd);
	printf("\n");
	close(fd);
}

/* Relative to w/here. */
static const char *const names[] = {
	"f",
	"new",
	"missing/new",
	"d",
	"d/",
	"d/.",
	"d/..",
	"f/",
	"f/.",
	"f/x",
	"new/",
	"./f",
	".//d///f",
	"d/../f",
	"missing/../f",
	"../here/f",
	"../new",
	"../outside/f",
	"link",
	"link/",
	"link-out",
	"link-absolute",
	"link-chain",
	"link-directory/f",
	"link-directory",
	"link-directory/",
	"link-directory/../f",
	"dangling",
	"dangling-out",
	"dangling-absolute",
	"loop",
	"loop/x",
	"magic",
	"unreadable",
	"closed/f",
	"closed",
	".",
	"..",
	"./",
	"../",
	"../..",
	"...",
	". ",
	"f ",
};
enum { NAMES = sizeof names / sizeof *names };

/* Goes to w/here; what is said goes out as a whole. */
static inline bool begin(void)
{
	return getcwd(top, sizeof top) && chdir("here") == 0 && setvbuf(stdout, NULL, _IOFBF, 1 << 16) == 0;
}

#endif
