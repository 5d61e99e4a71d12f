/* SPDX-License-Identifier: MIT */
/*
 * image.h - the compiled policy: one flat block of bytes, offsets instead of
 * pointers, the same in the supervisor and in the shim. It lies in a sealed
 * memfd. Whoever maps one calls image_check before anything else; after that
 * every accessor and decide.h trust it.
 */
#ifndef PICKET_POLICY_IMAGE_H
#define PICKET_POLICY_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image; /* layout: image_layout.h, for image.c, build.c and decide.c */

/* Nearer layers win ties. */
enum rule_layer { LAYER_PROFILE, LAYER_FILE, LAYER_COMMAND_LINE };

enum rule_key {
	RULE_READ,
	RULE_WRITE,
	RULE_READ_ONLY,
	RULE_DENY,
	RULE_HIDE,
	RULE_FORBID,
	RULE_EXEC_ALLOW,
	RULE_EXEC_DENY,
	RULE_RESULT, /* --result FILE: neither it nor what leads to it may be changed; the last of those of paths */
	RULE_CONNECT,
	RULE_BIND,
	RULE_ENV_KEEP,
	RULE_ENV_REMOVE,
	RULE_ENV_SET,
	RULE_KEY_COUNT
};

#define RULE_DEFAULT UINT32_MAX /* no rule matched: the default, denied */

enum on_violation { ON_VIOLATION_DENY, ON_VIOLATION_KILL, ON_VIOLATION_AUDIT };

/* One rule and where it comes from. Strings live as long as the image. */
struct rule {
	enum rule_key key;
	enum rule_layer layer;
	const char *source; /* "policy.conf:12", "profile strict:7" or "command line" */
	const char *value;  /* as it was written: "~/.ssh" */
	const char *target; /* what it means: "/home/u/.ssh"; for a RULE_ENV_SET the value */
};

/* All limits; 0 is none. Names and units as in picket-policy(5). */
struct policy_limits {
	uint64_t memory_bytes, cpu_time_ms, wall_time_ms, processes, open_files, output_bytes, write_bytes, cpu_weight;
};

/*
 * Is this a complete, unaltered image of our version? 0, or -EINVAL (foreign,
 * truncated, altered, or an offset that points outside). Reads only
 * `length` bytes at `bytes`, which must be aligned to 8. Async-signal-safe.
 */
int image_check(const void *bytes, size_t length);

/*
 * Only: is it an image of our version and this length? For the shim, which maps what the launcher has checked and
 * sealed, in every program anew: its time must not grow with the policy.
 */
int image_check_head(const void *bytes, size_t length);

size_t image_length(const struct image *image);
uint32_t image_rule_count(const struct image *image);
/* Rule `index`, which must be below the count. */
struct rule image_rule(const struct image *image, uint32_t index);
enum on_violation image_on_violation(const struct image *image);
struct policy_limits image_limits(const struct image *image);
const char *rule_key_name(enum rule_key key); /* "filesystem.read", "exec.allow", "network.connect" */

#endif
