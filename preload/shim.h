/* SPDX-License-Identifier: MIT */
/*
 * shim.h - what the parts of the shim say to one another. The rules for all of them stand in raw.h.
 *
 * A wrapped function enters through enter.S; shim_check (wrap.c) makes a request of it as the call table describes the
 * call that it will make; judge.c says what is to become of it; report.c tells refusals. Where a supervisor decides,
 * beside.c and gate.c save it what it would allow, and nothing else happens.
 */
#ifndef PICKET_PRELOAD_SHIM_H
#define PICKET_PRELOAD_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decide.h"
#include "image.h"
#include "raw.h"
#include "syscalls.h"
#include "wire.h"

/* ---- functions that are wrapped ----------------------------------------- */

/* WRAP_open, ...: their indexes. */
enum wrap_index {
#define SAME(function, ...) WRAP_##function,
#define MAPPED(function, ...) WRAP_##function,
#define HAND(function, ...) WRAP_##function,
#define BODY(function) WRAP_##function,
#define LOOKUP(function) WRAP_##function,
#include "wrap.def"
#undef SAME
#undef MAPPED
#undef HAND
#undef BODY
#undef LOOKUP
	WRAP_COUNT
};

/* How many of them enter.S has stubs for: the first ones. */
enum {
	WRAP_STUBS = 0
#define SAME(function, ...) +1
#define MAPPED(function, ...) +1
#define HAND(function, ...) +1
#define BODY(function)
#define LOOKUP(function)
#include "wrap.def"
#undef SAME
#undef MAPPED
#undef HAND
#undef BODY
#undef LOOKUP
};

/* How a function says that it was refused. */
enum wrap_fail { FAIL_MINUS, FAIL_NULL, FAIL_ERROR, FAIL_VOID, FAIL_AGAIN, FAIL_WORDEXP };

/* Ways of looking that no row of the table describes. */
enum wrap_how {
	HOW_TABLE,
	HOW_OPEN,
	HOW_OPEN_2,
	HOW_FOPEN,
	HOW_REOPEN,
	HOW_OPENDIR,
	HOW_FTS,
	HOW_GLOB,
	HOW_WORDEXP,
	HOW_DLOPEN,
	HOW_DLMOPEN,
	HOW_TEMPORARY,	  /* mkstemp, mkdtemp; */
	HOW_TEMPORARY_S,  /* with a suffix, */
	HOW_TEMPORARY_O,  /* with flags, */
	HOW_TEMPORARY_SO, /* with both */
	HOW_TMPFILE,
	HOW_SHM_OPEN,
	HOW_SHM_UNLINK,
	HOW_SEM_OPEN,
	HOW_SEM_UNLINK,
	HOW_PTMX,
	HOW_SHADOW,
	HOW_GSHADOW,
	HOW_ADD_CLOSEFROM,
	HOW_RESOLVE_NAME,
	HOW_RESOLVE_ADDRESS,
	HOW_RESOLVE,
	HOW_REMOTE,
	HOW_SYSLOG,
	HOW_SYSCALL,
	HOW_KILLPG,
	HOW_CLOSEFROM,
	HOW_BODY,
};

/* CALL_open, ...: numbers of the calls. */
enum call_number {
#define CALL(number, name, ...) NUMBER_##name = number,
#include "syscalls.def"
#undef CALL
};

/* As enter.S lays it out: a call to a wrapped function. */
struct frame {
	uint64_t args[CALL_ARGS]; /* in registers; what is changed here, the next definition gets */
	uint64_t rax;
	uint64_t result;       /* what the caller gets when the next definition is not called */
	const uint64_t *stack; /* further arguments */
};

/* The definition behind ours, or NULL. Async-signal-safe; looked up once. */
void *next_of(enum wrap_index index);

/* Where the shim was loaded from, as the loader was told; NULL when that cannot be found out. */
const char *shim_path(void);

/* Where the dynamic linker is, or NULL. */
void *loader_base(void);

/* Which libc it is that the program has. */
bool libc_is_musl(void);

/* For a refusal: sets the program's errno. */
void shim_set_errno(int error);

