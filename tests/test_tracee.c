/* SPDX-License-Identifier: MIT */
/*
 * test_tracee.c - what tasks share, asked of the kernel about real children made with every combination of clone's
 * flags; and the books that are kept of processes.
 */
#include "regs.h"
#include "tracee.h"

#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>

#include "policy_help.h"
#include "process_tree.h"
#include "traced.h"

static struct tracees all;
static pid_t maker_tid, child_tid;

static void setup(void)
{
	help_setup();
	memset(&all, 0, sizeof all);
	maker_tid = child_tid = 0;
}

static void teardown(void)
{
	tracee_free(&all);
	ck_assert_uint_eq(all.kept_open, 0);
	ck_assert_uint_eq(all.task_count, 0);
	ck_assert_ptr_null(all.tasks);
	ck_assert_ptr_null(all.processes);
	ck_assert_uint_eq(all.leaves, 0);
	if (child_tid) /* before its maker: a thread group's first thread is waited for last */
		traced_end(child_tid);
	if (maker_tid)
		traced_end(maker_tid);
	help_teardown();
}

/* ---- sharing ------------------------------------------------------------ */

static const unsigned long memory_flags[] = {0, CLONE_VM, CLONE_VM | CLONE_SIGHAND,
					     CLONE_VM | CLONE_SIGHAND | CLONE_THREAD};
static const unsigned long other_flags[] = {CLONE_FS, CLONE_FILES, CLONE_VFORK, CLONE_PARENT};
enum { COMBINATIONS = 4 * 16 };
static unsigned long flags;

static void make(void)
{
	static char stack[65536];

	syscall(SYS_clone, flags | SIGCHLD, stack + sizeof stack - 64, NULL, NULL, 0);
	for (;;) /* the new one would come here as well; it is never let go */
		pause();
}

static unsigned long combination(int i)
{
	unsigned long chosen = memory_flags[i & 3];

	for (int bit = 0; bit < 4; bit++)
		if (i >> 2 & 1 << bit)
			chosen |= other_flags[bit];
	return chosen;
}

/* Start a maker, and let it make a task with these flags; both are stopped then. How it was reported. */
static int make_with(unsigned long chosen)
{
	unsigned long number;

	flags = chosen;
	maker_tid = traced_before(make, PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE);
	ck_assert_int_eq(ptrace(PTRACE_CONT, maker_tid, NULL, NULL), 0);
	int event = traced_wait(maker_tid) >> 16;
	ck_assert_int_ne(event, 0);
	ck_assert_int_eq(ptrace(PTRACE_GETEVENTMSG, maker_tid, NULL, &number), 0);
	child_tid = (pid_t)number;
	traced_wait(child_tid);
	return event;
}

START_TEST(what_is_shared_is_what_the_kernel_says)
{
	unsigned long chosen = combination(_i);
	int event = make_with(chosen);
	int64_t told = _i < COMBINATIONS ? -1 : regs_clone_flags(maker_tid); /* by the registers of its maker */
	bool vm = chosen & CLONE_VM, fs = chosen & CLONE_FS, files = chosen & CLONE_FILES,
	     thread = chosen & CLONE_THREAD;
	bool vfork = event == PTRACE_EVENT_VFORK;

	ck_assert_int_eq(vfork, (chosen & CLONE_VFORK) != 0);
	ck_assert_int_eq(told, _i < COMBINATIONS ? -1 : (int64_t)(chosen | SIGCHLD));
	struct task *maker = tracee_add(&all, maker_tid, NULL, false, -1);
	ck_assert(tracee_private_memory(maker) && tracee_private_files(maker) && tracee_private_fs(maker));
	struct task *child = tracee_add(&all, child_tid, maker, vfork, told);

	ck_assert_msg((child->memory == maker->memory) == vm, "memory: %#lx", chosen);
	ck_assert_msg((child->files == maker->files) == files, "files: %#lx", chosen);
	ck_assert_msg((child->fs == maker->fs) == fs, "fs: %#lx", chosen);
	ck_assert_msg((child->process == maker->process) == thread, "process: %#lx", chosen);
	ck_assert(tracee_private_files(maker) == !files && tracee_private_files(child) == !files);
	ck_assert(tracee_private_fs(maker) == !fs && tracee_private_fs(child) == !fs);
	ck_assert_int_eq(tracee_private_memory(maker), !vm);
	ck_assert_int_eq(tracee_private_memory(child), !vm);
	/* one that sleeps in vfork touches nothing while it lives */
	ck_assert_int_eq(tracee_lent_memory(child), vm && vfork);
	ck_assert(!tracee_lent_memory(maker));
	ck_assert(tracee_is_ours(&all, maker_tid) && tracee_is_ours(&all, child_tid));
	ck_assert_uint_eq(all.task_count, 2);
	ck_assert_uint_eq(all.processes_seen, thread ? 1 : 2);
	ck_assert_int_eq(child->process->parent, thread ? 0 : maker_tid);

	tracee_remove(&all, child);
	ck_assert(tracee_private_memory(maker) && tracee_private_files(maker) && tracee_private_fs(maker));
	ck_assert(!tracee_is_ours(&all, child_tid));
}
END_TEST

