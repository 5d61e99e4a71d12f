/* SPDX-License-Identifier: MIT */
/*
 * gate_roots.c - see gate.h: which directories may be roots, and which of those are worth a descriptor.
 *
 * A directory may be one when all policies allow it and every name below it (pure.h), and it lies on a mount of a
 * file system whose names are just names. What is mounted below it does not matter: an open through the gate stays on the root's mount.
 *
 * A directory of which only a few names may not be written, such as a working directory with its .git/config and .git/hooks, is a
 * root for reading, and those of its subdirectories that are there when the run begins are roots for writing. Ways to more that
 * do not hold: the filter sees no name, and openat2 has no flag that would keep a walk out of a directory. While there is no
 * .git, nothing that openat2 makes could become one, and the page could be taken back when the run is about to make it; but somebody
 * outside the run may make it at any time, and nobody would be asked. A directory that the run makes cannot become a root: above
 * the limit nobody puts a descriptor into a process that runs.
 *
 * What else the supervisor looks at when a name is opened, and why it is not missed: entries of /proc and the machine's own
 * names are below no root; that a missing name is not made is a matter of the entries of the page; what a name means
 * is not changed by making a file; and that no block device is opened, whatever its name, is why a run of root's
 * gets roots only where none can be (device_free).
 */
#include "gate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "compile.h"
#include "decide.h"
#include "environment.h"
#include "mounts.h"
#include "pure.h"
#include "syscalls.h"

enum {
	IMAGES_MOST = 2,
	RULES_LOOKED_AT = 256,
	ENTRIES_LOOKED_AT = 256, /* of one directory */
	ENTRIES_AT_ONCE = 1024,	 /* of root's trees, before the run begins */
	REFUSALS_KEPT = 32,	 /* many rules name the same few directories, or what lies in them */
	READ = ACCESS_READ | ACCESS_LOOK,
	WRITE = READ | ACCESS_WRITE,
};

/* File systems whose names are just names. Those of user space (fuse) are not among them: who serves them may be anybody. */
static const char *const plain[] = {"ext4", "ext3",	"ext2",	    "xfs",   "btrfs",	 "tmpfs", "overlay",
				    "zfs",  "f2fs",	"bcachefs", "erofs", "squashfs", "ramfs", "rootfs",
				    "nfs",  "nfs4",	"cifs",	    "9p",    "virtiofs", "jfs",	  "nilfs2",
				    "aufs", "ecryptfs", "iso9660",  "vfat",  "exfat"};

struct found {
	struct gate_root root;
	int mount;
};

struct search {
	struct pure pures[IMAGES_MOST];
	unsigned pure_count;
	const struct mount *mounts;
	size_t mount_count;
	struct found found[GATE_ROOTS];
	unsigned count;
	unsigned most;		      /* so many may be found in this part of the search */
	char *refused[REFUSALS_KEPT]; /* names that were considered and are no roots */
	unsigned refused_count;
	unsigned entries; /* that may still be looked at for devices */
	bool root_user;
	const char *cwd; /* at or below it there may be late roots, */
	int cwd_mount;	 /* on the same mount: only that is looked through */
};

/* ---- mounts ------------------------------------------------------------- */

static bool is_plain(const struct mount *mount)
{
	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
		if (strcmp(mount->type, plain[i]) == 0)
			return true;
	return false;
}

/* statx(2) tells it since Linux 5.8, proc_pid_fdinfo(5) ever since there was a gate to find (openat2, Linux 5.6). -1: neither. */
static int mount_id(int fd)
{
	struct statx status;
	char path[48], line[128];
	int id = -1;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status) == 0 && (status.stx_mask & STATX_MNT_ID))
		return (int)status.stx_mnt_id;
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	FILE *file = fopen(path, "re");
	while (file && id < 0 && fgets(line, sizeof line, file))
		sscanf(line, "mnt_id: %d", &id);
	if (file)
		fclose(file);
	return id;
}

/* NULL: on none that is known. */
static const struct mount *mount_of(const struct search *search, int fd)
{
	int id = mount_id(fd);

	for (size_t i = 0; i < search->mount_count; i++)
		if (search->mounts[i].id == id)
			return &search->mounts[i];
	return NULL;
}

static bool lies_below(const char *name, const char *above)
{
	size_t n = strlen(above);

	return strncmp(name, above, n) == 0 && (name[n] == 0 || name[n] == '/');
}

/* ---- devices ------------------------------------------------------------ */

/*
 * Can nothing that may be opened below it be a device? Block devices are refused to every tool, whatever the policy says of their
 * names. They belong to root, so that others cannot open them, but for what root has put there for everybody (picket(7) says
 * so); and no tool can make one (mknod takes a capability that it has not). For root itself a tree that is not too large is looked through; but for /usr, which distributions fill and
 * which by the hierarchy standard can be mounted read-only and shared.
 */
static bool device_free(struct search *search, const struct mount *mount, int fd, const char *name)
{
	if (!search->root_user || mount->no_devices || lies_below(name, "/usr"))
		return true;
	return gate_no_device_below(fd, &search->entries, search->entries / 2, NULL);
}

