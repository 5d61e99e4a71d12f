/* SPDX-License-Identifier: MIT */
/* gate_way.c - see gate_way.h. */
#include "gate_way.h"

#include <asm-generic/errno.h>
#include <linux/fcntl.h>

enum {
	PAGE = 4096,
	HOW_SIZE = 24,	   /* of the kernel's struct open_how, without the filler */
	MODE_BITS = 07777, /* open() ignores the others, openat2() does not */
	MEANT_WITH_O_PATH = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
	O_TMPFILE_BIT = O_TMPFILE & ~O_DIRECTORY,
};

/* ---- names -------------------------------------------------------------- */

struct root {
	unsigned number;
	unsigned kind;	  /* GATE_MAY_WRITE, GATE_LATE */
	const char *rest; /* of the name, behind the root's own */
};

/*
 * Where not all of it can be read the kernel says so. By
 * aligned words, none of which reaches into another page; and no page is read before the kernel has.
 */
size_t gate_name_length(const char *name)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t start = (uint64_t)name, at = start & ~UINT64_C(7), page = UINT64_MAX;
	uint64_t before = (UINT64_C(1) << (start - at) * 8) - 1; /* bytes that are not of the name */

	for (; at < start + GATE_NAME_MOST; at += 8, before = 0) {
		if (at / PAGE != page && !readable((const void *)at, 1))
			return GATE_NAME_MOST;
		page = at / PAGE;
		uint64_t word = *(const volatile uint64_t *)at | before;
		uint64_t ends = (word - ones) & ~word & ones << 7;
		if (ends) {
			size_t length = at - start + (unsigned)__builtin_ctzll(ends) / 8;
			return length < GATE_NAME_MOST ? length : GATE_NAME_MOST;
		}
	}
	return GATE_NAME_MOST;
}

/* Over slashes, and over components that are "." with something behind them. */
static const char *skip_slashes(const char *path)
{
	for (;; path++)
		if (*path != '/' && (path[0] != '.' || path[1] != '/'))
			return path;
}

/* What is left of `path` behind `name`; NULL: it does not begin with it. Says the same name twice "//" and "/./". */
static const char *behind(const char *path, const char *name, size_t length)
{
	const char *end = name + length;

	while (name < end) {
		if (*name == '/') {
			if (*path != '/')
				return NULL;
			path = skip_slashes(path);
			name++;
		}
		while (name < end && *name != '/')
			if (*path++ != *name++)
				return NULL;
	}
	return *path == '/' || !*path ? path : NULL;
}

/*
 * The nearest root that `path` lies beneath, and the rest of it. Only the text of the root's own name is compared, so none
 * of ".." is in it; the rest may be anything. A name of nothing but a root's becomes ".".
 */
static bool find_root(const char *path, size_t length, struct root *root)
{
	for (uint32_t i = 0; i < GATE->name_count; i++) {
		const struct wire_gate_name *name = &GATE->name[i];
		const char *rest = name->length <= length ? behind(path, GATE->text + name->text, name->length) : NULL;
		if (!rest)
			continue;
		rest = skip_slashes(rest);
		*root = (struct root){name->root, name->kind, *rest ? rest : "."};
		return root->number != GATE_GONE && (!(root->kind & GATE_LATE) || GATE->late == GATE_LATE_OPEN);
	}
	return false;
}

/* ---- entries ------------------------------------------------------------ */

/* As find_how, for a file that is to be made. */
static const struct wire_how *find_creating(uint32_t flags, uint64_t mode)
{
	uint32_t first = GATE->how_creating, modes = GATE->mode_count, column = 0;

	while (column < modes && GATE->how[first + column].mode != mode)
		column++;
	for (uint32_t i = first; column < modes && i + modes <= GATE->how_count; i += modes)
		if (GATE->how[i].flags == flags)
			return &GATE->how[i + column];
	return NULL;
}

