/* SPDX-License-Identifier: MIT */
/* new_stack.c - see new_stack.h. Read by pages, so that nothing is asked for that may not be mapped. */
#include "new_stack.h"

#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "mem.h"

enum {
	PAGE = 4096,
	WORDS_MOST = 1 << 20, /* of arguments and environment: 8 MiB, more than the kernel takes of either as a rule */
	AUXILIARY_MOST = 64,  /* entries; there are some 20 */
	AT_ONCE = 32,	      /* strings that are read */
	NAME_MOST = 32,
};

struct reader {
	struct new_stack *stack;
	uint64_t next; /* address of a word */
};

struct new_stack new_stack_of(pid_t tid, uint64_t start)
{
	return (struct new_stack){.tid = tid, .start = start};
}

/* From there to the end of the page. */
static bool read_from(struct new_stack *stack, uint64_t address)
{
	size_t length = PAGE - address % PAGE;

	stack->count = 0;
	if (address % sizeof(uint64_t) != 0 || mem_read(stack->tid, address, stack->words, length) < 0)
		return false;
	stack->read = address;
	stack->count = length / sizeof(uint64_t);
	return true;
}

static bool next_word(struct reader *reader, uint64_t *word)
{
	struct new_stack *stack = reader->stack;
	uint64_t at = (reader->next - stack->read) / sizeof *word;

	if (reader->next < stack->read || at >= stack->count) {
		if (!read_from(stack, reader->next))
			return false;
		at = 0;
	}
	*word = stack->words[at];
	reader->next += sizeof *word;
	return true;
}

/* To the first word of the environment. */
static bool begin(struct reader *reader, struct new_stack *stack)
{
	uint64_t count, argument;

	*reader = (struct reader){stack, stack->start};
	if (!next_word(reader, &count) || count > WORDS_MOST)
		return false;
	for (uint64_t i = 0; i <= count; i++)
		if (!next_word(reader, &argument))
			return false;
	return true;
}

struct new_stack_auxiliary new_stack_auxiliary(pid_t pid)
{
	struct new_stack_auxiliary found = {0};
	uint64_t words[2 * AUXILIARY_MOST];
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/auxv", (int)pid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, words, sizeof words);
	for (ssize_t i = 0; i + 1 < n / (ssize_t)sizeof words[0] && words[i] != AT_NULL; i += 2) {
		if (words[i] == AT_SYSINFO_EHDR)
			found.vdso = words[i + 1];
		else if (words[i] == AT_BASE)
			found.linker = words[i + 1];
	}
	return found;
}

/* Which of these strings begins with the name; `count` when none does. */
static size_t which(pid_t tid, const uint64_t *addresses, size_t count, const char *name, size_t length)
{
	char names[AT_ONCE * NAME_MOST];
	/* the last string of all may be shorter than the name, and lie at the end of the memory: what is read before it counts */
	size_t read = mem_read_each(tid, addresses, (unsigned)count, length, names);

	for (size_t i = 0; i < read; i++)
		if (memcmp(names + i * length, name, length) == 0)
			return i;
	return count;
}

uint64_t new_stack_variable(struct new_stack *stack, const char *name)
{
	struct reader reader;
	uint64_t addresses[AT_ONCE];
	size_t length = strlen(name), count = AT_ONCE;

	if (length > NAME_MOST || !begin(&reader, stack))
		return 0;
	for (unsigned all = 0; count == AT_ONCE && all < WORDS_MOST; all += AT_ONCE) {
		for (count = 0; count < AT_ONCE && next_word(&reader, &addresses[count]) && addresses[count]; count++)
			;
		size_t found = which(stack->tid, addresses, count, name, length);
		if (found < count)
			return addresses[found] + length;
	}
	return 0;
}