/* ---- one directory ------------------------------------------------------ */

static unsigned pure_of(const struct search *search, const char *name)
{
	unsigned access = WRITE;

	for (unsigned i = 0; i < search->pure_count; i++)
		access &= pure_below(&search->pures[i], name, strlen(name));
	return access;
}

/* Is there a root already that gives as much, and as soon? */
static bool covered(const struct search *search, const char *name, int mount, bool writable, bool late)
{
	for (unsigned i = 0; i < search->count; i++)
		if (search->found[i].mount == mount && (search->found[i].root.writable || !writable) &&
		    (!search->found[i].root.late || late) && lies_below(name, search->found[i].root.name))
			return true;
	return false;
}

/* Open by a name with no link in it. -1: it has one, or is no directory. */
static int open_exactly(const char *name)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
			       .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};

	return (int)syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof how);
}

static bool is_refused(const struct search *search, const char *name)
{
	for (unsigned i = 0; i < search->refused_count; i++)
		if (strcmp(search->refused[i], name) == 0)
			return true;
	return false;
}

/* Make it a root if it may be one and is worth it. The accesses that every name below it has: those and no more. */
static unsigned consider(struct search *search, const char *name)
{
	unsigned access = pure_of(search, name);
	bool writable = access == WRITE;

	if ((access & READ) != READ || search->count >= search->most || is_refused(search, name))
		return access;
	int fd = open_exactly(name);
	const struct mount *mount = fd >= 0 ? mount_of(search, fd) : NULL;
	if (mount && is_plain(mount) && !covered(search, name, mount->id, writable, false)) {
		bool late = !device_free(search, mount, fd, name);
		bool worth = !late || (mount->id == search->cwd_mount && lies_below(name, search->cwd) &&
				       !covered(search, name, mount->id, writable, true));
		char *copy = worth ? strdup(name) : NULL;
		if (copy) {
			search->found[search->count++] =
				(struct found){.root = {.fd = fd, .name = copy, .writable = writable, .late = late},
					       .mount = mount->id};
			return access;
		}
	}
	if (fd >= 0)
		close(fd);
	if (search->refused_count < REFUSALS_KEPT && (search->refused[search->refused_count] = strdup(name)) != NULL)
		search->refused_count++;
	return access;
}

/* Each directory on the way to it, from the top: the first that may be read is the best root for reading. Of a path with links
 * in it none becomes one (open_exactly). */
static void consider_way(struct search *search, const char *path)
{
	char name[PATH_MAX], *slash;
	unsigned access = 0;

	if (strlen(path) >= sizeof name)
		return;
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.strcpy): its room was reckoned before */
	strcpy(name, path);
	/* of root's trees the small ones are likely to do */
	for (slash = search->root_user ? NULL : strchr(name + 1, '/'); slash && access != WRITE;
	     slash = strchr(slash + 1, '/')) {
		*slash = 0;
		access = consider(search, name);
		*slash = '/';
	}
	if (access != WRITE)
		consider(search, name);
}

static bool is_directory(int dirfd, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* What lies in a directory that cannot be a (writable) root itself. */
static void consider_below(struct search *search, const char *path, unsigned depth, unsigned wanted)
{
	char child[PATH_MAX];
	const struct dirent *entry;

	if ((pure_of(search, path) & wanted) == wanted)
		return;
	DIR *directory = opendir(path);
	for (int i = 0; directory && i < ENTRIES_LOOKED_AT && (entry = readdir(directory)) != NULL; i++) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    !is_directory(dirfd(directory), entry))
			continue;
		if (snprintf(child, sizeof child, "%s/%s", path[1] ? path : "", entry->d_name) >= PATH_MAX)
			continue;
		unsigned access = pure_of(search, child);
		if ((access & wanted) == wanted)
			consider(search, child);
		else if (depth > 1)
			consider_below(search, child, depth - 1, wanted);
	}
	if (directory)
		closedir(directory);
}

/* ---- all ---------------------------------------------------------------- */

/* The directory that a variable names, in `real`; without one "/", which is no root and has been considered. */
static const char *named_by(char *const *environment, const char *name, char real[PATH_MAX])
{
	const char *value = environment_value(environment, name);

	return value && realpath(value, real) ? real : "/";
}

/* The directories that the policy itself names. */
static void consider_rules(struct search *search, const struct image *image)
{
	uint32_t count = image_rule_count(image);

	for (uint32_t i = 0; i < count && i < RULES_LOOKED_AT; i++) {
		struct rule rule = image_rule(image, i);
		if ((rule.key == RULE_READ || rule.key == RULE_WRITE || rule.key == RULE_READ_ONLY) &&
		    !strchr(rule.target, '*') && rule.target[1])
			consider_way(search, rule.target);
	}
}

