/* SPDX-License-Identifier: MIT */
/*
 * gate.c - attempts at what level gate rests on: the page of constant arguments, the descriptors of directories, and
 * the walk below them. Where there is no gate every row makes itself one, of ordinary memory and an ordinary
 * descriptor: there the attempt has to succeed, and at the other levels making it is refused already.
 */
#include "attempt.h"

#include <elf.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* As policy/wire.h has it; these programs know of Picket what a stranger who reads its source would. */
enum { START = 0x10000, LENGTH = 0x10000, HOWS = 1216, HOW = 32, HOW_SIZE = 24, LIMIT_TO_ROOT = 8, LIMIT_TO_PAGE = 3 };
struct how {
	uint64_t flags, mode, resolve, unused;
};
struct name {
	uint32_t text;
	uint16_t length;
	uint8_t root, kind;
};
static struct {
	struct how how[HOWS];
	char file[48][128];
	char attribute[4][32];
	uint32_t magic, version, first_root, how_reading, how_count, how_creating, mode_count, how_file_reading,
		how_file_count, how_late, late, file_reading, file_count, link_count, looking_passes, loader_site, name_count;
	struct name name[64];
	char link[16][128];
	char text[8192];
} *const page = (void *)START;

static bool there; /* a real gate */
static int root;   /* a descriptor of `open` */
static const char secret[] = "../shut/secret";
static const struct how loose = {O_RDONLY, 0, 0, 0};

static bool is_mapped(void)
{
	unsigned char in;

	return mincore(page, 1, &in) == 0 && page->magic == 0x45544147;
}

/* The root whose name ends so, or -1. */
static int root_of(const char *end)
{
	size_t n = strlen(end);

	for (uint32_t i = 0; i < page->name_count; i++)
		if (page->name[i].length >= n &&
		    memcmp(page->text + page->name[i].text + page->name[i].length - n, end, n) == 0)
			return (int)page->first_root + page->name[i].root;
	return -1;
}

static void look_for_gate(void)
{
	const char *level = getenv("LEVEL");

	there = is_mapped();
	if (there) {
		root = root_of("/open");
		NEED(root);
	} else if (getenv("GUARDED") && level && strcmp(level, "gate") == 0) {
		fprintf(stderr, "there is no gate\n");
		exit(BROKEN);
	}
}

