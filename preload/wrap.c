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

struct wrapper {
	uint16_t call;
	uint8_t how;  /* enum wrap_how */
	uint8_t fail; /* enum wrap_fail */
	uint8_t args[CALL_ARGS];
};

/* The six words behind the name of a mapped function, some of them left out. */
#define SIX(a, b, c, d, e, f, ...) \
	{ SOURCE_##a, SOURCE_##b, SOURCE_##c, SOURCE_##d, SOURCE_##e, SOURCE_##f }
#define SOURCES(...) SIX(__VA_ARGS__, NONE, NONE, NONE, NONE, NONE, NONE)

static const struct wrapper wrappers[WRAP_COUNT] = {
#define SAME(function, call) \
	[WRAP_##function] = { NUMBER_##call, HOW_TABLE, FAIL_MINUS, SOURCES(A0, A1, A2, A3, A4, A5) },
#define MAPPED(function, call, fail, ...) \
	[WRAP_##function] = { NUMBER_##call, HOW_TABLE, FAIL_##fail, SOURCES(__VA_ARGS__) },
#define HAND(function, call, fail, how) \
	[WRAP_##function] = { NUMBER_##call, HOW_##how, FAIL_##fail, SOURCES(A0, A1, A2, A3, A4, A5) },
#define BODY(function)	 [WRAP_##function] = { 0, HOW_BODY, FAIL_MINUS, SOURCES(NONE) },
#define LOOKUP(function) [WRAP_##function] = { 0, HOW_BODY, FAIL_MINUS, SOURCES(NONE) },
#include "wrap.def"
#undef SAME
#undef MAPPED
#undef HAND
#undef BODY
#undef LOOKUP
};

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
	long r = -ENOSYS;

	if (wrapper->how == HOW_TABLE || wrapper->how == HOW_OPEN)
		r = raw6(wrapper->call, request->args[0], request->args[1], request->args[2], request->args[3],
			 request->args[4], request->args[5]);
	return raw_failed(r) ? failure((enum wrap_fail)wrapper->fail, (int)r) : (uint64_t)r;
}

static int judge_wrapped(const struct wrapper *wrapper, struct request *request, struct frame *frame)
{
	int r = wrapper->how == HOW_TABLE ? judge(request) : judge_by_hand((enum wrap_how)wrapper->how, request, frame);

	/* the judgement may have changed what it was asked about */
	for (int i = 0; r == 0 && i < CALL_ARGS; i++)
		if (wrapper->args[i] >= SOURCE_A0 && wrapper->args[i] <= SOURCE_A5)
			frame->args[wrapper->args[i] - SOURCE_A0] = request->args[i];
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

	if (state == SHIM_BESIDE && (beside((enum wrap_how)wrapper->how, wrapper->call, frame) || (next = next_of(index))))
		return next;
	struct request request = { .call = call_find(wrapper->call), .requested = NULL };
	int r = state == SHIM_BROKEN ? -EACCES : 0;
	for (int i = 0; i < CALL_ARGS; i++)
		request.args[i] = value_of(frame, (enum source)wrapper->args[i]);
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