START_TEST(an_exec_leaves_nothing_shared_but_the_directory)
{
	unsigned long chosen = combination(_i);
	int event = make_with(chosen);
	bool fs = chosen & CLONE_FS;

	if (chosen & CLONE_THREAD)
		return; /* its process would have lost its other threads */
	struct task *maker = tracee_add(&all, maker_tid, NULL, false, -1);
	struct task *child = tracee_add(&all, child_tid, maker, event == PTRACE_EVENT_VFORK, -1);
	child->memory->slots_mapped = true;
	child->approved.loader_ino = 1;
	child->exec_name = strdup("/usr/bin/program");
	tracee_exec(&all, child);
	ck_assert(tracee_private_memory(maker) && tracee_private_memory(child));
	ck_assert(tracee_private_files(maker) && tracee_private_files(child));
	ck_assert(tracee_private_fs(maker) == !fs && tracee_private_fs(child) == !fs);
	ck_assert(!child->memory->slots_mapped);
	ck_assert(child->process->dynamic && !maker->process->dynamic);
	ck_assert_str_eq(tracee_exe(child->process), "/usr/bin/program");
	ck_assert_ptr_null(child->vfork_parent);
}
END_TEST

/* It may have been made before another thread of its maker had the slots mapped, which is seen first. */
START_TEST(a_copy_of_memory_is_taken_to_have_no_slots)
{
	make_with(_i ? CLONE_FILES : CLONE_VM);
	struct task *maker = tracee_add(&all, maker_tid, NULL, false, -1);
	maker->memory->slots_mapped = true;
	struct task *child = tracee_add(&all, child_tid, maker, false, -1);
	ck_assert_int_eq(child->memory->slots_mapped, _i == 0);
}
END_TEST

/* What was put into memory is in its copies, and not in the next program's; a filter is in both. */
START_TEST(a_copy_of_memory_has_the_code_that_was_put_there)
{
	make_with(_i ? CLONE_FILES : CLONE_VM);
	struct task *maker = tracee_add(&all, maker_tid, NULL, false, -1);
	maker->memory->absent = (struct absent){.site = 1, .count = 2, .room = 3, .never = true};
	maker->process->filtered = true;
	struct task *child = tracee_add(&all, child_tid, maker, false, -1);
	ck_assert_uint_eq(child->memory->absent.site, 1);
	ck_assert_uint_eq(child->memory->absent.room, 3);
	ck_assert(child->memory->absent.never && child->process->filtered);
	tracee_exec(&all, child);
	ck_assert(child->memory->absent.room == 0 && !child->memory->absent.never && child->process->filtered);
	ck_assert_uint_eq(maker->memory->absent.room, 3);
}
END_TEST

START_TEST(memory_that_had_threads_gets_no_code)
{
	make_with(_i ? CLONE_VM | CLONE_SIGHAND | CLONE_THREAD : CLONE_VM | CLONE_SIGHAND);
	struct task *maker = tracee_add(&all, maker_tid, NULL, false, -1);
	struct task *child = tracee_add(&all, child_tid, maker, false, -1);
	ck_assert_int_eq(maker->memory->absent.never, _i);
	tracee_remove(&all, child);
	ck_assert_int_eq(maker->memory->absent.never, _i);
}
END_TEST

START_TEST(what_cannot_be_asked_counts_as_shared_for_ever)
{
	make_with(CLONE_PARENT); /* a child of ours, so that we have its end */
	struct task *maker = tracee_add(&all, maker_tid, NULL, false, -1);
	traced_end(child_tid); /* the kernel knows nothing of it any more */
	struct task *child = tracee_add(&all, child_tid, maker, false, -1);
	child_tid = 0;
	ck_assert(!tracee_private_memory(child) && !tracee_private_files(child) && !tracee_private_fs(child));
	tracee_remove(&all, child);
	ck_assert(!tracee_private_memory(maker) && !tracee_private_files(maker) && !tracee_private_fs(maker));
}
END_TEST

