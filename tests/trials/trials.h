/* SPDX-License-Identifier: MIT */
/*
 * trials.h - what every trial uses.
 *
 * A trial is one function that tries one way round a guard. It judges nothing: it lets the effect happen, and
 * tests/test_trials.sh looks from outside whether it did, once without a guard (the control) and once with. These
 * programs are linked with nothing of Picket.
 */
#ifndef TRIALS_H
#define TRIALS_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What is to be seen from outside when a trial gets through. */
enum effect {
	LEAK,	 /* the secret's random token on standard output or in a file of inside/ */
	CHANGE,	 /* something in vault/, shown/ or tools/ is not as it was */
	CONTACT, /* the host (host.c) heard from somebody */
	RUN,	 /* the intruder (intruder.c) printed its line */
	REACH,	 /* the trial says so itself, by reach(): what it reached has no other trace */
	WORK,	 /* the other way round: allowed work, which has to succeed guarded too; it calls reach() */
};

/* What a trial needs to mean anything. */
enum {
	AS_ROOT = 1,   /* only root can do it bare */
	AS_USER = 2,   /* only somebody who is not root */
	MAYBE = 4,     /* this kernel may not offer it: no effect bare is no failure */
	DYNAMIC = 8,   /* means something only in the dynamic build */
	TERMINAL = 16, /* standard input must be a terminal */
};

struct trial {
	const char *name, *what;
	enum effect effect;
	unsigned needs;
	void (*run)(void);
	struct trial *next;
};
void trial_add(struct trial *trial);

#define TRIAL(NAME, EFFECT, NEEDS, WHAT)                                           \
	static void NAME(void);                                                    \
	__attribute__((constructor)) static void add_##NAME(void)                  \
	{                                                                          \
		static struct trial trial = {#NAME, WHAT, EFFECT, NEEDS, NAME, 0}; \
		trial_add(&trial);                                                 \
	}                                                                          \
	static void NAME(void)

/* Where everything is. The policy: read and write inside/, read shown/ and tools/, execute tools/ and /usr/bin. */
struct here {
	const char *inside; /* the working directory */
	const char *shown;  /* shown/page */
	const char *vault;  /* nothing allowed: secret, victim, dir/child, empty/, intruder, echo, *.sock */
	const char *tools;  /* the trials' own programs */
	const char *secret, *victim, *page, *intruder;
	int port;   /* where the host listens: TCP and UDP, IPv4 and IPv6 */
	pid_t host; /* a process outside, of the same user */
	char **environment;
};
extern struct here here;

/* DIRECTORY/NAME, in one of many static buffers. */
char *at(const char *directory, const char *name);
#define IN(name) at(here.inside, name)
#define OUT(name) at(here.vault, name)

void reach(void);		   /* "REACHED" on standard output */
void spill(int fd);		   /* everything readable from fd to standard output; fd < 0: nothing */
void spill_path(const char *path); /* open, spill */
void spill_file(FILE *file);
void scribble(int fd); /* write through fd */
void make_file(const char *path, const char *text);
void wait_for(pid_t child);
void in_child(void (*function)(void)); /* fork, run it there, wait */
void run(const char *program, ...);    /* fork, execve with a NULL-terminated list, wait */
void run_self(const char *build, const char *trial,
	      char *const environment[]); /* exec another trial; returns on failure */
double seconds(void);
pid_t guard(void); /* who traces us, or our parent */

/* A system call without any library in between: the result, negative errno on failure. */
static inline long raw6(long number, long a, long b, long c, long d, long e, long f)
{
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
#define RAW_PICK(n, a, b, c, d, e, f, ...) raw6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define raw(...) RAW_PICK(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

#endif
