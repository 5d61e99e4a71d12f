/* SPDX-License-Identifier: MIT */
/*
 * race.c - what was checked becomes something else before it is used. Each runs for about a second, from inside.
 * That a race is won bare says that the two sides do meet: bare nothing is checked, so it is won nearly at once.
 */
#include <netinet/in.h>

#include "trials.h"

enum { RACE_MS = 800 };
static volatile bool racing;
static volatile char shared_name[PATH_MAX];
static char good_name[PATH_MAX], bad_name[PATH_MAX];

static bool race_goes_on(void)
{
	static double end;
	if (end == 0)
		end = seconds() + RACE_MS / 1000.0;
	return racing = seconds() < end;
}

/* Reads fd if it is the secret and not the harmless file; true when it was. */
static bool spill_secret(int fd)
{
	char text[64] = "";
	if (fd < 0)
		return false;
	bool secret = read(fd, text, sizeof(text) - 1) > 0 && strncmp(text, "harmless", 8) != 0;
	if (secret)
		puts(text);
	close(fd);
	return secret;
}

static void prepare(const char *good, const char *bad)
{
	make_file("good", "harmless");
	snprintf(good_name, sizeof(good_name), "%s", good);
	snprintf(bad_name, sizeof(bad_name), "%s", bad);
	memcpy((char *)shared_name, good_name, sizeof(good_name));
	racing = true;
}

static void *flip_whole(void *unused)
{
	while (racing) {
		memcpy((char *)shared_name, bad_name, strlen(bad_name) + 1);
		memcpy((char *)shared_name, good_name, strlen(good_name) + 1);
	}
	return unused;
}

static void *flip_byte(void *unused)
{
	size_t last = strlen(good_name) - 1;
	while (racing) {
		shared_name[last] = bad_name[last];
		shared_name[last] = good_name[last];
	}
	return unused;
}

static pthread_t start(void *(*function)(void *))
{
	pthread_t thread;
	pthread_create(&thread, NULL, function, NULL);
	return thread;
}

