/* SPDX-License-Identifier: MIT */
/*
 * probe.c - tries what there is, in a child that may be refused, killed or
 * stuck without harm, and makes levels of what was found.
 *
 * The table `needs` is the only place that says what a level takes, and which
 * levels this version has.
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempt.h"
#include "cleanup.h"
#include "shim_file.h"

enum {
	SOON_MS = 20,	   /* a try takes well under a millisecond */
	ATTEMPT_MS = 2000, /* one that hangs is refused */
	WAITS_MOST = 30,   /* times ATTEMPT_MS, for one that does not hang but gets no processor */
	FAMILY_MOST = 8,   /* processes of a try */
	TEXT_SIZE = 512,
};

/* What a child reports through its pipe, of each feature that it tried. */
struct report {
	int feature, error;
	char what[PROBE_WHY_SIZE];
};

static const struct {
	const char *name;
	attempt_function *attempt;
} features[FEATURE_COUNT] = {
	[FEATURE_PROC] = {"proc", attempt_proc},
	[FEATURE_OPENAT2] = {"openat2", attempt_openat2},
	[FEATURE_PTRACE] = {"ptrace", attempt_ptrace},
	[FEATURE_FILTER] = {"seccomp_filter", attempt_filter},
	[FEATURE_NOTIFY] = {"seccomp_notify_addfd", attempt_notify},
	[FEATURE_GATE] = {"gate", attempt_gate},
	[FEATURE_LANDLOCK] = {"landlock", attempt_landlock},
};

#define NEED(feature) (1U << (feature))
enum {
	NEED_PTRACE = NEED(FEATURE_PROC) | NEED(FEATURE_PTRACE),
	NEED_SECCOMP = NEED_PTRACE | NEED(FEATURE_FILTER),
	NEED_NOTIFY = NEED_SECCOMP | NEED(FEATURE_NOTIFY),
	NEED_GATE = NEED_SECCOMP | NEED(FEATURE_OPENAT2) | NEED(FEATURE_GATE),
};
static const struct {
	bool here;	   /* this version has it */
	unsigned features; /* NEED() of each */
	bool only_asked;   /* see probe.h */
} needs[LEVEL_COUNT] = {
	[LEVEL_PRELOAD] = {true, NEED(FEATURE_PROC), false},
	[LEVEL_PTRACE] = {true, NEED_PTRACE, false},
	[LEVEL_SECCOMP] = {true, NEED_SECCOMP, false},
	[LEVEL_NOTIFY] = {true, NEED_NOTIFY, true},
	[LEVEL_GATE] = {true, NEED_GATE, false},
};

const char *feature_name(enum feature feature)
{
	return features[feature].name;
}

/* The child, and what it makes, not on our processor: we go on with other work, and it would wait until that is done. It is told by
 * us, as it would first have to run. */
static void send_away(pid_t child)
{
	cpu_set_t set;
	int processor = sched_getcpu();

	if (processor < 0 || sched_getaffinity(child, sizeof(set), &set) < 0 || !CPU_ISSET((size_t)processor, &set) ||
	    CPU_COUNT(&set) < 2)
		return;
	CPU_CLR((size_t)processor, &set);
	sched_setaffinity(child, sizeof(set), &set);
}

/* The beginning of a file of /proc; "" when there is none. */
static void read_text(const char *path, char text[TEXT_SIZE])
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, TEXT_SIZE - 1);

	text[n > 0 ? n : 0] = 0;
}

/* The child, and what it has made: how many. */
static int family_of(pid_t child, pid_t family[FAMILY_MOST])
{
	char path[64], text[TEXT_SIZE], *end;
	int count = 0;

	family[count++] = child;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)child, (int)child);
	read_text(path, text);
	for (const char *at = text; count < FAMILY_MOST; at = end) {
		long pid = strtol(at, &end, 10);
		if (end == at)
			break;
		family[count++] = (pid_t)pid;
	}
	return count;
}

/* When we have nothing to do but to wait, it may have our processor, too: the other one may be somebody else's for long. */
static void call_back(pid_t child)
{
	pid_t family[FAMILY_MOST];
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return;
	for (int i = family_of(child, family) - 1; i >= 0; i--)
		sched_setaffinity(family[i], sizeof(set), &set);
}

/* Would it go on if it had a processor? On an overloaded machine a process of low priority may wait for one for seconds, and that must
 * not make the level another. proc(5), /proc/PID/stat: R running or runnable, D at what cannot be interrupted. */
static bool goes_on(pid_t child)
{
	pid_t family[FAMILY_MOST];
	char path[32], text[TEXT_SIZE];

	for (int i = family_of(child, family) - 1; i >= 0; i--) {
		snprintf(path, sizeof(path), "/proc/%d/stat", (int)family[i]);
		read_text(path, text);
		const char *name_end = strrchr(text, ')');
		if (name_end && (strncmp(name_end, ") R", 3) == 0 || strncmp(name_end, ") D", 3) == 0))
			return true;
	}
	return false;
}

