/* SPDX-License-Identifier: MIT */
/*
 * init.c - finding out about the run: from reserved memory and descriptors, never from
 * the environment, which the program could have changed. Called first by whatever runs first: our constructor, or a
 * wrapped function that some other constructor calls. Running twice at once does no harm.
 */
#include <asm/resource.h>
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "note.h"
#include "shim.h"

_Static_assert(NOTE_VERSION == WIRE_VERSION && NOTE_TYPE == WIRE_NOTE_TYPE &&
		       sizeof NOTE_OWNER == sizeof WIRE_NOTE_OWNER,
	       "what the launcher looks for");

struct shim shim __attribute__((visibility("hidden")));

enum {
	SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
	EXIT_NOT_GUARDED = 126, /* the launcher's word for: may not be run */
};

static bool is_sealed(int fd)
{
	long seals = raw(__NR_fcntl, fd, F_GET_SEALS);

	return seals >= 0 && (seals & SEALS) == SEALS;
}

/* A policy of our version, from a descriptor that is sealed. */
static const struct image *map_image(int fd)
{
	size_t size;
	/* not MAP_SHARED: before Linux 6.7 a file sealed against writing cannot be mapped so, even to be read */
	void *image = common_file(fd, PROT_READ, MAP_PRIVATE, &size);

	if (image && image_check_head(image, size) < 0) {
		raw(__NR_munmap, image, size);
		return NULL;
	}
	return image;
}

static struct wire_shared *map_shared(int fd)
{
	size_t size;
	struct wire_shared *shared = common_file(fd, PROT_READ | PROT_WRITE, MAP_SHARED, &size);

	return shared && size >= sizeof *shared && shared->version == WIRE_VERSION ? shared : NULL;
}

static int note_sealed(void *highest, int fd)
{
	if (fd > *(int *)highest && is_sealed(fd))
		*(int *)highest = fd;
	return 0;
}

/* The highest descriptor of something sealed, or -1. */
static int highest_sealed(void)
{
	int highest = -1;

	common_descriptors(note_sealed, &highest);
	return highest;
}

/*
 * The image's descriptor, or -1. Reserved ones begin at a fixed number, or at our hard limit where that is lower; when a program of
 * the run has lowered it further, it is the highest sealed one that there is, since nobody could make one as high. (Higher ones may
 * be of a run that this one goes on in: its slots and gate, which are not sealed so.)
 */
static int find_image(void)
{
	struct {
		uint64_t current, most;
	} limit;
	int fd = (int)RESERVED_LOW + RESERVED_FD_IMAGE;

	if (is_sealed(fd))
		return fd;
	if (raw(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, &limit) < 0)
		return -1;
	fd = (int)limit.most + RESERVED_FD_IMAGE;
	if (is_sealed(fd))
		return fd;
	int highest = highest_sealed();
	return highest > fd ? highest : -1;
}

static unsigned refusable(void)
{
	unsigned access = 0;

	for (unsigned i = 0; i < shim.image_count; i++)
		for (unsigned bit = ACCESS_READ; bit <= ACCESS_LOOK; bit <<= 1)
			if (decide_may_refuse(shim.images[i], bit))
				access |= bit;
	return access;
}

/* Was it loaded by the name that says that it is the guard? Then the page of a gate, if there is one, is that of another run, which this
 * one goes on in. */
static bool is_named_alone(void)
{
	const char *path = shim_path(), *end = path;

	for (const char *at = path; at && *at; at++)
		if (*at == '/')
			end = at + 1;
	return path && text_ends(path, (size_t)(end - path), WIRE_SHIM_ALONE);
}

/* SHIM_UNKNOWN: there is a policy, which nobody has read yet. */
static enum shim_state look(void)
{
	if (!is_named_alone() && gate_find())
		return SHIM_BESIDE;
	int fd = find_image();
	if (fd < 0)
		return SHIM_BROKEN;
	shim.limit = (unsigned)(fd - RESERVED_FD_IMAGE);
	return SHIM_UNKNOWN;
}

static enum shim_state map_run(void)
{
	int narrower = (int)shim.limit + RESERVED_FD_NARROWER;

	shim.images[0] = map_image((int)shim.limit + RESERVED_FD_IMAGE);
	if (!shim.images[0])
		return SHIM_BROKEN;
	shim.image_count = 1;
	if (raw(__NR_fcntl, narrower, F_GETFD) >= 0) {
		shim.images[1] = is_sealed(narrower) ? map_image(narrower) : NULL;
		if (!shim.images[1])
			return SHIM_BROKEN;
		shim.image_count = 2;
	}
	shim.shared = map_shared((int)shim.limit + RESERVED_FD_SHARED);
	shim.may_refuse = refusable();
	return shim.shared ? SHIM_ALONE : SHIM_BROKEN;
}

enum shim_state shim_ready(void)
{
	int state = shim.state;

	if (state == SHIM_UNKNOWN) {
		if (!shim.looked)
			state = (int)look();
		if (state == SHIM_UNKNOWN)
			state = (int)map_run();
		shim.state = state;
	}
	return (enum shim_state)state;
}

static const char no_policy[] = "picket: a program was started with Picket's shim, but without the policy of a run: "
				"it does not run\n";

/*
 * Fails closed: a program that cannot be guarded does not come to run. But that there is a policy is all that is found out
 * here: what a program that never asks for anything does not need is not mapped, since that costs more than all of the rest.
 */
__attribute__((constructor)) static void start(void)
{
	static const uint64_t one = 1;
	enum shim_state state = (enum shim_state)shim.state;

	if (state == SHIM_UNKNOWN) {
		state = look();
		if (state == SHIM_UNKNOWN)
			shim.looked = true;
		else
			shim.state = (int)state;
	}
	if (state == SHIM_BROKEN) {
		raw(__NR_write, 2, no_policy, sizeof no_policy - 1);
		raw(__NR_exit_group, EXIT_NOT_GUARDED);
	}
	if (state == SHIM_BESIDE && shim.gate)
		site_take();
	else if (state != SHIM_BESIDE)
		raw(__NR_write, shim.limit + RESERVED_FD_PROGRAMS, &one, sizeof one);
}

/* ---- the run's processes ------------------------------------------------ */

/* Process that `pid` is a child of, 0: unknown. */
static int parent_of(int pid)
{
	char path[48], text[512];

	text_put(text_put_number(text_put(path, "/proc/"), (unsigned)pid), "/stat");
	long fd = raw(__NR_open, path, O_RDONLY | O_CLOEXEC);
	long n = fd < 0 ? -1 : raw(__NR_read, fd, text, sizeof text - 1);
	if (fd >= 0)
		raw(__NR_close, fd);
	/* "PID (name) state parent ...": the name may hold anything, so from its last ')' on */
	while (n > 0 && text[n - 1] != ')')
		n--;
	if (n <= 0)
		return 0;
	text[sizeof text - 1] = 0;
	return (int)text_number(text + n + 3, NULL);
}

/* Launcher, keeper (keeper.h), first process of the tool, and so on down. */
bool run_has(int pid)
{
	enum { GENERATIONS = 4096 };

	if (pid <= 1)
		return false;
	if (pid == (int)raw(__NR_getpid) || pid == (int)raw(__NR_gettid))
		return true;
	for (int i = 0; i < GENERATIONS && pid > 1; i++) {
		if (pid == shim.shared->launcher)
			return i > 1;
		pid = parent_of(pid);
	}
	return false;
}
