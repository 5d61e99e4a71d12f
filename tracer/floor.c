/* SPDX-License-Identifier: MIT */
/*
 * floor.c - see floor.h. landlock(7): whoever is in a domain may reach by ptrace(2), and by what is judged like it, only who is
 * in the same domain or below it; the supervisor is in none, so it reaches all. A domain that is about signals alone asks
 * nothing of files. Landlock cannot report, so nothing that the supervisor is to see is left to it; it refuses what is
 * not stopped for: following the links in /proc/PID of a stranger to look at what is behind them, and signals that a
 * terminal sends to its foreground group by the owner of a descriptor (O_ASYNC with F_SETSIG).
 */
#include "floor.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "always.h"
#include "decide.h"
#include "guard.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self 446
#endif

/* linux/landlock.h as of Linux 6.12, which the headers of this machine may be older than. */
enum { CREATE_RULESET_VERSION = 1, VERSION_WITH_SCOPES = 6, SCOPE_SIGNAL = 2 };
struct ruleset_attr {
	uint64_t handled_access_fs, handled_access_net, scoped;
};

static bool tells_of_strangers(const struct image *image)
{
	static const char stranger[] = "/proc/1/environ";

	return decide_path(image, stranger, sizeof stranger - 1, ACCESS_READ).allowed;
}

bool floor_tells_of_strangers(const struct guard *guard)
{
	for (unsigned i = 0; i < guard->policy_count; i++)
		if (!tells_of_strangers(guard->policies[i]->image))
			return false;
	return true;
}

/* Has it a rule that lets something be read in the entry of a process, by number or by a pattern? Those of the run are /proc/self. */
static bool opens_strangers(const struct image *image)
{
	static const char proc[] = "/proc/";

	for (uint32_t i = 0; i < image_rule_count(image); i++) {
		struct rule rule = image_rule(image, i);
		const char *number = rule.target + sizeof proc - 1;
		if ((rule.key == RULE_READ || rule.key == RULE_WRITE) &&
		    strncmp(rule.target, proc, sizeof proc - 1) == 0 &&
		    (*number == '*' || (*number >= '1' && *number <= '9')))
			return true;
	}
	return false;
}

bool floor_wanted(const struct guard *guard)
{
	if (guard->level == LEVEL_PRELOAD || guard->on_violation == ON_VIOLATION_AUDIT)
		return false;
	for (unsigned i = 0; i < guard->policy_count; i++)
		if (!tells_of_strangers(guard->policies[i]->image) && !opens_strangers(guard->policies[i]->image))
			return true;
	return false;
}

bool floor_of_kernel(const char *target)
{
	char directory[32];
	struct stat st;

	if (!always_traced(target, strlen(target)))
		return false;
	snprintf(directory, sizeof directory, "/proc/%ld", strtol(target + sizeof "/proc/" - 1, NULL, 10));
	return geteuid() == 0 || stat(directory, &st) < 0 || st.st_uid != geteuid();
}

bool floor_is_there(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

	if (version >= 0 && version < VERSION_WITH_SCOPES)
		errno = EOPNOTSUPP;
	return version >= VERSION_WITH_SCOPES;
}

int floor_lay(void)
{
	struct ruleset_attr attr = {.scoped = SCOPE_SIGNAL};
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);

	if (ruleset < 0)
		return -errno;
	int r = syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
	close(ruleset);
	errno = -r;
	return r;
}
