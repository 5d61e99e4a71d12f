/* SPDX-License-Identifier: MIT */
/*
 * build_net.c - destinations of network rules into the image's records, and
 * what can be said of all of them together. Outside only.
 */
#include <errno.h>
#include <string.h>

#include "build_internal.h"
#include "net.h"

/* The flag of the use that a network rule is for, or 0: there is no such rule. */
static uint8_t use_of(const struct build *build, int index)
{
	if (index < 0 || (size_t)index >= build->rules.count)
		return 0;
	switch (build_rule_at(build, (uint32_t)index)->key) {
	case RULE_CONNECT:
		return INTERNET_CONNECT;
	case RULE_BIND:
		return INTERNET_BIND;
	default:
		return 0;
	}
}

/* Is every bit behind the prefix zero? "10.0.0.1/8" says two things at once. */
static bool tail_is_zero(const uint8_t *address, unsigned bits, unsigned width)
{
	for (unsigned i = bits; i < width; i++) {
		if ((address[i / 8] >> (7 - i % 8) & 1) != 0)
			return false;
	}
	return true;
}

/* IPv4-mapped addresses are decided as IPv4, so a rule for such is one for IPv4. */
static int prefix_address(const struct net_prefix *prefix, struct image_internet *record)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	unsigned width = prefix->family == AF_INET ? 32 : 128, bits = prefix->bits;
	const uint8_t *address = prefix->address.s6_addr;

	if ((prefix->family != AF_INET && prefix->family != AF_INET6) || bits > width ||
	    !tail_is_zero(address, bits, width))
		return -EINVAL;
	if (width == 128 && bits >= 96 && memcmp(address, mapped, sizeof(mapped)) == 0) {
		address += sizeof(mapped);
		bits -= 96;
		width = 32;
	}
	memcpy(record->address, address, width / 8);
	record->flags |= width == 32 ? INTERNET_V4 : INTERNET_V6;
	record->bits = (uint8_t)bits;
	if (bits == width && (record->flags & INTERNET_CONNECT) != 0)
		net_unspecified_is_loopback(width == 32 ? NET_INTERNET4 : NET_INTERNET6, record->address);
	return 0;
}

int build_also_internet(struct build *build, int index, const struct net_prefix *prefix)
{
	struct image_internet record = {
		.rule = (uint32_t)index,
		.first_port = prefix->ports.first,
		.last_port = prefix->ports.last,
		.flags = use_of(build, index),
	};
	int error;

	if (record.flags == 0 || (!prefix->tcp && !prefix->udp) || prefix->ports.first > prefix->ports.last)
		return -EINVAL;
	if (prefix->any_family)
		record.flags |= INTERNET_V4 | INTERNET_V6;
	else if ((error = prefix_address(prefix, &record)) < 0)
		return error;
	if (prefix->tcp)
		record.flags |= INTERNET_TCP;
	if (prefix->udp)
		record.flags |= INTERNET_UDP;
	if ((error = vector_reserve(&build->internet, 1)) < 0)
		return error;
	*(struct image_internet *)vector_add(&build->internet, 1) = record;
	return index;
}

int build_also_abstract(struct build *build, int index, const char *name, size_t length)
{
	struct image_abstract record = {.rule = (uint32_t)index, .use = use_of(build, index)};
	int error;

	if (record.use == 0 || length > IMAGE_MAX_PATTERN)
		return -EINVAL;
	if (length > 0 && name[length - 1] == '*') {
		record.prefix = 1;
		length--;
	}
	if ((error = vector_reserve(&build->names, length)) < 0 || (error = vector_reserve(&build->abstract, 1)) < 0)
		return error;
	record.name = (uint32_t)build->names.count;
	record.name_length = (uint16_t)length;
	if (length > 0)
		memcpy(vector_add(&build->names, length), name, length);
	*(struct image_abstract *)vector_add(&build->abstract, 1) = record;
	return index;
}

/* Transport and family, four in all: those of which every address and port is allowed. */
static unsigned covered(const struct image_internet *record)
{
	unsigned families = 0;

	if (record->bits > 0 || record->first_port > 0 || record->last_port < UINT16_MAX)
		return 0;
	families |= (record->flags & INTERNET_V4) != 0 ? 1 : 0;
	families |= (record->flags & INTERNET_V6) != 0 ? 2 : 0;
	return ((record->flags & INTERNET_TCP) != 0 ? families : 0) |
	       ((record->flags & INTERNET_UDP) != 0 ? families << 2 : 0);
}

uint32_t net_uses(const struct build *build, uint8_t use)
{
	enum image_root root = use == INTERNET_CONNECT ? ROOT_UNIX_CONNECT : ROOT_UNIX_BIND;
	const struct image_internet *internet = build->internet.items;
	const struct image_abstract *abstract = build->abstract.items;
	bool every_abstract = false;
	unsigned all = 0;
	uint32_t uses = 0;

	for (size_t i = 0; i < build->internet.count; i++) {
		if ((internet[i].flags & use) != 0) {
			uses |= USES_INTERNET | ((internet[i].flags & INTERNET_UDP) != 0 ? USES_UDP : 0);
			all |= covered(&internet[i]);
		}
	}
	for (size_t i = 0; i < build->abstract.count; i++)
		every_abstract |= abstract[i].use == use && abstract[i].prefix != 0 && abstract[i].name_length == 0;
	if (all == 15 && every_abstract && build_node_at(build, root)->terminal != IMAGE_NONE)
		uses |= USES_EVERYTHING;
	return uses;
}
