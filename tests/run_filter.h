/* SPDX-License-Identifier: MIT */
/*
 * run_filter.h - a seccomp filter, run as the kernel would.
 */
#ifndef PICKET_TESTS_RUN_FILTER_H
#define PICKET_TESTS_RUN_FILTER_H

#include <check.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>

/* Check writes each assertion down: too slow for what is asked a million times. */
#define REQUIRE(condition, ...)                    \
	do {                                       \
		if (!(condition))                  \
			ck_abort_msg(__VA_ARGS__); \
	} while (0)

/* Run the filter as the kernel would: bounds, and nothing but what seccomp allows. Its result. */
static inline uint32_t run_filter(const struct sock_fprog *filter, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (unsigned at = 0; at < filter->len;) {
		const struct sock_filter *i = &filter->filter[at++];
		unsigned jump = 0;
		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			REQUIRE(i->k <= sizeof *data - sizeof a && i->k % sizeof a == 0, "loads from %u", i->k);
			memcpy(&a, (const char *)data + i->k, sizeof a);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			jump = i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			jump = a == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			jump = a >= i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			jump = a & i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			ck_abort_msg("instruction %u has code %#x", at - 1, i->code);
		}
		REQUIRE(jump < filter->len - at, "jumps out");
		at += jump;
	}
	ck_abort_msg("the filter ends without a result");
}

#endif
