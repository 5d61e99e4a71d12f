/* SPDX-License-Identifier: MIT */
/* always.c - see always.h. */
#include "always.h"

#include "path.h"
#include "syscalls.h"

struct tree {
	uint8_t length : 7;
	uint8_t series : 1; /* and all whose names go on with letters and digits: /dev/sg0, /dev/sg1 */
	char name[20];	    /* not a pointer: that would be a relocation in the shim */
};
#define TREE(name) { sizeof(name) - 1, false, name }
#define SERIES(name) { sizeof(name) - 1, true, name }

/* Places where a write changes the machine, or makes the kernel run something outside (core_pattern, modprobe,
 * uevent_helper, binfmt_misc: proc(5), Documentation/admin-guide/sysctl/kernel.rst). */
static const struct tree machine[] = { TREE("/proc/sys"), TREE("/proc/sysrq-trigger"), TREE("/sys") };
/*
 * Devices by which one reaches round what a policy says of files, processes and the network. Block devices are known
 * by their type. What is left to the policy gives no more than itself: terminals, serial lines, sound, cameras, graphics, USB
 * devices; and /dev/kvm, whose machines have the memory of their own process.
 */
static const struct tree devices[] = {
	/* the memory of the machine, mem(4), its registers, its log */
	TREE("/dev/mem"), TREE("/dev/kmem"), TREE("/dev/port"), TREE("/proc/kcore"), TREE("/proc/kmem"), TREE("/dev/crash"),
	TREE("/dev/snapshot"), TREE("/dev/cpu"), TREE("/dev/nvram"), TREE("/dev/kmsg"), TREE("/proc/kmsg"), SERIES("/dev/uio"),
	TREE("/dev/vfio"), TREE("/dev/iommu"), SERIES("/dev/watchdog"),
	/* disks by commands instead of blocks, and what makes new ones */
	SERIES("/dev/sg"), TREE("/dev/bsg"), SERIES("/dev/nvme"), SERIES("/dev/ng"), SERIES("/dev/mtd"), SERIES("/dev/ubi"),
	TREE("/dev/raw"), TREE("/dev/mapper/control"), TREE("/dev/loop-control"), TREE("/dev/btrfs-control"),
	TREE("/dev/zfs"), TREE("/dev/nbd-control"), TREE("/dev/zram-control"),
	/* file systems whose answers somebody makes up */
	TREE("/dev/fuse"), TREE("/dev/cuse"), TREE("/dev/autofs"),
	/* what the user types and sees, and typing in the user's place */
	TREE("/dev/input"), TREE("/dev/uinput"), TREE("/dev/uhid"), SERIES("/dev/hidraw"), SERIES("/dev/vcs"),
	/* networks beside the sockets */
	TREE("/dev/net"), TREE("/dev/ppp"),
	/* memory that changes while a call is looked at: as userfaultfd(2); threads of the kernel that write to it */
	TREE("/dev/userfaultfd"), TREE("/dev/vhost-net"), TREE("/dev/vhost-vsock"), TREE("/dev/vhost-scsi"),
	SERIES("/dev/vhost-vdpa-"), TREE("/dev/vhci"),
};

static bool ends(const struct tree *tree, const char *rest, size_t length)
{
	size_t i = 0;

	while (tree->series && i < length && rest[i] != '/')
		i++;
	return i == length || rest[i] == '/';
}

static bool any_below(const char *name, size_t length, const struct tree *trees, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (length >= trees[i].length && path_equal(name, trees[i].name, trees[i].length) &&
		    ends(&trees[i], name + trees[i].length, length - trees[i].length))
			return true;
	return false;
}
#define ANY_BELOW(name, length, trees) any_below(name, length, trees, sizeof(trees) / sizeof(trees)[0])

bool always_machine(const char *name, size_t length, unsigned access)
{
	if (!(access & (ACCESS_READ | ACCESS_WRITE)))
		return false;
	return ANY_BELOW(name, length, devices) || ((access & ACCESS_WRITE) && ANY_BELOW(name, length, machine));
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
static const struct tree traced[] = {
	TREE("auxv"), TREE("environ"), TREE("fdinfo"), TREE("io"), TREE("ksm_stat"), TREE("map_files"), TREE("maps"),
	TREE("mem"), TREE("numa_maps"), TREE("pagemap"), TREE("personality"), TREE("smaps"), TREE("smaps_rollup"),
	TREE("stack"), TREE("syscall"),
};

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
	return ANY_BELOW(name + i, length - i, traced);
}

static bool any_above(const char *name, size_t length, const struct tree *trees, size_t count)
{
	if (length == 1)	/* "/" */
		return true;
	for (size_t i = 0; i < count; i++)
		if (trees[i].length > length && path_equal(trees[i].name, name, length) && trees[i].name[length] == '/')
			return true;
	return false;
}
#define ANY_ABOVE(name, length, trees) any_above(name, length, trees, sizeof(trees) / sizeof(trees)[0])

bool always_machine_near(const char *name, size_t length)
{
	return ANY_BELOW(name, length, machine) || ANY_BELOW(name, length, devices) || ANY_ABOVE(name, length, machine) ||
	       ANY_ABOVE(name, length, devices);
}
