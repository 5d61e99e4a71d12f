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
#include <sys/syscall.h>
#include <unistd.h>

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

bool floor_tells_of_strangers(const struct guard *guard)
{
	static const char stranger[] = "/proc/1/environ";

	for (unsigned i = 0; i < guard->policy_count; i++)
		if (!decide_path(guard->policies[i]->image, stranger, sizeof stranger - 1, ACCESS_READ).allowed)
			return false;
	return true;
}

bool floor_wanted(const struct guard *guard)
{
	return guard->level != LEVEL_PRELOAD && guard->on_violation != ON_VIOLATION_AUDIT && !floor_tells_of_strangers(guard);
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
	struct ruleset_attr attr = { .scoped = SCOPE_SIGNAL };
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);

	if (ruleset < 0)
		return -errno;
	int r = syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
	close(ruleset);
	errno = -r;
	return r;
}