/* As poll(2): 0 for a try that hangs. */
static int wait_for_report(pid_t child, int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	int ready = poll(&wait, 1, SOON_MS);

	if (ready == 0)
		call_back(child);
	for (int waits = 0; ready == 0 && waits < WAITS_MOST && (waits == 0 || goes_on(child)); waits++)
		ready = poll(&wait, 1, ATTEMPT_MS);
	return ready;
}

/* In the child: try, report, end. A refusal may be deadly (an outer filter): no core for that. */
static void attempt_and_exit(unsigned which, int fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	signal(SIGCHLD, SIG_DFL);
	for (unsigned i = 0; i < FEATURE_COUNT; i++) {
		struct report report = {.feature = (int)i};
		const char *what = "";
		if ((which & NEED(i)) == 0)
			continue;
		report.error = features[i].attempt(&what);
		snprintf(report.what, sizeof(report.what), "%s", what);
		if (write(fd, &report, sizeof(report)) != (ssize_t)sizeof(report))
			_exit(1);
	}
	attempt_end();
	_exit(0);
}

/* Why tracing may be refused where the kernel has it: what the administrator set. */
static void add_yama(char *why, size_t size)
{
	char scope = '0';
	int fd = open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, &scope, 1) == 1 && scope >= '2') {
		size_t used = strlen(why);
		snprintf(why + used, size - used, " (kernel.yama.ptrace_scope is %c)", scope);
	}
	if (fd >= 0)
		close(fd);
}

static void note(struct probe *probe, const struct report *report)
{
	struct probe_finding *finding = &probe->feature[report->feature];
	*finding = (struct probe_finding){.available = report->error == 0};
	if (report->error == -EPROTO)
		snprintf(finding->why, sizeof(finding->why), "%s", report->what);
	else if (report->error != 0)
		snprintf(finding->why, sizeof(finding->why), "%.100s: %s", report->what,
			 strerrordesc_np(-report->error));
	if (report->error == -EPERM && strcmp(report->what, "PTRACE_SEIZE") == 0)
		add_yama(finding->why, sizeof(finding->why));
}

/* What became of a child that stopped reporting. */
static struct report last_words(pid_t child, bool stuck)
{
	struct report report = {.error = -EPROTO};
	int status = 0;
	if (stuck)
		kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (stuck)
		snprintf(report.what, sizeof(report.what), "a try did not come to an end");
	else if (WIFSIGNALED(status))
		snprintf(report.what, sizeof(report.what), "a try was ended by SIG%s", sigabbrev_np(WTERMSIG(status)));
	else
		snprintf(report.what, sizeof(report.what), "a try ended without an answer");
	return report;
}

/* Take the reports of one child on the features `which`. Those for which a next child is needed. */
static unsigned read_reports(struct probe *probe, unsigned which, pid_t child, int fd)
{
	struct report report;
	int ready = 1;
	while (which != 0) {
		ready = wait_for_report(child, fd);
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0 || read(fd, &report, sizeof(report)) != (ssize_t)sizeof(report))
			break;
		note(probe, &report);
		which &= ~NEED(report.feature);
	}
	struct report last = last_words(child, ready == 0);
	if (which == 0)
		return 0;
	last.feature = __builtin_ctz(which); /* they are tried in this order: this one ended it */
	note(probe, &last);
	return which & ~NEED(last.feature);
}

/* A child that tries these, one after the other. 0 or -errno. */
static int try_in_child(struct probing *probing)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	probing->child = fork();
	if (probing->child == 0)
		attempt_and_exit(probing->features, ends[1]);
	int error = probing->child < 0 ? -errno : 0;
	if (error == 0)
		send_away(probing->child);
	close(ends[1]);
	probing->fd = ends[0];
	if (error < 0) {
		close(ends[0]);
		probing->child = 0;
	}
	return error;
}

/* What the child under way finds; and if a try is deadly, what another one finds of the rest. */
static void finish_tries(struct probing *probing, struct probe *probe)
{
	while (probing->features != 0) {
		int error = probing->child ? 0 : try_in_child(probing);
		if (error < 0) {
			struct report failure = {.feature = __builtin_ctz(probing->features),
						 .error = error,
						 .what = "starting a process"};
			note(probe, &failure);
			probing->features &= ~NEED(failure.feature);
			continue;
		}
		probing->features = read_reports(probe, probing->features, probing->child, probing->fd);
		close(probing->fd);
		probing->child = 0;
	}
}

static void try_features(struct probe *probe, unsigned which)
{
	struct probing probing = {.features = which};

	finish_tries(&probing, probe);
}

