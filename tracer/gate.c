/* SPDX-License-Identifier: MIT */
/*
 * gate.c - see gate.h: the page, and what it holds.
 *
 * Why a forged argument gets nobody anywhere: the filter looks at numbers, and what they stand for cannot be changed. A descriptor
 * at or above the hard limit is what the launcher put there (the kernel gives nobody such a number, and calls that would close or
 * replace one stop). The memory at GATE_START is this page from before a program's first instruction to its end (by_ptrace.c maps it
 * at each exec; calls that could touch memory so low stop), and nobody but we can write it: the memfd is sealed with
 * F_SEAL_FUTURE_WRITE, and what the tool has is open for reading only, so that the mapping lacks VM_MAYWRITE and neither
 * mprotect nor /proc/PID/mem can get at it. Each entry keeps the walk below the root by RESOLVE_BENEATH,
 * and on the root's mount by RESOLVE_NO_XDEV, so that no mount that is there or comes later matters. Of single files the name
 * itself stands in the page (gate_files.c).
 */
#include "gate.h"

#include <assert.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compile.h"
#include "decide.h"
#include "syscalls.h"

/* ---- the entries -------------------------------------------------------- */

/* What programs ask for, as strace(1) shows it of make, gcc, ld, ar, git, python3, node, npm, tar, gzip, zip, cp, mv, sort,
 * sed, find, grep, rm, perl, bash, dash, sqlite and others; the most frequent first. O_CLOEXEC with and without is made of each.
 * open(2) takes O_LARGEFILE from 64-bit programs without a word, and the shim leaves it away. */
static const uint64_t reading[] = {
	O_RDONLY,
	O_RDONLY | O_NONBLOCK | O_DIRECTORY,
	O_RDONLY | O_NOCTTY,
	O_RDONLY | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | O_DIRECTORY,
	O_RDONLY | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW,
	O_RDONLY | O_NOFOLLOW,
	O_RDONLY | O_DIRECTORY,
	O_RDONLY | O_NOFOLLOW | O_DIRECTORY,
	O_RDONLY | O_NONBLOCK,
	O_RDONLY | O_NOCTTY | O_NONBLOCK,
	O_RDONLY | O_NOCTTY | O_NONBLOCK | O_DIRECTORY,
	O_RDONLY | O_NOATIME,
	O_PATH,
	O_PATH | O_NOFOLLOW,
	O_PATH | O_DIRECTORY,
	O_PATH | O_DIRECTORY | O_NOFOLLOW,
};
static const uint64_t writing[] = {
	O_RDWR,
	O_WRONLY,
	O_RDWR | O_NONBLOCK,
	O_WRONLY | O_TRUNC,
	O_RDWR | O_TRUNC,
	O_WRONLY | O_APPEND,
	O_RDWR | O_APPEND,
	O_RDWR | O_NOFOLLOW,
	O_WRONLY | O_NONBLOCK,
};
/* Each with all of the modes. */
static const uint64_t creating[] = {
	O_WRONLY | O_CREAT | O_TRUNC,
	O_RDWR | O_CREAT | O_EXCL,
	O_WRONLY | O_CREAT | O_EXCL,
	O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY | O_NONBLOCK, /* tar */
	O_WRONLY | O_CREAT | O_APPEND,
	O_RDWR | O_CREAT | O_TRUNC,
	O_RDWR | O_CREAT,
	O_WRONLY | O_CREAT,
	O_WRONLY | O_CREAT | O_NOCTTY | O_NONBLOCK, /* touch */
	O_WRONLY | O_CREAT | O_NONBLOCK,
	O_WRONLY | O_CREAT | O_EXCL | O_TRUNC,	/* shells */
	O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, /* python's tempfile */
	O_RDWR | O_CREAT | O_NOFOLLOW,		/* sqlite */
	O_RDONLY | O_CREAT | O_NOCTTY,		/* flock */
	O_RDWR | O_TMPFILE,
	O_RDWR | O_TMPFILE | O_EXCL, /* tmpfile(3) */
};
/* Those that programs give of their own (git's objects have 0444, ld's programs 0777), and those of the files in source trees and
 * packages: tar, cp, git and unzip ask for the mode that the file is to have. */