START_TEST(a_vfork_child_is_not_alone_beside_a_third)
{
	make_with(CLONE_VM | CLONE_VFORK);
	struct task *maker = tracee_add(&all, maker_tid, NULL, false, -1);
	struct task *child = tracee_add(&all, child_tid, maker, true, -1);
	ck_assert(tracee_lent_memory(child));
	child->memory->users++; /* another thread of the maker */
	ck_assert(!tracee_lent_memory(child));
	child->memory->users--;
	child->memory->restless = true;
	ck_assert(!tracee_lent_memory(child));
}
END_TEST

/* The maker may be killed while its vfork child runs on. */
START_TEST(a_vfork_child_outlives_its_maker)
{
	make_with(CLONE_VM | CLONE_VFORK);
	struct task *maker = tracee_add(&all, maker_tid, NULL, false, -1);
	struct task *child = tracee_add(&all, child_tid, maker, true, -1);
	tracee_remove(&all, maker);
	ck_assert_ptr_null(child->vfork_parent);
	ck_assert(tracee_private_memory(child));
}
END_TEST

/* ---- books -------------------------------------------------------------- */

START_TEST(who_was_let_make_a_task_is_counted_once)
{
	struct task *a = tracee_add(&all, getpid(), NULL, false, -1), *b = tracee_add(&all, getppid(), NULL, false, -1);

	tracee_forking(a, true);
	tracee_forking(a, true);
	tracee_forking(b, true);
	ck_assert_uint_eq(all.forking, 2);
	tracee_forking(a, false);
	tracee_forking(a, false);
	ck_assert_uint_eq(all.forking, 1);
	tracee_remove(&all, b);
	ck_assert_uint_eq(all.forking, 0);
}
END_TEST

/* Numbers that nobody has: the kernel tells nothing of them, and each is a process of its own. */
static struct task *made_by(struct task *maker)
{
	static pid_t number = INT_MAX;
	struct task *task = tracee_add(&all, number--, maker, false, -1);

	ck_assert_ptr_nonnull(task);
	return task;
}

START_TEST(a_chain_of_processes_has_one_leaf)
{
	struct task *first = made_by(NULL), *second = made_by(first), *third = made_by(second);

	ck_assert_uint_eq(all.leaves, 1);
	ck_assert_uint_eq(first->process->children, 1);
	ck_assert_uint_eq(third->process->children, 0);
	/* an end gives the parent back */
	tracee_remove(&all, third);
	ck_assert_uint_eq(second->process->children, 0);
	ck_assert_uint_eq(all.leaves, 1);
	tracee_remove(&all, second);
	ck_assert_uint_eq(all.leaves, 1);
	tracee_remove(&all, first);
	ck_assert_uint_eq(all.leaves, 0);
}
END_TEST

START_TEST(two_children_of_one_are_two_leaves)
{
	struct task *parent = made_by(NULL), *one = made_by(parent), *other = made_by(parent);

	ck_assert_uint_eq(all.leaves, 2);
	ck_assert_uint_eq(parent->process->children, 2);
	struct task *grandchild = made_by(one);
	ck_assert_uint_eq(all.leaves, 2);
	tracee_remove(&all, other);
	ck_assert_uint_eq(all.leaves, 1);
	tracee_remove(&all, grandchild);
	tracee_remove(&all, one);
	ck_assert_uint_eq(all.leaves, 1);
	ck_assert_uint_eq(parent->process->children, 0);
	tracee_remove(&all, parent);
	ck_assert_uint_eq(all.leaves, 0);
}
END_TEST

START_TEST(an_orphan_counts_though_its_maker_is_gone)
{
	struct task *first = made_by(NULL), *maker = made_by(first), *orphan = made_by(maker);

	tracee_remove(&all,
		      maker); /* so the first has none that lives, as far as is known: it did not make the orphan */
	ck_assert_uint_eq(first->process->children, 0);
	ck_assert_uint_eq(all.leaves, 2);
	struct task *child = made_by(orphan);
	ck_assert_uint_eq(all.leaves, 2);
	tracee_remove(&all, child);
	tracee_remove(&all, orphan); /* whose maker is in no table */
	ck_assert_uint_eq(all.leaves, 1);
	tracee_remove(&all, first);
	ck_assert_uint_eq(all.leaves, 0);
}
END_TEST

