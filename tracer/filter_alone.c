/* SPDX-License-Identifier: MIT */
/*
 * filter_alone.c - the filter of level preload, see filter.h: nobody is there
 * to stop for, so it says no by itself, to what is refused whatever the policy says, and to sockets for a network that
 * the policy does not have. It also reaches calls that never pass through libc. The shim says the same beforehand,
 * where it is asked, and tells of it.
 */
#include "filter.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "decide.h"
#include "leaf.h"
#include "net.h"
#include "register_rules.h"
#include "syscalls.h"
#include "wire.h"

enum {
	ROOM = 2048,
	SOCKET_TYPE_BITS = 0xf, /* SOCK_TYPE_MASK in include/linux/net.h */
};

struct instructions {
	struct sock_filter code[ROOM];
	unsigned length;
};

static void emit(struct instructions *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	if (p->length < ROOM)
		p->code[p->length++] = (struct sock_filter){code, yes, no, k};
}

static void load(struct instructions *p, size_t offset)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void load_argument(struct instructions *p, int i)
{
	load(p, offsetof(struct seccomp_data, args) + (size_t)i * sizeof(uint64_t));
}

static void say(struct instructions *p, int error)
{
	emit(p, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error, 0, 0);
}

static void pass(struct instructions *p)
{
	emit(p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

/* What follows, of `length` instructions, is for this number only; the number stays loaded for what comes after. */
static void for_number(struct instructions *p, uint32_t number, uint8_t length)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, number, 0, length);
}

static uint32_t number_of(const char *name)
{
	return call_by_name(name)->number;
}

static int refusal_of(const struct call *call)
{
	if (call->class == CALL_UNLISTED)
		return ENOSYS;
	if (call->class != CALL_REFUSED)
		return 0;
	return call->op == OP_REFUSE_IFACE ? ENOSYS : EPERM;
}

static void refuse_listed(struct instructions *p)
{
	for (long n = 0; n < CALL_NUMBERS; n++) {
		int error = refusal_of(call_find(n));
		/* runs of the same answer are one comparison each way */
		long last = n;
		while (error && last + 1 < CALL_NUMBERS && refusal_of(call_find(last + 1)) == error)
			last++;
		if (!error)
			continue;
		emit(p, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)n, 0, 2);
		emit(p, BPF_JMP | BPF_JGT | BPF_K, (uint32_t)last, 1, 0);
		say(p, error);
		n = last;
	}
}

/* May there be a network? Where refusals are only recorded there may, and the shim tells of it. */
static bool any_internet(const struct guard *guard)
{
	if (guard->on_violation == ON_VIOLATION_AUDIT)
		return true;
	for (unsigned i = 0; i < guard->policy_count; i++)
		if (!decide_any_internet(guard->policies[i]->image, NET_CONNECT) &&
		    !decide_any_internet(guard->policies[i]->image, NET_BIND))
			return false;
	return true;
}

static bool any_udp(const struct guard *guard)
{
	return guard->on_violation == ON_VIOLATION_AUDIT || leaf_any_udp(guard);
}

static void look_at_socket(struct instructions *p, bool internet, bool udp)
{
	for_number(p, number_of("socket"), 15);
	load_argument(p, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 12, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, internet ? 7 : 6, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, internet ? 6 : 5, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 1, 0);
	say(p, EAFNOSUPPORT);
	load_argument(p, 2);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, NETLINK_ROUTE, internet ? 6 : 1, 0);
	say(p, EPROTONOSUPPORT); /* as a kernel that has not got it: judge_network.c */
	say(p, EACCES);
	load_argument(p, 1);
	emit(p, BPF_ALU | BPF_AND | BPF_K, SOCKET_TYPE_BITS, 0, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, SOCK_DGRAM, udp ? 1 : 0, 1);
	say(p, EACCES);
	pass(p);
}

/* New namespaces. clone3 has its flags in memory, and libc falls back to clone. */
static void look_at_clone(struct instructions *p)
{
	static const char *const names[] = {"clone", "unshare"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		for_number(p, number_of(names[i]), 4);
		load_argument(p, 0);
		emit(p, BPF_JMP | BPF_JSET | BPF_K, CLONE_REFUSED_IN_REGISTER & ~(uint32_t)CLONE_PTRACE, 0, 1);
		say(p, EPERM);
		pass(p);
	}
	for_number(p, number_of("clone3"), 1);
	say(p, ENOSYS);
}

static void look_at_ioctl(struct instructions *p, bool internet)
{
	for_number(p, number_of("ioctl"), internet ? 5 : 8);
	load_argument(p, 1);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, TIOCSTI, internet ? 2 : 5, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, TIOCLINUX, internet ? 1 : 4, 0);
	if (!internet) {
		emit(p, BPF_JMP | BPF_JGE | BPF_K, NET_INTERFACES_FIRST, 0, 2);
		emit(p, BPF_JMP | BPF_JGT | BPF_K, NET_INTERFACES_LAST, 1, 0);
		say(p, EACCES);
	}
	pass(p);
	say(p, EPERM);
}

/* Reserved descriptors stay. (Not close_range: it cannot be told to leave some; the shim goes round them.) */
static void look_at_descriptors(struct instructions *p, unsigned first)
{
	static const struct {
		const char *name;
		int arg;
	} calls[] = {{"close", 0}, {"dup2", 1}, {"dup3", 1}};

	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		for_number(p, number_of(calls[i].name), 5);
		load_argument(p, calls[i].arg);
		emit(p, BPF_JMP | BPF_JGE | BPF_K, first, 0, 2);
		emit(p, BPF_JMP | BPF_JGE | BPF_K, first + RESERVED_FD_COUNT, 1, 0);
		say(p, EBADF);
		pass(p);
	}
}

int filter_compile_alone(const struct guard *guard, struct sock_fprog *filter)
{
	struct instructions *p = calloc(1, sizeof *p);

	if (!p)
		return -ENOMEM;
	load(p, offsetof(struct seccomp_data, arch));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	say(p, ENOSYS);
	load(p, offsetof(struct seccomp_data, nr));
	emit(p, BPF_JMP | BPF_JGE | BPF_K, CALL_NUMBERS, 0, 1); /* x32 among them */
	say(p, ENOSYS);
	look_at_descriptors(p, guard->reserved_at);
	look_at_ioctl(p, any_internet(guard));
	look_at_clone(p);
	look_at_socket(p, any_internet(guard), any_udp(guard));
	refuse_listed(p);
	pass(p);
	filter->len = (unsigned short)p->length;
	filter->filter = p->length < ROOM ? malloc(p->length * sizeof p->code[0]) : NULL;
	if (filter->filter)
		memcpy(filter->filter, p->code, p->length * sizeof p->code[0]);
	free(p);
	return filter->filter ? 0 : -ENOMEM;
}