static const uint64_t modes[] = {0666, 0644, 0600, 0755, 0777, 0444, 0664, 0775,
				 0640, 0660, 0400, 0700, 0555, 0440, 0750, 0770};

/* For single files: as programs open what they find below /etc and /proc; and devices such as /dev/null. */
static const uint64_t reading_file[] = {
	O_RDONLY, O_RDONLY | O_NOCTTY, O_RDONLY | O_NONBLOCK, O_RDONLY | O_NOCTTY | O_NONBLOCK, O_RDONLY | O_NOATIME,
};
static const uint64_t writing_file[] = {
	O_RDWR,
	O_WRONLY,
	O_RDWR | O_NOCTTY,
	O_RDWR | O_NONBLOCK,
	O_WRONLY | O_TRUNC,
	O_WRONLY | O_APPEND,
	O_RDWR | O_APPEND,
};
static const uint64_t creating_file[] = {
	/* as shells do, with 0666 */
	O_WRONLY | O_CREAT | O_TRUNC,
	O_WRONLY | O_CREAT | O_APPEND,
	O_RDWR | O_CREAT | O_TRUNC,
	O_RDWR | O_CREAT,
};

enum {
	RESOLVE_ROOT = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	RESOLVE_FILE = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	MODE_FILE = 0666,
};
/* A bit that no kernel knows: EINVAL (openat2(2)). */
#define RESOLVE_LATE UINT64_C(0x8000000000000000)

static void put_one(struct wire_gate *page, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	assert(page->how_file_count < GATE_HOWS);
	page->how[page->how_file_count++] = (struct wire_how){flags, mode, resolve, 0};
}

static void put(struct wire_gate *page, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	put_one(page, flags, mode, resolve);
	put_one(page, flags | O_CLOEXEC, mode, resolve);
}

#define EACH(list)                           \
	size_t i_ = 0;                       \
	i_ < sizeof(list) / sizeof(list)[0]; \
	i_++
static void put_modes(struct wire_gate *page, uint64_t flags, uint64_t resolve)
{
	for (EACH(modes))
		put_one(page, flags, modes[i_], resolve);
	for (EACH(modes))
		put_one(page, flags | O_CLOEXEC, modes[i_], resolve);
}

/* Those of the second time have the same order, and so the same counts. */
static void put_hows_of_roots(struct wire_gate *page, uint64_t resolve)
{
	uint32_t start = page->how_file_count;

	for (EACH(reading))
		put(page, reading[i_], 0, resolve);
	page->how_reading = page->how_file_count - start;
	for (EACH(writing))
		put(page, writing[i_], 0, resolve);
	page->how_creating = page->how_file_count - start;
	page->mode_count = sizeof modes / sizeof modes[0];
	for (EACH(creating))
		put_modes(page, creating[i_], resolve);
	page->how_count = page->how_file_count - start;
}

static void put_hows(struct wire_gate *page, bool late)
{
	put_hows_of_roots(page, RESOLVE_ROOT);
	for (EACH(reading_file))
		put(page, reading_file[i_], 0, RESOLVE_FILE);
	page->how_file_reading = page->how_file_count;
	for (EACH(writing_file))
		put(page, writing_file[i_], 0, RESOLVE_FILE);
	for (EACH(creating_file))
		put(page, creating_file[i_], MODE_FILE, RESOLVE_FILE);
	if (!late)
		return;
	uint32_t files = page->how_file_count;
	page->how_late = files;
	put_hows_of_roots(page, RESOLVE_ROOT | RESOLVE_LATE);
	page->how_file_count = files;
}

