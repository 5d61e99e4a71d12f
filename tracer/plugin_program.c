/* SPDX-License-Identifier: MIT */
/*
 * plugin_program.c - see plugin_program.h.
 *
 * The copy is sealed first and hashed then: from the first byte of the hash
 * on nobody, this process included, can change what is hashed.
 */
#include "plugin_program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "plugin_note.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif

enum {
	COPY_PIECE = 16 << 20,
	MEMFD_NAME_MOST = 250, /* memfd_create(2), with the NUL */
};

/* With vm.memfd_noexec=1 a memfd is executable only if that is asked for; kernels before 6.3 do not know the flag. */
static int new_memfd(const char *path)
{
	char name[MEMFD_NAME_MOST];
	const char *slash = strrchr(path, '/');

	snprintf(name, sizeof name, "%s", slash ? slash + 1 : path); /* what /proc/PID/exe and comm will say */
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd < 0 ? -errno : fd;
}

static int seal(int fd)
{
	if (fchmod(fd, 0555))
		return -errno;
	return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) ? -errno : 0;
}

/* The kernel copies, page cache to page cache. A file that grows meanwhile is copied until PLUGIN_BYTES_MOST. */
static int copy_file(int from, int to, size_t *length)
{
	*length = 0;
	for (;;) {
		ssize_t n = sendfile(to, from, NULL, COPY_PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		*length += (size_t)n;
		if (*length > PLUGIN_BYTES_MOST)
			return -EFBIG;
	}
}

static int write_all(int to, const uint8_t *bytes, size_t length)
{
	while (length) {
		ssize_t n = write(to, bytes, length);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			length -= (size_t)n;
		}
	}
	return 0;
}

/* The name that `env NAME` or `env -S NAME ARG...` would look up. */
static void find_second(const char *argument, char second[PLUGIN_LINE_MOST])
{
	bool split = !strncmp(argument, "-S", 2);
	const char *at = split ? argument + 2 : argument;

	for (;;) {
		at += strspn(at, " \t");
		size_t length = split ? strcspn(at, " \t") : strlen(at);
		if (!length)
			return;
		if (split && memchr(at, '=', length)) { /* NAME=VALUE before the program */
			at += length;
			continue;
		}
		if (*at != '-' && length < PLUGIN_LINE_MOST) {
			memcpy(second, at, length);
			second[length] = '\0';
		}
		return;
	}
}

/* As the kernel reads it: interpreter, and the rest of the line as one argument. NULL, or why it cannot be run. */
static const char *read_shebang(struct plugin_program *program)
{
	char line[PLUGIN_LINE_MOST];
	size_t length = program->length - 2 < sizeof line - 1 ? program->length - 2 : sizeof line - 1;
	const char *newline = memchr(program->bytes + 2, '\n', length);

	if (newline)
		length = (size_t)((const uint8_t *)newline - program->bytes) - 2;
	else if (length == sizeof line - 1)
		return "its first line is longer than the kernel reads";
	memcpy(line, program->bytes + 2, length);
	line[length] = '\0';
	if (strlen(line) != length)
		return "its first line has a NUL";
	while (length && strchr(" \t", line[length - 1]))
		line[--length] = '\0';
	char *start = line + strspn(line, " \t"), *end = start + strcspn(start, " \t");
	const char *argument = end + strspn(end, " \t");
	*end = '\0';
	if (*start != '/')
		return "its interpreter is not an absolute path";
	memcpy(program->interpreter, start, strlen(start) + 1);
	if (!strcmp(strrchr(start, '/'), "/env"))
		find_second(argument, program->second);
	return NULL;
}

static int classify(struct plugin_program *program, const char *name, struct complaint *why)
{
	program->kind = PLUGIN_OTHER;
	if (program->length >= 4 && !memcmp(program->bytes, "\177ELF", 4)) {
		program->kind = PLUGIN_ELF;
		return note_find(program->bytes, program->length, name, &program->manifest, why);
	}
	if (program->length >= 2 && !memcmp(program->bytes, "#!", 2)) {
		program->kind = PLUGIN_SCRIPT;
		program->cannot_run = read_shebang(program);
		return 0;
	}
	program->cannot_run = "neither an ELF program nor a script that begins with #!";
	return 0;
}

static int hash(struct plugin_program *program)
{
	const struct byte_range *hole = &program->manifest;
	size_t after = hole->start + hole->length;
	struct sign_hash *sum = sign_hash_new();

	if (!sum)
		return -ENOMEM;
	if (hole->length) {
		sign_hash_add(sum, program->bytes, hole->start);
		sign_hash_add(sum, program->bytes + after, program->length - after);
	} else {
		sign_hash_add(sum, program->bytes, program->length);
	}
	sign_hash_end(sum, program->hash);
	return 0;
}

/* Seal what is in the memfd, look at it, hash it. */
static int finish(struct plugin_program *program, const char *name, struct complaint *why)
{
	int error = seal(program->fd);

	if (error)
		return complain(why, error, "%s: sealing its copy: %s", name, strerror(-error));
	if (!program->length)
		return complain(why, -EINVAL, "%s: is empty", name);
	void *bytes = mmap(NULL, program->length, PROT_READ, MAP_PRIVATE, program->fd, 0);
	if (bytes == MAP_FAILED)
		return complain(why, -errno, "%s: %s", name, strerror(errno));
	program->bytes = bytes;
	error = classify(program, name, why);
	if (error)
		return error;
	lseek(program->fd, 0, SEEK_SET); /* whoever gets a copy of the descriptor reads from the start */
	error = hash(program);
	return error ? complain(why, error, "%s: %s", name, strerror(-error)) : 0;
}

int plugin_program_load(int fd, const char *name, struct plugin_program *program, struct complaint *why)
{
	struct stat status;

	*program = (struct plugin_program){.fd = -1};
	if (fstat(fd, &status))
		return complain(why, -errno, "%s: %s", name, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return complain(why, -EINVAL, "%s: not a regular file", name);
	program->fd = new_memfd(name);
	int error = program->fd < 0 ? program->fd : copy_file(fd, program->fd, &program->length);
	if (error)
		complain(why, error, "%s: copying it: %s", name, strerror(-error));
	else
		error = finish(program, name, why);
	if (error)
		plugin_program_free(program);
	return error;
}

int plugin_program_from_bytes(const void *bytes, size_t length, const char *name, struct plugin_program *program,
			      struct complaint *why)
{
	*program = (struct plugin_program){.fd = new_memfd(name), .length = length};
	int error = program->fd < 0 ? program->fd : write_all(program->fd, bytes, length);
	if (error)
		complain(why, error, "%s: copying it: %s", name, strerror(-error));
	else
		error = finish(program, name, why);
	if (error)
		plugin_program_free(program);
	return error;
}

void plugin_program_free(struct plugin_program *program)
{
	if (program->bytes)
		munmap((void *)(uintptr_t)program->bytes, program->length);
	if (program->fd >= 0)
		close(program->fd);
	*program = (struct plugin_program){.fd = -1};
}