static void judge_level(struct probe *probe, enum level level)
{
	struct probe_finding *finding = &probe->level[level];
	*finding = (struct probe_finding){.available = needs[level].here, .only_asked = needs[level].only_asked};
	if (!needs[level].here) {
		snprintf(finding->why, sizeof(finding->why), "not in this version");
		return;
	}
	for (unsigned i = 0; i < FEATURE_COUNT && finding->available; i++) {
		if ((needs[level].features & NEED(i)) != 0 && !probe->feature[i].available)
			*finding = probe->feature[i];
	}
}

static void judge_levels(struct probe *probe)
{
	struct probe_finding *gate = &probe->level[LEVEL_GATE];
	char why[2 * PATH_MAX];
	cleanup_free char *shim = NULL;

	for (unsigned i = 0; i < LEVEL_COUNT; i++)
		judge_level(probe, (enum level)i);
	/* without it the level would give nothing */
	if (gate->available && shim_file_find(&shim, why, sizeof(why)) < 0) {
		*gate = (struct probe_finding){.available = false};
		snprintf(gate->why, sizeof(gate->why), "%.*s", PROBE_WHY_SIZE - 1, why);
	}
}

void probe_machine(struct probe *probe)
{
	memset(probe, 0, sizeof(*probe));
	try_features(probe, NEED(FEATURE_COUNT) - 1);
	judge_levels(probe);
}

/* What the levels need that may be taken. What the try of the filter shows as well is not tried by itself. */
void probing_begin(struct probing *probing, const struct level_wish *wish)
{
	*probing = (struct probing){0};
	for (unsigned i = 0; i < LEVEL_COUNT; i++)
		if (needs[i].here && (!wish->exactly || wish->enforce == (enum level)i))
			probing->features |= needs[i].features;
	if (probing->features & NEED(FEATURE_FILTER))
		probing->features &= ~NEED(FEATURE_PTRACE);
	if (probing->features)
		try_in_child(probing); /* what fails here is tried again, and told, at the end */
}

void probing_end(struct probing *probing, struct probe *probe)
{
	bool filter = probing->features & NEED(FEATURE_FILTER);

	memset(probe, 0, sizeof(*probe));
	finish_tries(probing, probe);
	if (filter && probe->feature[FEATURE_FILTER].available)
		probe->feature[FEATURE_PTRACE].available = true;
	else if (filter)
		try_features(probe, NEED(FEATURE_PTRACE));
	judge_levels(probe);
}

void probing_abandon(struct probing *probing)
{
	struct probe nobodys;

	if (!probing->child)
		return;
	/* to its end, in a millisecond or two: if it were killed, nobody would wait for what it has started */
	read_reports(&nobodys, probing->features, probing->child, probing->fd);
	close(probing->fd);
	*probing = (struct probing){0};
}

/* Does a search from the top down stop at this level? */
static bool taken(const struct probe *probe, enum level level, int least)
{
	return probe->level[level].available && (!probe->level[level].only_asked || (int)level == least);
}

/* The next level above that would have been taken, had it been there. If it is only that nobody asked, the next one. */
static int next_missed(const struct probe *probe, int best)
{
	for (int level = best + 1; level < LEVEL_COUNT; level++)
		if (!probe->level[level].available && !needs[level].only_asked)
			return level;
	return best + 1;
}

int level_choose(const struct probe *probe, const struct level_wish *wish, enum level *chosen,
		 char why[PROBE_WHY_SIZE + 64])
{
	const size_t size = PROBE_WHY_SIZE + 64;
	int best = LEVEL_COUNT - 1, least = wish->at_least ? (int)wish->require : 0;
	if (wish->exactly)
		best = (int)wish->enforce;
	else
		while (best >= least && !taken(probe, (enum level)best, least))
			best--;
	if (best < least || !probe->level[best].available) {
		/* Exactly that level is missing; or all from the least upwards are, and the least is what was asked
		 * for. */
		enum level missing = wish->exactly ? wish->enforce : wish->at_least ? wish->require : LEVEL_PTRACE;
		snprintf(why, size, "level %s is not available: %s", level_name(missing),
			 best < least && wish->exactly ? "a higher one is required" : probe->level[missing].why);
		return -EOPNOTSUPP;
	}
	*chosen = (enum level)best;
	why[0] = '\0';
	if (wish->exactly && best < LEVEL_COUNT - 1)
		snprintf(why, size, "asked for with --enforce");
	else if (best < LEVEL_COUNT - 1) {
		int missed = next_missed(probe, best);
		snprintf(why, size, "%s: %s", level_name((enum level)missed),
			 probe->level[missed].available ? "taken only with --enforce or --require"
							: probe->level[missed].why);
	}
	return 0;
}