void gate_open_late(struct wire_gate *page)
{
	for (uint32_t i = 0; i < page->how_count; i++)
		page->how[page->how_late + i].resolve = RESOLVE_ROOT;
	page->late = GATE_LATE_OPEN;
}

/* ---- names -------------------------------------------------------------- */

static size_t put_name(struct wire_gate *page, size_t text, const char *name, unsigned number,
		       const struct gate_root *root)
{
	size_t length = strlen(name);

	if (page->name_count == GATE_NAMES || text + length > GATE_TEXT || length > UINT16_MAX)
		return text;
	struct wire_gate_name *entry = &page->name[page->name_count++];
	entry->text = (uint32_t)text;
	entry->length = (uint16_t)length;
	entry->root = (uint8_t)number;
	entry->kind = (uint8_t)((root->writable ? GATE_MAY_WRITE : 0) | (root->late ? GATE_LATE : 0));
	memcpy(page->text + text, name, length);
	return text + length;
}

static int longer_first(const void *a, const void *b)
{
	const struct wire_gate_name *x = a, *y = b;

	return (int)y->length - (int)x->length;
}

static void put_names(struct wire_gate *page, const struct gate_roots *roots)
{
	size_t text = 0;

	for (unsigned i = 0; i < roots->count; i++)
		text = put_name(page, text, roots->list[i].name, i, &roots->list[i]);
	for (unsigned i = 0; i < roots->link_count; i++)
		text = put_name(page, text, roots->links[i].name, roots->links[i].root,
				&roots->list[roots->links[i].root]);
	qsort(page->name, page->name_count, sizeof page->name[0], longer_first);
}

/* ---- the page ----------------------------------------------------------- */

extern const unsigned char gate_code[] __attribute__((visibility("hidden"))), /* gate_code.S */
	gate_code_end[] __attribute__((visibility("hidden")));

long gate_call_offset(void)
{
	const unsigned char *vdso = (const unsigned char *)getauxval(AT_SYSINFO_EHDR); /* NOLINT: an address it is */
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)vdso;

	if (!vdso)
		return -1;
	const Elf64_Phdr *segments = (const Elf64_Phdr *)(vdso + header->e_phoff);
	for (unsigned s = 0; s < header->e_phnum; s++) {
		if (segments[s].p_type != PT_LOAD || !(segments[s].p_flags & PF_X))
			continue;
		for (uint64_t at = segments[s].p_offset; at + 2 < segments[s].p_offset + segments[s].p_filesz; at++)
			if (vdso[at] == 0x0f && vdso[at + 1] == 0x05)
				return (long)at;
	}
	return -1;
}