/* Part by part, each with an end, so that none takes all descriptors. Those most used come first. */
static void look_around(struct search *search, struct policy *const *policies, const char *cwd,
			char *const *environment)
{
	char named[PATH_MAX];

	search->most = 14;
	consider_way(search, cwd);
	consider_way(search, "/usr");
	consider_way(search, named_by(environment, "TMPDIR", named));
	consider_way(search, "/tmp");
	consider_below(search, cwd, 2, WRITE);
	search->most = 22;
	consider_way(search, "/var/tmp");
	consider_way(search, "/dev/shm");
	for (unsigned i = 0; i < search->pure_count; i++)
		consider_rules(search, policies[i]->image);
	if (search->root_user)
		return; /* looking through these for devices takes longer than it saves */
	search->most = 26;
	consider_below(search, "/", 1, READ);
	consider_below(search, named_by(environment, "HOME", named), 1, READ);
	search->most = 28;
	consider_below(search, "/etc", 1, READ);
}

/* A rule may speak of the link alone (judge_links.c). */
static bool may_lead(const struct search *search, const char *link)
{
	for (unsigned i = 0; i < search->pure_count; i++)
		if (!decide_link(search->pures[i].image, link, strlen(link), WRITE).allowed)
			return false;
	return true;
}

/* A link in the root directory, such as /lib, is a name of what it leads to; and that needs a descriptor of its own. */
static void consider_link(struct search *search, struct gate_roots *roots, const char *link)
{
	char target[PATH_MAX], text[PATH_MAX], joined[PATH_MAX + 1];
	ssize_t n = readlink(link, text, sizeof text - 1);
	unsigned at = 0;

	if (n <= 0 || !realpath(link, target) || roots->link_count == sizeof roots->links / sizeof roots->links[0])
		return;
	text[n] = 0;
	/* one step that leads to the place itself: else something on the way could be changed without our noticing */
	snprintf(joined, sizeof joined, "%s%s", text[0] == '/' ? "" : "/", text);
	if (strcmp(joined, target) != 0 || (pure_of(search, target) & READ) != READ || !may_lead(search, link))
		return;
	while (at < search->count && strcmp(search->found[at].root.name, target) != 0)
		at++;
	if (at == search->count) {
		int fd = search->count < GATE_ROOTS ? open_exactly(target) : -1;
		const struct mount *mount = fd >= 0 ? mount_of(search, fd) : NULL;
		char *name = strdup(target);
		if (!mount || !is_plain(mount) || !device_free(search, mount, fd, target) || !name) {
			free(name);
			if (fd >= 0)
				close(fd);
			return;
		}
		search->found[search->count++] =
			(struct found){.root = {.fd = fd, .name = name, .writable = pure_of(search, target) == WRITE},
				       .mount = mount->id};
	}
	char *name = strdup(link);
	if (name)
		roots->links[roots->link_count++] = (struct gate_link){.name = name, .root = at};
}

/* Into the order that the filter needs. */
static void hand_over(struct search *search, struct gate_roots *roots)
{
	unsigned place[GATE_ROOTS], *const ends[] = {&roots->reading, &roots->early, &roots->late_reading,
						     &roots->count};
	unsigned count = 0;

	for (unsigned part = 0; part < sizeof ends / sizeof ends[0]; part++) {
		for (unsigned i = 0; i < search->count; i++) {
			const struct gate_root *root = &search->found[i].root;
			if (root->late == part / 2 && root->writable == part % 2) {
				place[i] = count;
				roots->list[count++] = *root;
			}
		}
		*ends[part] = count;
	}
	for (unsigned i = 0; i < roots->link_count; i++)
		/* cppcheck-suppress uninitvar; set for each root that was found */
		roots->links[i].root = place[roots->links[i].root];
}

int gate_roots_find(struct gate_roots *roots, struct policy *const *policies, unsigned policy_count, const char *cwd,
		    char *const *environment)
{
	static const char *const links[] = {"/lib", "/lib64", "/bin", "/sbin"};
	struct search search = {.root_user = geteuid() == 0, .entries = ENTRIES_AT_ONCE, .cwd = cwd};
	int r = 0;

	search.mount_count = mounts_all(&search.mounts);
	cleanup_fd int top = open_exactly(cwd);
	search.cwd_mount = top < 0 ? -1 : mount_id(top);

	memset(roots, 0, sizeof *roots);
	for (unsigned i = 0; r == 0 && i < policy_count && i < IMAGES_MOST; i++) {
		r = pure_open(&search.pures[i], policies[i]->image);
		search.pure_count += r == 0;
	}
	if (r == 0 && search.pure_count == policy_count) {
		look_around(&search, policies, cwd, environment);
		for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
			consider_link(&search, roots, links[i]);
		hand_over(&search, roots);
	}
	for (unsigned i = 0; i < search.pure_count; i++)
		pure_close(&search.pures[i]);
	for (unsigned i = 0; i < search.refused_count; i++)
		free(search.refused[i]);
	return r;
}

void gate_roots_free(struct gate_roots *roots)
{
	for (unsigned i = 0; i < roots->count; i++) {
		free(roots->list[i].name);
		close(roots->list[i].fd);
	}
	for (unsigned i = 0; i < roots->link_count; i++)
		free(roots->links[i].name);
	roots->count = roots->reading = roots->early = roots->late_reading = roots->link_count = 0;
}
