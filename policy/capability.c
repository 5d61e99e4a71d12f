/* SPDX-License-Identifier: MIT */
/* capability.c - see capability.h. */
#include "capability.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "decide.h"
#include "destination.h"
#include "environment.h"
#include "pattern.h"

enum { RULES_EACH_MOST = 8 }; /* rules that one capability makes */

/* What each word means. `rule` is what it becomes, `every` the rule's value when no argument is given. */
static const struct word {
	const char *text;
	enum capability_kind kind;
	enum rule_key rule;
	const char *every; /* NULL: an argument is required */
	bool takes_path;
} words[] = {
	{"fs:read", CAPABILITY_READ, RULE_READ, "/", true},
	{"fs:write", CAPABILITY_WRITE, RULE_WRITE, "/", true},
	{"net:connect", CAPABILITY_CONNECT, RULE_CONNECT, "*", false},
	{"net:bind", CAPABILITY_BIND, RULE_BIND, "*", false},
	{"exec", CAPABILITY_EXEC, RULE_EXEC_ALLOW, "/", true},
	{"env", CAPABILITY_ENV, RULE_ENV_KEEP, NULL, false},
};
enum { WORDS = sizeof words / sizeof *words };

/* What exec:shell stands for. */
static const char *const shells[] = {"/bin/sh",	    "/bin/bash",     "/bin/dash",
				     "/usr/bin/sh", "/usr/bin/bash", "/usr/bin/dash"};

/*
 * What any program needs to start and to find its way: the system's programs, libraries and public settings, itself,
 * the clock and the language. Nothing here keeps what is written to it. The operator's policy must allow it as well.
 */
/* clang-format off */
static const char *const base_read[] = {
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/ld.so.cache", "/etc/ld.so.conf",
	"/etc/ld.so.conf.d", "/etc/ld-musl-*", "/etc/alternatives", "/etc/localtime", "/etc/timezone",
	"/etc/locale.alias", "/etc/locale.conf", "/etc/gai.conf", "/etc/passwd", "/etc/group",
	"/etc/nsswitch.conf", "/etc/hosts", "/etc/host.conf", "/etc/resolv.conf", "/etc/protocols",
	"/etc/services", "/etc/os-release", "/etc/mime.types", "/etc/ssl/certs", "/etc/ssl/openssl.cnf",
	"/etc/ca-certificates", "/etc/terminfo", "/etc/inputrc", "/etc/python3", "/etc/python3.*", "/etc/perl",
	"/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/filesystems", "/proc/version", "/proc/stat",
	"/proc/loadavg", "/proc/uptime", "/proc/sys/kernel/osrelease", "/proc/sys/kernel/cap_last_cap",
	"/proc/sys/kernel/ngroups_max", "/proc/sys/kernel/random", "/proc/sys/vm/overcommit_memory",
	"/proc/sys/fs/pipe-max-size", "/sys/devices/system/cpu", "/sys/kernel/mm/transparent_hugepage",
	"/sys/fs/cgroup", "/dev/urandom", "/dev/random", "/dev/zero", NULL,
};
static const char *const base_write[] = {
	"/dev/null", "/dev/full", "/dev/tty", "/proc/self/fd", NULL,
};
static const char *const base_environment[] = {
	"PATH", "HOME", "LANG", "LANGUAGE", "LC_*", "TZ", "TERM", "TMPDIR", "USER", "LOGNAME", "SHELL", "PWD", NULL,
};
/* clang-format on */
enum { BASE_MOST = (sizeof base_read + sizeof base_write + sizeof base_environment) / sizeof *base_read };

static bool good_env_name(const char *name)
{
	if (isdigit((unsigned char)*name))
		return false;
	for (const char *at = name; *at; at++)
		if (!isalnum((unsigned char)*at) && *at != '_')
			return false;
	return *name != '\0';
}

static bool is_path(const char *text)
{
	return *text == '/' || *text == '~' || !strncmp(text, "${", 2);
}

