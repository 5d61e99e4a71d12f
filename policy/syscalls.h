/* SPDX-License-Identifier: MIT */
/*
 * syscalls.h - what each system call means.
 *
 * syscalls.def is the only list of system calls in this project. It says of
 * each what it does (an operation) and what its arguments are (an argument
 * kind each). Everything else - the seccomp filter, the decoder, the shim's
 * wrappers, the coverage table, tests - is driven by it. An irregularity
 * becomes an argument kind here, never a special case elsewhere.
 *
 * Pure data and pure functions; both rooms use it.
 */
#ifndef PICKET_POLICY_SYSCALLS_H
#define PICKET_POLICY_SYSCALLS_H

#include <stddef.h>
#include <stdint.h>

/* How a call is treated. */
enum call_class {
	CALL_UNLISTED, /* not in the table: ENOSYS, recorded */
	CALL_HARMLESS, /* nothing that a policy could refuse */
	CALL_JUDGED,   /* decided per call, by its arguments */
	CALL_REFUSED,  /* refused whatever the policy says */
};

/* What a call does; names the rule of judging, and the one of answering. */
enum call_op {
	OP_NONE,	 /* harmless calls */
	OP_REFUSE,	 /* refused calls: EPERM, kind `privilege` */
	OP_REFUSE_IFACE, /* refused calls: ENOSYS or EPERM, kind `interface` */
	OP_REFUSE_PROC,	 /* refused calls: EPERM, kind `process_control` */
	OP_OPEN,	 /* open an object by name; access by its flags */
	OP_LOOK,	 /* read what a name is, not what it holds (stat, listxattr) */
	OP_VALUE, /* read an extended attribute: of user.* it takes what reading the file takes (xattr(7)), of all else LOOK */
	OP_READLINK,	/* where a symbolic link leads: as LOOK, but what /proc has of strangers takes all of /proc */
	OP_CREATE,	/* make a new name (mkdir, mknod) */
	OP_SYMLINK,	/* make a new symbolic link: changes what names mean */
	OP_REMOVE,	/* remove a name (unlink, rmdir) */
	OP_RENAME,	/* two names: move or exchange */
	OP_LINK,	/* two names: a second name for a file */
	OP_CHANGE,	/* change an existing object by name (chmod, truncate, setxattr) */
	OP_CHANGE_FD,	/* the same through a descriptor (fchmod) */
	OP_CHDIR,	/* change the working directory */
	OP_WATCH,	/* watch a directory or file (inotify) */
	OP_EXEC,	/* run a program */
	OP_SOCKET,	/* make a socket: family, type, protocol */
	OP_CONNECT,	/* send to or connect to the address in the arguments */
	OP_BIND,	/* take the address in the arguments */
	OP_LISTEN,	/* listen; binds a socket that has no address yet */
	OP_SENDMSG,	/* one message, address in a msghdr */
	OP_SENDMMSG,	/* many messages */
	OP_FORK,	/* new process as a copy; counted */
	OP_CLONE,	/* new process or thread, flags in a register */
	OP_CLONE3,	/* the same, flags in a struct */
	OP_SIGNAL,	/* send a signal */
	OP_PROCESS,	/* act on another process (limits, priority, pidfd) */
	OP_CREDENTIALS, /* change own ids or capabilities; judged harmless, noted */
	OP_PRCTL,	/* by option */
	OP_IOCTL,	/* by request */
	OP_FCNTL,	/* by command */
	OP_SECCOMP,	/* by operation and flags */
	OP_MEMORY,	/* map, unmap, protect: not below the reserved low addresses */
	OP_DESCRIPTOR,	/* close or replace descriptors: not the reserved ones */
	OP_ASYNC,	/* kernel writes to memory later (aio): noted */
	OP_SOCKOPT,	/* by level and option (net.h): what sends elsewhere than to the address judged, or at once */
	OP_IPC,		/* SysV shared memory, semaphores, queues: only those made in this run */
	OP_ALLOCATE,	/* take space in a file without writing it; counted */
	OP_CONFINE,	/* take rights from oneself (Landlock): not there where the supervisor makes the calls */
	OP_COUNT
};

