/* SPDX-License-Identifier: MIT */
/*
 * compile_limits.c - the group `limits` of a policy. The table says which limits there are; tracer/limit.h and
 * tracer/meter.h keep them.
 */
#include "limit_names.h"

#include <inttypes.h>
#include <string.h>

#include "compiler.h"
#include "suggest.h"

/* `most` keeps what is made of a value (nanoseconds, an rlimit) inside its type. */
#define ROW(name, option, kind, most)                                           \
	{                                                                       \
#name, option, kind, offsetof(struct policy_limits, name), most \
	}
const struct limit_name limit_names[] = {
	ROW(memory_bytes, "memory", LIMIT_BYTES, INT64_MAX),
	ROW(cpu_time_ms, "cpu", LIMIT_TIME, INT64_MAX / 1000000),
	ROW(wall_time_ms, "timeout", LIMIT_TIME, INT64_MAX / 1000000),
	ROW(processes, "processes", LIMIT_COUNT, INT32_MAX),
	ROW(open_files, "files", LIMIT_COUNT, INT32_MAX),
	ROW(output_bytes, "output-bytes", LIMIT_BYTES, INT64_MAX),
	ROW(write_bytes, "write-bytes", LIMIT_BYTES, INT64_MAX),
	ROW(cpu_weight, "cpu-weight", LIMIT_COUNT, 10000),
	{NULL, NULL, LIMIT_COUNT, 0, 0},
};

enum { LIMITS_TEXT = 256 };

/* Their names, with commas. */
static void list_limits(char text[LIMITS_TEXT])
{
	size_t used = 0;

	text[0] = 0;
	for (const struct limit_name *limit = limit_names; limit->name; limit++) {
		size_t length = strlen(limit->name);

		if (used + length + 3 > LIMITS_TEXT)
			continue;
		if (used) {
			memcpy(text + used, ", ", 2);
			used += 2;
		}
		memcpy(text + used, limit->name, length + 1);
		used += length;
	}
}

static const struct limit_name *find_limit(const char *name)
{
	for (const struct limit_name *limit = limit_names; limit->name; limit++)
		if (!strcmp(limit->name, name))
			return limit;
	return NULL;
}

static void unknown_limit(struct compiler *compiler, const config_setting_t *setting)
{
	const char *names[sizeof(limit_names) / sizeof(*limit_names)] = {0};
	char known[LIMITS_TEXT];
	const char *near;

	for (size_t i = 0; limit_names[i].name; i++)
		names[i] = limit_names[i].name;
	near = suggest(setting->name, names);
	list_limits(known);
	if (near)
		fault(compiler->faults, setting_place(compiler, setting),
		      "unknown key \"%s\" in limits (did you mean \"%s\"?)", setting->name, near);
	else
		fault(compiler->faults, setting_place(compiler, setting), "unknown key \"%s\" in limits (known are %s)",
		      setting->name, known);
}

static void compile_limit(struct compiler *compiler, const config_setting_t *setting, const struct limit_name *limit)
{
	struct place place = setting_place(compiler, setting);
	int64_t value;

	if (setting->type != CONFIG_TYPE_INT && setting->type != CONFIG_TYPE_INT64) {
		fault(compiler->faults, place, "limits.%s must be a whole number, not %s (0 is no limit)", limit->name,
		      setting_type_name(setting));
		return;
	}
	if (texts_has_bad_number(compiler->texts, setting->file, setting->line, setting->name))
		return;
	value = config_setting_get_int64(setting);
	if (value < 0)
		fault(compiler->faults, place, "limits.%s is negative (0 is no limit)", limit->name);
	else if ((uint64_t)value > limit->most)
		fault(compiler->faults, place, "limits.%s is too large (at most %" PRIu64 "; 0 is no limit)",
		      limit->name, limit->most);
	else
		*limit_value(&compiler->draft->limits, limit) = (uint64_t)value;
}

void compile_limits(struct compiler *compiler, const config_setting_t *group)
{
	for (unsigned i = 0; i < (unsigned)config_setting_length(group); i++) {
		const config_setting_t *setting = config_setting_get_elem(group, i);
		const struct limit_name *limit = find_limit(setting->name);

		if (limit)
			compile_limit(compiler, setting, limit);
		else
			unknown_limit(compiler, setting);
	}
}
