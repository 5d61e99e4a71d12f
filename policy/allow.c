/* SPDX-License-Identifier: MIT */
/* allow.c - see allow.h. */
#include "allow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "net.h"

/* May anything that the command line adds change this verdict? */
static bool is_final(const struct image *image, struct verdict verdict, const char *exactly)
{
	struct rule rule;

	if (verdict.allowed)
		return true;
	if (verdict.rule >= image_rule_count(image)) /* the default; what no policy allows has no verdict */
		return verdict.rule != RULE_DEFAULT;
	rule = image_rule(image, verdict.rule);
	/* A rule of the command line on the very same path: within a layer the stricter wins. */
	return rule.key == RULE_FORBID || rule.key == RULE_RESULT ||
	       (rule.layer == LAYER_COMMAND_LINE && !strcmp(rule.target, exactly));
}

/*
 * The narrowest pattern that means this name: a `*` in it can only be said by one that means more, of several in a row one does,
 * and one between '$' and '{' keeps them from being a variable. malloc'ed, or NULL.
 */
static char *spell(const char *name)
{
	char *spelled = malloc(2 * strlen(name) + 1), *to = spelled;

	for (; spelled && *name; name++) {
		if (*name == '*' && to > spelled && to[-1] == '*')
			continue;
		*to++ = *name;
		if (name[0] == '$' && name[1] == '{')
			*to++ = '*';
	}
	if (spelled)
		*to = 0;
	return spelled;
}

static bool is_plain(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
	       (byte && strchr("/._-+:,@%=", byte));
}

/* `option` and `word`, the latter in single quotes if a shell would take it apart. */
static char *option_text(const char *option, const char *word)
{
	size_t length = strlen(option) + 1, plain = 0;
	char *text, *to;

	while (is_plain(word[plain]))
		plain++;
	text = malloc(length + 4 * strlen(word) + 3); /* each quote becomes four bytes */
	if (!text)
		return NULL;
	to = text + sprintf(text, "%s ", option);
	if (!word[plain]) {
		/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.strcpy): its room was reckoned before */
		strcpy(to, word);
		return text;
	}
	*to++ = '\'';
	for (; *word; word++) {
		if (*word == '\'') {
			/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): bytes, not a string */
			memcpy(to, "'\\''", 4);
			to += 4;
		} else {
			*to++ = *word;
		}
	}
	memcpy(to, "'", 2);
	return text;
}

char *allow_with_path(const struct image *image, struct verdict verdict, unsigned access, const char *path)
{
	const char *option = access & ACCESS_WRITE ? "--write" : access & ACCESS_EXEC ? "--exec" : "--read";
	cleanup_free char *spelled = NULL;

	if (is_final(image, verdict, path) || !(spelled = spell(path)))
		return NULL;
	return option_text(option, spelled);
}

/* One option behind another; frees both. */
static char *join(char *first, char *second)
{
	char *both;

	if (!first || !second || asprintf(&both, "%s %s", first, second) < 0)
		both = NULL;
	free(first);
	free(second);
	return both;
}

char *allow_with_move(const struct image *image, struct verdict verdict, const char *move)
{
	static const char arrow[] = " -> /";
	const char *to = strstr(move, arrow);
	cleanup_free char *from = to ? strndup(move, (size_t)(to - move)) : NULL;
	unsigned missing = 0;

	/* a name with an arrow in it: nobody can tell which one is meant */
	if (!from || strstr(to + 1, arrow) || is_final(image, verdict, from))
		return NULL;
	to += sizeof arrow - 2;
	for (unsigned access = ACCESS_READ; access <= ACCESS_EXEC; access <<= 1)
		if (!decide_path(image, from, strlen(from), access).allowed &&
		    decide_path(image, to, strlen(to), access).allowed)
			missing |= access;
	if (missing == 0) /* it is for what rules say of names below */
		return NULL;
	if (!(missing & ACCESS_EXEC) || missing == ACCESS_EXEC)
		return allow_with_path(image, verdict, missing, from);
	return join(allow_with_path(image, verdict, missing & ~(unsigned)ACCESS_EXEC, from),
		    allow_with_path(image, verdict, ACCESS_EXEC, from));
}

static const char *use_option(enum net_use use)
{
	return use == NET_CONNECT ? "--connect" : "--bind";
}

static char *allow_with_internet(enum net_use use, enum net_transport transport, const struct net_address *address)
{
	bool four = address->kind == NET_INTERNET4;
	const char *prefix = transport == NET_TCP ? "tcp:" : "udp:";
	char shown[INET6_ADDRSTRLEN], word[sizeof("tcp:[]:65535") + INET6_ADDRSTRLEN];
	uint8_t bytes[16];

	memcpy(bytes, address->bytes, sizeof(bytes));
	if (use == NET_CONNECT)
		net_unspecified_is_loopback(address->kind, bytes);
	if (!inet_ntop(four ? AF_INET : AF_INET6, bytes, shown, sizeof(shown)))
		return NULL;
	snprintf(word, sizeof(word), four ? "%s%s:%u" : "%s[%s]:%u", prefix, shown, (unsigned)address->port);
	return option_text(use_option(use), word);
}

char *allow_with_everywhere(struct verdict verdict, enum net_transport transport)
{
	return verdict.allowed ? NULL : option_text(use_option(NET_CONNECT), transport == NET_UDP ? "udp:*:*" : "*");
}

/* A name with a NUL or a `*` in it can be said only as far as that; of one of the kernel's choice, nothing. */
static char *allow_with_abstract(enum net_use use, const struct net_address *address)
{
	size_t length = 0;
	cleanup_free char *word = NULL;

	while (length < address->name_length && address->name[length] && address->name[length] != '*')
		length++;
	if (asprintf(&word, "unix:@%.*s%s", (int)length, length ? address->name : "",
		     length && length == address->name_length ? "" : "*") < 0) {
		word = NULL;
		return NULL;
	}
	return option_text(use_option(use), word);
}

char *allow_with_address(const struct image *image, struct verdict verdict, enum net_use use,
			 enum net_transport transport, const struct sockaddr *address, socklen_t length)
{
	struct net_address read = net_read(address, length);

	/* Network rules only allow, so no rule of the command line stands against another. */
	if (is_final(image, verdict, ""))
		return NULL;
	switch (read.kind) {
	case NET_INTERNET4:
	case NET_INTERNET6:
		if (use == NET_CONNECT && !read.port)
			return NULL;
		return allow_with_internet(use, transport, &read);
	case NET_UNIX_ABSTRACT:
		return allow_with_abstract(use, &read);
	case NET_UNIX_UNNAMED: /* a name of the kernel's choice */
		return use == NET_BIND ? allow_with_abstract(use, &read) : NULL;
	case NET_MALFORMED:
	case NET_UNIX_PATH:
		break;
	}
	return NULL;
}

char *allow_with_unix_path(const struct image *image, struct verdict verdict, enum net_use use, const char *path)
{
	cleanup_free char *spelled = NULL, *word = NULL;

	if (is_final(image, verdict, path) || !(spelled = spell(path)))
		return NULL;
	if (asprintf(&word, "unix:%s", spelled) < 0) {
		word = NULL;
		return NULL;
	}
	if (verdict.error != ENOENT)
		return option_text(use_option(use), word);
	/* What is hidden no network rule shows. */
	return join(option_text("--read", spelled), option_text(use_option(use), word));
}
