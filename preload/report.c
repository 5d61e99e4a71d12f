/* SPDX-License-Identifier: MIT */
/*
 * report.c - telling the launcher of a refusal: one message, complete, that
 * cannot be taken back. It does not wait: what finds no room in the socket is counted.
 */
#include <asm-generic/errno.h>
#include <linux/fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include "shim.h"

enum { TEXT_MOST = 4096, PARTS = WIRE_TEXTS + 3 };

/* Room for the texts that are looked up. */
struct looked_up {
	char exe[TEXT_MOST], cwd[TEXT_MOST], command[TEXT_MOST];
};

struct letter {
	struct wire_report report;
	struct iovec parts[PARTS];
	size_t count;
};

static void add(struct letter *letter, enum wire_text text, const void *bytes, size_t length)
{
	if (letter->report.length[text] + length > 2 * TEXT_MOST + 8)
		return;
	letter->report.length[text] = (uint16_t)(letter->report.length[text] + length);
	letter->parts[letter->count++] = (struct iovec){(void *)bytes, length};
}

static size_t link_text(const char *path, char *text)
{
	long n = raw(__NR_readlink, path, text, TEXT_MOST);

	return n > 0 ? (size_t)n : 0;
}

static size_t command_text(char *text)
{
	long fd = raw(__NR_open, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	long n = fd < 0 ? 0 : raw(__NR_read, fd, text, TEXT_MOST);

	if (fd >= 0)
		raw(__NR_close, fd);
	while (n > 0 && !text[n - 1])
		n--;
	for (long i = 0; i < n; i++)
		if (!text[i])
			text[i] = ' ';
	return n > 0 ? (size_t)n : 0;
}

static void send_letter(struct letter *letter)
{
	letter->parts[0] = (struct iovec){&letter->report, sizeof letter->report};
	struct msghdr message = {.msg_iov = letter->parts, .msg_iovlen = letter->count};

	if (raw(__NR_sendmsg, shim.limit + RESERVED_FD_REPORT, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		shim.shared->dropped++;
}

static void tell(const struct request *request, const struct refusal *refusal)
{
	struct letter letter = {.count = 1,
				.report = {.version = WIRE_VERSION,
					   .call = request->number,
					   .pid = (int32_t)raw(__NR_getpid),
					   .tid = (int32_t)raw(__NR_gettid),
					   .error = refusal->error,
					   .rule = refusal->rule,
					   .kind = (uint8_t)refusal->kind,
					   .about = (uint8_t)refusal->about,
					   .image = (uint8_t)refusal->image,
					   .access = (uint8_t)refusal->access,
					   .use = (uint8_t)refusal->use,
					   .transport = (uint8_t)refusal->transport}};
	struct looked_up *looked = common_memory(sizeof *looked);

	add(&letter, WIRE_TARGET, refusal->target, refusal->length);
	if (refusal->about == WIRE_ABOUT_MOVE) {
		add(&letter, WIRE_TARGET, " -> ", 4);
		add(&letter, WIRE_TARGET, refusal->address, refusal->address_length);
	}
	if (request->requested)
		add(&letter, WIRE_REQUESTED, request->requested, text_length(request->requested));
	if (looked) {
		add(&letter, WIRE_EXE, looked->exe, link_text("/proc/self/exe", looked->exe));
		add(&letter, WIRE_CWD, looked->cwd, link_text("/proc/self/cwd", looked->cwd));
		add(&letter, WIRE_COMMAND, looked->command, command_text(looked->command));
	}
	if (refusal->about == WIRE_ABOUT_ADDRESS)
		add(&letter, WIRE_ADDRESS, refusal->address, refusal->address_length);
	send_letter(&letter);
	if (looked)
		raw(__NR_munmap, looked, sizeof *looked);
}

int refuse(const struct request *request, const struct refusal *refusal)
{
	tell(request, refusal);
	if (shim.shared->on_violation == ON_VIOLATION_KILL) {
		/* cppcheck-suppress syntaxError; the macro is inline assembly */
		raw(__NR_kill, raw(__NR_getpid), SIGKILL);
		raw(__NR_exit_group, 128 + SIGKILL);
	}
	/* audit allows what the policy refuses, but not what is refused to every tool, nor the result */
	if (refusal->rule == WIRE_RULE_ALWAYS || decide_is_final(shim.images[refusal->image], refusal->rule))
		return -refusal->error;
	return shim.shared->on_violation == ON_VIOLATION_AUDIT ? 0 : -refusal->error;
}

int refuse_place(const struct request *request, const struct place *place, enum wire_kind kind, enum wire_about about,
		 int error, unsigned access)
{
	return refuse(request, &(struct refusal){.kind = kind,
						 .about = about,
						 .error = error,
						 .rule = WIRE_RULE_ALWAYS,
						 .access = access,
						 .target = place->name,
						 .length = place->length});
}

static enum wire_kind kind_of(unsigned access)
{
	if (access & ACCESS_EXEC)
		return WIRE_PROCESS_EXEC;
	return access & ACCESS_WRITE ? WIRE_FILE_WRITE : WIRE_FILE_READ;
}

int refuse_name(const struct request *request, const char *name, size_t length, unsigned access,
		const struct verdict *verdict, unsigned image, unsigned told)
{
	return refuse(request, &(struct refusal){.kind = kind_of(access),
						 .about = WIRE_ABOUT_PATH,
						 .error = verdict->error,
						 .rule = verdict->rule,
						 .image = image,
						 .access = told,
						 .target = name,
						 .length = length});
}

int refuse_always(const struct request *request, enum wire_kind kind, int error, const char *what)
{
	return refuse(request, &(struct refusal){.kind = kind,
						 .about = WIRE_ABOUT_CALL,
						 .error = error,
						 .rule = WIRE_RULE_ALWAYS,
						 .target = what ? what : "",
						 .length = what ? text_length(what) : 0});
}

int refuse_value(const struct request *request, enum wire_kind kind, int error, const char *what, unsigned long value,
		 bool hex)
{
	char text[80];
	char *end = text_put(text, what);

	if (hex)
		text_put_hex(end, value);
	else
		text_put_number(end, value);
	return refuse_always(request, kind, error, text);
}

int refuse_control(const struct request *request, const char *what, unsigned long value, bool hex)
{
	return refuse_value(request, WIRE_PROCESS_CONTROL, EPERM, what, value, hex);
}