/* What one argument is. */
enum arg_kind {
	ARG_UNUSED,	  /* the call has no such argument */
	ARG_ANY,	  /* nothing to judge */
	ARG_PATH,	  /* pointer to a pathname; see ARG_ACCESS, ARG_FINAL */
	ARG_DIRFD,	  /* directory descriptor for the next ARG_PATH */
	ARG_AT_FLAGS,	  /* AT_SYMLINK_*, AT_EMPTY_PATH */
	ARG_OPEN_FLAGS,	  /* O_*; an OP_OPEN without it or ARG_OPEN_HOW is creat: O_CREAT|O_WRONLY|O_TRUNC */
	ARG_OPEN_HOW,	  /* pointer to struct open_how; the size follows */
	ARG_RENAME_FLAGS, /* RENAME_* */
	ARG_OBJECT,	  /* descriptor whose object is changed or used */
	ARG_SLOT,	  /* descriptor number that is closed or replaced or flagged */
	ARG_LAST_SLOT,	  /* last descriptor number of a range */
	ARG_SOCKET,	  /* descriptor of a socket */
	ARG_SOCKADDR,	  /* pointer to a socket address, or NULL; the length follows */
	ARG_MSGHDR, /* pointer to struct msghdr; its control messages may ask for a source route (IP_RETOPTS, IPV6_RTHDR) */
	ARG_MMSGHDR,	 /* pointer to struct mmsghdr[]; the count follows */
	ARG_DOMAIN,	 /* socket: address family; type and protocol follow */
	ARG_CLONE_FLAGS, /* clone: CLONE_* and the exit signal */
	ARG_CLONE_ARGS,	 /* clone3: pointer to struct clone_args; the size follows */
	ARG_NS_FLAGS,	 /* unshare: only CLONE_FILES, CLONE_FS, CLONE_SYSVSEM, CLONE_THREAD, CLONE_VM, CLONE_SIGHAND */
	ARG_PID,	 /* a process or thread: 0, or one of this run */
	ARG_PIDFD, /* descriptor of a process of this run: a pidfd, a directory of /proc, PIDFD_SELF_* (negative) */
	ARG_KILL_TARGET,  /* kill: pid, 0, -1 or -pgid */
	ARG_GROUP,	  /* setpgid: a process group that only processes of this run are in; 0: the process's own */
	ARG_LIMIT,	  /* setrlimit: resource; the one of core files stays as it is */
	ARG_WHICH_WHO,	  /* setpriority: which, PRIO_*; who follows */
	ARG_IO_WHICH_WHO, /* ioprio_set: which, IOPRIO_WHO_* (one more than PRIO_*); who follows */
	ARG_PRCTL,	  /* prctl: option */
	ARG_IOCTL,	  /* ioctl: request */
	ARG_FCNTL,	  /* fcntl: command; its argument follows */
	ARG_SECCOMP,	  /* seccomp: operation; flags follow */
	ARG_ADDRESS,	  /* start of a memory range that the call changes */
	ARG_MAP_ADDRESS, /* mmap: address; binding with MAP_FIXED* in ARG_MAP_FLAGS, else a hint taken where nothing is mapped */
	ARG_MAP_FLAGS, /* mmap: MAP_*; not MAP_DROPPABLE, see ARG_ADVICE */
	ARG_ADVICE, /* madvise: MADV_*; not MADV_FREE, after which the kernel may empty memory while it is looked at */
	ARG_REMAP_ADDRESS, /* mremap, shmat: new address, when not 0 */
	ARG_BREAK, /* brk: the new end of the data segment, which may begin anywhere; what lay above is unmapped. 0 asks */
	ARG_REMAP_FLAGS, /* mremap: MREMAP_*; with MREMAP_FIXED the new address binds, even 0 */
	ARG_ARGV,	 /* exec: pointer to an array of strings */
	ARG_ENVP,
	ARG_PERSONALITY,  /* personality: PER_LINUX variants that change nothing for 64-bit code */
	ARG_ARCH_PRCTL,	  /* arch_prctl: code; not tagged addresses (they would get past ARG_ADDRESS) */
	ARG_SOCKOPT,	  /* setsockopt: level; the option follows */
	ARG_WATCH_MASK,	  /* inotify: IN_* */
	ARG_SIGNAL_FLAGS, /* pidfd_send_signal: PIDFD_SIGNAL_*; a process group only if all of it is of this run */
	ARG_LENGTH,	  /* truncate: of a regular file; the kernel says so before it asks for permission */
	ARG_MODE,	  /* chmod: its owner sets it */
	ARG_OWNER,	  /* chown: the user; the group follows */
	ARG_NODE,	  /* mknod: mode and type; the device follows */
	ARG_ATTRIBUTE, /* pointer to the name of an extended attribute; the kernel may read it before it looks at any other name */
	ARG_VALUE_SIZE,	 /* getxattr: room for the value; where there is none, only its length is told */
	ARG_IPC_KEY,	 /* shmget and the like: IPC_PRIVATE only; the result is an identifier of this run */
	ARG_IPC_ID,	 /* SysV identifier: one that this run has made */
	ARG_IPC_COMMAND, /* IPC_* and the like; after IPC_RMID it is no such identifier */
	ARG_KIND_COUNT
};