/* As slots_open: our mapping was there before the seal, and stays writable. */
static int make_page(struct gate *gate)
{
	char path[32];
	int fd = memfd_create("picket-gate", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	gate->fd = fd;
	if (ftruncate(fd, GATE_LENGTH) < 0)
		return -errno;
	void *page = mmap(NULL, GATE_LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	gate->page = page;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0)
		return -errno;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	gate->fd = open(path, O_RDONLY | O_CLOEXEC);
	close(fd);
	return gate->fd < 0 ? -errno : 0;
}

/* Where a security module has something against code in a memfd, there is none. */
static void put_code(struct gate *gate)
{
	/* cppcheck-suppress comparePointers; both ends of one thing */
	size_t length = (size_t)(gate_code_end - gate_code);
	void *try = mmap(NULL, GATE_LENGTH, PROT_READ | PROT_EXEC, MAP_SHARED, gate->fd, 0);

	gate->protection = PROT_READ;
	if (try == MAP_FAILED)
		return;
	munmap(try, GATE_LENGTH);
	assert(length <= GATE_CODE_LENGTH);
	memcpy((char *)gate->page + (GATE_CODE - GATE_START), gate_code, length);
	gate->protection |= PROT_EXEC;
}

/* `ls -l` and `cp -p` ask for these. None is of user.*, whose values are for those who may read the file (judge.c). */
static void put_attributes(struct wire_gate *page)
{
	static const char *const attributes[GATE_ATTRIBUTES] = {"security.selinux", "security.capability",
								"system.posix_acl_access", "system.posix_acl_default"};

	for (int i = 0; i < GATE_ATTRIBUTES; i++)
		snprintf(page->attribute[i], sizeof page->attribute[i], "%s", attributes[i]);
}

int gate_open(struct gate *gate, struct policy *const *policies, unsigned policy_count, const char *cwd,
	      char *const *environment, unsigned limit, const char *shim)
{
	*gate = GATE_NONE;
	int r = gate_roots_find(&gate->roots, policies, policy_count, cwd, environment);
	if (r < 0 || gate->roots.count == 0)
		return r;
	gate->call_offset = gate_call_offset();
	gate->begin_offset = gate_begin_offset();
	r = gate->call_offset < 0 ? -ENOSYS : make_page(gate);
	if (r < 0)
		return r;
	gate->page->magic = GATE_MAGIC;
	gate->page->version = WIRE_VERSION;
	gate->page->first_root = limit + RESERVED_FD_ROOT;
	gate->page->looking_passes = 1;
	for (unsigned i = 0; i < policy_count; i++)
		if (decide_may_refuse(policies[i]->image, ACCESS_LOOK))
			gate->page->looking_passes = 0;
	put_code(gate);
	put_hows(gate->page, gate->roots.count > gate->roots.early);
	put_names(gate->page, &gate->roots);
	put_attributes(gate->page);
	gate_files_find(gate->page, shim, policies, policy_count, environment);
	gate->how_reading = gate->page->how_reading;
	gate->how_count = gate->page->how_count;
	gate->how_file_reading = gate->page->how_file_reading;
	gate->how_file_count = gate->page->how_file_count;
	gate->file_reading = gate->page->file_reading;
	gate->file_count = gate->page->file_count;
	gate->how_late = gate->page->how_late;
	return 0;
}

void gate_close(struct gate *gate)
{
	if (!gate_late_end(gate))
		return; /* what the thread uses goes with this process */
	gate_roots_free(&gate->roots);
	if (gate->page)
		munmap(gate->page, GATE_LENGTH);
	if (gate->fd >= 0)
		close(gate->fd);
	free(gate->shim);
	shim_names_free(&gate->names);
	*gate = GATE_NONE;
}

void gate_reserve(const struct gate *gate, int reserved[RESERVED_FD_COUNT])
{
	for (int i = 0; i < RESERVED_FD_COUNT; i++)
		reserved[i] = -1;
	if (gate->fd < 0)
		return;
	reserved[RESERVED_FD_GATE] = gate->fd;
	for (unsigned i = 0; i < gate->roots.count; i++)
		reserved[RESERVED_FD_ROOT + i] = gate->roots.list[i].fd;
}

/* ---- what programs do to roots ------------------------------------------ */

/* Is `name` the same as `path`, or on its way? */
static bool leads_through(const char *path, size_t length, const char *name)
{
	size_t n = strlen(name);

	return n <= length && memcmp(path, name, n) == 0 && (n == length || path[n] == '/');
}

void gate_forget(struct gate *gate, const char *name)
{
	struct wire_gate *page = gate->page;

	for (unsigned i = 0; page && i < page->name_count; i++) {
		unsigned root = page->name[i].root;
		if (root == GATE_GONE)
			continue;
		if (leads_through(page->text + page->name[i].text, page->name[i].length, name) ||
		    leads_through(gate->roots.list[root].name, strlen(gate->roots.list[root].name), name))
			page->name[i].root = GATE_GONE;
	}
}

void gate_forget_all(struct gate *gate)
{
	for (unsigned i = 0; gate->page && i < gate->page->name_count; i++)
		gate->page->name[i].root = GATE_GONE;
}