/* ---- the run ------------------------------------------------------------ */

enum shim_state {
	SHIM_UNKNOWN, /* not looked yet, or nothing has had to be decided */
	SHIM_ALONE,   /* level preload: we decide */
	SHIM_BESIDE,  /* a supervisor decides */
	SHIM_BROKEN,  /* no policy where it should be: everything that is judged is refused */
};

enum { SHIM_IMAGES = 2 };

struct shim {
	_Atomic int state;   /* enum shim_state; set last */
	_Atomic bool looked; /* SHIM_UNKNOWN: `limit` is found, and nothing mapped yet */
	unsigned limit;	     /* reserved descriptors begin there */
	unsigned image_count;
	unsigned may_refuse; /* enum access bits that some path is refused by some image */
	const struct image *images[SHIM_IMAGES];
	struct wire_shared *shared; /* SHIM_ALONE */
	_Atomic bool gate;	    /* SHIM_BESIDE: the page is there, and may be used */
	_Atomic bool filtered; /* SHIM_BESIDE: the program has a filter of its own, in which nobody thought of us */
};
extern struct shim shim;

/* Finds out about the run, once; also before our constructor ran. */
enum shim_state shim_ready(void);

/* Is it the number of a reserved descriptor? */
static inline bool is_reserved(uint64_t fd)
{
	return (uint32_t)fd - shim.limit < RESERVED_FD_COUNT;
}

/* Is it a process (or thread) of this run? */
bool run_has(int pid);

/* ---- beside a supervisor (gate.c, beside.c) ------------------------------ */

/* Is there a page? Then it is noted in `shim`. */
bool gate_find(void);

enum {
	GATE_NOT = -4096, /* make the call itself */
	GATE_CANCELS = 1, /* the call is a cancellation point */
};
/* As openat. A descriptor, or -errno that openat would have failed with, or GATE_NOT. Async-signal-safe. */
long gate_open(int dirfd, const char *path, uint64_t flags, uint64_t mode, unsigned ways);
/* Where the dynamic linker's open site was taken, from loader_base() on; 0: nowhere. */
size_t gate_loader_site(void);
/* Length of a name; GATE_NAME_MOST when it is too long or when not all of it can be read. */
enum { GATE_NAME_MOST = 4096 };
size_t gate_name_length(const char *name);
/* Does the name lead nowhere, as can be seen without a stop? Then *answer is -ENOENT or -ENOTDIR, which a call that needs
 * what it names would come to as well. `flags`: AT_SYMLINK_NOFOLLOW or 0. Async-signal-safe. */
bool gate_missing(int dirfd, const char *path, int flags, long *answer);
/* Is there something of that name, be it a link? False also when that cannot be seen without a stop. Async-signal-safe. */
bool gate_exists(int dirfd, const char *path);

/* site.c: from now on libc's own opens go by the gate, too. Once, as early as can be. */
void site_take(void);
/* And those of the dynamic linker do not any more. */
void site_give_back(void);

/* Done already, without the function behind ours? Then frame->result is what to return. `number` is its call's. */
bool beside(enum wrap_how how, long number, struct frame *frame);

/* ---- names -------------------------------------------------------------- */

enum { PLACE_ROOM = 512, PLACE_MOST = 8192 };

/* What a name means. */
struct place {
	int fd; /* O_PATH descriptor of the object, of the parent when it does not exist; -1: none */
	bool exists;
	bool nameless;	  /* a pipe, socket, memfd or deleted file */
	bool deleted;	  /* nameless with a name that it once had */
	bool borrowed;	  /* fd is the program's own */
	bool linked;	  /* the way led, or may have, through symbolic links: */
	int dirfd;	  /* from here */
	const char *path; /* along this */
	unsigned depth;	  /* links that lead nowhere, followed so far */
	const char *
		name; /* for the policy: absolute, entries of the run's processes below /proc/self; in `room` or `mapped` */
	size_t length;
	char *mapped; /* PLACE_MOST bytes when `room` was too small */
	char room[PLACE_ROOM];
};

