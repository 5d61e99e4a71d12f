/* SPDX-License-Identifier: MIT */
/*
 * filter.c - see filter.h. The program: foreign ABIs stop; then a balanced search over the call numbers, whose leaves
 * let pass, stop, or go to a block that looks at registers. What may be looked at follows from the argument kinds of
 * the call table and from register_rules.h. seccomp(2): arguments are 64 bits wide and are compared in halves.
 *
 * Leaves are laid out behind the search, and jumps in classic BPF reach 255 instructions ahead, so the search ends in
 * unconditional jumps.
 */
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "absent.h"
#include "leaf.h"
#include "net.h"
#include "register_rules.h"
#include "syscalls.h"
#include "wire.h"

enum { ASSEMBLY_ROOM = BPF_MAXINSNS };

struct assembly {
	const struct guard *guard;
	struct sock_filter code[ASSEMBLY_ROOM];
	unsigned length;
	bool too_long;
	enum leaf leaf[CALL_NUMBERS];
	int block[CALL_NUMBERS];       /* LEAF_LOOK: where its block begins, once it is laid out */
	unsigned fixups[CALL_NUMBERS]; /* instruction that jumps to the block of this number */
};

static void emit(struct assembly *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	if (p->length == ASSEMBLY_ROOM) {
		p->too_long = true;
		return;
	}
	p->code[p->length++] = (struct sock_filter){code, yes, no, k};
}

static void pass(struct assembly *p)
{
	emit(p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

static void stop(struct assembly *p)
{
	emit(p, BPF_RET | BPF_K, guard_by_notification(p->guard) ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_TRACE, 0, 0);
}

static void load(struct assembly *p, size_t offset)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void load_low(struct assembly *p, int arg)
{
	load(p, offsetof(struct seccomp_data, args) + (size_t)arg * sizeof(uint64_t));
}

static void load_high(struct assembly *p, int arg)
{
	load(p, offsetof(struct seccomp_data, args) + (size_t)arg * sizeof(uint64_t) + sizeof(uint32_t));
}

/* Stop when the accumulator equals, has any of the bits, is at least; else go on. */
static void stop_if_equal(struct assembly *p, uint32_t value)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	stop(p);
}

static void stop_if_any(struct assembly *p, uint32_t bits)
{
	emit(p, BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
	stop(p);
}

static void stop_if_at_least(struct assembly *p, uint32_t value)
{
	emit(p, BPF_JMP | BPF_JGE | BPF_K, value, 0, 1);
	stop(p);
}

static void stop_if_between(struct assembly *p, uint32_t first, uint32_t last)
{
	emit(p, BPF_JMP | BPF_JGE | BPF_K, first, 0, 2);
	emit(p, BPF_JMP | BPF_JGE | BPF_K, last + 1, 1, 0);
	stop(p);
}

static void stop_unless_equal(struct assembly *p, uint32_t value)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
	stop(p);
}

static void stop_unless_at_least(struct assembly *p, uint32_t value)
{
	emit(p, BPF_JMP | BPF_JGE | BPF_K, value, 1, 0);
	stop(p);
}

static void pass_if_equal(struct assembly *p, uint32_t value)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	pass(p);
}

/* An argument of int width that is not 0 stops. */
static void stop_unless_zero(struct assembly *p, int arg)
{
	load_low(p, arg);
	stop_unless_equal(p, 0);
}

/* A 64-bit argument below RESERVED_END stops; when `not_zero`, 0 does not. */
static void stop_if_low(struct assembly *p, int arg, bool not_zero)
{
	load_high(p, arg);
	/* high half not 0: over the rest of this piece */
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, (uint8_t)(not_zero ? 4 : 3));
	load_low(p, arg);
	if (not_zero)
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0);
	emit(p, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)RESERVED_END, 1, 0);
	stop(p);
}

/* ---- blocks that look at registers -------------------------------------- */

static void look_domain(struct assembly *p, int arg)
{
	/* the ordinary ones: unix; TCP and UDP by their default protocol. Other combinations are judged. */
	load_low(p, arg);
	pass_if_equal(p, AF_UNIX);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 2, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 1, 0);
	stop(p);
	load_low(p, arg + 2);
	stop_unless_equal(p, 0);
	load_low(p, arg + 1);
	emit(p, BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0);
	pass_if_equal(p, SOCK_STREAM);
	if (leaf_any_udp(p->guard))
		pass_if_equal(p, SOCK_DGRAM);
	stop(p);
}