static const struct word *find_word(const char *text, const char **argument)
{
	for (size_t i = 0; i < WORDS; i++) {
		size_t length = strlen(words[i].text);
		if (strncmp(text, words[i].text, length) != 0 || (text[length] && text[length] != ':'))
			continue;
		*argument = text[length] ? text + length + 1 : NULL;
		return &words[i];
	}
	return NULL;
}

int capability_parse(const char *text, struct capability *capability)
{
	const char *argument;
	const struct word *word = find_word(text, &argument);

	if (!word || (argument && !*argument) || (!argument && !word->every))
		return -EINVAL;
	*capability = (struct capability){word->kind, argument};
	if (word->kind == CAPABILITY_EXEC && argument && !strcmp(argument, "shell")) {
		*capability = (struct capability){CAPABILITY_SHELL, NULL};
		return 0;
	}
	if (word->takes_path && argument && !is_path(argument))
		return -EINVAL;
	if (word->kind == CAPABILITY_ENV && !good_env_name(argument))
		return -EINVAL;
	return 0;
}

/* The rules of one capability. Returns how many. */
static size_t rules_of(const char *text, struct policy_option rules[RULES_EACH_MOST])
{
	struct capability capability;
	const char *argument;
	const struct word *word = find_word(text, &argument);
	size_t count = 0;

	if (!word || capability_parse(text, &capability))
		return 0;
	if (capability.kind != CAPABILITY_SHELL) {
		rules[count++] = (struct policy_option){.key = word->rule, .value = argument ? argument : word->every};
		return count;
	}
	for (; count < sizeof shells / sizeof *shells; count++)
		rules[count] = (struct policy_option){.key = RULE_EXEC_ALLOW, .value = shells[count]};
	return count;
}

/* Compile these rules and no others. The first fault goes to *why. */
static int compile_rules(const struct policy_source *where, const struct policy_option *rules, size_t count,
			 struct policy *policy, struct complaint *why)
{
	struct policy_errors errors = {NULL, 0};
	struct policy_source source = *where;

	source.profile = "none";
	source.file = NULL;
	source.on_violation = NULL;
	source.options = rules;
	source.option_count = count;
	int error = policy_compile(&source, policy, &errors);
	if (error)
		complain(why, error, "%s", errors.count ? errors.list[0].text : strerror(-error));
	policy_errors_free(&errors);
	return error;
}

/* Something makes no rule: say which capability it is, if it is one. */
static void find_culprit(const struct capability_request *request, const struct policy_source *where,
			 struct complaint *why)
{
	struct policy_option rules[RULES_EACH_MOST];
	struct complaint inner;

	for (size_t i = 0; i < request->count; i++) {
		struct policy policy = {.image = NULL};
		size_t count = rules_of(request->capabilities[i], rules);
		if (compile_rules(where, rules, count, &policy, &inner)) {
			complain(why, 0, "capability '%s': %s", request->capabilities[i], inner.text);
			return;
		}
		policy_free(&policy);
	}
}

/* One rule for each of a list. */
static void add_rules(struct policy_option *rules, size_t *count, enum rule_key key, const char *const *values)
{
	for (; *values; values++)
		rules[(*count)++] = (struct policy_option){.key = key, .value = *values};
}

int capability_compile(const struct capability_request *request, const struct policy_source *where,
		       struct policy *policy, struct complaint *why)
{
	const struct policy_option own[] = {
		{.key = RULE_EXEC_ALLOW, .value = request->interpreter},
		{.key = RULE_EXEC_ALLOW, .value = request->second_interpreter},
		{.key = RULE_READ, .value = request->program_directory},
	};
	enum { OWN = sizeof own / sizeof *own };
	size_t count = 0;
	cleanup_free struct policy_option *rules =
		calloc(BASE_MOST + OWN + request->count * RULES_EACH_MOST, sizeof *rules);

	if (!rules)
		return complain(why, -ENOMEM, "%s", strerror(ENOMEM));
	add_rules(rules, &count, RULE_READ, base_read);
	add_rules(rules, &count, RULE_WRITE, base_write);
	add_rules(rules, &count, RULE_ENV_KEEP, base_environment);
	for (size_t i = 0; i < OWN; i++)
		if (own[i].value)
			rules[count++] = own[i];
	for (size_t i = 0; i < request->count; i++)
		count += rules_of(request->capabilities[i], rules + count);
	int error = compile_rules(where, rules, count, policy, why);
	if (error)
		find_culprit(request, where, why);
	return error;
}

