/* SPDX-License-Identifier: MIT */
/* registry.c - see registry.h. */
#include "registry.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "trust.h"

#define PROGRAMS "programs"
#define LOCK ".lock"
#define NEW ".new" /* what is being written; whoever holds the lock owns the name */

enum {
	NAME_ROOM = NAME_MAX + 1,
	ID_ROOM = NAME_ROOM - 66, /* of an id as part of a file name: a dot, a hash and a NUL follow */
	HASH_LENGTH = 64,
	INDEX_SLACK = 1000, /* stale lines that do no harm */
	LOOKS_MOST = 100,   /* a plugin that is replaced so often while we look is not there */
};

struct registry {
	char *path;
	int fd;	      /* the directory */
	int programs; /* DIR/programs */
};

/* ---- names ---- */

static bool stands_for_itself(const char *id, size_t at)
{
	return isalnum((unsigned char)id[at]) || strchr("_-+@", id[at]) || (id[at] == '.' && at > 0);
}

/* An id as part of a file name. */
static int encode(const char *id, char name[ID_ROOM])
{
	size_t used = 0;

	for (size_t i = 0; id[i]; i++) {
		bool plain = stands_for_itself(id, i);
		if (used + 4 > ID_ROOM)
			return -ENAMETOOLONG;
		if (plain)
			name[used++] = id[i];
		else
			used += (size_t)snprintf(name + used, 4, "%%%02X", (unsigned char)id[i]);
	}
	name[used] = '\0';
	return used ? 0 : -EINVAL;
}

static int manifest_name(const char *id, char name[NAME_ROOM])
{
	char encoded[ID_ROOM];
	int error = encode(id, encoded);

	snprintf(name, NAME_ROOM, "%s" MANIFEST_SUFFIX, error ? "" : encoded);
	return error;
}

static void program_name(const char *id, const char *hash, char name[NAME_ROOM])
{
	char encoded[ID_ROOM];

	snprintf(name, NAME_ROOM, "%s.%.64s", encode(id, encoded) ? "" : encoded, hash);
}

/* Is this file a program of the plugin (any version)? */
static bool is_program_of(const char *name, const char *encoded)
{
	size_t length = strlen(encoded);

	return strlen(name) == length + 1 + HASH_LENGTH && !strncmp(name, encoded, length) && name[length] == '.';
}

/* ---- opening ---- */

static int open_programs(struct registry *registry, bool make, struct complaint *why)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

	if (make && mkdirat(registry->fd, PROGRAMS, 0755) && errno != EEXIST)
		return complain(why, -errno, "%s/" PROGRAMS ": %s", registry->path, strerror(errno));
	registry->programs = openat(registry->fd, PROGRAMS, flags);
	if (registry->programs < 0 && errno == ENOENT && !make)
		return 0; /* nothing was ever installed */
	if (registry->programs < 0)
		return complain(why, -errno, "%s/" PROGRAMS ": %s", registry->path, strerror(errno));
	return trust_fd(registry->programs, PROGRAMS, why);
}

int registry_open(const char *path, bool make, struct registry **out, struct complaint *why)
{
	int error = make ? trust_make_directory(path, why) : 0;

	if (error)
		return error;
	struct registry *registry = malloc(sizeof *registry);
	if (!registry)
		return complain(why, -ENOMEM, "%s: %s", path, strerror(ENOMEM));
	*registry = (struct registry){.path = strdup(path), .fd = -1, .programs = -1};
	if (!registry->path)
		error = complain(why, -ENOMEM, "%s: %s", path, strerror(ENOMEM));
	else
		registry->fd = trust_open(path, O_RDONLY | O_DIRECTORY, why);
	if (!error && registry->fd < 0)
		error = registry->fd;
	if (!error)
		error = open_programs(registry, make, why);
	if (error) {
		registry_close(registry);
		return error;
	}
	*out = registry;
	return 0;
}

void registry_close(struct registry *registry)
{
	if (!registry)
		return;
	if (registry->programs >= 0)
		close(registry->programs);
	if (registry->fd >= 0)
		close(registry->fd);
	free(registry->path);
	free(registry);
}

