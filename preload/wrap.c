/* SPDX-License-Identifier: MIT */
/*
 * wrap.c - between enter.S and the judgement: which call of the table a
 * wrapped function will make, and with which arguments.
 */
#include <asm-generic/errno.h>
#include <linux/fcntl.h>

#include "shim.h"

/* Where an argument of the call comes from. */
enum source {
	SOURCE_NONE,
	SOURCE_A0,
	SOURCE_A1,
	SOURCE_A2,
	SOURCE_A3,
	SOURCE_A4,
	SOURCE_A5,
	SOURCE_ZERO,
	SOURCE_CWD,	   /* AT_FDCWD */
	SOURCE_NOFOLLOW,   /* AT_SYMLINK_NOFOLLOW */
	SOURCE_DIRECTORY,  /* O_RDONLY | O_DIRECTORY */
	SOURCE_WRITE_ONLY, /* O_WRONLY */
};

/*
 * What a mapped function makes of its arguments: each list of words that stands behind a name in wrap.def, NONE for those that
 * are left out.
 */
#define SOURCE_LISTS(LIST)               \
	LIST(A0, NONE, NONE, NONE)       \
	LIST(A1, NONE, NONE, NONE)       \
	LIST(A2, NONE, NONE, NONE)       \
	LIST(A0, ZERO, NONE, NONE)       \
	LIST(A0, DIRECTORY, NONE, NONE)  \
	LIST(A0, WRITE_ONLY, NONE, NONE) \
	LIST(A1, A2, NONE, NONE)         \
	LIST(A2, A3, NONE, NONE)         \
	LIST(A0, A1, DIRECTORY, NONE)    \
	LIST(A1, A2, A3, NONE)           \
	LIST(A1, A2, A3, A4)             \
	LIST(A0, ZERO, A1, ZERO)         \
	LIST(CWD, A0, A1, NOFOLLOW)

