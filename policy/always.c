/* SPDX-License-Identifier: MIT */
/* always.c - see always.h. */
#include "always.h"

#include "path.h"
#include "syscalls.h"

struct tree {
	unsigned length;
	char name[24]; /* not a pointer: that would be a relocation in the shim */
};
#define TREE(name) { sizeof name - 1, name }

/* Places where a write changes the machine, or makes the kernel run something outside (core_pattern, modprobe,
 * uevent_helper, binfmt_misc: proc(5), Documentation/admin-guide/sysctl/kernel.rst). */
static const struct tree machine[] = { TREE("/proc/sys"), TREE("/proc/sysrq-trigger"), TREE("/sys") };
/* Memory of the machine, mem(4). */
static const struct tree memory[] = { TREE("/dev/mem"), TREE("/dev/kmem"), TREE("/dev/port"), TREE("/proc/kcore"),
				      TREE("/proc/kmem") };

static bool any_below(const char *name, size_t length, const struct tree *trees, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (length >= trees[i].length && path_equal(name, trees[i].name, trees[i].length) &&
		    (length == trees[i].length || name[trees[i].length] == '/'))
			return true;
	return false;
}
#define ANY_BELOW(name, length, trees) any_below(name, length, trees, sizeof(trees) / sizeof(trees)[0])

bool always_machine(const char *name, size_t length, unsigned access)
{
	if (!(access & (ACCESS_READ | ACCESS_WRITE)))
		return false;
	return ANY_BELOW(name, length, memory) || ((access & ACCESS_WRITE) && ANY_BELOW(name, length, machine));
}
