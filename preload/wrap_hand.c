/* SPDX-License-Identifier: MIT */
/*
 * wrap_hand.c - functions whose calls no row of the table describes: libc
 * makes them inside itself, with names that it puts together. What they would ask the kernel for is judged beforehand.
 *
 * The request's arguments are the function's own. What is changed in them reaches the next definition.
 */
#include <asm-generic/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <netinet/in.h>

#include "shim.h"

enum { NAME_ROOM = 300, GLOB_ROOM = 512 };

static const char *text_at(const struct request *request, int i)
{
	const char *text = (const char *)request->args[i];

	return (uint64_t)text < 4096 ? NULL : text;
}

/* ---- opening ------------------------------------------------------------ */

uint64_t mode_flags(const char *mode)
{
	uint64_t flags = mode[0] == 'r'	  ? O_RDONLY
			 : mode[0] == 'w' ? O_WRONLY | O_CREAT | O_TRUNC
					  : O_WRONLY | O_CREAT | O_APPEND;

	if (text_find(mode, '+'))
		flags = (flags & ~(uint64_t)O_ACCMODE) | O_RDWR;
	if (text_find(mode, 'x'))
		flags |= O_EXCL;
	if (text_find(mode, 'e'))
		flags |= O_CLOEXEC;
	return flags;
}

static int by_mode(struct request *request)
{
	const char *path = text_at(request, 0), *mode = text_at(request, 1);

	if (!path || !mode)
		return 0; /* freopen: the same file again */
	return judge_open(request, AT_FDCWD, path, mode_flags(mode));
}

static int by_directory(struct request *request)
{
	const char *path = text_at(request, 0);

	return path ? judge_open(request, AT_FDCWD, path, O_RDONLY | O_DIRECTORY) : 0;
}

static int by_fts(struct request *request)
{
	const char *const *paths = (const char *const *)request->args[0];
	int r = 0;

	for (; paths && *paths && r == 0; paths++)
		r = judge_open(request, AT_FDCWD, *paths, O_RDONLY);
	return r;
}

/* The directory in which the first star is looked for. What lies below it is libc's own reading. */
static int by_glob(struct request *request, struct frame *frame)
{
	enum { APPEND = 32, ERROR = 1, ABORTED = 2, NO_MATCH = 3 }; /* GLOB_*, the same in glibc and musl */
	struct {
		size_t count;
		char **paths;
	} *found = (void *)request->args[3];
	const char *pattern = text_at(request, 0);
	char directory[GLOB_ROOM];
	size_t wild = 0, end = 0;

	while (pattern && pattern[wild] && !text_find("*?[{", pattern[wild])) {
		if (pattern[wild] == '/')
			end = wild + 1;
		wild++;
	}
	if (!pattern || !pattern[wild])
		return 0;
	if (end >= sizeof directory)
		return -ENAMETOOLONG;
	memcpy(directory, pattern, end);
	directory[end] = 0;
	int r = judge_open(request, AT_FDCWD, end ? directory : ".", O_RDONLY | O_DIRECTORY);
	if (r == 0)
		return 0;
	if (found && !(request->args[1] & APPEND)) {
		found->count = 0;
		found->paths = NULL;
	}
	shim_set_errno(-r);
	frame->result = request->args[1] & ERROR ? ABORTED : NO_MATCH; /* what is not read has no match */
	return JUDGED_RESULT;
}

/* Command substitution starts a shell. */
static int by_wordexp(struct request *request)
{
	enum { NO_COMMAND = 4 }; /* WRDE_NOCMD */
	const char *text = text_at(request, 0), *dollar = text;

	if (!text || (request->args[2] & NO_COMMAND))
		return 0;
	while ((dollar = text_find(dollar, '$')) != NULL && dollar[1] != '(')
		dollar++;
	int r = dollar || text_find(text, '`') ? judge_exec(AT_FDCWD, "/bin/sh", NULL, 0) : 0;
	return r < 0 ? r : 0;
}

/* A refused library becomes one that is not there, so that dlerror has something to say. */
static int by_dlopen(struct request *request, int i)
{
	static const char refused[] = "/refused by Picket";
	const char *path = text_at(request, i);

	if (path && text_find(path, '/') && judge_open(request, AT_FDCWD, path, O_RDONLY) < 0)
		request->args[i] = (uint64_t)refused;
	return 0;
}

