/* SPDX-License-Identifier: MIT */
/*
 * decide.h - what the policy says of a request. Pure functions over a
 * validated image: no I/O, no heap, no locks, small stack, async-signal-safe;
 * the shim and the supervisor call the same code on the same bytes.
 */
#ifndef PICKET_POLICY_DECIDE_H
#define PICKET_POLICY_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "image.h"
#include "syscalls.h"

/* What was decided, and by which rule. */
struct verdict {
	bool allowed;
	int error;     /* errno for the program when not allowed: EACCES, EPERM or ENOENT */
	uint32_t rule; /* index for image_rule(), or RULE_DEFAULT when nothing matched */
};

/*
 * May `path` be accessed so? `path` is absolute, resolved by the caller
 * (no symbolic link, ".", ".." or double slash in it), `length` bytes, any
 * bytes but NUL. `access` is one or more of enum access: all must be allowed;
 * when one is not, the verdict is that one's. A malformed path is refused.
 */
struct verdict decide_path(const struct image *image, const char *path, size_t length, unsigned access);

/*
 * Does this refusal, of ACCESS_EXEC, not mean the command that the user has named? It does not when it is for lack of a rule, or by
 * the empty list (no *further* program).
 */
bool decide_spares_command(const struct image *image, struct verdict verdict);

/*
 * May what is at `from` be moved to (or linked as) `to`? Refused when the policy gives at the new
 * name an access (read, write or exec) that it did not give at the old one and, for a directory,
 * when rules speak of names below either that would then speak of something else. It does not
 * judge the write access to both names themselves: decide_path does.
 */
struct verdict decide_move(const struct image *image, const char *from, size_t from_length, const char *to,
			   size_t to_length, bool directory);

/*
 * Would a unix socket, or one in the `directory`, come to a name that a rule lets be connected to by such a move, while none speaks
 * of its name now? To be asked beside decide_move of sockets that others have made.
 */
bool decide_move_reaches(const struct image *image, const char *from, size_t from_length, const char *to,
			 size_t to_length, bool directory);

/*
 * May what is no directory (`link`: a symbolic link) be made at `path`, or changed, removed or moved away there? To be
 * asked beside decide_path for writing. Refused where a rule that refuses writing names something below: with a link at
 * the rule's way, or a file that programs take for one (.git), its name means something else to everybody who uses it,
 * and what was meant is not there any more.
 *
 * A component of the rule that has a star stands for many names that are no directories, and must hold files: only
 * links are refused there. What a "**" itself stands for is any name whatever below its directory: nothing is refused
 * there, or no tool could make a link in it.
 */
struct verdict decide_stand(const struct image *image, const char *path, size_t length, bool link);

/*
 * May a name lead through the symbolic link at `path`, for these accesses? Refused by the rules that refuse them to
 * `path`, but not by default, nor by a rule of the root directory, which is the default in other words: what a link
 * leads to is judged by its own name, and this is only about links that rules speak of.
 */
struct verdict decide_link(const struct image *image, const char *path, size_t length, unsigned access);

/*
 * Does changing this name leave the result of the run where it is (RULE_RESULT)? Refused of the file itself, of a link on the way
 * to it and, if what is moved or removed is a directory, of each that leads there: an empty one that is gone would give its name to a
 * link. Otherwise it says nothing: decide_path judges.
 */
struct verdict decide_result(const struct image *image, const char *path, size_t length, bool directory);

/* Is what this rule refuses refused under audit, too? That is so where a result would otherwise be worth nothing. */
bool decide_is_final(const struct image *image, uint32_t rule);

/* Has the policy any path for which one of these accesses is refused? (What decides whether a
 * call must be stopped at all.) */
bool decide_may_refuse(const struct image *image, unsigned access);

/*
 * The patterns that agree with all of `path` and go on: nodes of image_layout.h, with DECIDE_STAYS when the node stands
 * behind a "**" and so agrees with whatever follows. All that the policy says of names below `path`, beyond what it
 * says of `path` itself, is said by these nodes' descendants. How many; more than DECIDE_STATES: too many, or the path
 * is malformed. For pure.c.
 */
enum { DECIDE_STATES = 64 };
#define DECIDE_STAYS UINT32_C(0x80000000)
unsigned decide_states(const struct image *image, const char *path, size_t length, uint32_t node[DECIDE_STATES]);

enum net_use { NET_CONNECT, NET_BIND };

/* Transport of an internet address. */
enum net_transport { NET_TCP, NET_UDP };

/*
 * May this internet or abstract-unix address be used so? A unix *path* address is not decided here
 * but by decide_unix_path with the resolved path. IPv4-mapped IPv6 is decided as IPv4, the unspecified address as
 * loopback for NET_CONNECT. A short, unknown or malformed address is refused.
 */
struct verdict decide_address(const struct image *image, enum net_use use, enum net_transport transport,
			      const struct sockaddr *address, socklen_t length);

/*
 * The same of a unix socket with a name in the file system. The files' rules are asked as well: `hide` (ENOENT) and
 * `forbid` hold whatever the network's say, and `deny` does unless the network's rule is the more specific one, or on a
 * tie of a nearer layer.
 */
struct verdict decide_unix_path(const struct image *image, enum net_use use, const char *path, size_t length);
/* May the run connect to a socket of this name that it has made itself? That takes no network rule: only `hide` and
 * `forbid` refuse. */
struct verdict decide_own_socket(const struct image *image, const char *path, size_t length);

/* May a socket that has this address listen? It may if it may be bound there, or to a port of the kernel's choice (port 0). */
struct verdict decide_listen(const struct image *image, const struct sockaddr *address, socklen_t length);

/* Has the policy any rule that allows this use of an internet address? */
bool decide_any_internet(const struct image *image, enum net_use use);
/*
 * Has it any rule that names UDP, to connect or to bind? A UDP socket takes a port of its own, of any address, with the first
 * thing that is done to it, be it a write(2) that fails, and from then on hears from everybody. So without such a rule
 * none is made.
 */
bool decide_any_udp(const struct image *image);
/* Is every internet and unix address allowed for this use? */
bool decide_every_address(const struct image *image, enum net_use use);

#endif
