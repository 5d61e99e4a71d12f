/* SPDX-License-Identifier: MIT */
/*
 * usage.c - see usage.h. proc(5) has the files. The kernel adds what a
 * process has used to what its parent's children have used when the parent waits for it (wait_task_zombie() in
 * kernel/exit.c), and to nothing when the parent ignores SIGCHLD.
 */
#include "usage.h"

#include "hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum {
	TEXT_SIZE = 4096,
	PATH_SIZE = 64,
	BLOCK = 512,	       /* of ru_oublock and st_blocks */
	MANY_COMMON = 8 << 20, /* bytes from which on it is asked what of them is a file's */
	FILES_MOST = 4096,     /* descriptors of one process that are looked at */
};

/* Bytes read and written by threads of the supervisor other than the first. */
static atomic_uint_fast64_t own_read, own_written;

/* Bytes that the calling thread has just read. What the first one moves is known: first_io. */
static void note_read(ssize_t bytes)
{
	static _Thread_local enum { NOT_ASKED, FIRST, ANOTHER } which;

	if (which == NOT_ASKED)
		which = gettid() == getpid() ? FIRST : ANOTHER;
	if (which == ANOTHER)
		usage_own((uint64_t)bytes, 0);
}

static uint64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t usage_now(void)
{
	return now(CLOCK_MONOTONIC);
}

uint64_t usage_moment(void)
{
	return now(CLOCK_MONOTONIC_COARSE);
}

uint64_t usage_clock(void)
{
	return now(CLOCK_REALTIME);
}

uint64_t usage_own_cpu(void)
{
	return now(CLOCK_THREAD_CPUTIME_ID);
}

/* ---- one process -------------------------------------------------------- */

/* clock_getcpuclockid(3) without its look into /proc; the encoding is the kernel's (MAKE_PROCESS_CPUCLOCK). */
int usage_cpu(pid_t process, uint64_t *ns)
{
	clockid_t clock = (clockid_t)(~(unsigned)process << 3 | 2u /* CPUCLOCK_SCHED */);
	struct timespec t;

	if (clock_gettime(clock, &t) < 0)
		return errno == EINVAL ? -ESRCH : -errno;
	*ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	return 0;
}

static int read_path(const char *path, char text[TEXT_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	ssize_t n = read(fd, text, TEXT_SIZE - 1);
	int error = errno;
	close(fd);
	if (n < 0)
		return -error;
	text[n] = 0;
	note_read(n);
	return n ? 0 : -ESRCH;
}

static int read_proc(pid_t process, const char *name, char text[TEXT_SIZE])
{
	char path[PATH_SIZE];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)process, name);
	return read_path(path, text);
}

/* The number after `name`, which begins a line; 0 when it is not there. */
static uint64_t field(const char *text, const char *name, int base)
{
	size_t length = strlen(name);

	for (const char *at = text; (at = strstr(at, name)) != NULL; at += length)
		if (at == text || at[-1] == '\n')
			return strtoull(at + length, NULL, base);
	return 0;
}

static void parse_io(const char *text, struct usage_io *io)
{
	io->read = field(text, "rchar:", 10);
	io->written = field(text, "wchar:", 10);
	io->stored = field(text, "write_bytes:", 10);
}

int usage_io(pid_t process, struct usage_io *io)
{
	char text[TEXT_SIZE];
	int r = read_proc(process, "io", text);

	if (r == 0)
		parse_io(text, io);
	return r;
}

static bool may_swap(void)
{
	struct sysinfo info;

	return sysinfo(&info) == 0 && info.totalswap > 0;
}

int usage_memory(pid_t process, uint64_t *bytes, uint64_t *common)
{
	char text[TEXT_SIZE];
	unsigned long long resident, others;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	int r = read_proc(process, "statm", text);

	if (r < 0)
		return r;
	if (sscanf(text, "%*u %llu %llu", &resident, &others) != 2)
		return -EPROTO;
	*bytes = resident > others ? (resident - others) * page : 0;
	*common = 0;
	if ((others * page < MANY_COMMON && !may_swap()) || read_proc(process, "status", text) < 0)
		return 0;
	*common = field(text, "RssShmem:", 10) * 1024u;
	*bytes += *common + field(text, "VmSwap:", 10) * 1024u;
	return 0;
}

int usage_memory_share(pid_t process, uint64_t *bytes, uint64_t *common)
{
	char text[TEXT_SIZE];
	int r = read_proc(process, "smaps_rollup", text);

	if (r < 0) /* another user's: what can be had */
		return r == -ESRCH ? r : usage_memory(process, bytes, common);
	*common = field(text, "Pss_Shmem:", 10) * 1024u;
	*bytes = (field(text, "Pss_Anon:", 10) + field(text, "SwapPss:", 10)) * 1024u + *common;
	return 0;
}

static int signal_set(pid_t process, const char *set, int signal)
{
	char text[TEXT_SIZE];
	int r = read_proc(process, "status", text);

	return r < 0 ? r : (int)(field(text, set, 16) >> (signal - 1) & 1);
}

int usage_handles(pid_t process, int signal)
{
	return signal_set(process, "SigCgt:", signal);
}

int usage_ignores(pid_t process, int signal)
{
	return signal_set(process, "SigIgn:", signal);
}

void usage_forget(struct usage_kept *kept)
{
	if (kept->process)
		close(kept->stat);
	kept->process = 0;
}

/* /proc/PID/stat costs half of what /proc/PID/status does, and open a quarter. Its name, which may hold anything, ends
 * with the last parenthesis. */