/*
 * Resolve as the kernel does. 0; or -errno, with which the kernel would refuse the call itself, or for which
 * nothing can be found out (-EMFILE, -ENFILE, -ENOMEM: place_unresolvable). place_close afterwards in any case.
 */
int place_resolve(struct place *place, int dirfd, const char *path, bool follow);
int place_of_fd(struct place *place, int fd); /* the object of a descriptor */
/* A descriptor of it to read from, or -errno. */
long place_read(const struct place *place);
void place_close(struct place *place);
bool place_unresolvable(int error);
/* st_mode & S_IFMT of the object, 0 when it does not exist. */
unsigned place_type(const struct place *place);
/*
 * Tell `met` of each link that the way led through (links.h), until it says false. Of none when that cannot be found out.
 */
void place_links(const struct place *place, bool (*met)(void *context, const char *link, size_t length), void *context);
/* Would the mode bits refuse it anyway? R_OK|W_OK|X_OK of the object, or of the parent. 0 or -errno. */
int place_ordinary(const struct place *place, int access);

/* ---- judging ------------------------------------------------------------ */

struct request {
	const struct call *call; /* request_of: both */
	uint16_t number;	 /* for reports; UINT16_MAX: not in the table */
	uint64_t args[CALL_ARGS];
	const char *requested; /* for reports, when it is not an argument; or NULL */
};

/* A request without arguments. */
struct request request_of(long number, const char *requested);

/* 0: let it go on. -errno: it is refused so, and was reported. JUDGED_DONE: there is nothing to be done, it has
 * succeeded. May change args. */
enum {
	JUDGED_DONE = 1,
	JUDGED_RESULT,	 /* frame->result is what it has come to */
	JUDGED_FAILS,	 /* judge_resolve's own: the kernel will say why */
	JUDGED_SANITIZED /* an exec: AddressSanitizer is in the program, and wants to be the first that is loaded */
};
int judge(struct request *request);

/* Parts of it. */
int judge_network(struct request *request);
int judge_interfaces(struct request *request); /* judge_network.c: a request of ioctl */
int judge_processes(struct request *request);
int judge_registers(struct request *request);
/* A unix socket of that name. To bind it, `request` must have the arguments of bind. */
int judge_unix(struct request *request, enum net_use use, const char *path);
/* May every address be connected to, or bound? */
bool judge_every_address(enum net_use use);
/* One access to a resolved name; `makes`: the name itself is made or removed. */
int judge_place(struct request *request, const struct place *place, unsigned access, bool makes);
/* The same of a name at which something is made: S_IFMT bits of what, 0: nothing. */
int judge_made(struct request *request, const struct place *place, unsigned access, bool makes, unsigned made);
/* An access to what a descriptor, the i-th argument, stands for. */
int judge_object(struct request *request, int i, unsigned access);
/* Does any policy say no? True: *verdict and *image say which. */
bool judge_asked(const struct place *place, unsigned access, struct verdict *verdict, unsigned *image);
/* As place_resolve and place_of_fd; names that lead past what is hidden are refused. 0, -errno, or JUDGED_FAILS. */
int judge_resolve(struct request *request, struct place *place, int dirfd, const char *path, bool follow);
int judge_resolve_fd(struct place *place, int fd);
/* Is there something that a policy hides? Then nothing may be said of it but that it is not there. */
bool judge_hidden(const struct place *place);
/* An open of a name, as if by openat. */
int judge_open(struct request *request, int dirfd, const char *path, uint64_t flags);
/* Is it refused with this access whatever the policy says? 0 or -errno, reported. */
int judge_always_place(struct request *request, const struct place *place, unsigned access);

/* The flags of fopen's mode. */
uint64_t mode_flags(const char *mode);
/* What no row describes (wrap_hand.c). As judge. */
int judge_by_hand(enum wrap_how how, struct request *request, struct frame *frame);

/* ---- programs (exec.c, environment.c, shell.c) -------------------------------------------------- */

/* May it be run: as execveat(dirfd, path, argv, envp, flags)? 0, -errno, or JUDGED_SANITIZED: it may. */
int judge_exec(int dirfd, const char *path, char *const *argv, int flags);