static void find_gate(void)
{
	int fd;

	look_for_gate();
	if (there)
		return;
	if (mmap(page, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		exit(REFUSED);
	page->how[0] = (struct how){O_RDONLY, 0, RESOLVE_BENEATH, 0};
	page->how[1] = (struct how){O_RDONLY, 0, RESOLVE_NO_SYMLINKS, 0};
	page->how_count = page->how_reading = 1;
	page->how_file_count = 2;
	page->file_count = 1;
	strcpy(page->file[0], "/shut/secret");
	NEED(mprotect(page, LENGTH, PROT_READ));
	NEED(fd = open(".", O_PATH | O_DIRECTORY));
	NEED(root = fcntl(fd, F_DUPFD, 500));
}

static int open_by(int fd, const char *path, const void *how, size_t size)
{
	return (int)syscall(SYS_openat2, fd, path, how, size);
}

static int leak(void)
{
	return holds_secret(open_by(root, secret, page, HOW_SIZE));
}

static void gone(int signal)
{
	(void)signal;
	_exit(REFUSED);
}

/* What writes into the page has failed, or has brought a signal; and then the first entry is used. */
static void overwrite(void)
{
	signal(SIGSEGV, gone);
	signal(SIGBUS, gone);
	*(volatile struct how *)page = loose;
}

/* ---- the page ------------------------------------------------------------------- */

static int page_mapped_over(void)
{
	find_gate();
	munmap(page, LENGTH);
	munmap(0, START + LENGTH);
	munmap((char *)page - 4096, LENGTH + 4096);
	if (mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page)
		overwrite();
	else if (mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == page)
		overwrite();
	return leak();
}

static int page_moved(void)
{
	find_gate();
	char *own = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(own, &loose, sizeof loose);
	mremap(page, LENGTH, LENGTH, MREMAP_MAYMOVE | MREMAP_FIXED, own + (1 << 30));
	mremap(own, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, page);
	return leak();
}

static int page_protected(void)
{
	find_gate();
	mprotect(page, LENGTH, PROT_READ | PROT_WRITE);
	syscall(SYS_pkey_mprotect, page, 4096, PROT_READ | PROT_WRITE, -1);
	overwrite();
	return leak();
}

static int page_advised(void)
{
	find_gate();
	for (int advice = 0; advice < 26; advice++)
		if (advice != 13) /* MADV_HWPOISON: root's, and the memory of the machine */
			madvise(page, 4096, advice);
	syscall(SYS_remap_file_pages, page, 4096, 0, 15, 0);
	syscall(SYS_mbind, page, 4096, 0, NULL, 0, 0);
	return leak();
}

static int page_written(void)
{
	find_gate();
	int memory = open("/proc/self/mem", O_RDWR);
	if (memory >= 0)
		pwrite(memory, &loose, sizeof loose, START);
	struct iovec from = {(void *)&loose, sizeof loose}, to = {page, sizeof loose};
	process_vm_writev(getpid(), &from, 1, &to, 1, 0);
	return leak();
}

/* By the descriptor that the page was mapped from, which the tool has. */
static int page_file_written(void)
{
	char name[64];

	find_gate();
	int file = there ? (int)page->first_root - LIMIT_TO_ROOT + LIMIT_TO_PAGE : -1;
	if (!there) { /* a page of a file that may be written */
		NEED(file = memfd_create("page", 0));
		NEED(ftruncate(file, LENGTH));
		NEED(mmap(page, LENGTH, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0) == page ? 0 : -1);
	}
	ftruncate(file, 0);
	if (!there)
		NEED(ftruncate(file, LENGTH));
	pwrite(file, &loose, sizeof loose, 0);
	fallocate(file, 3 /* FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE */, 0, 4096);
	char *view = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (view != MAP_FAILED)
		memcpy(view, &loose, sizeof loose);
	const char *const names[] = {"/proc/self/fd/%d", "/proc/self/map_files/10000-20000", "/dev/fd/%d"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(name, sizeof name, names[i], file);
		int again = open(name, O_RDWR);
		pwrite(again, &loose, sizeof loose, 0);
	}
	fcntl(file, F_ADD_SEALS, 0);
	return leak();
}

/* The lowest addresses are what is left when all others are taken. */
static int space_filled(void)
{
	void *got;

	find_gate();
	if (!there)
		munmap(page, LENGTH);
	for (size_t size = (size_t)1 << 46; size >= 4096; size /= 2)
		while ((got = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
				   0)) != MAP_FAILED)
			if ((char *)got <= (char *)page && (char *)got + size > (char *)page)
				overwrite();
	return leak();
}

/* ---- the arguments -------------------------------------------------------------- */

static int forged_how(void)
{
	static struct how own __attribute__((aligned(HOW)));
	int won = REFUSED;

	find_gate();
	own = loose;
	for (int i = 0; i < 4 && won == REFUSED; i++)
		won = holds_secret(open_by(root, secret, &own, (size_t)(24 + 8 * i)));
	return won;
}

/* Whatever lies at and around the page, at any offset, in any size, and with bits that the kernel does not look at. */
static int any_pointer(void)
{
	const char *const names[] = {secret, "/proc/self/cwd/../shut/secret", "d/../../shut/secret"};
	int won = REFUSED;

	find_gate();
	NEED(mkdir("d", 0700));
	if (!there)
		return forged_how();
	for (uint64_t at = START - 64; at < START + sizeof *page && won == REFUSED; at += 8)
		for (size_t size = 8; size <= 40 && won == REFUSED; size += 8)
			for (size_t n = 0; n < 3 && won == REFUSED; n++)
				won = holds_secret(open_by(root, names[n], (void *)at,
							   at < START + 512 || size == HOW_SIZE ? size : 24));
	for (int bit = 32; bit < 64 && won == REFUSED; bit++) {
		won = holds_secret(
			(int)syscall(SYS_openat2, (uint64_t)root | (uint64_t)1 << bit, secret, START, HOW_SIZE));
		if (won == REFUSED)
			won = holds_secret(
				(int)syscall(SYS_openat2, root, secret, START | (uint64_t)1 << bit, HOW_SIZE));
		if (won == REFUSED)
			won = holds_secret(
				(int)syscall(SYS_openat2, root, secret, START, HOW_SIZE | (uint64_t)1 << bit));
	}
	return won;
}

/* A root that may only be read, with every entry there is. */
static int reading_root_written(void)
{
	int won = REFUSED;

	find_gate();
	int fd = there ? root_of("/read") : open("../read", O_PATH | O_DIRECTORY);
	NEED(fd);
	static struct how own = {O_WRONLY | O_CREAT, 0600, 0, 0};
	if (!there)
		return open_by(fd, "new", &own, HOW_SIZE) >= 0 && unlink("../read/new") == 0 ? WORKED : REFUSED;
	for (uint32_t i = page->how_reading; i < HOWS && won == REFUSED; i++) {
		int made = open_by(fd, "new", &page->how[i], HOW_SIZE),
		    changed = open_by(fd, "page", &page->how[i], HOW_SIZE);
		won = (made >= 0 || changed >= 0) && (page->how[i].flags & O_ACCMODE) != O_RDONLY ? WORKED : REFUSED;
	}
	return won;
}

/* By the 32-bit door: the same numbers. */
static int old_door(void)
{
	long result = 437;

	find_gate();
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	NEED(low == MAP_FAILED ? -1 : 0);
	memcpy(low, secret, sizeof secret);
	memcpy(low + 2048, &loose, sizeof loose);
	__asm__ volatile("int $0x80"
			 : "+a"(result)
			 : "b"((long)root), "c"(low), "d"(low + 2048), "S"(24l)
			 : "memory", "r8", "r9", "r10", "r11");
	return holds_secret((int)result);
}

/* ---- the descriptors ------------------------------------------------------------ */

/* Another directory, the one above, in the place of a root. */
static int root_replaced(void)
{
	int above, pair[2];

	find_gate();
	NEED(above = open("..", O_PATH | O_DIRECTORY));
	struct rlimit high = {1 << 20, 1 << 20}, now;
	getrlimit(RLIMIT_NOFILE, &now);
	if (there) {
		setrlimit(RLIMIT_NOFILE, &high);
		prlimit(getpid(), RLIMIT_NOFILE, &high, NULL);
	}
	close(root);
	syscall(SYS_close_range, root, root, 0);
	dup2(above, root);
	dup3(above, root, O_CLOEXEC);
	fcntl(above, F_DUPFD, root);
	/* and one that is received gets the lowest free number */
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct iovec byte = {"", 1};
	struct msghdr message = {
		.msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	memcpy(CMSG_DATA(&control.header), &above, sizeof above);
	NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	if (sendmsg(pair[0], &message, 0) == 1)
		recvmsg(pair[1], &message, 0);
	return holds_secret(open_by(root, "shut/secret", page, HOW_SIZE));
}

/* Closed at exec, so that the next program's first descriptor there is another. */
static int root_flagged(void)
{
	find_gate();
	if (fcntl(root, F_SETFD, FD_CLOEXEC) == 0)
		return WORKED;
	syscall(SYS_ioctl, root, 0x5451 /* FIOCLEX */, 0);
	syscall(SYS_close_range, root, root, 4 /* CLOSE_RANGE_CLOEXEC */);
	return fcntl(root, F_GETFD) == FD_CLOEXEC ? WORKED : REFUSED;
}

/* Calls that take a directory, or what a descriptor is, from a root. */
static int root_used(void)
{
	struct stat st;
	int won = REFUSED;

	find_gate();
	won = holds_secret(openat(root, secret, O_RDONLY));
	int above = openat(root, "..", O_RDONLY | O_DIRECTORY);
	if (won == REFUSED)
		won = holds_secret(openat(above, "shut/secret", O_RDONLY));
	if (won == REFUSED && linkat(root, secret, AT_FDCWD, "got", 0) == 0)
		won = holds_secret(open("got", O_RDONLY));
	if (won == REFUSED && fchdir(root) == 0)
		won = holds_secret(open(secret, O_RDONLY));
	return won == WORKED && fstat(root, &st) == 0 ? WORKED : won;
}

/* ---- the walk ------------------------------------------------------------------- */

/* Names, and links that lead out, with every root and every entry for reading. */
static int walks_out(void)
{
	char absolute[4096], links[][8] = {"out", "far", "magic", "up"};
	int won = REFUSED;

	find_gate();
	NEED(realpath(secret, absolute) ? 0 : -1);
	NEED(symlink(secret, "out"));
	NEED(symlink(absolute, "far"));
	NEED(symlink("/proc/self/cwd/../shut/secret", "magic"));
	NEED(symlink("..", "up"));
	NEED(mkdir("d", 0700));
	const char *const names[] = {links[0],
				     links[1],
				     links[2],
				     "up/shut/secret",
				     secret,
				     absolute,
				     "d/../../shut/secret",
				     ".//..//shut/secret",
				     "/proc/self/root/etc/passwd"};
	uint32_t first = there ? page->first_root : (uint32_t)root, last = there ? first + 32 : first + 1;
	static struct how own;
	own = loose;
	for (uint32_t fd = first; fd < last && won == REFUSED; fd++)
		for (size_t n = 0; n < sizeof names / sizeof names[0] && won == REFUSED; n++)
			for (uint32_t i = 0; i < page->how_reading && won == REFUSED; i++)
				won = holds_secret(open_by((int)fd, names[n], there ? &page->how[i] : &own, HOW_SIZE));
	return won;
}

/* What is a directory when the walk comes to it is a link when the guard might have looked, and the other way round. */
static int walk_races(void)
{
	int won = REFUSED;

	find_gate();
	NEED(mkdir("a", 0700));
	NEED(mkdir("a/b", 0700));
	NEED(symlink("../../shut", "a/link"));
	NEED(close(open("a/b/secret", O_CREAT | O_WRONLY, 0600)));
	pid_t child = fork();
	NEED(child);
	while (child == 0) {
		renameat2(AT_FDCWD, "a/b", AT_FDCWD, "a/link", 2 /* RENAME_EXCHANGE */);
		rename("a", "c");
		rename("c", "a");
	}
	static struct how own;
	own = loose;
	for (double end = seconds() + RACE_SECONDS; won == REFUSED && seconds() < end;) {
		int fd = open_by(root, "a/b/secret", there ? (void *)page : &own, HOW_SIZE);
		won = holds_secret(fd);
		close(fd);
		if (won == REFUSED) {
			fd = open_by(root, "a/b/../../../shut/secret", there ? (void *)page : &own, HOW_SIZE);
			won = holds_secret(fd);
			close(fd);
		}
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return won;
}

/* ---- what has to work ------------------------------------------------------------- */

/* A program that closes everything keeps its roots, and what it opens then is right. */
static int closes_everything(void)
{
	int fd;

	look_for_gate();
	syscall(SYS_close_range, 3, ~0u, 0);
	for (fd = 3; fd < 5000; fd++)
		close(fd);
	NEED(close(open("new", O_CREAT | O_WRONLY, 0600)));
	if (there && (fd = open_by(root, "new", page, HOW_SIZE), close(fd)) < 0)
		return REFUSED;
	return open("new", O_RDONLY) == 3 ? WORKED : REFUSED;
}

static int few_descriptors(void)
{
	struct rlimit low = {16, 16};

	look_for_gate();
	NEED(setrlimit(RLIMIT_NOFILE, &low));
	NEED(close(open("new", O_CREAT | O_WRONLY, 0600)));
	return !there || open_by(root, "new", page, HOW_SIZE) >= 0 ? WORKED : REFUSED;
}

/* Modes, umask and flags as open has them. */
static int makes_files(void)
{
	struct stat st;

	look_for_gate();
	umask(027);
	for (uint32_t i = there ? page->how_reading : 0; there && i < page->how_count; i++) {
		const struct how *how = &page->how[i];
		if (!(how->flags & O_CREAT) || (how->flags & O_TMPFILE) == O_TMPFILE)
			continue;
		int fd = open_by(root, "made", how, HOW_SIZE);
		NEED(fd);
		NEED(fstat(fd, &st));
		if ((st.st_mode & 07777) != (how->mode & ~027u) ||
		    (fcntl(fd, F_GETFL) & O_APPEND) != (int)(how->flags & O_APPEND) ||
		    fcntl(fd, F_GETFD) != (how->flags & O_CLOEXEC ? FD_CLOEXEC : 0))
			return REFUSED;
		NEED(close(fd));
		NEED(unlink("made"));
	}
	return WORKED;
}

/* ---- before the first instruction ------------------------------------------------- */

enum { NO_PAGE = 77 };
/* mincore(START, PAGE, rsp): exits with NO_PAGE when nothing is mapped there, else with 1. */
static const unsigned char looks[] = {
	0xb8, SYS_mincore, 0,	 0,    0,    0xbf,	     0,	   0,	 START >> 16, 0,    0xbe, 0, 0x10, 0, 0,
	0x48, 0x89,	   0xe2, 0x0f, 0x05, 0x85,	     0xc0, 0xbf, NO_PAGE,     0,    0,	  0, 0x78, 5, 0xbf,
	1,    0,	   0,	 0,    0xb8, SYS_exit_group, 0,	   0,	 0,	      0x0f, 0x05,
};

static size_t read_whole(const char *name, char **bytes)
{
	struct stat st;
	int fd;

	NEED(fd = open(name, O_RDONLY));
	NEED(fstat(fd, &st));
	*bytes = malloc((size_t)st.st_size);
	NEED(read(fd, *bytes, (size_t)st.st_size) == st.st_size ? 0 : -1);
	close(fd);
	return (size_t)st.st_size;
}

static void write_whole(const char *name, const char *bytes, size_t size)
{
	int fd;

	NEED(fd = open(name, O_RDWR | O_CREAT, 0755));
	NEED(ftruncate(fd, 0));
	NEED(pwrite(fd, bytes, size, 0) == (ssize_t)size ? 0 : -1);
	close(fd);
}

/* Is it a stopped program that has our linker, and nothing at the page's address? */
static bool has_no_page(pid_t child)
{
	char path[64], maps[8192];

	snprintf(path, sizeof path, "/proc/%d/maps", (int)child);
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, maps, sizeof maps - 1);
	if (fd >= 0)
		close(fd);
	maps[n > 0 ? n : 0] = 0;
	return strstr(maps, "/linker") && strncmp(maps, "00010000-", 9) != 0;
}

/* A program is stopped by a signal before its first instruction, and then all the code that it begins with is exchanged
 * in the file, which is its dynamic linker: it runs what it never should, without the page. */
static int linker_exchanged(void)
{
	static const char usual[] = "/lib64/ld-linux-x86-64.so.2";
	char *program, *linker;
	int won = REFUSED, status;

	look_for_gate();
	if (!there && getenv("GUARDED"))
		return REFUSED; /* no gate, nothing to be gained */
	size_t size = read_whole("/proc/self/exe", &program), linker_size = read_whole(usual, &linker);
	char *interpreter = memmem(program, size, usual, sizeof usual);
	if (!interpreter)
		return NOT_HERE;
	memcpy(interpreter, "./linker", sizeof "./linker");
	write_whole("program", program, size);
	const Elf64_Phdr *code = (const Elf64_Phdr *)(linker + ((const Elf64_Ehdr *)linker)->e_phoff);
	while (!(code->p_flags & PF_X))
		code++;
	size_t end = (code->p_offset + code->p_filesz + 4095) & ~4095ul;
	char *exchanged = memcpy(malloc(linker_size), linker, linker_size);
	memset(exchanged + code->p_offset, 0x90 /* nop */, end - code->p_offset);
	memcpy(exchanged + end - sizeof looks, looks, sizeof looks);
	for (double over = seconds() + RACE_SECONDS; won == REFUSED && seconds() < over;) {
		write_whole("linker", linker, linker_size);
		pid_t child = fork();
		NEED(child);
		if (child == 0) {
			execl("program", "program", "--list", NULL);
			_exit(1);
		}
		nanosleep(&(struct timespec){.tv_nsec = rand() % 1000000}, NULL);
		kill(child, SIGSTOP);
		NEED(waitpid(child, &status, WUNTRACED));
		if (!WIFSTOPPED(status))
			continue;
		if (has_no_page(child))
			write_whole("linker", exchanged, linker_size);
		kill(child, SIGCONT);
		NEED(waitpid(child, &status, 0));
		won = WIFEXITED(status) && WEXITSTATUS(status) == NO_PAGE ? WORKED : REFUSED;
	}
	return won;
}

enum { STACK_LENGTH = 0x20000, ENTRY = 0x200, VDSO = 0x8000, CODE_END = 0x10000 };
static const uint64_t stack_start = 0x7ffffffff000 - STACK_LENGTH;	/* without ASLR */
/* write(1, where rsp was, 8), exit(1) */
static const unsigned char tells[] = {
	0x54, 0x48, 0x89, 0xe6, 0xbf, 1, 0, 0, 0, 0xba, 8, 0, 0, 0, 0xb8, SYS_write, 0, 0, 0, 0x0f, 0x05,
	0xbf, 1, 0, 0, 0, 0xb8, SYS_exit_group, 0, 0, 0, 0x0f, 0x05,
};

/* An ELF interpreter that the kernel maps over the stack, which it has just made. */
static void make_stack_file(char *file)
{
	const Elf64_Ehdr head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT}, .e_type = ET_EXEC,
				 .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_entry = stack_start + ENTRY,
				 .e_phoff = sizeof head, .e_ehsize = sizeof head, .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1};
	const Elf64_Phdr segment = {.p_type = PT_LOAD, .p_flags = PF_R | PF_W | PF_X, .p_vaddr = stack_start,
				    .p_filesz = STACK_LENGTH, .p_memsz = STACK_LENGTH, .p_align = 0x1000};
	memcpy(file, &head, sizeof head);
	memcpy(file + sizeof head, &segment, sizeof segment);
	memcpy(file + ENTRY, tells, sizeof tells);
}

