/* SPDX-License-Identifier: MIT */
/*
 * gate.h - level gate: directories below which every name may be opened, as descriptors, and a page of constant arguments
 * for opening them, with the names of single files. With those the filter can let an openat2 pass unseen (DESIGN.md, "The gate"; wire.h).
 */
#ifndef PICKET_TRACER_GATE_H
#define PICKET_TRACER_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "shim_names.h"
#include "wire.h"

struct new_stack;
struct policy;
struct program;

/* A directory at and below which every name may be read, or written as well. */
struct gate_root {
	int fd;	    /* O_PATH */
	char *name; /* absolute, resolved; malloc'ed */
	bool writable;
	bool late; /* it serves only when it is known that no device lies below it: gate_late.c */
};

/* A symbolic link that leads to a root. */
struct gate_link {
	char *name; /* absolute, resolved but for its last component; malloc'ed */
	unsigned root;
};

/* What was found: those that may only be read, to `reading`, then the writable ones, to `early`; late ones that may only be
 * read, to `late_reading`, then the writable ones. */
struct gate_roots {
	struct gate_root list[GATE_ROOTS];
	unsigned reading, early, late_reading, count;
	struct gate_link links[GATE_NAMES - GATE_ROOTS];
	unsigned link_count;
};

/* A program, and whether it wants the shim, a library other than the shim to be the first that is loaded, or neither. */
enum { GATE_SEEN = 64 };
enum gate_want { GATE_WANTS_SHIM, GATE_WANTS_ANOTHER, GATE_WANTS_NONE };
struct gate_seen {
	dev_t device;
	ino_t inode;
	struct timespec changed;
	enum gate_want want;
};

/* A dynamic linker, told by where it begins to run, and where in it things are, from its start on. */
enum { GATE_LINKERS = 4 };
struct gate_linker {
	uint64_t entry; /* 0: none yet */
	uint64_t site;	/* 0: there is none that is known, or no room */
	uint64_t room;	/* behind the last of its code */
	bool moves;	/* open_site.h */
};

struct gate {
	int fd;			/* the page: sealed, open for reading only; -1: there is no gate */
	struct wire_gate *page; /* our writable view of it */
	int protection;		/* of the page in the tool's memory: PROT_READ, and PROT_EXEC when it has code */
	struct gate_linker linkers[GATE_LINKERS];
	unsigned linkers_next;
	struct gate_roots roots;
	unsigned how_reading, how_count; /* as in the page; the filter is made of these */
	unsigned how_file_reading, how_file_count, file_reading, file_count;
	unsigned how_late;	/* 0: there are none */
	struct gate_late *late; /* the search for devices, while there is one */
	long begin_offset;	/* from the start of the vdso: room for the code that maps the page; -1: none */
	long call_offset;	/* from the start of the vdso: a `syscall` instruction */
	char *shim;		/* what LD_PRELOAD names; malloc'ed; NULL: not known (yet) */
	struct gate_seen seen[GATE_SEEN];
	unsigned seen_next;
	struct shim_names names; /* read when they are first asked for; */
	bool nameless;		 /* they could not be */
};
#define GATE_NONE ((struct gate){.fd = -1})

/* gate_roots.c: find them, for policies that all must agree; `cwd` and `environment` (NAME=VALUE) are the tool's. 0 or
 * -ENOMEM; none is no error. */
int gate_roots_find(struct gate_roots *roots, struct policy *const *policies, unsigned policy_count, const char *cwd,
		    char *const *environment);
void gate_roots_free(struct gate_roots *roots);

/* gate_files.c: put the names of single files into the page that all policies let be opened, and of links to such; first those that
 * may only be read. `shim`: its file, or NULL. */
void gate_files_find(struct wire_gate *page, const char *shim, struct policy *const *policies, unsigned policy_count,
		     char *const *environment);

/* Roots and page, for reserved descriptors that begin at `limit`; `shim`: its file, NULL if there is none. 0, also when there are no
 * roots (fd is -1), or -errno. */
int gate_open(struct gate *gate, struct policy *const *policies, unsigned policy_count, const char *cwd,
	      char *const *environment, unsigned limit, const char *shim);
void gate_close(struct gate *gate);

/* Where the launcher is to put what of it: RESERVED_FD_COUNT entries, -1 where nothing of it goes. */
void gate_reserve(const struct gate *gate, int reserved[RESERVED_FD_COUNT]);

/* The run is about to move or remove what has this resolved name: programs must not look below it any more for what they
 * would now find elsewhere. */
void gate_forget(struct gate *gate, const char *name);

/* None of them is to be used any more, by any program. */
void gate_forget_all(struct gate *gate);

/*
 * gate_devices.c: is there no device in this tree? False, too, when it has more entries than `*entries`, of which `least` have
 * to be left; those that were looked at are taken off. And when `*stop` (may be NULL) becomes true.
 */
bool gate_no_device_below(int directory, unsigned *entries, unsigned least, const atomic_bool *stop);

/*
 * gate_late.c: a thread that looks for devices in what is too large to be looked through before the run begins, and opens the
 * late roots when there is none. `cwd`: the directory that they all lie at or below. Nothing happens where there are none, or when
 * no thread can be made: then they stay closed.
 */
void gate_late_begin(struct gate *gate, const char *cwd);
/* A directory is about to be moved, after all that were moved before; and it has been, or will not be. */
void gate_late_move(struct gate *gate);
void gate_late_moved(struct gate *gate);
/* False: the thread hangs in the kernel, and still uses the page. */
bool gate_late_end(struct gate *gate);

/* The late roots serve from now on. */
void gate_open_late(struct wire_gate *page);

/*
 * May this directory be moved to below that one (-1: it is not known), to have this resolved name? Not when a device would come into a
 * root or to the name of a single file with it, or that cannot be told.
 */
bool gate_admits(const struct gate *gate, int moved, int into, const char *name);

/*
 * gate_withdraw.c: a program was executed, the one that was approved as it seems, and has not run an instruction. If AddressSanitizer's
 * library is the first that it needs, which then insists on being the first that is loaded, or if it calls none of the functions
 * that the shim stands in front of, and so starts nothing either that could want it, the shim is taken out of its LD_PRELOAD: it
 * (and in the first case what it starts) runs without the fast way. True: what its dynamic linker opens may go by the gate; the shim
 * takes that back in a program that makes a filter of its own, which a program that has no use for it does not.
 */
bool gate_withdraw(struct gate *gate, const struct program *program, struct new_stack *stack);

/*
 * gate_loader.c: at the same moment. Code that maps the page, with mmap's arguments in registers, and then begins at `start`, where the
 * program was to begin, is put behind its vdso. `serve`: and what its dynamic linker opens, if that is one that is known (mapped at
 * `base`; 0: there is none), goes by the gate from then on. The address of that code; 0: that cannot be done, and nothing was
 * changed that matters.
 */
uint64_t gate_loader(struct gate *gate, pid_t pid, uint64_t base, uint64_t vdso, uint64_t start, bool serve);

/* Offset of the room for that code, which is the same in every process; or -1. */
long gate_begin_offset(void);

/* Offset of a `syscall` instruction in the vdso, which is the same in every process; or -1. */
long gate_call_offset(void);

#endif