static unsigned access_of(enum rule_key key)
{
	if (key == RULE_WRITE)
		return ACCESS_WRITE;
	return key == RULE_READ ? ACCESS_READ : ACCESS_EXEC;
}

/* Does a rule of the operator allow (`allows`) or refuse this access? */
static bool speaks(enum rule_key key, unsigned access, bool allows)
{
	switch (key) {
	case RULE_READ:
		return allows && access == ACCESS_READ;
	case RULE_WRITE:
		return allows && access != ACCESS_EXEC;
	case RULE_READ_ONLY:
		return access == (allows ? ACCESS_READ : ACCESS_WRITE);
	case RULE_DENY:
	case RULE_HIDE:
	case RULE_FORBID:
		return !allows;
	case RULE_EXEC_ALLOW:
		return allows && access == ACCESS_EXEC;
	case RULE_EXEC_DENY:
		return !allows && access == ACCESS_EXEC;
	case RULE_RESULT:
		return !allows && access == ACCESS_WRITE;
	case RULE_CONNECT:
	case RULE_BIND:
	case RULE_ENV_KEEP:
	case RULE_ENV_REMOVE:
	case RULE_ENV_SET:
	case RULE_KEY_COUNT:
		break;
	}
	return false;
}

/* Could one of these two speak of something that the other speaks of? Told by their parts without wildcards. */
static bool touches(const char *one, const char *other)
{
	size_t length = strcspn(one, "*"), other_length = strcspn(other, "*");
	bool whole = !one[length] && length > 1, other_whole = !other[other_length] && other_length > 1;

	if (length == other_length)
		return !strncmp(one, other, length);
	if (length < other_length)
		return !strncmp(one, other, length) && (!whole || other[length] == '/');
	return !strncmp(one, other, other_length) && (!other_whole || one[other_length] == '/');
}

/* Of a path without wildcards: what is decided there, and whether a rule below decides otherwise. */
static enum capability_share share_of_tree(const struct image *image, unsigned access, const char *path)
{
	size_t length = strlen(path);
	bool here = decide_path(image, path, length, access).allowed;

	for (uint32_t i = 0; i < image_rule_count(image); i++) {
		struct rule rule = image_rule(image, i);
		bool below = pattern_is_glob(rule.target) || strlen(rule.target) > length;
		if (speaks(rule.key, access, !here) && below && touches(rule.target, path))
			return CAPABILITY_IN_PART;
	}
	return here ? CAPABILITY_GIVEN : CAPABILITY_WITHHELD;
}

/* Of a pattern: whether a rule that allows covers it, and whether one that refuses speaks of a part of it. */
static enum capability_share share_of_pattern(const struct image *image, unsigned access, const char *pattern)
{
	bool covered = false, part = false, refused = false;

	for (uint32_t i = 0; i < image_rule_count(image); i++) {
		struct rule rule = image_rule(image, i);
		if (speaks(rule.key, access, true)) {
			covered = covered || pattern_covers(rule.target, pattern);
			part = part || touches(rule.target, pattern);
		}
		refused = refused || (speaks(rule.key, access, false) && touches(rule.target, pattern));
	}
	if (covered && !refused)
		return CAPABILITY_GIVEN;
	return covered || part ? CAPABILITY_IN_PART : CAPABILITY_WITHHELD;
}

/* Is it one address with one port? Then the image can be asked. */
static bool is_one_address(const struct destination *destination)
{
	const struct net_prefix *prefix = &destination->prefix;

	return destination->kind == DESTINATION_INTERNET && !prefix->any_family &&
	       prefix->bits == (prefix->family == AF_INET ? 32 : 128) && prefix->ports.first == prefix->ports.last;
}