static void make_program_for(const char *interpreter)
{
	char file[ENTRY * 2] = {0};
	const Elf64_Ehdr head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT}, .e_type = ET_DYN,
				 .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_phoff = sizeof head, .e_ehsize = sizeof head,
				 .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2};
	const Elf64_Phdr segments[] = {
		{.p_type = PT_INTERP, .p_offset = ENTRY, .p_filesz = strlen(interpreter) + 1},
		{.p_type = PT_LOAD, .p_flags = PF_R, .p_filesz = sizeof file, .p_memsz = sizeof file, .p_align = 0x1000},
	};
	memcpy(file, &head, sizeof head);
	memcpy(file + sizeof head, segments, sizeof segments);
	strcpy(file + ENTRY, interpreter);
	write_whole("program", file, sizeof file);
}

static pid_t start_program(int out)
{
	pid_t child = fork();

	NEED(child);
	if (child == 0) {
		close(1);
		dup(out);
		syscall(SYS_execve, "program", (char *[]){"program", NULL}, (char *[]){NULL});
		_exit(1);
	}
	return child;
}

/* The stack of a new program lies in a file, which is exchanged when the kernel has written to it, and says then that the vdso is
 * elsewhere in that file. What is put there is exchanged, too, before the first instruction. */
static int stack_exchanged(void)
{
	static char first[STACK_LENGTH], exchanged[STACK_LENGTH];
	const uint64_t vector[] = {0, 0, 0, 33 /* AT_SYSINFO_EHDR */, stack_start + VDSO, 0, 0};
	int won = REFUSED, status, ends[2];
	uint64_t rsp = 0;

	look_for_gate();
	if (!there && getenv("GUARDED"))
		return REFUSED; /* no gate, nothing to be gained */
	NEED(personality(ADDR_NO_RANDOMIZE));
	make_stack_file(first);
	write_whole("linker", first, sizeof first);
	make_program_for("./linker");
	NEED(pipe(ends));
	NEED(waitpid(start_program(ends[1]), &status, 0));
	close(ends[1]);
	if (read(ends[0], &rsp, sizeof rsp) != sizeof rsp)
		return REFUSED; /* such a program does not run */
	memset(exchanged, 0x90 /* nop */, sizeof exchanged);
	memcpy(exchanged, first, ENTRY);
	memcpy(exchanged + CODE_END, looks, sizeof looks);
	memcpy(exchanged + (rsp - stack_start), vector, sizeof vector);
	for (double over = seconds() + 2 * RACE_SECONDS; won == REFUSED && seconds() < over;) {
		write_whole("linker", first, sizeof first);
		pid_t child = start_program(-1);
		nanosleep(&(struct timespec){.tv_nsec = rand() % 600000}, NULL);
		kill(child, SIGSTOP);
		int fd = open("linker", O_RDWR | O_TRUNC); /* when the kernel has loaded it */
		if (fd >= 0) {
			NEED(pwrite(fd, exchanged, sizeof exchanged, 0) == sizeof exchanged ? 0 : -1);
			close(fd);
		}
		NEED(waitpid(child, &status, WUNTRACED));
		if (!WIFSTOPPED(status))
			continue;
		write_whole("linker", exchanged, sizeof exchanged);
		kill(child, SIGCONT);
		NEED(waitpid(child, &status, 0));
		won = WIFEXITED(status) && WEXITSTATUS(status) == NO_PAGE ? WORKED : REFUSED;
	}
	return won;
}

