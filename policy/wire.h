/* SPDX-License-Identifier: MIT */
/*
 * wire.h - all that the two sides of a run must agree on: what is reserved in
 * every guarded process, and where.
 */
#ifndef PICKET_POLICY_WIRE_H
#define PICKET_POLICY_WIRE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* What the shim says in a note of its ELF file, and the launcher wants to read there: both of one make. */
#define WIRE_NOTE_OWNER "Picket"
#define WIRE_NOTE_TYPE 1u
#define WIRE_VERSION 1u

/* The directory of the shim's file ends so in LD_PRELOAD where no supervisor decides. The same file by another name: where such a run
 * goes on inside a run at level gate, the outer one's supervisor takes its own shim from programs that need none
 * (gate_withdraw.c), and this is not its own; and the shim finds the outer one's page in every process. */
#define WIRE_SHIM_ALONE "/./"

/*
 * Addresses. In a guarded process [RESERVED_START, RESERVED_END) holds nothing
 * but what the supervisor maps there. It is the lowest memory that a process
 * may have (vm.mmap_min_addr is 65536 nearly everywhere), so "does this call touch it" is one comparison:
 * address < RESERVED_END. It ends below 2 MiB, the lowest base that common linkers give a fixed-address
 * program (lld; GNU ld: 4 MiB).
 */
#define RESERVED_START 0x10000ul
#define RESERVED_END 0x200000ul

/*
 * The gate: struct wire_gate, a shared, read-only mapping of the sealed memfd at RESERVED_FD_GATE. At level gate the
 * supervisor has every program map it at its exec, before the first instruction of its own, so that nothing else can
 * ever be there: whoever finds GATE_MAGIC at GATE_START (is the address mapped at all?) has it. The filter lets an
 * openat2 through whose descriptor is a root's, whose `how` is the address of one of the first entries, as many as the
 * root may use, and whose size is that of three words (openat2(2)). And one whose name is the address of one of `file`,
 * whose `how` is one of the entries behind those, as many as that file may be opened with; and a getxattr whose name is
 * the address of one of `attribute`. All else in it is for the shim to find the way, and trusted by nobody.
 */
#define GATE_START RESERVED_START
#define GATE_LENGTH 0x10000ul
#define GATE_MAGIC 0x45544147u /* "GATE" */
/* Behind the struct: code that the dynamic linker's open site (open_site.h) jumps to, where it may be executed. An
 * entrance for sites that move their arguments, then one for the others. Trusted by nobody, as the shim. */
#define GATE_CODE (GATE_START + 0xe000ul)
#define GATE_CODE_LENGTH (GATE_START + GATE_LENGTH - GATE_CODE)
#define GATE_ENTRANCE 32ul /* bytes from the one entrance to the other */
enum {
	GATE_HOWS = 1216,
	GATE_ROOTS = 32, /* descriptors */
	GATE_NAMES = 64, /* paths that lead to roots: their own, and links such as /lib */
	GATE_FILES = 48, /* single files */
	GATE_FILE_SIZE =
		128, /* bytes of the name of one, with its NUL; a power of two, since the filter asks for whole ones */
	GATE_FILE_LINKS = 16, /* links that lead to such files */
	GATE_ATTRIBUTES = 4,
	GATE_ATTRIBUTE_SIZE = 32, /* bytes of the name of one, with its NUL; a power of two, as well */
	GATE_TEXT = 8 << 10,
	GATE_GONE = 0xff, /* in place of a name's root: it does not lead there any more */
};

