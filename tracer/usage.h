/* SPDX-License-Identifier: MIT */
/*
 * usage.h - what one process uses, and what all that the supervisor has
 * waited for have used, as the kernel tells it. meter.h makes a run's total of it.
 *
 * Functions return 0 or -errno; -ESRCH: there is no such process any more.
 */
#ifndef PICKET_TRACER_USAGE_H
#define PICKET_TRACER_USAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* Bytes. */
struct usage_io {
	uint64_t read, written; /* moved by read and write calls, to and from whatever */
	uint64_t stored; /* of files that have become dirty in memory: what will go to disk; not files in memory */
};

/* What a process has used, with those of its children that it has waited for. */
struct usage_spent {
	uint64_t cpu_ns;
	uint64_t stored;   /* bytes, see above */
	uint64_t resident; /* bytes, the largest of them had at most */
};

/* Of a process with all its threads, those that have ended included, and without its children. Works as long as it was
 * not waited for by its parent. */
int usage_cpu(pid_t process, uint64_t *ns);

/* Of a process, its threads, and the children that it has waited for. -EACCES: it changed its user. */
int usage_io(pid_t process, struct usage_io *io);

/*
 * Memory of its own: what it has changed of its program and its data, and what it has on swap; with all of the memory
 * that it has in common with others (`common`: pages of tmpfs, memfd, MAP_SHARED | MAP_ANONYMOUS, System V). Pages that
 * are copies of a file's are not in it: they are the system's cache. After a fork parent and child both have in it what
 * they still have in common.
 */
int usage_memory(pid_t process, uint64_t *bytes, uint64_t *common);

/* The same, exactly and with proportional shares: what n processes have in common counts 1/n for each. Slow: the kernel
 * looks at every page. `common` is the part that is in tmpfs and the like. */
int usage_memory_share(pid_t process, uint64_t *bytes, uint64_t *common);

/* Bytes of files in memory (memfd, tmpfs) that have no name or are memfds, and that the process holds open; each
 * counted once, whoever else holds it. `seen` remembers files between calls for several processes. */
struct usage_files {
	struct usage_file *seen; /* hash */
	uint64_t bytes;
};
void usage_files_add(struct usage_files *files, pid_t process);
void usage_files_clear(struct usage_files *files);

/* Does the process have a handler for this signal; does it ignore it? 1, 0 or -errno. */
int usage_handles(pid_t process, int signal);
int usage_ignores(pid_t process, int signal);

/* For asking of the same process again and again. Begins as all 0. */
struct usage_kept {
	pid_t process; /* of which the descriptor is; 0: there is none */
	int stat;
};
/* As usage_ignores, of signals below 32; false when it cannot be told. */
bool usage_ignores_still(struct usage_kept *kept, pid_t process, int signal);
void usage_forget(struct usage_kept *kept);

/* What all children that the supervisor has waited for have used, and theirs. */
struct usage_spent usage_children(void);
struct usage_spent usage_of(const struct rusage *rusage);

/* What they have moved. To be asked in the first thread; usage_open comes before, and while the supervisor may still be
 * looked at (PR_SET_DUMPABLE). */
int usage_open(void);
int usage_children_io(struct usage_io *io);

/* What a thread but the first has read and written by itself, which is not the children's. From any thread. */
void usage_own(uint64_t bytes_read, uint64_t bytes_written);

/* The same of all that this thread has read and written, at its end. */
void usage_thread_over(void);

uint64_t usage_now(void);     /* CLOCK_MONOTONIC, ns */
uint64_t usage_moment(void);  /* the same, some milliseconds ago, for nearly nothing */
uint64_t usage_clock(void);   /* CLOCK_REALTIME, ns */
uint64_t usage_own_cpu(void); /* of the calling thread, ns */

#endif