/* The descriptor that holds the lock; closing it gives the lock back. */
static int lock(struct registry *registry, struct complaint *why)
{
	int fd = openat(registry->fd, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int result;

	if (fd < 0)
		return complain(why, -errno, "%s/" LOCK ": %s", registry->path, strerror(errno));
	do
		result = flock(fd, LOCK_EX);
	while (result && errno == EINTR);
	if (result) {
		int error = -errno;
		close(fd);
		return complain(why, error, "%s/" LOCK ": %s", registry->path, strerror(-error));
	}
	return fd;
}

/* ---- writing ---- */

/* Write a file beside the others and move it to its name. What had the name before is whole until then. */
static int put_file(int directory, const char *name, const void *bytes, size_t length, mode_t mode)
{
	unlinkat(directory, NEW, 0); /* of one who died with the lock */
	cleanup_fd int fd = openat(directory, NEW, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	const char *at = bytes;
	size_t left = length;
	int error = fd < 0 ? -errno : 0;

	while (!error && left) {
		ssize_t n = write(fd, at, left);
		if (n < 0 && errno != EINTR)
			error = -errno;
		if (n > 0) {
			at += n;
			left -= (size_t)n;
		}
	}
	if (!error && (fchmod(fd, mode) || fsync(fd) || renameat(directory, NEW, directory, name) || fsync(directory)))
		error = -errno;
	if (error && fd >= 0)
		unlinkat(directory, NEW, 0);
	return error;
}

/* Remove the plugin's programs but the one named `keep` (NULL: all). What cannot be removed only takes room. */
static void remove_programs(struct registry *registry, const char *id, const char *keep)
{
	char encoded[ID_ROOM];
	int copy = openat(registry->programs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *entries = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	if (!entries || encode(id, encoded)) {
		if (!entries && copy >= 0)
			close(copy);
		return;
	}
	while ((entry = readdir(entries)))
		if (is_program_of(entry->d_name, encoded) && (!keep || strcmp(entry->d_name, keep) != 0))
			unlinkat(registry->programs, entry->d_name, 0);
}

/* Tell the index of a manifest that has just been written. */
static void add_to_index(const struct registry *registry, const char *name, const struct manifest *manifest)
{
	struct stat status;
	cleanup_free char *line =
		fstatat(registry->fd, name, &status, AT_SYMLINK_NOFOLLOW) ? NULL : index_line(name, &status, manifest);

	if (line)
		index_append(registry->fd, line, strlen(line));
}

int registry_install(struct registry *registry, const struct manifest *manifest, const void *program, size_t length,
		     struct complaint *why)
{
	char name[NAME_ROOM], program_as[NAME_ROOM];
	int error = manifest_name(manifest->id, name);

	if (error)
		return complain(why, error, "'%s' is too long for the name of a file", manifest->id);
	program_name(manifest->id, manifest->content_hash, program_as);
	cleanup_free char *text = manifest_text(manifest);
	if (!text)
		return complain(why, -ENOMEM, "%s", strerror(ENOMEM));
	cleanup_fd int held = lock(registry, why);
	if (held < 0)
		return held;
	error = put_file(registry->programs, program_as, program, length, 0755);
	if (error)
		return complain(why, error, "%s/" PROGRAMS "/%s: %s", registry->path, program_as, strerror(-error));
	error = put_file(registry->fd, name, text, strlen(text), 0644);
	if (error)
		return complain(why, error, "%s/%s: %s", registry->path, name, strerror(-error));
	remove_programs(registry, manifest->id, program_as);
	add_to_index(registry, name, manifest);
	return 0;
}

int registry_remove(struct registry *registry, const char *id, struct complaint *why)
{
	char name[NAME_ROOM];

	if (manifest_name(id, name))
		return complain(why, -ENOENT, "'%s' is not installed in %s", id, registry->path);
	cleanup_fd int held = lock(registry, why);
	if (held < 0)
		return held;
	if (unlinkat(registry->fd, name, 0)) {
		if (errno == ENOENT)
			return complain(why, -ENOENT, "'%s' is not installed in %s", id, registry->path);
		return complain(why, -errno, "%s/%s: %s", registry->path, name, strerror(errno));
	}
	fsync(registry->fd);
	if (registry->programs >= 0)
		remove_programs(registry, id, NULL);
	return 0;
}

/* ---- reading ---- */

/* A manifest's bytes into `text`, which has room for one byte more than a manifest may have. */
static ssize_t read_manifest(const struct registry *registry, const char *name, char *text)
{
	cleanup_fd int fd = openat(registry->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;
	size_t have = 0;

	if (fd < 0 || fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	while (have < MANIFEST_BYTES_MOST + 1) {
		ssize_t n = read(fd, text + have, MANIFEST_BYTES_MOST + 1 - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += (size_t)n;
		if (have < MANIFEST_BYTES_MOST / 2)
			break; /* of a regular file a short read is the end: a call less for each of a long list */
	}
	return (ssize_t)have;
}

/* Look once. -EAGAIN: the program has gone; *why says what it was. */
static int look(struct registry *registry, const char *name, const char *id, char *text, struct registered *found,
		struct complaint *why)
{
	char program_as[NAME_ROOM];
	ssize_t length = read_manifest(registry, name, text);

	if (length == -ENOENT)
		return complain(why, -ENOENT, "'%s' is not installed in %s", id, registry->path);
	if (length < 0)
		return complain(why, (int)length, "%s: %s", found->source, strerror((int)-length));
	int error = manifest_read(found->source, text, (size_t)length, &found->manifest, why);
	if (error)
		return error;
	if (strcmp(found->manifest.id, id) != 0)
		return complain(why, -EINVAL, "%s: is the manifest of '%s'", found->source, found->manifest.id);
	program_name(id, found->manifest.content_hash, program_as);
	if (asprintf(&found->program, "%s/" PROGRAMS "/%s", registry->path, program_as) < 0) {
		found->program = NULL;
		return complain(why, -ENOMEM, "%s", strerror(ENOMEM));
	}
	found->fd = openat(registry->programs, program_as, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (found->fd < 0)
		return complain(why, errno == ENOENT ? -EAGAIN : -errno, "%s: %s", found->program, strerror(errno));
	return trust_fd(found->fd, found->program, why);
}

int registry_find(struct registry *registry, const char *id, struct registered *found, struct complaint *why)
{
	char name[NAME_ROOM], before[HASH_LENGTH + 1] = "";
	int error = -EAGAIN;

	*found = (struct registered){.fd = -1};
	if (manifest_name(id, name))
		return complain(why, -ENOENT, "'%s' is not installed in %s", id, registry->path);
	cleanup_free char *text = malloc(MANIFEST_BYTES_MOST + 1);
	for (int i = 0; text && error == -EAGAIN && i < LOOKS_MOST; i++) {
		registered_free(found);
		if (asprintf(&found->source, "%s/%s", registry->path, name) < 0) {
			found->source = NULL;
			break;
		}
		error = look(registry, name, id, text, found, why);
		if (error != -EAGAIN)
			break;
		/* replaced meanwhile? the same manifest twice says no */
		if (!strcmp(before, found->manifest.content_hash))
			error = -ENODATA;
		snprintf(before, sizeof before, "%s", found->manifest.content_hash);
	}
	if (!text || (error == -EAGAIN && !found->source))
		error = complain(why, -ENOMEM, "%s", strerror(ENOMEM));
	if (error)
		registered_free(found);
	return error;
}

void registered_free(struct registered *registered)
{
	manifest_free(&registered->manifest);
	free(registered->source);
	free(registered->program);
	if (registered->fd >= 0)
		close(registered->fd);
	*registered = (struct registered){.fd = -1};
}

static int by_name(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

/* The names of all manifests, sorted; each and the list are the caller's to free. */
static int read_names(const struct registry *registry, char ***out, size_t *out_count)
{
	int copy = openat(registry->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *entries = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	char **names = NULL;
	size_t count = 0, room = 0;
	int error = entries ? 0 : -errno;

	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): without entries there is an error */
	while (!error && (errno = 0, entry = readdir(entries))) {
		size_t length = strlen(entry->d_name), suffix = strlen(MANIFEST_SUFFIX);
		if (length <= suffix || strcmp(entry->d_name + length - suffix, MANIFEST_SUFFIX) != 0 ||
		    strpbrk(entry->d_name, "\t\n")) /* none of ours, and nothing for a line of the index */
			continue;
		if (count == room) {
			size_t more = room ? 2 * room : 64;
			char **larger = reallocarray(names, more, sizeof *names);
			if (!larger) {
				error = -ENOMEM;
				break;
			}
			names = larger;
			room = more;
		}
		names[count] = strdup(entry->d_name);
		if (!names[count++])
			error = -ENOMEM;
	}
	if (!error && errno)
		error = -errno;
	if (count)
		qsort(names, count, sizeof *names, by_name);
	*out = names;
	*out_count = count;
	return error;
}

/* ---- listing ---- */

/* The manifest of one file as a line of the index; malloc'ed. NULL with *why; "" in it when the file has gone. */
static char *line_of(const struct registry *registry, const char *name, char *text, struct complaint *why)
{
	struct manifest manifest;
	struct stat status;

	why->text[0] = '\0';
	if (fstatat(registry->fd, name, &status, AT_SYMLINK_NOFOLLOW) && errno == ENOENT)
		return NULL;
	ssize_t length = read_manifest(registry, name, text);
	if (length == -ENOENT)
		return NULL;
	if (length < 0) {
		complain(why, (int)length, "%s/%s: %s", registry->path, name, strerror((int)-length));
		return NULL;
	}
	if (manifest_read(name, text, (size_t)length, &manifest, why))
		return NULL;
	char *line = index_line(name, &status, &manifest);
	manifest_free(&manifest);
	if (!line)
		complain(why, -ENOMEM, "%s", strerror(ENOMEM));
	return line;
}

/* What a list found out that the index did not know. */
struct news {
	char *lines;
	size_t length, room;
};

/* Lost when there is no memory: then the next list finds it out again. */
static void add_news(struct news *news, const char *line)
{
	size_t length = strlen(line);

	if (news->length + length > news->room) {
		size_t room = 2 * (news->length + length);
		char *larger = realloc(news->lines, room);
		if (!larger)
			return;
		news->lines = larger;
		news->room = room;
	}
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): where there was no room there is now */
	memcpy(news->lines + news->length, line, length);
	news->length += length;
}

/* Keep the news for the next list, if nobody is writing just now and we may. An index that is mostly stale begins anew.
 */
static void keep_news(const struct registry *registry, const struct news *news, bool stale)
{
	cleanup_fd int held = openat(registry->fd, LOCK, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (held < 0 || flock(held, LOCK_EX | LOCK_NB))
		return;
	if (stale)
		unlinkat(registry->fd, INDEX_FILE, 0);
	else
		index_append(registry->fd, news->lines, news->length);
}

static int list_one(const struct registry *registry, const struct registry_index *index, const char *name, char *text,
		    struct news *news, int (*each)(const struct registry_row *, const char *, void *), void *context)
{
	struct registry_row row;
	struct complaint why;
	struct stat status;

	if (fstatat(registry->fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && index_find(index, name, &status, &row))
		return each(&row, NULL, context);
	cleanup_free char *line = line_of(registry, name, text, &why);
	if (!line)
		return *why.text ? each(NULL, why.text, context) : 0;
	add_news(news, line);
	return index_row(line, &row) ? each(&row, NULL, context) : 0;
}

int registry_list(struct registry *registry,
		  int (*each)(const struct registry_row *row, const char *fault, void *context), void *context,
		  struct complaint *why)
{
	cleanup_free char *text = malloc(MANIFEST_BYTES_MOST + 1);
	struct registry_index *index = index_read(registry->fd);
	struct news news = {NULL, 0, 0};
	char **names = NULL;
	size_t count = 0;
	int error = text && index ? read_names(registry, &names, &count) : -ENOMEM;

	if (error)
		complain(why, error, "%s: %s", registry->path, strerror(-error));
	for (size_t i = 0; !error && i < count; i++)
		error = list_one(registry, index, names[i], text, &news, each, context);
	bool stale = index && index_lines(index) > 2 * count + INDEX_SLACK;
	if (!error && (news.length || stale))
		keep_news(registry, &news, stale);
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	free(news.lines);
	index_free(index);
	return error;
}
