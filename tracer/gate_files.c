/* SPDX-License-Identifier: MIT */
/*
 * gate_files.c - see gate.h: single files that programs open again and again, in directories that are no roots: the
 * loader's cache beside /etc/shadow, /dev/null beside disks, the shim itself.
 *
 * Why each is sound: the filter lets through only the very name that stands in the page, which nobody can write, and
 * the entry has the kernel refuse to follow any link on the way. So what is opened is what has this name, whatever the
 * run makes of the directories, and the policy was asked about this name. Names of which it says something else than of
 * their file are none: links, and what belongs to processes. No block device comes to have such a name, as none is
 * moved or linked (judge.c), nor does a directory with one in it come to lie on the way there (gate_admits).
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "always.h"
#include "cleanup.h"
#include "compile.h"
#include "decide.h"
#include "environment.h"
#include "gate.h"

/* What the C library, the shells and the languages open by themselves. */
static const char *const files[] = {
	"/etc/ld.so.cache",
	"/usr/share/locale/locale.alias",
	"/etc/localtime",
	"/etc/nsswitch.conf",
	"/etc/passwd",
	"/etc/group",
	"/etc/hosts",
	"/etc/host.conf",
	"/etc/resolv.conf",
	"/etc/gai.conf",
	"/etc/services",
	"/etc/protocols",
	"/etc/ssl/openssl.cnf",
	"/etc/inputrc",
	"/etc/profile",
	"/etc/bash.bashrc",
	"/etc/os-release",
	"/etc/debian_version",
	"/etc/gitconfig",
	"/etc/mime.types",
	"/etc/timezone",
	"/etc/machine-id",
	"/proc/filesystems",
	"/proc/meminfo",
	"/proc/cpuinfo",
	"/proc/stat",
	"/proc/loadavg",
	"/proc/uptime",
	"/proc/version",
	"/proc/sys/vm/overcommit_memory",
	"/proc/sys/kernel/osrelease",
	"/proc/sys/kernel/cap_last_cap",
	"/sys/devices/system/cpu/online",
	"/sys/devices/system/cpu/possible",
	"/sys/kernel/mm/transparent_hugepage/enabled",
	"/sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
};
static const char *const files_of_home[] = {".gitconfig", ".config/git/config", ".inputrc", ".bashrc", ".profile"};
static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/urandom", "/dev/random", "/dev/full", "/dev/tty"};

struct list {
	struct wire_gate *page;
	struct policy *const *policies;
	unsigned policy_count;
	const char *writable[sizeof devices / sizeof devices[0]]; /* to be put behind the others */
	unsigned writable_count;
};

static bool allowed(const struct list *list, const char *name, unsigned access)
{
	size_t length = strlen(name);

	if (always_machine(name, length, access) || always_stranger(name, length))
		return false;
	for (unsigned i = 0; i < list->policy_count; i++)
		if (!decide_path(list->policies[i]->image, name, length, access).allowed)
			return false;
	return true;
}

/* -1: it is not among them. */
static int find(const struct wire_gate *page, const char *name)
{
	for (unsigned i = 0; i < page->file_count; i++)
		if (strcmp(page->file[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* Its place, or -1. */
static int put(struct list *list, const char *name)
{
	int place = find(list->page, name);
	size_t length = strlen(name);

	if (place >= 0 || list->page->file_count == GATE_FILES || length >= sizeof list->page->file[0].name - 1)
		return place;
	place = (int)list->page->file_count++;
	memcpy(list->page->file[place].name, name, length + 1);
	return place;
}

/* Only to be read, as devices alone are worth more. */
static int put_allowed(struct list *list, const char *name)
{
	return allowed(list, name, ACCESS_READ) ? put(list, name) : -1;
}

static bool may_lead(const struct list *list, const char *link)
{
	for (unsigned i = 0; i < list->policy_count; i++)
		if (!decide_link(list->policies[i]->image, link, strlen(link), ACCESS_READ | ACCESS_LOOK).allowed)
			return false;
	return true;
}

/* A link that the run cannot change, to a place that is reached without another: who asks for it gets the file. */
static void put_link(struct list *list, const char *link)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
	char text[PATH_MAX], joined[2 * PATH_MAX], place[64], target[PATH_MAX];
	ssize_t n = readlink(link, text, sizeof text - 1);

	if (n <= 0 || list->page->link_count == GATE_FILE_LINKS || strlen(link) >= sizeof list->page->link[0].name ||
	    !may_lead(list, link) || allowed(list, link, ACCESS_WRITE))
		return;
	text[n] = 0;
	snprintf(joined, sizeof joined, "%.*s%s", text[0] == '/' ? 0 : (int)(strrchr(link, '/') - link + 1), link,
		 text);
	cleanup_fd int fd = (int)syscall(SYS_openat2, AT_FDCWD, joined, &how, sizeof how);
	if (fd < 0)
		return;
	snprintf(place, sizeof place, "/proc/self/fd/%d", fd);
	n = readlink(place, target, sizeof target - 1);
	target[n > 0 ? n : 0] = 0;
	int file = put_allowed(list, target);
	if (file < 0)
		return;
	struct wire_gate_link *entry = &list->page->link[list->page->link_count++];
	memcpy(entry->name, link, strlen(link) + 1);
	entry->file = (uint8_t)file;
}

/* What is not there is no name of a file: it is found missing without us. */
static void consider(struct list *list, const char *name)
{
	struct stat st;

	if (lstat(name, &st) < 0)
		return;
	if (S_ISREG(st.st_mode))
		put_allowed(list, name);
	else if (S_ISLNK(st.st_mode))
		put_link(list, name);
}

static void consider_device(struct list *list, const char *name)
{
	struct stat st;

	if (lstat(name, &st) < 0 || !S_ISCHR(st.st_mode))
		return;
	if (allowed(list, name, ACCESS_READ) && allowed(list, name, ACCESS_WRITE))
		list->writable[list->writable_count++] = name;
	else
		put_allowed(list, name);
}

static void consider_all(struct list *list, const char *home)
{
	char name[PATH_MAX];

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		consider(list, files[i]);
	for (size_t i = 0; home && home[0] == '/' && i < sizeof files_of_home / sizeof files_of_home[0]; i++)
		if (snprintf(name, sizeof name, "%s/%s", home, files_of_home[i]) < PATH_MAX)
			consider(list, name);
	for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
		consider_device(list, devices[i]);
}

void gate_files_find(struct wire_gate *page, const char *shim, struct policy *const *policies, unsigned policy_count,
		     char *const *environment)
{
	struct list list = {.page = page, .policies = policies, .policy_count = policy_count};

	if (shim)
		put(&list, shim); /* everybody may read it, whatever the policy says (judge.c) */
	consider_all(&list, environment_value(environment, "HOME"));
	page->file_reading = page->file_count;
	for (unsigned i = 0; i < list.writable_count; i++)
		put(&list, list.writable[i]);
}