/* As the kernel's struct open_how, with a filler: entries are found by their address alone. */
struct wire_how {
	uint64_t flags, mode, resolve, unused;
};
enum { GATE_MAY_WRITE = 1, GATE_LATE = 2 };
enum gate_late_state { GATE_LATE_PENDING, GATE_LATE_OPEN, GATE_LATE_NEVER };
struct wire_gate_name {
	uint32_t text;	 /* offset in `text` of the absolute path, no slash at its end */
	uint16_t length; /* of it */
	_Atomic uint8_t
		root; /* descriptor first_root + root; or GATE_GONE, also later: the supervisor writes it when the
			       * run moves or removes what the name leads through. To be read once for a call */
	uint8_t kind; /* GATE_MAY_WRITE: all of `how` may be used, not only what reads. GATE_LATE: only from how_late on */
};
/* A file that may be opened although what lies beside it may not: its absolute name, NULs behind it. */
struct wire_gate_file {
	char name[GATE_FILE_SIZE];
};
/* A symbolic link that leads to it. */
struct wire_gate_link {
	char name[GATE_FILE_SIZE - 1];
	uint8_t file;
};
struct wire_gate {
	struct wire_how how
		[GATE_HOWS]; /* for roots, those that only read first; for files; for late roots; each in the same order */
	struct wire_gate_file file[GATE_FILES]; /* those that may only be read come first */
	/* Extended attributes that are for everybody who may look at a file, and that programs ask of every file. */
	char attribute[GATE_ATTRIBUTES][GATE_ATTRIBUTE_SIZE];
	uint32_t magic;	     /* GATE_MAGIC */
	uint32_t version;    /* WIRE_VERSION */
	uint32_t first_root; /* limit + RESERVED_FD_ROOT */
	uint32_t how_reading, how_count;
	uint32_t how_creating,
		mode_count; /* from that entry on files are made: for each kind of flags one entry a mode */
	uint32_t how_file_reading,
		how_file_count; /* how_count to these: for files that are only read, and for the others */
	uint32_t how_late;	/* from that entry on the same how_count again, for late roots, */
	_Atomic uint32_t late; /* enum gate_late_state; until they are open the kernel refuses these entries (EINVAL) */
	uint32_t file_reading, file_count, link_count;
	uint32_t looking_passes; /* not 0: a stat needs no stop */
	_Atomic uint32_t
		loader_site; /* where the last dynamic linker's open site was, from its start on; 0: none was taken */
	uint32_t name_count; /* longest paths first: the first that fits is the nearest root */
	struct wire_gate_name name[GATE_NAMES];
	struct wire_gate_link link[GATE_FILE_LINKS];
	char text[GATE_TEXT];
};
#define GATE_FILE_START (GATE_START + offsetof(struct wire_gate, file))
_Static_assert(GATE_FILE_START % GATE_FILE_SIZE == 0, "an address in the middle of a name is told by its low bits");
#define GATE_ATTRIBUTE_START (GATE_START + offsetof(struct wire_gate, attribute))
_Static_assert(GATE_ATTRIBUTE_START % GATE_ATTRIBUTE_SIZE == 0, "the same");
_Static_assert(sizeof(struct wire_how) == 32 && sizeof(struct wire_gate) <= GATE_CODE - GATE_START,
	       "entries are aligned, and all fits");

/* Sealed argument copies. Written by the supervisor, read-only for the tool. Slots of two pages each, and small ones,
 * enough for most calls: each is in use until its call is over, and hundreds of threads may wait in theirs. */
#define SLOT_START 0x20000ul
#define SLOT_SIZE 0x2000ul
#define SLOT_COUNT 112ul
#define SMALL_SLOT_START (SLOT_START + SLOT_COUNT * SLOT_SIZE)
#define SMALL_SLOT_SIZE 0x200ul
#define SMALL_SLOT_COUNT ((RESERVED_END - SMALL_SLOT_START) / SMALL_SLOT_SIZE)
#define SLOTS_LENGTH (RESERVED_END - SLOT_START)

/*
 * Descriptors. The run's hard RLIMIT_NOFILE is lowered to some L; the kernel
 * gives nobody a descriptor at or above it, so what the launcher put there stays what it is.
 *
 * At level preload, where nothing rests on that, they begin at RESERVED_LOW if L is above it: fork() copies the
 * descriptor table up to its highest entry, and 1024 entries instead of 4096 are 3% of a short process.
 */
#define RESERVED_LOW (1024u - RESERVED_FD_COUNT)
enum reserved_fd {
	RESERVED_FD_SLOTS,    /* L + 0: the memory of the slots */
	RESERVED_FD_PROGRAM,  /* a plugin's sealed program, while it runs */
	RESERVED_FD_HANDOVER, /* the launcher's, level notify; closed before the tool runs */
	RESERVED_FD_GATE,     /* level gate: the page, a struct wire_gate */
	RESERVED_FD_ROOT =
		8, /* level gate: GATE_ROOTS O_PATH descriptors of directories; those that may only be read first */
	RESERVED_FD_COUNT = 48, /* room that is kept between L and the limit of the caller */