TRIAL(race_name, LEAK, 0, "a thread rewrites the name")
{
	prepare(IN("good"), here.secret);
	pthread_t thread = start(flip_whole);
	while (race_goes_on() && !spill_secret((int)raw(SYS_open, shared_name, O_RDONLY)))
		;
	racing = false;
	pthread_join(thread, NULL);
}
TRIAL(race_name_byte, LEAK, 0, "a thread rewrites one byte of the name: two links inside, one leads out")
{
	symlink("good", "l0");
	symlink(here.secret, "l1");
	prepare(IN("l0"), IN("l1"));
	pthread_t thread = start(flip_byte);
	while (race_goes_on() && !spill_secret((int)raw(SYS_openat, AT_FDCWD, shared_name, O_RDONLY)))
		;
	racing = false;
	pthread_join(thread, NULL);
}
TRIAL(race_name_process, LEAK, 0, "another process rewrites the name in shared memory")
{
	prepare(IN("good"), here.secret);
	char *name = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child = fork();
	if (child == 0)
		for (;;) {
			strcpy(name, bad_name);
			strcpy(name, good_name);
		}
	while (race_goes_on() && !spill_secret((int)raw(SYS_open, name, O_RDONLY)))
		;
	kill(child, SIGKILL);
	wait_for(child);
}
TRIAL(race_name_unlink, CHANGE, 0, "a thread rewrites the name that is removed")
{
	prepare(IN("none"), here.victim);
	pthread_t thread = start(flip_whole);
	while (race_goes_on() && raw(SYS_unlink, shared_name) < 0)
		;
	racing = false;
	pthread_join(thread, NULL);
}
TRIAL(race_name_exec, RUN, 0, "a thread rewrites the name of the program")
{
	prepare("/usr/bin/true", here.intruder);
	char *arguments[] = {"x", NULL};
	char *name = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child = fork();
	if (child == 0)
		for (;;) {
			strcpy(name, bad_name);
			strcpy(name, good_name);
		}
	while (race_goes_on()) {
		pid_t other = fork();
		if (other == 0) {
			raw(SYS_execve, name, arguments, NULL);
			_exit(1);
		}
		wait_for(other);
	}
	kill(child, SIGKILL);
	wait_for(child);
}
TRIAL(race_arguments_exec, LEAK, 0, "a process rewrites the argument of an allowed program")
{
	prepare(IN("good"), here.secret);
	char *name = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child = fork();
	if (child == 0)
		for (;;) {
			strcpy(name, bad_name);
			strcpy(name, good_name);
		}
	while (race_goes_on())
		run("/usr/bin/cat", name, NULL);
	kill(child, SIGKILL);
	wait_for(child);
}
TRIAL(race_symlink, LEAK, 0, "a process flips a symbolic link between a harmless file and the secret")
{
	prepare("good", "bad");
	symlink("good", "a");
	symlink(here.secret, "b");
	symlink("good", "link");
	pid_t child = fork();
	if (child == 0)
		for (;;)
			renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE);
	while (race_goes_on() && !spill_secret(open("a", O_RDONLY)))
		;
	kill(child, SIGKILL);
	wait_for(child);
}
TRIAL(race_directory, LEAK, 0, "a process exchanges a directory with a symbolic link to the vault")
{
	prepare("good", "bad");
	mkdir("d", 0755);
	make_file("d/secret", "harmless");
	symlink(here.vault, "l");
	pid_t child = fork();
	if (child == 0)
		for (;;)
			renameat2(AT_FDCWD, "d", AT_FDCWD, "l", RENAME_EXCHANGE);
	while (race_goes_on() && !spill_secret(open("d/secret", O_RDONLY)))
		;
	kill(child, SIGKILL);
	wait_for(child);
}
/* `attempt`, again and again, while d is now a directory of its own, now the vault. */
static void while_exchanged(void (*attempt)(void))
{
	mkdir("d", 0755);
	symlink(here.vault, "l");
	pid_t child = fork();
	if (child == 0)
		for (;;)
			renameat2(AT_FDCWD, "d", AT_FDCWD, "l", RENAME_EXCHANGE);
	while (race_goes_on())
		attempt();
	kill(child, SIGKILL);
	wait_for(child);
}
static void create_there(void)
{
	close(open("d/new", O_WRONLY | O_CREAT, 0644));
}
TRIAL(race_directory_create, CHANGE, 0, "the same, making a file")
{
	while_exchanged(create_there);
}
static void remove_there(void)
{
	unlink("d/victim");
}
TRIAL(race_directory_remove, CHANGE, 0, "the same, removing one")
{
	while_exchanged(remove_there);
}
static void mode_there(void)
{
	chmod("d/victim", 0601);
}
TRIAL(race_directory_mode, CHANGE, 0, "the same, changing the mode of one")
{
	while_exchanged(mode_there);
}
static void link_there(void)
{
	if (link("d/victim", "linked") == 0)
		scribble(open("linked", O_WRONLY));
}
TRIAL(race_directory_link, CHANGE, 0, "the same, linking one, then writing through the link")
{
	while_exchanged(link_there);
}
static void execute_there(void)
{
	pid_t child = vfork();
	if (child == 0) {
		execl("d/intruder", "intruder", NULL);
		_exit(1);
	}
	wait_for(child);
}
TRIAL(race_directory_execute, RUN, 0, "the same, executing one")
{
	while_exchanged(execute_there);
}
TRIAL(race_name_file, LEAK, 0, "another process writes to the file in which the mapped name lies")
{
	char good[PATH_MAX] = "good", bad[PATH_MAX] = "";
	make_file("good", "harmless");
	snprintf(bad, sizeof(bad), "%s", here.secret);
	int fd = open("name", O_RDWR | O_CREAT, 0600);
	if (write(fd, good, sizeof(good)) < 0)
		return;
	const char *name = mmap(NULL, sizeof(good), PROT_READ, MAP_SHARED, fd, 0);
	pid_t child = fork();
	while (child == 0)
		if (pwrite(fd, bad, sizeof(bad), 0) < 0 || pwrite(fd, good, sizeof(good), 0) < 0)
			_exit(1);
	while (race_goes_on() && !spill_secret(open(name, O_RDONLY)))
		;
	kill(child, SIGKILL);
	wait_for(child);
}
/* d/e/f/../../vault is a harmless directory of that name, f/../../vault and d/../../vault are the vault. */
static void two_vaults(void)
{
	prepare("good", "bad");
	mkdir("d", 0755);
	mkdir("d/e", 0755);
	mkdir("d/e/f", 0755);
	mkdir("d/vault", 0755);
	make_file("d/vault/secret", "harmless");
}
TRIAL(race_directory_move, LEAK, 0, "a process moves the directory that a name with .. starts from")
{
	two_vaults();
	int directory = open("d/e/f", O_PATH);
	pid_t child = fork();
	if (child == 0)
		for (;;) {
			rename("d/e/f", "f");
			rename("f", "d/e/f");
		}
	while (race_goes_on() && !spill_secret(openat(directory, "../../vault/secret", O_RDONLY)))
		;
	kill(child, SIGKILL);
	wait_for(child);
}
static void *flip_directory(void *unused)
{
	while (racing && chdir(IN("d/e/f")) == 0 && chdir(IN("d")) == 0)
		;
	return unused;
}
TRIAL(race_cwd, LEAK, 0, "a thread changes the working directory under a name with ..")
{
	two_vaults();
	pthread_t thread = start(flip_directory);
	while (race_goes_on() && !spill_secret(open("../../vault/secret", O_RDONLY)))
		;
	racing = false;
	pthread_join(thread, NULL);
}
static volatile int flipped;
static int harmless_directory, bad_directory;
static void *flip_descriptor(void *unused)
{
	while (racing) {
		dup2(bad_directory, flipped);
		dup2(harmless_directory, flipped);
	}
	return unused;
}
TRIAL(race_descriptor, LEAK, 0, "a thread replaces the directory descriptor")
{
	prepare("good", "bad");
	mkdir("d", 0755);
	make_file("d/secret", "harmless");
	harmless_directory = open("d", O_PATH), bad_directory = open(here.vault, O_PATH),
	flipped = dup(harmless_directory);
	pthread_t thread = start(flip_descriptor);
	while (race_goes_on() && !spill_secret(openat(flipped, "secret", O_RDONLY)))
		;
	racing = false;
	pthread_join(thread, NULL);
}
/* In a thread that has descriptors of its own: what is flipped are those that /proc/self shows, the first thread's. */
static int read_through_self(void *unused)
{
	char name[64];
	(void)unused;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", flipped);
	while (race_goes_on() && !spill_secret(open(name, O_RDONLY)))
		;
	racing = false;
	return 0;
}
TRIAL(race_descriptor_of_thread, LEAK, 0, "a thread replaces what /proc/self/fd/N is to one with other descriptors")
{
	static char stack[1 << 18];
	prepare("good", "bad");
	harmless_directory = open("good", O_PATH), bad_directory = open(here.secret, O_PATH),
	flipped = dup(harmless_directory);
	clone(read_through_self, stack + sizeof(stack), CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, NULL);
	flip_descriptor(NULL);
}
static struct sockaddr_un race_address;
static char race_path[108];
static void *flip_address(void *unused)
{
	while (racing) {
		strcpy(race_address.sun_path, race_path);
		strcpy(race_address.sun_path, "good.sock");
	}
	return unused;
}
TRIAL(race_address_connect, CONTACT, 0, "a thread rewrites the address of a connect")
{
	race_address = (struct sockaddr_un){.sun_family = AF_UNIX, .sun_path = "good.sock"};
	snprintf(race_path, sizeof(race_path), "%.107s", OUT("stream.sock"));
	racing = true;
	pthread_t thread = start(flip_address);
	while (race_goes_on()) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		connect(fd, (struct sockaddr *)&race_address, sizeof(race_address));
		close(fd);
	}
	pthread_join(thread, NULL);
}
static volatile struct {
	uint64_t flags, mode, resolve;
} race_how;
static void *flip_how(void *unused)
{
	while (racing) {
		race_how.flags = O_WRONLY | O_TRUNC;
		race_how.flags = O_RDONLY;
	}
	return unused;
}
TRIAL(race_flags, CHANGE, 0, "a thread rewrites the flags of openat2, from reading to truncating")
{
	racing = true;
	pthread_t thread = start(flip_how);
	while (race_goes_on())
		close((int)raw(SYS_openat2, AT_FDCWD, here.page, &race_how, sizeof(race_how)));
	pthread_join(thread, NULL);
}
