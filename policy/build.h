/* SPDX-License-Identifier: MIT */
/*
 * build.h - rules in, image out. Outside only (it uses the heap).
 */
#ifndef PICKET_POLICY_BUILD_H
#define PICKET_POLICY_BUILD_H

#include <netinet/in.h>

#include "image.h"

struct build; /* a policy being built */

/* Port range of an internet rule, inclusive; 0..65535 is every port. */
struct net_ports {
	uint16_t first, last;
};

/* One internet destination. */
struct net_prefix {
	bool any_family;	 /* every address of both families */
	int family;		 /* AF_INET or AF_INET6, unless any_family */
	struct in6_addr address; /* AF_INET: the first four bytes */
	unsigned bits;		 /* prefix length */
	bool tcp, udp;		 /* transports */
	struct net_ports ports;
};

struct build *build_new(void); /* NULL: out of memory */
void build_free(struct build *build);

/*
 * Add a rule and say what it means. Strings are copied. The value of `rule->target` for a path rule is an absolute
 * pattern: "*" matches within a component, "**" (a component of its own) across components. An empty or NULL one is a
 * rule that says nothing yet. Each returns the rule's index (>= 0) or -errno, and has then changed nothing:
 * -EINVAL malformed pattern (not absolute; an empty, "." or ".." component, so no slash at the end; "a**"; over 4095
 * bytes), a key of another group, or an address with bits behind its prefix; -ENOMEM; -E2BIG past the limits of an
 * image. A rule with several meanings (a path as written and as resolved; a host name with several addresses) is added
 * once and extended with build_also_*.
 */
int build_path_rule(struct build *build, const struct rule *rule);
int build_also_path(struct build *build, int index, const char *pattern);
int build_net_rule(struct build *build, const struct rule *rule); /* no destination yet: add with build_also_* */
int build_also_internet(struct build *build, int index, const struct net_prefix *prefix);
/* The path and all below it, like other paths; "/" is every one. */
int build_also_unix_path(struct build *build, int index, const char *pattern);
/* Without the leading NUL, any bytes; "*" at the end stands for any rest. */
int build_also_abstract(struct build *build, int index, const char *name, size_t length);
int build_env_rule(struct build *build, const struct rule *rule);

void build_on_violation(struct build *build, enum on_violation what);
void build_limits(struct build *build, const struct policy_limits *limits);

/* The image: malloc'ed, *length bytes, ready for image_check. 0 or -errno. The build may go on and finish again. */
int build_finish(struct build *build, struct image **image, size_t *length);

#endif