	/* For the shim, from the top down. The image's is the highest sealed one that a program sees, unless they begin at
	 * RESERVED_LOW: so it is found even after the program has lowered its limit. */
	RESERVED_FD_IMAGE = RESERVED_FD_COUNT - 2,    /* the sealed policy */
	RESERVED_FD_NARROWER = RESERVED_FD_COUNT - 3, /* a second one, if the run has it */
	RESERVED_FD_REPORT = RESERVED_FD_COUNT - 4,   /* level preload: socket to the launcher, one message a refusal */
	RESERVED_FD_SHARED = RESERVED_FD_COUNT - 5,   /* level preload: struct wire_shared */
	RESERVED_FD_PROGRAMS =
		RESERVED_FD_COUNT - 6, /* level preload: an eventfd, one more for each shim that has started */
};

/* What L is when neither caller nor policy ask for another. fork() copies the descriptor table up to its highest entry:
 * 2048 entries are 16 KiB and some 8 us a fork (the kernel rounds up to powers of two), 1048576 would be 8 MiB. */
#define OPEN_FILES_MOST (2048u - RESERVED_FD_COUNT)

/*
 * Level preload: what the shims of one run and the launcher tell one another. Writable by the tool, like all that
 * the shim is: nothing here but the run's own account of itself.
 */
enum { WIRE_SOCKETS = 1024 };
struct wire_socket {
	uint64_t dev, ino;
};
struct wire_shared {
	uint32_t version;      /* WIRE_VERSION */
	int32_t launcher;      /* process that every process of the run descends from */
	uint32_t on_violation; /* enum on_violation */
	_Atomic uint32_t sockets_used;
	_Atomic uint64_t dropped;		  /* refusals that found no room in the socket */
	struct wire_socket sockets[WIRE_SOCKETS]; /* unix sockets that the run has made, with a name */
};

/* Kinds of violations and what was done, with the numbers of result.h. */
enum wire_kind {
	WIRE_FILE_READ,
	WIRE_FILE_WRITE,
	WIRE_PROCESS_EXEC,
	WIRE_NETWORK_OUTBOUND,
	WIRE_NETWORK_BIND,
	WIRE_PROCESS_CONTROL,
	WIRE_PRIVILEGE,
	WIRE_INTERFACE,
};
enum wire_about {
	WIRE_ABOUT_CALL,
	WIRE_ABOUT_PATH,
	WIRE_ABOUT_MOVE,
	WIRE_ABOUT_ADDRESS,
	WIRE_ABOUT_UNIX_PATH,
	WIRE_ABOUT_PROGRAM,   /* one that cannot be guarded */
	WIRE_ABOUT_EVERYWHERE /* it names no address, and so takes leave to connect to all */
};
#define WIRE_RULE_ALWAYS (UINT32_MAX - 1)

/* How the library is named, from its beginning, that AddressSanitizer wants to be the first: gcc's, and clang's
 * (-shared-libasan). */
#define WIRE_SANITIZER_GCC "libasan.so"
#define WIRE_SANITIZER_CLANG "libclang_rt.asan"

/* About a call: a '%' at the start of the target stands for the call's name. */

/* One refusal: this, then the texts one behind the other, none with a NUL. */
enum wire_text { WIRE_TARGET, WIRE_REQUESTED, WIRE_EXE, WIRE_CWD, WIRE_COMMAND, WIRE_ADDRESS, WIRE_TEXTS };
struct wire_report {
	uint32_t version; /* WIRE_VERSION */
	uint32_t call;	  /* number */
	int32_t pid, tid;
	int32_t error;			    /* errno */
	uint32_t rule;			    /* of image `image`, RULE_DEFAULT or WIRE_RULE_ALWAYS */
	uint8_t kind, about, image, access; /* enum wire_kind, enum wire_about, which policy, enum access bits */
	uint8_t use, transport;		    /* enum net_use, enum net_transport */
	uint16_t length[WIRE_TEXTS];	    /* WIRE_ADDRESS: a struct sockaddr */
};
enum { WIRE_REPORT_MOST = 24 << 10 };

#endif
