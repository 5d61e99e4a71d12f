/* SPDX-License-Identifier: MIT */
/* leaf.c - see leaf.h. What the policy cannot refuse, and nobody has to know of, does not stop. */
#include "leaf.h"

#include "caller.h"
#include "floor.h"
#include "together.h"

static bool may_refuse(const struct guard *guard, unsigned access)
{
	for (unsigned i = 0; i < guard->policy_count; i++)
		if (decide_may_refuse(guard->policies[i]->image, access))
			return true;
	return false;
}

bool leaf_every_address(const struct guard *guard, enum net_use use)
{
	for (unsigned i = 0; i < guard->policy_count; i++)
		if (!decide_every_address(guard->policies[i]->image, use))
			return false;
	return true;
}

bool leaf_any_udp(const struct guard *guard)
{
	for (unsigned i = 0; i < guard->policy_count; i++)
		if (!decide_any_udp(guard->policies[i]->image))
			return false;
	return true;
}

/* Is there a rule that keeps a unix socket from being connected to, whatever the network's rules say? */
static bool denies_sockets(const struct guard *guard)
{
	for (unsigned i = 0; i < guard->policy_count; i++) {
		const struct image *image = guard->policies[i]->image;
		for (uint32_t rule = 0; rule < image_rule_count(image); rule++) {
			enum rule_key key = image_rule(image, rule).key;
			if (key == RULE_DENY || key == RULE_HIDE || key == RULE_FORBID)
				return true;
		}
	}
	return false;
}

static enum leaf leaf_of_network(const struct guard *guard, const struct call *call)
{
	if (call->op == OP_BIND)
		return LEAF_STOP; /* also to know which sockets are the run's own */
	if (call->op == OP_LISTEN ? leaf_every_address(guard, NET_BIND)
				  : leaf_every_address(guard, NET_CONNECT) && !denies_sockets(guard))
		return LEAF_PASS;
	return call->op == OP_CONNECT ? LEAF_LOOK : LEAF_STOP;
}

/* What a task does to itself, and its children. */
static enum leaf leaf_of_task(const struct guard *guard, const struct call *call)
{
	bool performs = guard_by_notification(guard) || guard->gate.page;

	switch (call->op) {
	case OP_CREDENTIALS: /* what is done for a task is done with its ids; and see act.c of the gate */
		return performs && caller_may_change() ? LEAF_STOP : LEAF_PASS;
	case OP_FORK:
		return guard->limits.processes ? LEAF_STOP : LEAF_PASS;
	case OP_CLONE:
		return guard->limits.processes ? LEAF_STOP : LEAF_LOOK;
	case OP_CLONE3: /* its flags lie in memory; every library then uses clone, whose flags are in registers */
		return performs ? LEAF_UNKNOWN : LEAF_STOP;
	default: /* CONFINE */
		return guard_by_notification(guard) ? LEAF_UNKNOWN : LEAF_PASS;
	}
}

/* The name of an attribute is in memory; how much of it is asked for may be in a register. */
static enum leaf leaf_of_value(const struct guard *guard, const struct call *call)
{
	if (may_refuse(guard, ACCESS_LOOK))
		return LEAF_STOP;
	if (!may_refuse(guard, ACCESS_READ))
		return LEAF_PASS;
	return call_arg_index(call, ARG_VALUE_SIZE, 0) >= 0 ? LEAF_LOOK : LEAF_STOP;
}

/* A compiler makes a thousand of these calls for a file. Under the floor the kernel refuses what there is to refuse. */
static enum leaf leaf_of_readlink(const struct guard *guard)
{
	bool strangers = !guard->floor && !floor_tells_of_strangers(guard);

	return strangers || may_refuse(guard, ACCESS_LOOK) ? LEAF_STOP : LEAF_PASS;
}

static enum leaf leaf_of_judged(const struct guard *guard, const struct call *call)
{
	switch ((enum call_op)call->op) {
	case OP_LOOK:
		return may_refuse(guard, ACCESS_LOOK) ? LEAF_STOP : LEAF_PASS;
	case OP_VALUE:
		return leaf_of_value(guard, call);
	case OP_READLINK:
		return leaf_of_readlink(guard);
	case OP_CONNECT:
	case OP_SENDMSG:
	case OP_SENDMMSG:
	case OP_BIND:
	case OP_LISTEN:
		return leaf_of_network(guard, call);
	case OP_CREDENTIALS:
	case OP_FORK:
	case OP_CLONE:
	case OP_CLONE3:
	case OP_CONFINE:
		return leaf_of_task(guard, call);
	case OP_ALLOCATE:
		return guard->limits.write_bytes ? LEAF_STOP : LEAF_PASS;
	/* some names are refused whatever the policy says: the machine's, and the ways that /proc has into strangers */
	case OP_OPEN:
		return guard->gate.page && call_arg_index(call, ARG_OPEN_HOW, 0) >= 0 ? LEAF_LOOK : LEAF_STOP;
	case OP_CHDIR:
	case OP_CREATE:
	case OP_CHANGE:
	case OP_CHANGE_FD:
	case OP_SYMLINK:
	case OP_REMOVE:
	case OP_RENAME:
	case OP_LINK:
	case OP_WATCH:
	case OP_EXEC:
	case OP_SIGNAL:
	case OP_ASYNC:
		return LEAF_STOP;
	case OP_SOCKET:
	case OP_SOCKOPT:
	case OP_PROCESS:
	case OP_PRCTL:
	case OP_IOCTL:
	case OP_FCNTL:
	case OP_SECCOMP:
	case OP_MEMORY:
	case OP_DESCRIPTOR:
	case OP_IPC:
		return LEAF_LOOK;
	case OP_NONE:
	case OP_REFUSE:
	case OP_REFUSE_IFACE:
	case OP_REFUSE_PROC:
	case OP_COUNT:
		break;
	}
	return LEAF_STOP;
}

enum leaf leaf_of(const struct guard *guard, long number)
{
	const struct call *call = call_find(number);

	if (guard->level >= LEVEL_SECCOMP && !guard_by_notification(guard) && together_shown_by(number))
		return LEAF_STOP;
	switch ((enum call_class)call->class) {
	case CALL_HARMLESS:
		return LEAF_PASS;
	case CALL_JUDGED:
		return leaf_of_judged(guard, call);
	case CALL_REFUSED: /* they must be recorded, so they stop, too */
	case CALL_UNLISTED:
		break;
	}
	return LEAF_STOP;
}
