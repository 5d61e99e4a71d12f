/* SPDX-License-Identifier: MIT */
/* always.c - see always.h. */
#include "always.h"

#include "path.h"
#include "syscalls.h"

/*
 * Lists of names, one behind the other: in the shim they are memory of every process, and pointers would be relocations. Each
 * stands for itself and all below; one that ends in STAR also for all whose last names go on with letters and digits.
 */
#define STAR "*"
#define NEXT "\0"

/* Places where a write changes the machine, or makes the kernel run something outside (core_pattern, modprobe,
 * uevent_helper, binfmt_misc: proc(5), Documentation/admin-guide/sysctl/kernel.rst). */
static const char machine[] = "/proc/sys" NEXT "/proc/sysrq-trigger" NEXT "/sys" NEXT;
/* The memory of the machine, its log, as files. */
static const char kernel[] = "/proc/kcore" NEXT "/proc/kmem" NEXT "/proc/kmsg" NEXT;
static const char dev[] = "/dev/";
/*
 * Devices, below /dev, by which one reaches round what a policy says of files, processes and the network. Block devices are known
 * by their type. What is left to the policy gives no more than itself: terminals, serial lines, sound, cameras, graphics, USB
 * devices; and /dev/kvm, whose machines have the memory of their own process.
 */
static const char devices[] =
	/* the memory of the machine, mem(4), its registers, its log */
	"mem" NEXT "kmem" NEXT "port" NEXT "crash" NEXT "snapshot" NEXT "cpu" NEXT "nvram" NEXT "kmsg" NEXT
	"uio" STAR NEXT "vfio" NEXT "iommu" NEXT "watchdog" STAR NEXT
	/* disks by commands instead of blocks, and what makes new ones */
	"sg" STAR NEXT "bsg" NEXT "nvme" STAR NEXT "ng" STAR NEXT "mtd" STAR NEXT "ubi" STAR NEXT "raw" NEXT
	"mapper/control" NEXT "loop-control" NEXT "btrfs-control" NEXT "zfs" NEXT "nbd-control" NEXT "zram-control" NEXT
	/* file systems whose answers somebody makes up */
	"fuse" NEXT "cuse" NEXT "autofs" NEXT
	/* what the user types and sees, and typing in the user's place */
	"input" NEXT "uinput" NEXT "uhid" NEXT "hidraw" STAR NEXT "vcs" STAR NEXT
	/* networks beside the sockets */
	"net" NEXT "ppp" NEXT
	/* memory that changes while a call is looked at: as userfaultfd(2); threads of the kernel that write to it */
	"userfaultfd" NEXT "vhost-net" NEXT "vhost-vsock" NEXT "vhost-scsi" NEXT "vhost-vdpa-" STAR NEXT "vhci" NEXT;

/* Is `name` the first of the list, or below it? */
static bool is_below(const char *name, size_t length, const char *list)
{
	size_t i = 0;

	while (i < length && *list && *list != *STAR && name[i] == *list) {
		i++;
		list++;
	}
	while (*list == *STAR && i < length && name[i] != '/')
		i++;
	return (!*list || *list == *STAR) && (i == length || name[i] == '/');
}

static const char *next_of_list(const char *list)
{
	while (*list++)
		;
	return list;
}

static bool any_below(const char *name, size_t length, const char *list)
{
	for (; *list; list = next_of_list(list))
		if (is_below(name, length, list))
			return true;
	return false;
}

static bool in_dev(const char *name, size_t length)
{
	return length >= sizeof dev && path_equal(name, dev, sizeof dev - 1);
}

static bool is_device(const char *name, size_t length)
{
	return any_below(name, length, kernel) ||
	       (in_dev(name, length) && any_below(name + sizeof dev - 1, length - (sizeof dev - 1), devices));
}

bool always_machine(const char *name, size_t length, unsigned access)
{
	if (!(access & (ACCESS_READ | ACCESS_WRITE)))
		return false;
	return is_device(name, length) || ((access & ACCESS_WRITE) && any_below(name, length, machine));
}

bool always_stranger(const char *name, size_t length)
{
	static const char proc[] = "/proc/";
	size_t i = sizeof proc - 1;

	if (length <= i || !path_equal(name, proc, i) || name[i] < '1')
		return false;
	while (i < length && name[i] >= '0' && name[i] <= '9')
		i++;
	return i < length && name[i] == '/';
}

/* proc(5), "governed by a ptrace access mode PTRACE_MODE_READ_FSCREDS check" and the like; stat, status, cmdline and others are not. */
static const char traced[] =
	"auxv" NEXT "environ" NEXT "fdinfo" NEXT "io" NEXT "ksm_stat" NEXT "map_files" NEXT "maps" NEXT "mem" NEXT
	"numa_maps" NEXT "pagemap" NEXT "personality" NEXT "smaps" NEXT "smaps_rollup" NEXT "stack" NEXT "syscall" NEXT;

/* Past a number and a slash. */
static size_t past_number(const char *name, size_t length, size_t i)
{
	while (i < length && name[i] >= '0' && name[i] <= '9')
		i++;
	return i < length ? i + 1 : length;
}

bool always_traced(const char *name, size_t length)
{
	static const char task[] = "task/";
	const size_t of_task = sizeof task - 1;

	if (!always_stranger(name, length))
		return false;
	size_t i = past_number(name, length, sizeof "/proc/" - 1);
	if (length - i > of_task && path_equal(name + i, task, of_task))
		i = past_number(name, length, i + of_task);
	return any_below(name + i, length - i, traced);
}

static bool any_above(const char *name, size_t length, const char *list)
{
	for (; *list; list = next_of_list(list)) {
		size_t i = 0;
		while (i < length && list[i] && list[i] == name[i])
			i++;
		if (i == length && list[i] == '/')
			return true;
	}
	return false;
}

bool always_machine_near(const char *name, size_t length)
{
	if (length == 1 || (length == sizeof dev - 2 && path_equal(name, dev, length))) /* "/", "/dev" */
		return true;
	return any_below(name, length, machine) || is_device(name, length) || any_above(name, length, machine) ||
	       any_above(name, length, kernel) ||
	       (in_dev(name, length) && any_above(name + sizeof dev - 1, length - (sizeof dev - 1), devices));
}