/* To be asked before a program is started: 0, -errno, or as judge_exec. */
int exec_allowed(int dirfd, const char *path, char *const *argv, int flags);

/* `environ` (NULL: this libc has none); the value of a variable given as "NAME=", or NULL. */
char *const *environment_now(void);
const char *environment_variable(char *const *environment, const char *name_and_equals);

/* An environment that has the shim in it; or that has it not, where the program has a filter of its own. */
struct passed {
	char *const *environment;
	void *mapped; /* or NULL */
	size_t mapped_size;
};
/* `judged` is what judge_exec said. 0, -ENOMEM, or as judge_environment. */
int environment_pass(struct passed *passed, char *const *environment, int judged);
/* May what it has a loader load be read? */
int judge_environment(char *const *environment);
bool environment_has_shim(char *const *environment);
void environment_let_go(struct passed *passed);

/* libc starts the shell with `environ`. When that has no shim in it any more, the shell is told to put it there and to
 * start again; it does nothing else until then. */

/* ---- telling (report.c) ------------------------------------------------- */

struct refusal {
	enum wire_kind kind;
	enum wire_about about;
	int error; /* errno, positive */
	uint32_t rule;
	unsigned image, access, use, transport;
	const char *target;
	size_t length;
	const void *address; /* WIRE_ABOUT_ADDRESS */
	size_t address_length;
};
/* Tell of it. -error; or 0 when it is only recorded (audit); does not return when it is deadly (kill). */
int refuse(const struct request *request, const struct refusal *refusal);
/* Refused by no rule but always, since it is what has this name. */
int refuse_place(const struct request *request, const struct place *place, enum wire_kind kind, enum wire_about about,
		 int error, unsigned access);
/* Refused by a rule that speaks of this name. `told`: of the access, what is in the report. */
int refuse_name(const struct request *request, const char *name, size_t length, unsigned access,
		const struct verdict *verdict, unsigned image, unsigned told);
/* Refused by no rule but always. `what` is NUL-terminated; a '%' at its start stands for the call's name, NULL is "%". */
int refuse_always(const struct request *request, enum wire_kind kind, int error, const char *what);
/* The same; what is refused is `what` and this number behind it. */
int refuse_value(const struct request *request, enum wire_kind kind, int error, const char *what, unsigned long value,
		 bool hex);
/* The same, of what reaches into other processes. */
int refuse_control(const struct request *request, const char *what, unsigned long value, bool hex);

/* ---- calls that many make (common.c) ------------------------------------ */

struct statx;
/* New memory, or NULL. */
void *common_memory(size_t size);
/* statx of a name, or a descriptor; `wanted`: STATX_... 0 or -errno. */
long common_status(int dirfd, const char *name, int flags, unsigned wanted, struct statx *stx);
long common_object(int fd, unsigned wanted, struct statx *stx);
/* Map a whole file. NULL: it cannot be mapped, or is empty. */
void *common_file(int fd, uint64_t protection, uint64_t kind, size_t *size);
/* "/proc/self/fd/N". */
enum { COMMON_DESCRIPTOR_NAME = 48 };
void common_descriptor_name(char *name, int fd);
/* Call for each open descriptor; ends at the first for which that does not return 0, with what it returns. -EACCES: there is no /proc. */
int common_descriptors(int (*function)(void *context, int fd), void *context);

/* ---- small things (text.c) ---------------------------------------------- */

/* Can the program's memory be read there? At most 4096 bytes. */
bool readable(const void *bytes, size_t length);
size_t text_length(const char *text);
bool text_equal(const char *a, const char *b);
bool text_begins(const char *text, const char *start);
bool text_ends(const char *text, size_t length, const char *end);
const char *text_find(const char *text, char byte); /* or NULL */
char *text_put(char *to, const char *text);	    /* copies; where the NUL would go */
char *text_put_number(char *to, unsigned long number);
char *text_put_hex(char *to, unsigned long number); /* "0x1f" */
unsigned long text_number(const char *text, const char **end);

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memset(void *to, int byte, size_t count);
void *memmove(void *to, const void *from, size_t count);
int memcmp(const void *a, const void *b, size_t count);

#endif
