/* SPDX-License-Identifier: MIT */
/* destination.c - see destination.h. */
#include "destination.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

enum {
	ADDRESS_TEXT = INET6_ADDRSTRLEN,
	ABSTRACT_MAX = sizeof(((struct sockaddr_un *)0)->sun_path) - 1,
	PORT_MAX = 65535,
	MAPPED_BITS = 96, /* ::ffff:0:0/96 holds the IPv4 addresses */
};

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* A decimal number of at most 5 digits that fills `length` bytes; -1: it is none. */
static long number(const char *text, size_t length)
{
	long value = 0;

	if (!length || length > 5)
		return -1;
	for (size_t i = 0; i < length; i++) {
		if (!is_digit(text[i]))
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

static int parse_ports(const char *text, bool bind, struct net_ports *ports, struct complaint *why)
{
	const char *dash = strchr(text, '-');
	size_t length = dash ? (size_t)(dash - text) : strlen(text);
	long first, last;

	if (!strcmp(text, "*")) {
		*ports = (struct net_ports){0, PORT_MAX};
		return 0;
	}
	first = number(text, length);
	last = dash ? number(dash + 1, strlen(dash + 1)) : first;
	if (first < 0 || last < 0)
		return complain(why, -EINVAL, "bad port \"%s\" (write a number, a range such as 8000-8080, or *)",
				text);
	if (first > PORT_MAX || last > PORT_MAX)
		return complain(why, -EINVAL, "bad port \"%s\" (the highest is %d)", text, PORT_MAX);
	if (first > last)
		return complain(why, -EINVAL, "bad port range \"%s\" (the lower number comes first)", text);
	if (!bind && !last)
		return complain(why, -EINVAL, "nothing can be reached at port 0 (write * for every port)");
	*ports = (struct net_ports){(uint16_t)first, (uint16_t)last};
	return 0;
}

/* Bits behind the prefix that are set would never be compared: probably a slip. */
static bool has_bits_behind(const unsigned char *bytes, unsigned bits, unsigned size)
{
	for (unsigned bit = bits; bit < size; bit++)
		if (bytes[bit / 8] & (0x80u >> bit % 8))
			return true;
	return false;
}

/* The prefix length after the slash, which may be missing (NULL). */
static int parse_bits(const char *text, unsigned size, struct net_prefix *prefix, struct complaint *why)
{
	long bits = text ? number(text, strlen(text)) : (long)size;

	if (bits < 0 || bits > (long)size)
		return complain(why, -EINVAL, "bad prefix length \"/%s\" (0 to %u)", text, size);
	prefix->bits = (unsigned)bits;
	return 0;
}

static int check_prefix(const struct net_prefix *prefix, bool bind, const char *text, struct complaint *why)
{
	static const unsigned char nothing[16] = {0};
	unsigned size = prefix->family == AF_INET ? 32 : 128;
	const unsigned char *bytes = prefix->address.s6_addr;

	if (has_bits_behind(bytes, prefix->bits, size)) {
		struct in6_addr first = prefix->address;
		char shown[ADDRESS_TEXT];

		for (unsigned bit = prefix->bits; bit < size; bit++)
			first.s6_addr[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
		inet_ntop(prefix->family, &first, shown, sizeof(shown));
		return complain(why, -EINVAL, "the address has bits behind its /%u (did you mean %s/%u?)", prefix->bits,
				shown, prefix->bits);
	}
	if (!bind && prefix->bits == size && !memcmp(bytes, nothing, size / 8))
		return complain(why, -EINVAL, "%s as a target means this machine (write %s)", text,
				size == 32 ? "127.0.0.1" : "[::1]");
	return 0;
}

/* IPv4-mapped addresses are decided as IPv4, so a rule for them is one. */
static void unmap(struct net_prefix *prefix)
{
	if (!IN6_IS_ADDR_V4MAPPED(&prefix->address) || prefix->bits < MAPPED_BITS)
		return;
	prefix->family = AF_INET;
	prefix->bits -= MAPPED_BITS;
	memmove(prefix->address.s6_addr, prefix->address.s6_addr + 12, 4);
	memset(prefix->address.s6_addr + 4, 0, 12);
}

/* [IPv6][/BITS] up to the colon of the ports, which *ports gets. */
static int parse_ipv6(const char *text, bool bind, struct net_prefix *prefix, const char **ports, struct complaint *why)
{
	const char *close = strchr(text, ']');
	char address[ADDRESS_TEXT] = "", bits[8] = "";
	size_t length = close ? (size_t)(close - text - 1) : 0, bits_length = 0;
	const char *rest = close ? close + 1 : "";
	int error;

	if (close && length < sizeof(address))
		memcpy(address, text + 1, length);
	if (!close || length >= sizeof(address) || inet_pton(AF_INET6, address, &prefix->address) != 1)
		return complain(why, -EINVAL, "not an IPv6 address (write [ADDRESS]:PORT or [ADDRESS]/BITS:PORT)");
	if (*rest == '/') {
		rest++;
		bits_length = strcspn(rest, ":");
		memcpy(bits, rest, bits_length < sizeof(bits) ? bits_length : sizeof(bits) - 1);
		rest += bits_length;
	}
	if (*rest != ':')
		return complain(why, -EINVAL, "no port (write [%s]:443, or [%s]:* for every port)", address, address);
	*ports = rest + 1;
	prefix->family = AF_INET6;
	error = parse_bits(text[length + 2] == '/' ? bits : NULL, 128, prefix, why);
	if (error)
		return error;
	unmap(prefix);
	return check_prefix(prefix, bind, "[::]", why);
}

/* Is this a name that DNS could know? Names that end in a number are addresses gone wrong (RFC 1123, 2.1). */
static bool is_host_name(const char *name)
{
	size_t length = strlen(name), label = 0;
	bool number = false;

	if (length && name[length - 1] == '.')
		length--;
	if (!length || length > HOST_NAME_MAX_LENGTH)
		return false;
	for (size_t i = 0; i < length; i++) {
		char byte = name[i];

		if (byte == '.') {
			if (!label || name[i - 1] == '-')
				return false;
			label = 0;
			continue;
		}
		if (!is_letter(byte) && !is_digit(byte) && byte != '_' && !(byte == '-' && label))
			return false;
		number = (label ? number : true) && is_digit(byte);
		if (++label > 63)
			return false;
	}
	return label && !number && name[length - 1] != '-';
}

static int parse_host(const char *name, struct destination *out, struct complaint *why)
{
	for (const char *at = name; *at; at++)
		if ((unsigned char)*at >= 0x80)
			return complain(why, -EINVAL, "a host's name in other letters than a-z (write its xn-- form)");
	if (strchr(name, '*'))
		return complain(why, -EINVAL,
				"a host's name with a * cannot be looked up (name each host, or write * alone)");
	if (!is_host_name(name))
		return complain(why, -EINVAL, "\"%s\" is neither an address nor a host's name", name);
	out->kind = DESTINATION_HOST;
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.strcpy): its room was reckoned before */
	strcpy(out->host, name);
	return 0;
}

/* IPv4[/BITS], * or a host's name. */
static int parse_plain(char *address, bool bind, struct destination *out, struct complaint *why)
{
	struct net_prefix *prefix = &out->prefix;
	char *slash = strchr(address, '/');
	int error;

	out->kind = DESTINATION_INTERNET;
	if (slash)
		*slash++ = 0;
	if (!strcmp(address, "*") && !slash) {
		prefix->any_family = true;
		return 0;
	}
	if (inet_pton(AF_INET, address, &prefix->address) == 1) {
		prefix->family = AF_INET;
		error = parse_bits(slash, 32, prefix, why);
		return error ? error : check_prefix(prefix, bind, "0.0.0.0", why);
	}
	if (slash)
		return complain(why, -EINVAL, "a prefix length needs an address before it, and \"%s\" is none",
				address);
	return parse_host(address, out, why);
}

static int parse_internet(const char *text, bool bind, struct destination *out, struct complaint *why)
{
	const char *colon = strrchr(text, ':'), *ports = NULL;
	char address[HOST_NAME_MAX_LENGTH + 8] = "";
	size_t length = colon ? (size_t)(colon - text) : 0;
	int error;

	if (strstr(text, "://"))
		return complain(why, -EINVAL, "a URL (write HOST:PORT, such as example.org:443)");
	if (*text == '[') {
		error = parse_ipv6(text, bind, &out->prefix, &ports, why);
		out->kind = DESTINATION_INTERNET;
	} else if (!colon) {
		return complain(why, -EINVAL, "no port (write %s:443, or %s:* for every port)", text, text);
	} else if (memchr(text, ':', length)) {
		return complain(why, -EINVAL,
				"more than one colon (an IPv6 address stands in brackets: [ADDRESS]:PORT)");
	} else if (!length || length >= sizeof(address)) {
		return complain(why, -EINVAL,
				"no address before the port (write ADDRESS:PORT, or *:PORT for every address)");
	} else {
		memcpy(address, text, length);
		ports = colon + 1;
		error = parse_plain(address, bind, out, why);
	}
	return error ? error : parse_ports(ports, bind, &out->prefix.ports, why);
}

static int parse_unix(const char *text, struct destination *out, struct complaint *why)
{
	const char *star;

	if (!strcmp(text, "*")) {
		out->kind = DESTINATION_UNIX_ANY;
		return 0;
	}
	if (*text != '@') {
		out->kind = DESTINATION_UNIX_PATH;
		out->name = text;
		return 0;
	}
	out->kind = DESTINATION_UNIX_ABSTRACT;
	out->name = text + 1;
	star = strchr(out->name, '*');
	if (!*out->name)
		return complain(why, -EINVAL, "no name after \"@\" (write unix:@* for every abstract socket)");
	if (star && star[1])
		return complain(why, -EINVAL, "in an abstract socket's name a * stands only at the end");
	if (strlen(out->name) > ABSTRACT_MAX)
		return complain(why, -EINVAL, "no abstract socket's name is longer than %d bytes", ABSTRACT_MAX);
	return 0;
}

int destination_parse(const char *text, bool bind, struct destination *out, struct complaint *why)
{
	*out = (struct destination){.prefix = {.tcp = true, .udp = true}};
	if (!*text)
		return complain(why, -EINVAL, "an empty destination (write ADDRESS:PORT or unix:/PATH)");
	if (!strcmp(text, "*")) {
		out->kind = DESTINATION_EVERYTHING;
		return 0;
	}
	if (!strncmp(text, "unix:", 5))
		return parse_unix(text + 5, out, why);
	if (!strncmp(text, "tcp:", 4) || !strncmp(text, "udp:", 4)) {
		out->prefix.udp = *text == 'u';
		out->prefix.tcp = *text == 't';
		text += 4;
		if (!strcmp(text, "*"))
			return complain(why, -EINVAL, "no port (write %s:*:* for every address and port)",
					out->prefix.tcp ? "tcp" : "udp");
	}
	return parse_internet(text, bind, out, why);
}