static int ignored_mask(int stat, uint64_t *mask)
{
	enum { AFTER_NAME = 3, SIGIGNORE = 33 }; /* proc_pid_stat(5) */
	char text[TEXT_SIZE];
	ssize_t n = pread(stat, text, sizeof text - 1, 0);

	if (n <= 0)
		return -ESRCH;
	text[n] = 0;
	note_read(n);
	const char *at = strrchr(text, ')');
	for (int i = AFTER_NAME; at && i <= SIGIGNORE; i++)
		at = strchr(at + 1, ' ');
	if (!at)
		return -EPROTO;
	*mask = strtoull(at, NULL, 10);
	return 0;
}

bool usage_ignores_still(struct usage_kept *kept, pid_t process, int signal)
{
	char path[PATH_SIZE];
	uint64_t mask;

	/* one that has got the number of another is not the same: of what is gone the descriptor tells nothing */
	for (int tries = 0; tries < 2; tries++) {
		if (kept->process != process) {
			usage_forget(kept);
			snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
			kept->stat = open(path, O_RDONLY | O_CLOEXEC);
			if (kept->stat < 0)
				return false;
			kept->process = process;
		}
		if (ignored_mask(kept->stat, &mask) == 0)
			return mask >> (signal - 1) & 1;
		usage_forget(kept);
	}
	return false;
}

/* ---- files in memory ---------------------------------------------------- */

struct usage_file {
	struct {
		dev_t dev;
		ino_t ino;
	} id;
	UT_hash_handle hh;
};

static bool in_memory(int directory, const char *name)
{
	char target[16];
	ssize_t n = readlinkat(directory, name, target, sizeof target);
	struct statfs fs;

	if (n < 7 || target[0] != '/')
		return false;
	if (memcmp(target, "/memfd:", 7) == 0)
		return true;
	int fd = openat(directory, name, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool found = fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
	close(fd);
	return found;
}

static void add_file(struct usage_files *files, const struct stat *st)
{
	struct usage_file *file = calloc(1, sizeof *file), *other;

	if (!file)
		return;
	file->id.dev = st->st_dev;
	file->id.ino = st->st_ino;
	HASH_FIND(hh, files->seen, &file->id, sizeof file->id, other);
	if (other) {
		free(file);
		return;
	}
	HASH_ADD(hh, files->seen, id, sizeof file->id, file);
	files->bytes += (uint64_t)st->st_blocks * BLOCK;
}

void usage_files_add(struct usage_files *files, pid_t process)
{
	char path[PATH_SIZE];
	struct dirent *entry;
	struct stat st;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)process);
	DIR *directory = opendir(path);
	if (!directory)
		return;
	for (int i = 0; i < FILES_MOST && (entry = readdir(directory)) != NULL; i++)
		if (entry->d_name[0] != '.' && in_memory(dirfd(directory), entry->d_name) &&
		    fstatat(dirfd(directory), entry->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
			add_file(files, &st);
	closedir(directory);
}

void usage_files_clear(struct usage_files *files)
{
	struct usage_file *file, *next;

	HASH_ITER(hh, files->seen, file, next)
	{
		HASH_DEL(files->seen, file);
		free(file);
	}
	files->bytes = 0;
}

/* ---- all children ------------------------------------------------------- */

static uint64_t ns_of(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

struct usage_spent usage_of(const struct rusage *rusage)
{
	return (struct usage_spent){
		.cpu_ns = ns_of(rusage->ru_utime) + ns_of(rusage->ru_stime),
		.stored = (uint64_t)rusage->ru_oublock * BLOCK,
		.resident = (uint64_t)rusage->ru_maxrss * 1024u,
	};
}

struct usage_spent usage_children(void)
{
	struct rusage rusage;

	if (getrusage(RUSAGE_CHILDREN, &rusage) < 0)
		return (struct usage_spent){0};
	return usage_of(&rusage);
}

/* /proc gives these to the first thread only as long as the supervisor may be looked at; open, they stay readable. */
static int all_io = -1, first_io = -1;

int usage_open(void)
{
	if (all_io >= 0)
		return 0;
	all_io = open("/proc/self/io", O_RDONLY | O_CLOEXEC);
	first_io = open("/proc/thread-self/io", O_RDONLY | O_CLOEXEC);
	return all_io < 0 || first_io < 0 ? -errno : 0;
}

void usage_own(uint64_t bytes_read, uint64_t bytes_written)
{
	own_read += bytes_read;
	own_written += bytes_written;
}

static int read_io(int fd, struct usage_io *io)
{
	char text[TEXT_SIZE];
	ssize_t n = pread(fd, text, sizeof text - 1, 0);

	if (n <= 0)
		return n < 0 ? -errno : -ESRCH;
	text[n] = 0;
	parse_io(text, io);
	note_read(n);
	return 0;
}

static uint64_t without(uint64_t all, uint64_t part)
{
	return all > part ? all - part : 0;
}

/* All that is in the account of this process, less what its threads have moved themselves. */
int usage_children_io(struct usage_io *io)
{
	struct usage_io first;
	uint64_t others_read = own_read, others_written = own_written;
	int r = read_io(all_io, io);

	if (r == 0)
		r = read_io(first_io, &first);
	if (r < 0)
		return r;
	/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): errno is not 0 where a call has failed */
	io->read = without(io->read, first.read + others_read);
	io->written = without(io->written, first.written + others_written);
	io->stored = without(io->stored, first.stored);
	return 0;
}

void usage_thread_over(void)
{
	struct usage_io io;
	int fd = open("/proc/thread-self/io", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (read_io(fd, &io) == 0)
		usage_own(io.read, io.written); /* NOLINT(clang-analyzer-core.CallAndMessage): the same */
	close(fd);
}