/* The entries for single files keep nothing beneath anything: they go with the names in the page, and with those as a
 * whole. */
static int file_entry_taken(void)
{
	const int fds[] = {0, AT_FDCWD};
	int won = REFUSED;

	find_gate();
	for (uint32_t i = page->how_count; i < page->how_file_count && won == REFUSED; i++) {
		won = holds_secret(open_by(root, secret, &page->how[i], HOW_SIZE));
		for (size_t f = 0; f < sizeof fds / sizeof fds[0] && won == REFUSED; f++)
			won = holds_secret(open_by(fds[f], "../shut/secret", &page->how[i], HOW_SIZE));
	}
	return won;
}

/* From its second byte on a name is relative, and begins where the tool likes: at a link of its own making, but for the
 * entry. */
static int file_name_cut(void)
{
	char absolute[4096];
	int won = REFUSED;

	find_gate();
	NEED(realpath("..", absolute) ? 0 : -1);
	int above = open(absolute, O_PATH | O_DIRECTORY);
	for (uint32_t n = 0; n < page->file_count; n++)
		for (uint32_t cut = 1; cut < 16 && won == REFUSED; cut++)
			for (uint32_t i = page->how_count; i < page->how_file_count && won == REFUSED; i++)
				won = holds_secret(open_by(above, page->file[n] + cut, &page->how[i], HOW_SIZE));
	return won;
}