/* Threads are no processes: the last of them is the end of theirs. */
START_TEST(a_process_is_a_leaf_until_its_last_thread_ends)
{
	make_with(CLONE_VM | CLONE_SIGHAND | CLONE_THREAD);
	struct task *first = tracee_add(&all, maker_tid, NULL, false, -1),
		    *thread = tracee_add(&all, child_tid, first, false, -1);
	struct task *child = made_by(thread);

	ck_assert_ptr_eq(thread->process, first->process);
	ck_assert_uint_eq(all.leaves, 1);
	tracee_remove(&all, child);
	tracee_remove(&all, first);
	ck_assert_uint_eq(all.leaves, 1);
	tracee_remove(&all, thread);
	ck_assert_uint_eq(all.leaves, 0);
}
END_TEST

/* One that is found, and not reported: its parent is asked of the kernel. */
START_TEST(an_adopted_process_is_its_parents_child)
{
	tree_setup();
	pid_t number = tree_child(NULL);
	struct task *parent = tracee_add(&all, getpid(), NULL, false, -1), *child = tracee_adopt(&all, number);

	ck_assert_int_eq(child->process->parent, getpid());
	ck_assert(child->process->filtered && !parent->process->filtered); /* another may have made it */
	ck_assert_uint_eq(parent->process->children, 1);
	ck_assert_uint_eq(all.leaves, 1);
	struct task *stranger = tracee_adopt(&all, 1); /* its parent is nobody known */
	ck_assert_uint_eq(all.leaves, 2);
	tracee_remove(&all, child);
	tracee_remove(&all, stranger);
	ck_assert_uint_eq(all.leaves, 1);
	ck_assert_uint_eq(parent->process->children, 0);
	tree_teardown();
}
END_TEST

/* It has left the tables, and keeps its number until this process, here as a process of the run, waits for it. */
START_TEST(a_child_that_nobody_has_waited_for_has_ended)
{
	tree_setup();
	pid_t child = tree_ended(), living = tree_child(NULL), orphan = tree_grandchild(NULL, true, NULL);

	ck_assert(!tracee_ended(&all, child)); /* a stranger's */
	tracee_add(&all, getpid(), NULL, false, -1);
	ck_assert(tracee_ended(&all, child) && !tracee_is_ours(&all, child));
	ck_assert(!tracee_ended(&all, living) && !tracee_ended(&all, orphan) && !tracee_ended(&all, getpid()));
	ck_assert(!tracee_ended(&all, 0) && !tracee_ended(&all, -1) && !tracee_ended(&all, 1) &&
		  !tracee_ended(&all, INT_MAX));
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert(!tracee_ended(&all, child));
	tree_teardown();
}
END_TEST

START_TEST(the_program_of_a_process_has_a_name)
{
	char self[PATH_MAX];
	struct task *task = tracee_add(&all, getpid(), NULL, false, -1),
		    *nobody = tracee_add(&all, INT_MAX, NULL, false, -1);
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	ck_assert_int_gt(n, 0);
	self[n] = 0;
	ck_assert_str_eq(tracee_exe(task->process), self);
	ck_assert_str_eq(tracee_exe(nobody->process), "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tracee");
	TCase *tests = tcase_create("tracee");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, what_is_shared_is_what_the_kernel_says, 0, 2 * COMBINATIONS);
	tcase_add_loop_test(tests, an_exec_leaves_nothing_shared_but_the_directory, 0, COMBINATIONS);
	tcase_add_loop_test(tests, a_copy_of_memory_is_taken_to_have_no_slots, 0, 2);
	tcase_add_loop_test(tests, a_copy_of_memory_has_the_code_that_was_put_there, 0, 2);
	tcase_add_loop_test(tests, memory_that_had_threads_gets_no_code, 0, 2);
	tcase_add_test(tests, what_cannot_be_asked_counts_as_shared_for_ever);
	tcase_add_test(tests, a_vfork_child_is_not_alone_beside_a_third);
	tcase_add_test(tests, a_vfork_child_outlives_its_maker);
	tcase_add_test(tests, who_was_let_make_a_task_is_counted_once);
	tcase_add_test(tests, a_chain_of_processes_has_one_leaf);
	tcase_add_test(tests, two_children_of_one_are_two_leaves);
	tcase_add_test(tests, an_orphan_counts_though_its_maker_is_gone);
	tcase_add_test(tests, a_process_is_a_leaf_until_its_last_thread_ends);
	tcase_add_test(tests, an_adopted_process_is_its_parents_child);
	tcase_add_test(tests, a_child_that_nobody_has_waited_for_has_ended);
	tcase_add_test(tests, the_program_of_a_process_has_a_name);
	suite_add_tcase(suite, tests);
	return help_run(suite);
}
