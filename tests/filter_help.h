/* SPDX-License-Identifier: MIT */
/*
 * filter_help.h - what the tests of the filter share: the policies it is compiled of, and a kernel that asks it.
 */
#ifndef PICKET_TESTS_FILTER_HELP_H
#define PICKET_TESTS_FILTER_HELP_H

#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filter.h"
#include "policy_help.h"
#include "run_filter.h"
#include "wire.h"

enum { OPEN_FILES = 4096 };
#define HIGH (UINT64_C(1) << 32)

/* ---- policies ----------------------------------------------------------- */

#define ALL_FILES "filesystem: { read = ( \"/\" ); write = ( \"/\" ); };\nexec: { allow = ( \"/\" ); };\n"
#define ALL_NETWORK "network: { connect = ( \"*\" ); bind = ( \"*\" ); };\n"

static const struct {
	const char *text, *narrower; /* a second policy, or NULL */
	struct policy_limits limits;
} policies[] = {
	{.text = "profile = \"workstation\";"},
	{.text = "profile = \"strict\";"},
	{.text = "profile = \"permissive\";"},
	{.text = "profile = \"none\";"},
	{.text = ALL_FILES ALL_NETWORK},
	{.text = ALL_FILES},
	{.text = ALL_NETWORK},
	{.text = "filesystem: { read = ( \"/\" ); write = ( \"/\" ); hide = ( \"/root\" ); };\n"
		 "exec: { allow = ( \"/\" ); };\n" ALL_NETWORK},
	{.text = "filesystem: { read = ( \"/\" ); write = ( \"/tmp\" ); };\nexec: { allow = ( \"/\" ); };\n"},
	{.text = "filesystem: { read = ( \"/\" ); write = ( \"/\" ); };\nexec: { allow = ( \"/usr\" ); "
		 "};\n" ALL_NETWORK},
	{.text = ALL_FILES ALL_NETWORK, .limits = {.processes = 10}},
	{.text = ALL_FILES ALL_NETWORK, .limits = {.write_bytes = 1000000}},
	{.text = ALL_FILES ALL_NETWORK, .narrower = "profile = \"strict\";"},
	{.text = "profile = \"workstation\";", .narrower = ALL_FILES ALL_NETWORK},
};
enum {
	POLICIES = sizeof policies / sizeof policies[0],
	PERMISSIVE = 2,
	NONE = 3,
	EVERYTHING = 4,
	HIDES = 7,
	LIMITS_PROCESSES = 10,
	LIMITS_WRITING = 11,
	ONE_IS_STRICT = 12
};

static struct guard guard;
static struct policy compiled[GUARD_IMAGES];
static struct sock_fprog filter;

static inline void use_policy(int which)
{
	const char *texts[] = {policies[which].text, policies[which].narrower};

	memset(&guard, 0, sizeof guard);
	for (unsigned i = 0; i < GUARD_IMAGES && texts[i]; i++) {
		compiled[i] = help_policy(help_source(), texts[i]);
		guard.policies[guard.policy_count++] = &compiled[i];
	}
	guard.limits = policies[which].limits;
	guard.open_files = OPEN_FILES;
	guard.level = LEVEL_SECCOMP;
	ck_assert_ptr_nonnull(tracee_add(&guard.tracees, getpid(), NULL, false, -1));
	ck_assert_int_eq(filter_compile(&guard, &filter), 0);
}

static inline void let_go(void)
{
	free(filter.filter);
	tracee_free(&guard.tracees);
	for (unsigned i = 0; i < guard.policy_count; i++)
		policy_free(&compiled[i]);
}

/* ---- the kernel's side -------------------------------------------------- */

static inline bool stops(long number, const uint64_t args[CALL_ARGS], uint32_t arch)
{
	struct seccomp_data data = {.nr = (int)number, .arch = arch};

	memcpy(data.args, args, sizeof data.args);
	uint32_t result = run_filter(&filter, &data);
	REQUIRE(result == SECCOMP_RET_ALLOW || result == SECCOMP_RET_TRACE, "result %#x", result);
	return result == SECCOMP_RET_TRACE;
}

static inline bool stops_here(long number, const uint64_t args[CALL_ARGS])
{
	return stops(number, args, AUDIT_ARCH_X86_64);
}

#endif