enum source_list {
	LIST_OWN, /* the function's own arguments */
#define LIST(a, b, c, d) LIST_##a##_##b##_##c##_##d,
	SOURCE_LISTS(LIST)
#undef LIST
		LIST_COUNT
};
enum { SOURCE_BITS = 4, SOURCES_MOST = 16 / SOURCE_BITS };
static const uint16_t source_lists[LIST_COUNT] = {
#define LIST(a, b, c, d)                                                                                        \
	[LIST_##a##_##b##_##c##_##d] = SOURCE_##a | SOURCE_##b << SOURCE_BITS | SOURCE_##c << 2 * SOURCE_BITS | \
				       SOURCE_##d << 3 * SOURCE_BITS,
	SOURCE_LISTS(LIST)
#undef LIST
};

/* Three bytes each: there are many, in every program. */
struct wrapper {
	uint32_t call : 9;
	uint32_t fail : 3;    /* enum wrap_fail */
	uint32_t how : 6;     /* enum wrap_how */
	uint32_t sources : 4; /* enum source_list */
} __attribute__((packed));

_Static_assert(CALL_NUMBERS <= 1 << 9 && FAIL_WORDEXP < 1 << 3 && HOW_BODY < 1 << 6 && LIST_COUNT <= 1 << 4 &&
		       SOURCE_WRITE_ONLY < 1 << SOURCE_BITS && sizeof(struct wrapper) == 3,
	       "fits a struct wrapper");

#define LIST_OF(a, b, c, d, ...) LIST_##a##_##b##_##c##_##d
#define SOURCES(...) LIST_OF(__VA_ARGS__, NONE, NONE, NONE, NONE)

static const struct wrapper wrappers[WRAP_STUBS] = {
#define SAME(function, call) [WRAP_##function] = {NUMBER_##call, FAIL_MINUS, HOW_TABLE, LIST_OWN},
#define MAPPED(function, call, fail, ...) \
	[WRAP_##function] = {NUMBER_##call, FAIL_##fail, HOW_TABLE, SOURCES(__VA_ARGS__)},
#define HAND(function, call, fail, how) [WRAP_##function] = {NUMBER_##call, FAIL_##fail, HOW_##how, LIST_OWN},
#define BODY(function)
#define LOOKUP(function)
#include "wrap.def"
#undef SAME
#undef MAPPED
#undef HAND
#undef BODY
#undef LOOKUP
};

static enum wrap_how how_of(const struct wrapper *wrapper)
{
	return (enum wrap_how)wrapper->how;
}

/* Where the call's i-th argument comes from. */
static enum source source_of(const struct wrapper *wrapper, int i)
{
	if (wrapper->sources == LIST_OWN)
		return (enum source)(SOURCE_A0 + i);
	return i < SOURCES_MOST
		       ? (enum source)(source_lists[wrapper->sources] >> i * SOURCE_BITS & ((1u << SOURCE_BITS) - 1))
		       : SOURCE_NONE;
}

void shim_set_errno(int error)
{
	int *(*location)(void) = (int *(*)(void))next_of(WRAP___errno_location);

	if (location)
		*location() = error;
}

static uint64_t value_of(const struct frame *frame, enum source source)
{
	switch (source) {
	case SOURCE_A0:
	case SOURCE_A1:
	case SOURCE_A2:
	case SOURCE_A3:
	case SOURCE_A4:
	case SOURCE_A5:
		return frame->args[source - SOURCE_A0];
	case SOURCE_CWD:
		return (uint64_t)AT_FDCWD;
	case SOURCE_NOFOLLOW:
		return AT_SYMLINK_NOFOLLOW;
	case SOURCE_DIRECTORY:
		return O_RDONLY | O_DIRECTORY;
	case SOURCE_WRITE_ONLY:
		return O_WRONLY;
	case SOURCE_NONE:
	case SOURCE_ZERO:
		break;
	}
	return 0;
}

/* What the function returns that was refused with -error. */
static uint64_t failure(enum wrap_fail fail, int error)
{
	enum { EAI_AGAIN_VALUE = -3, WRDE_CMDSUB_VALUE = 4 }; /* the same in glibc and musl */

	switch (fail) {
	case FAIL_ERROR:
		return (uint64_t)-error;
	case FAIL_AGAIN:
		return (uint64_t)EAI_AGAIN_VALUE;
	case FAIL_WORDEXP:
		return WRDE_CMDSUB_VALUE;
	case FAIL_MINUS:
	case FAIL_NULL:
	case FAIL_VOID:
		break;
	}
	if (fail != FAIL_VOID)
		shim_set_errno(-error);
	return fail == FAIL_MINUS ? UINT64_MAX : 0;
}

/* This libc has no such function; but a program that asks for it by name finds ours. */
static uint64_t make_call(const struct wrapper *wrapper, const struct request *request)
{
	enum wrap_how how = how_of(wrapper);
	long r = -ENOSYS;

	if (how == HOW_TABLE || how == HOW_OPEN)
		r = raw6(wrapper->call, request->args[0], request->args[1], request->args[2], request->args[3],
			 request->args[4], request->args[5]);
	return raw_failed(r) ? failure((enum wrap_fail)wrapper->fail, (int)r) : (uint64_t)r;
}

static int judge_wrapped(const struct wrapper *wrapper, struct request *request, struct frame *frame)
{
	enum wrap_how how = how_of(wrapper);
	int r = how == HOW_TABLE ? judge(request) : judge_by_hand(how, request, frame);

	/* the judgement may have changed what it was asked about */
	for (int i = 0; r == 0 && i < CALL_ARGS; i++) {
		enum source source = source_of(wrapper, i);
		if (source >= SOURCE_A0 && source <= SOURCE_A5)
			frame->args[source - SOURCE_A0] = request->args[i];
	}
	return r;
}

/*
 * Called by every wrapped function before it does anything. The next definition, to which to go on; or NULL, and
 * frame->result is what to return.
 */
__attribute__((visibility("hidden"), used)) void *shim_check(struct frame *frame, enum wrap_index index);
void *shim_check(struct frame *frame, enum wrap_index index)
{
	const struct wrapper *wrapper = &wrappers[index];
	enum shim_state state = shim_ready();
	void *next = NULL;

	if (state == SHIM_BESIDE && (beside(how_of(wrapper), wrapper->call, frame) || (next = next_of(index))))
		return next;
	struct request request = request_of(wrapper->call, NULL);
	int r = state == SHIM_BROKEN ? -EACCES : 0;
	for (int i = 0; i < CALL_ARGS; i++)
		request.args[i] = value_of(frame, source_of(wrapper, i));
	if (state == SHIM_ALONE)
		r = judge_wrapped(wrapper, &request, frame);
	if (r < 0)
		frame->result = failure((enum wrap_fail)wrapper->fail, r);
	else if (r == JUDGED_DONE)
		frame->result = 0;
	if (r != 0)
		return NULL;
	next = next_of(index);
	if (!next)
		frame->result = make_call(wrapper, &request);
	return next;
}