/* Accesses, also the ones that decide.h decides. */
enum access {
	ACCESS_READ = 1,  /* contents of a file, entries of a directory */
	ACCESS_WRITE = 2, /* create, change, delete */
	ACCESS_EXEC = 4,  /* run as a program */
	ACCESS_LOOK = 8,  /* existence and attributes; refused only under `hide` */
};

/* How the last component of an ARG_PATH is taken. */
enum final {
	FINAL_FOLLOW,	   /* a symbolic link is followed */
	FINAL_NOFOLLOW,	   /* the link itself is meant */
	FINAL_NAME,	   /* the name itself is made or removed */
	FINAL_AT_NOFOLLOW, /* followed unless ARG_AT_FLAGS has AT_SYMLINK_NOFOLLOW */
	FINAL_AT_FOLLOW,   /* followed only if ARG_AT_FLAGS has AT_SYMLINK_FOLLOW */
	FINAL_OPEN,	   /* as ARG_OPEN_FLAGS or ARG_OPEN_HOW say */
	FINAL_WATCH,	   /* followed unless ARG_WATCH_MASK has IN_DONT_FOLLOW */
};

/* When an ARG_PATH that names nothing means what the ARG_DIRFD before it refers to (a bit each). Any
 * other empty or NULL path the kernel itself answers with ENOENT or EFAULT. */
enum empty {
	EMPTY_BY_FLAGS = 1, /* "" with AT_EMPTY_PATH in ARG_AT_FLAGS; NULL too, in some kernels from 6.11 */
	EMPTY_ALWAYS = 2,   /* "" without any flag (readlinkat) */
	EMPTY_NULL = 4,	    /* NULL without any flag (utimensat, futimesat) */
};

/* What an ARG_ANY points to, or is, that the kernel looks at before it looks at any name. When both are wrong, it is this that
 * the kernel complains about. */
enum early {
	EARLY_NOTHING,
	EARLY_TEXT,	  /* a string */
	EARLY_BYTES,	  /* as many as the argument after it says */
	EARLY_TIME,	  /* struct utimbuf, or NULL */
	EARLY_TIMES,	  /* two struct timespec or timeval, or NULL */
	EARLY_XATTR_ARGS, /* struct xattr_args; its size follows */
	EARLY_DESCRIPTOR, /* a descriptor */
};

/* One argument: kind, and for ARG_PATH and ARG_OBJECT what is done with it. */
struct call_arg {
	uint16_t kind : 6;   /* enum arg_kind */
	uint16_t access : 4; /* enum access bits; 0: by the flags of the call */
	uint16_t final : 3;  /* enum final; of an ARG_ANY, enum early */
	uint16_t empty : 3;  /* enum empty bits; 0: an empty path is an error */
};

enum { CALL_ARGS = 6 };

/* One row of the table. */
struct call {
#ifndef CALLS_NAMELESS /* the shim's: each name would be a relocation in every process, and calls that are alike share a row */
	const char *name;
	uint16_t number; /* x86-64 */
#endif
	uint8_t class; /* enum call_class */
	uint8_t op;    /* enum call_op */
	struct call_arg args[CALL_ARGS];
};

/* The highest number of the table plus one. */
enum { CALL_NUMBERS = 512 };

/*
 * The row of a call, never NULL: for a number that is not in the table a row
 * with class CALL_UNLISTED and the name "unlisted". Any value may be passed.
 * Async-signal-safe.
 */
const struct call *call_find(long number);

/* The same by name; NULL if there is none. */
const struct call *call_by_name(const char *name);

/* Index of the first argument of that kind at or after `from`, or -1. */
int call_arg_index(const struct call *call, enum arg_kind kind, int from);

/* What an open with these O_* flags wants of its object (enum access bits). Making the object is wanted of its name, when it
 * turns out missing. Async-signal-safe. */
unsigned call_open_access(uint64_t flags);

/* How an open with these O_* flags of an object of this type (S_IFMT bits) fails before the kernel asks for any permission: EISDIR,
 * ENOTDIR, ELOOP. 0 or -errno. Async-signal-safe. */
int call_open_error(uint64_t flags, unsigned type);

/* Words for the coverage table: the class, the operation, the kind of an argument, how a call is kept
 * free of races (one sentence). Static strings. */
const char *call_class_name(enum call_class class);
const char *call_op_name(enum call_op op);
const char *call_arg_kind_name(enum arg_kind kind);
const char *call_way(const struct call *call);

#endif