static enum capability_share share_of_address(const struct image *image, enum net_use use,
					      const struct net_prefix *prefix)
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(prefix->ports.first)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(prefix->ports.first)};
	bool is_four = prefix->family == AF_INET;
	const struct sockaddr *address = is_four ? (const struct sockaddr *)&four : (const struct sockaddr *)&six;
	socklen_t length = is_four ? sizeof four : sizeof six;

	memcpy(&four.sin_addr, &prefix->address, sizeof four.sin_addr);
	six.sin6_addr = prefix->address;
	bool by_tcp = decide_address(image, use, NET_TCP, address, length).allowed;
	bool by_udp = decide_address(image, use, NET_UDP, address, length).allowed;
	if ((by_tcp || !prefix->tcp) && (by_udp || !prefix->udp))
		return CAPABILITY_GIVEN;
	return (by_tcp && prefix->tcp) || (by_udp && prefix->udp) ? CAPABILITY_IN_PART : CAPABILITY_WITHHELD;
}

static enum capability_share share_of_net(const struct image *image, enum rule_key key, const char *text)
{
	enum net_use use = key == RULE_CONNECT ? NET_CONNECT : NET_BIND;
	struct destination destination;
	struct complaint ignored;
	bool any = false;

	if (decide_every_address(image, use))
		return CAPABILITY_GIVEN;
	if (destination_parse(text, use == NET_BIND, &destination, &ignored))
		return CAPABILITY_WITHHELD;
	if (is_one_address(&destination))
		return share_of_address(image, use, &destination.prefix);
	for (uint32_t i = 0; i < image_rule_count(image); i++) {
		struct rule rule = image_rule(image, i);
		if (rule.key != key)
			continue;
		if (!strcmp(rule.value, text))
			return CAPABILITY_GIVEN;
		any = true;
	}
	return any ? CAPABILITY_IN_PART : CAPABILITY_WITHHELD;
}

/* Does the operator pass this variable on? Asked with a caller that has it. */
static enum capability_share share_of_env(const struct image *image, const char *name)
{
	enum capability_share share = CAPABILITY_WITHHELD;
	size_t length = strlen(name);
	cleanup_free char *variable = malloc(length + 3);
	char *caller[] = {variable, NULL}, **kept = NULL;

	if (!variable)
		return share;
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): bytes, not a string */
	memcpy(variable, name, length);
	memcpy(variable + length, "=x", 3);
	if (environment_build(image, caller, &kept))
		/* cppcheck-suppress memleak; freed by environment_free, or with its variable */
		return share;
	for (size_t i = 0; kept[i]; i++)
		if (!strncmp(kept[i], variable, length + 1))
			share = CAPABILITY_GIVEN;
	environment_free(kept);
	return share;
}

enum capability_share capability_share(const char *text, const struct policy *operators,
				       const struct policy_source *where)
{
	struct policy_option rules[RULES_EACH_MOST];
	struct policy own = {.image = NULL};
	struct complaint ignored;
	size_t count = rules_of(text, rules), given = 0, parts = 0, judged = 0;

	if (image_on_violation(operators->image) == ON_VIOLATION_AUDIT)
		return CAPABILITY_GIVEN; /* the operator refuses nothing */
	if (!count || compile_rules(where, rules, count, &own, &ignored))
		return CAPABILITY_WITHHELD;
	for (uint32_t i = 0; i < image_rule_count(own.image); i++) {
		struct rule rule = image_rule(own.image, i);
		enum capability_share share;
		if (rule.layer != LAYER_COMMAND_LINE)
			continue; /* what profile "none" keeps of the environment */
		if (rule.key == RULE_CONNECT || rule.key == RULE_BIND)
			share = share_of_net(operators->image, rule.key, rule.value);
		else if (rule.key == RULE_ENV_KEEP)
			share = share_of_env(operators->image, rule.value);
		else
			share = pattern_is_glob(rule.target)
					? share_of_pattern(operators->image, access_of(rule.key), rule.target)
					: share_of_tree(operators->image, access_of(rule.key), rule.target);
		judged++;
		given += share == CAPABILITY_GIVEN;
		parts += share == CAPABILITY_IN_PART;
	}
	policy_free(&own);
	if (judged && given == judged)
		return CAPABILITY_GIVEN;
	return given || parts ? CAPABILITY_IN_PART : CAPABILITY_WITHHELD;
}