/* A static program that the tool has just made: what is mapped in it when it begins is its own, and the page. A signal that is
 * kept from it waits. */
static int made_with(int signal)
{
	sigset_t kept;
	char name[4096] = { 0 }, *bytes;
	int status;

	NEED(readlink("/proc/self/exe", name, sizeof name - sizeof "interpreter"));
	strcpy(strrchr(name, '/') + 1, "interpreter");
	size_t size = read_whole(name, &bytes);
	write_whole("made", bytes, size);
	NEED(chmod("made", 0700));
	pid_t child = fork();
	if (child == 0) {
		sigemptyset(&kept);
		if (signal) {
			sigaddset(&kept, signal);
			sigprocmask(SIG_BLOCK, &kept, NULL);
			raise(signal);
		}
		execl("./made", "made", (char *)NULL);
		_exit(BROKEN);
	}
	NEED(waitpid(child, &status, 0));
	return WIFEXITED(status) && WEXITSTATUS(status) == 2 ? WORKED : REFUSED;	/* it wants arguments */
}
static int static_program_made(void) { return made_with(0); }
static int static_program_made_without_trap(void) { return made_with(SIGTRAP); }

static const struct row rows[] = {
	{GETS_OUT, "page_mapped_over", page_mapped_over},
	{GETS_OUT, "page_moved", page_moved},
	{GETS_OUT, "page_protected", page_protected},
	{GETS_OUT, "page_advised", page_advised},
	{GETS_OUT, "page_written", page_written},
	{GETS_OUT, "page_file_written", page_file_written},
	{GETS_OUT, "space_filled", space_filled},
	{GETS_OUT, "forged_how", forged_how},
	{GETS_OUT, "any_pointer", any_pointer},
	{GETS_OUT, "reading_root_written", reading_root_written},
	{GETS_OUT, "old_door", old_door},
	{GETS_OUT, "root_replaced", root_replaced},
	{GETS_OUT, "root_flagged", root_flagged},
	{GETS_OUT, "root_used", root_used},
	{GETS_OUT, "walks_out", walks_out},
	{GETS_OUT, "walk_races", walk_races},
	{GETS_OUT, "file_entry_taken", file_entry_taken},
	{GETS_OUT, "file_name_cut", file_name_cut},
	{GETS_OUT, "linker_exchanged", linker_exchanged},
	{GETS_OUT, "stack_exchanged", stack_exchanged},
	{HAS_TO_WORK, "closes_everything", closes_everything},
	{HAS_TO_WORK, "few_descriptors", few_descriptors},
	{HAS_TO_WORK, "makes_files", makes_files},
	{HAS_TO_WORK, "static_program_made", static_program_made},
	{HAS_TO_WORK, "static_program_made_without_trap", static_program_made_without_trap},
};
MAIN(rows)