static int by_template(struct request *request)
{
	const char *path = text_at(request, 0);

	if (!path)
		return 0;
	return request->number == NUMBER_mkdir ? judge(request)
					       : judge_open(request, AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL);
}

/* POSIX objects in memory have names below /dev/shm. `unlink`: it is to be removed. */
static int by_shm(struct request *request, const char *directory, bool unlink, uint64_t flags)
{
	const char *name = text_at(request, 0);
	char path[NAME_ROOM];

	while (name && *name == '/')
		name++;
	if (!name || text_length(name) > 255)
		return 0; /* libc says EINVAL or ENAMETOOLONG */
	text_put(text_put(path, directory), name);
	struct request inner = *request;
	inner.args[0] = (uint64_t)path;
	return unlink ? judge(&inner) : judge_open(&inner, AT_FDCWD, path, flags);
}

static int by_object(enum wrap_how how, struct request *request)
{
	uint32_t flags = (uint32_t)request->args[1];

	if (how == HOW_SHM_OPEN || how == HOW_SHM_UNLINK)
		return by_shm(request, "/dev/shm/", how == HOW_SHM_UNLINK, flags);
	return by_shm(request, "/dev/shm/sem.", how == HOW_SEM_UNLINK, O_RDWR | (flags & O_CREAT));
}

/* ---- descriptors -------------------------------------------------------- */

/* Descriptors of the program's own, from `low` on. */
struct descriptors {
	unsigned low;
	void *actions; /* of posix_spawn */
};

static bool has(const struct descriptors *descriptors, int fd)
{
	return (unsigned)fd >= descriptors->low && !is_reserved((unsigned)fd);
}

static int close_one(void *context, int fd)
{
	if (has(context, fd))
		raw(__NR_close, fd);
	return 0;
}

static int by_closefrom(struct request *request)
{
	struct descriptors all = {(int)request->args[0] < 0 ? 0 : (unsigned)request->args[0], NULL};
	uint32_t behind = shim.limit + RESERVED_FD_COUNT;

	if (raw(__NR_close_range, all.low < behind ? behind : all.low, UINT32_MAX, 0) < 0)
		common_descriptors(close_one, &all);
	else if (all.low < shim.limit)
		raw(__NR_close_range, all.low, shim.limit - 1, 0);
	return JUDGED_DONE;
}

static int add_close(void *context, int fd)
{
	struct descriptors *descriptors = context;
	int (*add)(void *, int) = (int (*)(void *, int))next_of(WRAP_posix_spawn_file_actions_addclose);

	if (!has(descriptors, fd))
		return 0;
	return add ? -add(descriptors->actions, fd) : -ENOSYS;
}

/* The child would close the reserved ones too, in libc's own code: it is told each one that is open now instead. */
static int by_add_closefrom(struct request *request)
{
	struct descriptors all = {(unsigned)request->args[1], (void *)request->args[0]};

	if ((int)request->args[1] < 0)
		return -EBADF;
	int r = common_descriptors(add_close, &all);
	return r < 0 ? r : JUDGED_DONE;
}

/* ---- names of hosts ----------------------------------------------------- */

/* A whole file in memory. */
struct file {
	const char *text;
	size_t size;
};