/* Which entry has these flags, so that the kernel does what open() would do; NULL: none. */
static const struct wire_how *find_how(const struct root *root, uint32_t flags, uint64_t mode)
{
	bool writable = root->kind & GATE_MAY_WRITE;
	uint32_t count = writable ? GATE->how_creating : GATE->how_reading;

	flags &= ~(uint32_t)O_LARGEFILE;
	if (flags & O_PATH)
		flags &= MEANT_WITH_O_PATH;
	if (flags & (O_CREAT | O_TMPFILE_BIT))
		return writable ? find_creating(flags, mode & MODE_BITS) : NULL;
	for (uint32_t i = 0; i < count; i++)
		if (GATE->how[i].flags == flags)
			return &GATE->how[i];
	return NULL;
}

static bool beneath(const char *path, size_t length, uint32_t flags, uint64_t mode, struct gate_way *way)
{
	struct root root;

	if (!find_root(path, length, &root))
		return false;
	const struct wire_how *how = find_how(&root, flags, mode);
	if (how && (root.kind & GATE_LATE))
		how += GATE->how_late;
	*way = (struct gate_way){(int)(GATE->first_root + root.number), root.rest, how};
	/* the name of a root may be that of a link to it; and "." cannot be made */
	return way->how && !(root.rest[0] == '.' && !root.rest[1] && (flags & (O_NOFOLLOW | O_CREAT)));
}

/* ---- files -------------------------------------------------------------- */

static bool is_name(const char *path, size_t length, const char *name)
{
	return memcmp(path, name, length) == 0 && name[length] == 0;
}

/* Which one has this name, or that of a link to it? file_count: none. `length` is less than that of the rooms for
 * names. */
static uint32_t find_file(const char *path, size_t length)
{
	for (uint32_t i = 0; i < GATE->file_count; i++)
		if (is_name(path, length, GATE->file[i].name))
			return i;
	for (uint32_t i = 0; i < GATE->link_count; i++)
		if (is_name(path, length, GATE->link[i].name))
			return GATE->link[i].file;
	return GATE->file_count;
}

static bool by_file(const char *path, size_t length, uint32_t flags, uint64_t mode, struct gate_way *way)
{
	uint32_t file = length < GATE_FILE_SIZE - 1 && !(flags & (O_PATH | O_NOFOLLOW)) ? find_file(path, length)
											: GATE->file_count;

	flags &= ~(uint32_t)O_LARGEFILE;
	mode = flags & O_CREAT ? mode & MODE_BITS : 0;
	if (file == GATE->file_count)
		return false;
	uint32_t end = file < GATE->file_reading ? GATE->how_file_reading : GATE->how_file_count;
	for (uint32_t i = GATE->how_count; i < end; i++)
		if (GATE->how[i].flags == flags && GATE->how[i].mode == mode) {
			*way = (struct gate_way){AT_FDCWD, GATE->file[file].name, &GATE->how[i]};
			return true;
		}
	return false;
}

bool gate_way(enum gate_kind kind, const char *path, size_t length, uint32_t flags, uint64_t mode, struct gate_way *way)
{
	return (kind == GATE_BENEATH ? beneath : by_file)(path, length, flags, mode, way);
}

/* ---- the call ----------------------------------------------------------- */

long gate_way_open(const struct gate_way *way)
{
	return raw(__NR_openat2, way->root, way->rest, way->how, HOW_SIZE);
}

bool gate_way_true(long answer)
{
	if (!raw_failed(answer))
		return true;
	switch (-answer) {
	case ENOENT:
	case EEXIST:
	case EISDIR:
	case ENOTDIR:
	case EMFILE:
	case EINTR:
	case ENXIO:
	case ETXTBSY:
	case EROFS:
		return true;
	default: /* EXDEV, ELOOP: it leads out of the root. EACCES: not to open a root itself that may be read and not searched,
		  * nor when the call would not have walked the way there. EAGAIN, EPERM, EINVAL, ...: may have reasons that are ours */
		return false;
	}
}

/* ---- names without an open ---------------------------------------------- */

long gate_way_look(int dirfd, const char *path, int flags)
{
	enum { STAT_SIZE = 144 }; /* the kernel's struct stat */
	char status[STAT_SIZE] __attribute__((aligned(8)));

	return GATE->looking_passes ? raw(__NR_newfstatat, dirfd, path, status, flags) : GATE_NOT;
}

bool gate_way_missing(long answer)
{
	return answer == -ENOENT || answer == -ENOTDIR; /* EACCES may be the floor's, and to be told of */
}