static void look_sockopt(struct assembly *p, int arg)
{
	bool anywhere = leaf_every_address(p->guard, NET_CONNECT), any_name = leaf_every_address(p->guard, NET_BIND);

	for (unsigned i = 0; i < net_option_count; i++) {
		const struct net_option_rule *rule = &net_options[i];
		if ((rule->what == NET_OPTION_ANNOUNCES && anywhere) || (rule->what == NET_OPTION_NAMES && any_name))
			continue;
		load_low(p, arg);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)rule->level, 0, 3);
		load_low(p, arg + 1);
		stop_if_equal(p, (uint32_t)rule->option);
	}
}

static void look_prctl(struct assembly *p, int arg)
{
	load_low(p, arg);
	stop_if_equal(p, PR_SET_DUMPABLE);
	stop_if_equal(p, PR_SET_MM);
	stop_if_equal(p, PR_SCHED_CORE);
	if (absent_serves(p->guard)) {
		stop_if_equal(p, PR_SET_SECCOMP);
		stop_if_equal(p, PR_SET_SYSCALL_USER_DISPATCH);
	}
}

static void look_ioctl(struct assembly *p, int arg)
{
	load_low(p, arg);
	for (size_t i = 0; i < ioctl_rule_count; i++)
		stop_if_equal(p, ioctl_rules[i].code);
	stop_if_between(p, NET_INTERFACES_FIRST, NET_INTERFACES_LAST);
}

static void look_fcntl(struct assembly *p, int arg)
{
	load_low(p, arg);
	stop_if_equal(p, F_SETOWN);
	stop_if_equal(p, F_SETOWN_EX);
	stop_if_equal(p, FCNTL_DELEGATION);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, F_SETLEASE, 0, 3);
	load_low(p, arg + 1);
	stop_unless_equal(p, F_UNLCK);
	load_low(p, arg);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, F_SETFL, 0, 3);
	load_low(p, arg + 1);
	stop_if_any(p, O_ASYNC);
}

/* Mapping the gate's page, and only that, is no matter for a stop: by_ptrace.c has every program do it. Where the page
 * is already, and for all programs that is so, the kernel refuses it. */
static void pass_page(struct assembly *p)
{
	const struct {
		int arg;
		uint32_t value;
	} exactly[] = {{0, GATE_START},
		       {1, GATE_LENGTH},
		       {2, (uint32_t)p->guard->gate.protection},
		       {3, MAP_SHARED | MAP_FIXED_NOREPLACE},
		       {4, p->guard->open_files + RESERVED_FD_GATE},
		       {5, 0}};
	const uint8_t each = 4, count = sizeof exactly / sizeof exactly[0];

	for (uint8_t i = 0; i < count; i++) {
		uint8_t rest = (uint8_t)(each * (count - i - 1) + 1); /* what is left of this piece behind these four */
		load_high(p, exactly[i].arg);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, (uint8_t)(rest + 2));
		load_low(p, exactly[i].arg);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, exactly[i].value, 0, rest);
	}
	pass(p);
}

static void look_map_address(struct assembly *p, const struct call *call, int arg)
{
	if (p->guard->gate.page)
		pass_page(p);
	stop_if_low(p, arg, true);
	/* address 0 is a hint only, unless it is fixed; and then the kernel refuses it (vm.mmap_min_addr) */
	load_low(p, call_arg_index(call, ARG_MAP_FLAGS, 0));
	emit(p, BPF_JMP | BPF_JSET | BPF_K, MAP_FIXED | MAP_FIXED_NOREPLACE, 0, 5);
	load_high(p, arg);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
	load_low(p, arg);
	stop_if_equal(p, 0);
}

/* Level notify sees no forks, and has to know of processes that share what only threads usually share:
 * register_rules.h. clone's flags are in the accumulator. */
static void look_sharing(struct assembly *p)
{
	emit(p, BPF_JMP | BPF_JSET | BPF_K, CLONE_SHARES, 0, 4); /* nothing shared: over the rest */
	emit(p, BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 3, 0);
	emit(p, BPF_JMP | BPF_JSET | BPF_K, CLONE_SHARES_FOR_LONG, 1, 0);
	emit(p, BPF_JMP | BPF_JSET | BPF_K, CLONE_VFORK, 1, 0);
	stop(p);
}