static struct file map_file(const char *path)
{
	struct file file = {NULL, 0};
	long fd = raw(__NR_open, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return file;
	file.text = common_file((int)fd, PROT_READ, MAP_PRIVATE, &file.size);
	raw(__NR_close, fd);
	return file;
}

static void unmap_file(const struct file *file)
{
	if (file->text)
		raw(__NR_munmap, file->text, file->size);
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' || byte == '#';
}

/* The word behind the first occurrence of this one at or after *at; or NULL. */
static const char *find_word(const struct file *file, const char *word, size_t *at)
{
	size_t n = text_length(word);

	for (size_t i = *at; i + n <= file->size; i++) {
		if ((i > 0 && !is_space(file->text[i - 1])) || memcmp(file->text + i, word, n) != 0 ||
		    (i + n < file->size && !is_space(file->text[i + n])))
			continue;
		*at = i + n;
		return file->text + i;
	}
	return NULL;
}

static bool in_hosts(const char *name)
{
	struct file file = map_file("/etc/hosts");
	size_t at = 0;
	bool found = file.text && find_word(&file, name, &at);

	unmap_file(&file);
	return found;
}

static bool parse_ipv4(const char *text, const char *end, uint32_t *address)
{
	*address = 0;
	for (int i = 0; i < 4; i++) {
		unsigned value = 0, digits = 0;
		while (text < end && *text >= '0' && *text <= '9' && digits++ < 3)
			value = value * 10 + (unsigned)(*text++ - '0');
		if (digits == 0 || value > 255 || (i < 3 && (text >= end || *text++ != '.')))
			return false;
		*address = *address << 8 | value;
	}
	return true;
}

static bool may_ask(const struct sockaddr_in *server)
{
	for (unsigned i = 0; i < shim.image_count; i++)
		if (!decide_address(shim.images[i], NET_CONNECT, NET_UDP, (const struct sockaddr *)server,
				    sizeof *server)
			     .allowed)
			return false;
	return true;
}

/* The name server that libc would ask (resolv.conf(5)); one that may be asked, if there is such a one. */
static void find_server(struct sockaddr_in *server)
{
	enum { DNS_PORT = 53, LOOPBACK = 0x7f000001 };
	struct file file = map_file("/etc/resolv.conf");
	size_t at = 0;
	uint32_t address;

	*server = (struct sockaddr_in){.sin_family = AF_INET,
				       .sin_port = __builtin_bswap16(DNS_PORT),
				       .sin_addr = {__builtin_bswap32(LOOPBACK)}};
	while (file.text && find_word(&file, "nameserver", &at)) {
		while (at < file.size && (file.text[at] == ' ' || file.text[at] == '\t'))
			at++;
		if (!parse_ipv4(file.text + at, file.text + file.size, &address))
			continue;
		server->sin_addr.s_addr = __builtin_bswap32(address);
		if (may_ask(server))
			break;
	}
	unmap_file(&file);
}

/* Asking a name server is connecting to it. */
static int by_resolver(struct request *request)
{
	struct sockaddr_in server;

	find_server(&server);
	if (may_ask(&server))
		return 0;
	return refuse(request, &(struct refusal){.kind = WIRE_NETWORK_OUTBOUND,
						 .about = WIRE_ABOUT_ADDRESS,
						 .error = EACCES,
						 .rule = RULE_DEFAULT,
						 .use = NET_CONNECT,
						 .transport = NET_UDP,
						 .target = "",
						 .address = &server,
						 .address_length = sizeof server});
}

/* Addresses, and names that the machine knows by itself, need no name server. */
static int by_name(struct request *request)
{
	const char *name = text_at(request, 0);
	bool numeric = true;

	for (const char *c = name; c && *c; c++)
		if (*c == ':')
			return 0;
		else if ((*c < '0' || *c > '9') && *c != '.')
			numeric = false;
	if (!name || numeric || text_equal(name, "localhost") || text_ends(name, text_length(name), ".localhost") ||
	    in_hosts(name))
		return 0;
	request->requested = name;
	return by_resolver(request);
}

static int by_address(struct request *request, const struct frame *frame)
{
	enum { NUMERIC_HOST = 1 }; /* NI_NUMERICHOST */

	return !text_at(request, 2) || (frame->stack[0] & NUMERIC_HOST) ? 0 : by_resolver(request);
}

/* They connect or bind to what they choose themselves, with no address that could be looked at. */
static int by_remote(struct request *request)
{
	bool bind = request->call->op == OP_BIND;

	if (judge_every_address(bind ? NET_BIND : NET_CONNECT))
		return 0;
	return refuse_always(request, bind ? WIRE_NETWORK_BIND : WIRE_NETWORK_OUTBOUND, EACCES,
			     bind ? "a reserved port" : "a remote shell");
}

static int by_syslog(struct request *request)
{
	return judge_unix(request, NET_CONNECT, "/dev/log");
}

/* ---- any call, any group ------------------------------------------------ */

static int by_number(struct request *request, struct frame *frame)
{
	struct request inner = request_of((long)request->args[0], NULL);

	for (int i = 0; i + 1 < CALL_ARGS; i++)
		inner.args[i] = request->args[i + 1];
	inner.args[CALL_ARGS - 1] = frame->stack[0];
	if (inner.call->class == CALL_UNLISTED)
		return refuse_value(&inner, WIRE_INTERFACE, ENOSYS, "system call ", request->args[0], false);
	int r = judge(&inner), environment = call_arg_index(inner.call, ARG_ENVP, 0);
	if (r >= 0 && environment >= 0) {
		struct passed passed; /* goes with the program; or stays, if the exec fails */
		r = environment_pass(&passed, (char *const *)inner.args[environment], r);
		if (r == 0)
			inner.args[environment] = (uint64_t)passed.environment;
	}
	for (int i = 0; i + 1 < CALL_ARGS; i++)
		request->args[i + 1] = inner.args[i];
	return r;
}

static int by_group(struct request *request)
{
	struct request inner = *request;

	if ((int)request->args[0] < 0)
		return 0; /* EINVAL, by libc */
	inner.args[0] = (uint64_t) - (int64_t)(int)request->args[0];
	return judge(&inner);
}

/* ------------------------------------------------------------------------- */

/* HOW_OPEN_2: the function ends the program when it would need a third argument. */
static int by_open(enum wrap_how how, struct request *request)
{
	if (how == HOW_OPEN_2)
		request->args[call_arg_index(request->call, ARG_OPEN_FLAGS, 0) + 1] = 0;
	return judge(request);
}

/* A function that knows by itself what it opens. */
static int by_itself(enum wrap_how how, struct request *request)
{
	if (how == HOW_TMPFILE)
		return judge_open(request, AT_FDCWD, "/tmp", O_RDWR | O_TMPFILE);
	if (how == HOW_PTMX)
		return judge_open(request, AT_FDCWD, "/dev/ptmx", O_RDWR);
	return judge_open(request, AT_FDCWD, how == HOW_SHADOW ? "/etc/shadow" : "/etc/gshadow", O_RDONLY);
}

int judge_by_hand(enum wrap_how how, struct request *request, struct frame *frame)
{
	switch (how) {
	case HOW_OPEN:
	case HOW_OPEN_2:
		return by_open(how, request);
	case HOW_FOPEN:
	case HOW_REOPEN:
		return by_mode(request);
	case HOW_OPENDIR:
		return by_directory(request);
	case HOW_FTS:
		return by_fts(request);
	case HOW_GLOB:
		return by_glob(request, frame);
	case HOW_WORDEXP:
		return by_wordexp(request);
	case HOW_DLOPEN:
	case HOW_DLMOPEN:
		return by_dlopen(request, how == HOW_DLMOPEN ? 1 : 0);
	case HOW_TEMPORARY:
	case HOW_TEMPORARY_S:
	case HOW_TEMPORARY_O:
	case HOW_TEMPORARY_SO:
		return by_template(request);
	case HOW_SHM_OPEN:
	case HOW_SHM_UNLINK:
	case HOW_SEM_OPEN:
	case HOW_SEM_UNLINK:
		return by_object(how, request);
	case HOW_TMPFILE:
	case HOW_PTMX:
	case HOW_SHADOW:
	case HOW_GSHADOW:
		return by_itself(how, request);
	case HOW_ADD_CLOSEFROM:
		return by_add_closefrom(request);
	case HOW_CLOSEFROM:
		return by_closefrom(request);
	case HOW_RESOLVE_NAME:
		return by_name(request);
	case HOW_RESOLVE_ADDRESS:
		return by_address(request, frame);
	case HOW_RESOLVE:
		return by_resolver(request);
	case HOW_REMOTE:
		return by_remote(request);
	case HOW_SYSLOG:
		return by_syslog(request);
	case HOW_SYSCALL:
		return by_number(request, frame);
	case HOW_KILLPG:
		return by_group(request);
	case HOW_TABLE:
	case HOW_BODY:
		break;
	}
	return 0;
}