static void look_remap_address(struct assembly *p, const struct call *call, int arg)
{
	int flags = call_arg_index(call, ARG_REMAP_FLAGS, 0);

	stop_if_low(p, arg, true);
	if (flags < 0)
		return;
	load_low(p, flags);
	emit(p, BPF_JMP | BPF_JSET | BPF_K, MREMAP_FIXED, 0, 5);
	load_high(p, arg);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
	load_low(p, arg);
	stop_if_equal(p, 0);
}

/* NULL: to where the socket is connected. */
static void look_sockaddr(struct assembly *p, int arg)
{
	load_high(p, arg);
	stop_unless_equal(p, 0);
	load_low(p, arg);
	stop_unless_equal(p, 0);
}

static void look_clone_flags(struct assembly *p, int arg)
{
	load_low(p, arg);
	stop_if_any(p, CLONE_REFUSED_IN_REGISTER);
	if (guard_by_notification(p->guard))
		look_sharing(p);
}

static void look_personality(struct assembly *p, int arg)
{
	load_low(p, arg);
	pass_if_equal(p, UINT32_MAX);
	stop_if_any(p, PERSONALITY_REFUSED);
}

static void look_namespaces(struct assembly *p, int arg)
{
	load_low(p, arg);
	stop_if_any(p, (uint32_t)CLONE_REFUSED);
}

static void look_arch_prctl(struct assembly *p, int arg)
{
	load_low(p, arg);
	stop_if_equal(p, ARCH_TAGGED_ADDRESSES);
}

static void look_seccomp(struct assembly *p, int arg)
{
	if (absent_serves(p->guard)) { /* all but questions */
		load_low(p, arg);
		stop_unless_at_least(p, SECCOMP_GET_ACTION_AVAIL);
	}
	load_low(p, arg + 1);
	stop_if_any(p, SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

static void look_limit(struct assembly *p, int arg)
{
	load_low(p, arg);
	stop_if_equal(p, RLIMIT_CORE);
}

static void look_slot(struct assembly *p, int arg)
{
	load_low(p, arg);
	stop_if_at_least(p, p->guard->open_files);
}

/* The name of an attribute is one of the page's, from its first byte on. */
static void look_attribute(struct assembly *p, int arg)
{
	const uint32_t start = (uint32_t)GATE_ATTRIBUTE_START, end = start + GATE_ATTRIBUTES * GATE_ATTRIBUTE_SIZE;

	if (!p->guard->gate.page)
		return;
	load_high(p, arg);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 5); /* else over the rest of this piece */
	load_low(p, arg);
	emit(p, BPF_JMP | BPF_JGE | BPF_K, start, 0, 3);
	emit(p, BPF_JMP | BPF_JGE | BPF_K, end, 2, 0);
	emit(p, BPF_JMP | BPF_JSET | BPF_K, GATE_ATTRIBUTE_SIZE - 1, 1, 0);
	pass(p);
}

/* Without room for the value the kernel tells its length. */
static void look_value_size(struct assembly *p, int arg)
{
	load_high(p, arg);
	stop_unless_equal(p, 0);
	load_low(p, arg);
	stop_unless_equal(p, 0);
}

static void look_nothing(struct assembly *p, int arg)
{
	(void)p;
	(void)arg;
}

static void look_map_flags(struct assembly *p, int arg)
{
	load_low(p, arg);
	emit(p, BPF_ALU | BPF_AND | BPF_K, MAP_TYPE_BITS, 0, 0);
	stop_if_equal(p, MAP_TYPE_REFUSED);
}

static void look_advice(struct assembly *p, int arg)
{
	load_low(p, arg);
	stop_if_equal(p, ADVICE_REFUSED);
}

static void look_any(struct assembly *p, int arg)
{
	(void)arg;
	stop(p);
}

/* Of an entry of the page. */
static uint32_t how_address(unsigned entry)
{
	return (uint32_t)GATE_START + entry * (uint32_t)sizeof(struct wire_how);
}

/* The file's name is one of the page's, from its first byte on, and the entry in the accumulator is behind those of the
 * roots. */
static void look_gate_file(struct assembly *p, int path, int how)
{
	const struct gate *gate = &p->guard->gate;
	uint32_t first = (uint32_t)GATE_FILE_START;

	stop_if_at_least(p, how_address(gate->how_file_count));
	load_high(p, path);
	stop_unless_equal(p, 0);
	load_low(p, path);
	stop_if_any(p, GATE_FILE_SIZE - 1);
	stop_unless_at_least(p, first);
	stop_if_at_least(p, first + gate->file_count * GATE_FILE_SIZE);
	emit(p, BPF_JMP | BPF_JGE | BPF_K, first + gate->file_reading * GATE_FILE_SIZE, 3, 0);
	load_low(p, how);
	stop_if_at_least(p, how_address(gate->how_file_reading));
	pass(p);
}

/* Descriptors of roots from number `from` on, those to `reading` only with the entries that read; entries from `how_start` on. */
static void look_gate_root(struct assembly *p, int how, unsigned from, unsigned reading, unsigned end,
			   unsigned how_start)
{
	const struct gate *gate = &p->guard->gate;
	uint32_t first = p->guard->open_files + RESERVED_FD_ROOT;

	load_low(p, 0); /* openat2 takes an int: the upper half means nothing */
	stop_unless_at_least(p, first + from);
	stop_if_at_least(p, first + end);
	emit(p, BPF_JMP | BPF_JGE | BPF_K, first + reading, 3, 0);
	load_low(p, how);
	stop_if_at_least(p, how_address(how_start + gate->how_reading));
	pass(p);
}

/* The entry in the accumulator is at least this one: what follows is for it, until gate_part_end. */
static unsigned gate_part_begin(struct assembly *p, unsigned how)
{
	emit(p, BPF_JMP | BPF_JGE | BPF_K, how_address(how), 1, 0);
	emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
	return p->length - 1;
}

static void gate_part_end(struct assembly *p, unsigned over)
{
	if (!p->too_long)
		p->code[over].k = p->length - over - 1;
}

/* openat2 with a root or a file of the gate's, and an entry of its page that this may be used with. */
static void look_gate(struct assembly *p, int how)
{
	const struct gate *gate = &p->guard->gate;
	const struct gate_roots *roots = &gate->roots;
	unsigned over;

	load_high(p, how);
	stop_unless_equal(p, 0);
	load_high(p, how + 1);
	stop_unless_equal(p, 0);
	load_low(p, how + 1);
	stop_unless_equal(p, offsetof(struct wire_how, unused));
	load_low(p, how);
	stop_if_any(p, sizeof(struct wire_how) - 1);
	stop_unless_at_least(p, how_address(0));
	if (gate->how_late) {
		over = gate_part_begin(p, gate->how_late);
		stop_if_at_least(p, how_address(gate->how_late + gate->how_count));
		look_gate_root(p, how, roots->early, roots->late_reading, roots->count, gate->how_late);
		gate_part_end(p, over);
	}
	over = gate_part_begin(p, gate->how_count);
	look_gate_file(p, how - 1, how);
	gate_part_end(p, over);
	look_gate_root(p, how, 0, roots->reading, roots->early, 0);
}

/* By the kind of an argument: stop, or go on to the next. Kinds that are missing here stop. */
static void (*const looks[ARG_KIND_COUNT])(struct assembly *p, int arg) = {
	[ARG_SOCKADDR] = look_sockaddr,	    [ARG_DOMAIN] = look_domain,
	[ARG_SOCKOPT] = look_sockopt,	    [ARG_CLONE_FLAGS] = look_clone_flags,
	[ARG_NS_FLAGS] = look_namespaces,   [ARG_PRCTL] = look_prctl,
	[ARG_ARCH_PRCTL] = look_arch_prctl, [ARG_PERSONALITY] = look_personality,
	[ARG_IOCTL] = look_ioctl,	    [ARG_FCNTL] = look_fcntl,
	[ARG_SECCOMP] = look_seccomp,	    [ARG_SLOT] = look_slot,
	[ARG_LAST_SLOT] = look_slot,	    [ARG_PID] = stop_unless_zero,
	[ARG_GROUP] = stop_unless_zero,	    [ARG_LIMIT] = look_limit,
	[ARG_OPEN_HOW] = look_gate,	    [ARG_VALUE_SIZE] = look_value_size,
	[ARG_ATTRIBUTE] = look_attribute,

	[ARG_UNUSED] = look_nothing,	    [ARG_ANY] = look_nothing,
	[ARG_PATH] = look_nothing,	    [ARG_DIRFD] = look_nothing,
	[ARG_AT_FLAGS] = look_nothing,	    [ARG_RENAME_FLAGS] = look_nothing,
	[ARG_OBJECT] = look_nothing,	    [ARG_SOCKET] = look_nothing,
	[ARG_MAP_FLAGS] = look_map_flags,   [ARG_ADVICE] = look_advice,
	[ARG_REMAP_FLAGS] = look_nothing,   [ARG_ARGV] = look_nothing,
	[ARG_ENVP] = look_nothing,	    [ARG_WATCH_MASK] = look_nothing,
};

static void look_arg(struct assembly *p, const struct call *call, int i)
{
	enum arg_kind kind = call->args[i].kind;

	if (kind == ARG_ADDRESS)
		stop_if_low(p, i, false);
	else if (kind == ARG_MAP_ADDRESS)
		look_map_address(p, call, i);
	else if (kind == ARG_REMAP_ADDRESS)
		look_remap_address(p, call, i);
	else if (kind == ARG_BREAK)
		stop_if_low(p, i, true);
	else
		(looks[kind] ? looks[kind] : look_any)(p, i);
}

static void lay_out_block(struct assembly *p, long number)
{
	const struct call *call = call_find(number);

	p->block[number] = (int)p->length;
	for (int i = 0; i < CALL_ARGS; i++)
		look_arg(p, call, i);
	pass(p);
}

/* ---- the search --------------------------------------------------------- */

static void leaf(struct assembly *p, long number)
{
	switch (p->leaf[number]) {
	case LEAF_PASS:
		pass(p);
		break;
	case LEAF_STOP:
		stop(p);
		break;
	case LEAF_UNKNOWN:
		emit(p, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
		break;
	case LEAF_LOOK:
		p->fixups[number] = p->length;
		emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
		break;
	}
}

static bool uniform(const struct assembly *p, long first, long last)
{
	for (long n = first; n <= last; n++)
		if (p->leaf[n] == LEAF_LOOK ? first != last : p->leaf[n] != p->leaf[first])
			return false;
	return true;
}

/* The number is in the accumulator and in [first, last]. */
static void search(struct assembly *p, long first, long last)
{
	if (uniform(p, first, last)) {
		leaf(p, first);
		return;
	}
	long middle = first + (last - first + 1) / 2;
	/* at least middle: jump over the first half, whose length is known when it is laid out */
	emit(p, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)middle, 0, 1);
	unsigned over = p->length;
	emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
	search(p, first, middle - 1);
	if (!p->too_long)
		p->code[over].k = p->length - over - 1;
	search(p, middle, last);
}

int filter_compile(const struct guard *guard, struct sock_fprog *filter)
{
	struct assembly *p = calloc(1, sizeof *p);

	if (!p)
		return -ENOMEM;
	p->guard = guard;
	for (long n = 0; n < CALL_NUMBERS; n++)
		p->leaf[n] = leaf_of(guard, n);
	load(p, offsetof(struct seccomp_data, arch));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	stop(p);
	load(p, offsetof(struct seccomp_data, nr));
	stop_if_at_least(p, CALL_NUMBERS); /* x32 among them */
	search(p, 0, CALL_NUMBERS - 1);
	for (long n = 0; n < CALL_NUMBERS; n++)
		if (p->leaf[n] == LEAF_LOOK) {
			lay_out_block(p, n);
			p->code[p->fixups[n]].k = (unsigned)p->block[n] - p->fixups[n] - 1;
		}
	int r = p->too_long ? -E2BIG : 0;
	if (r == 0) {
		filter->len = (unsigned short)p->length;
		filter->filter = malloc(p->length * sizeof p->code[0]);
		if (filter->filter)
			memcpy(filter->filter, p->code, p->length * sizeof p->code[0]);
		else
			r = -ENOMEM;
	}
	free(p);
	return r;
}

bool filter_never_stops(const struct guard *guard, long number)
{
	return leaf_of(guard, number) == LEAF_PASS;
}
