/* SPDX-License-Identifier: MIT */
/*
 * Exercise 7: calls that are none. io_uring takes requests from memory and carries them out in the kernel: after the ring is
 * made no system call opens the file, so none can be stopped.
 *
 * lab: preload=filter ptrace=supervisor seccomp=supervisor
 *
 * Question: who stops it at level preload, where calls by an instruction got through in exercise 2?
 * Answer:   the kernel, by a seccomp filter. A filter sees numbers only, no names, so it cannot judge an open; but that no
 *           tool may have a ring needs no name. What is refused to every tool is refused so at each level.
 */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT(base, offset) ((uint32_t *)((char *)(base) + (offset)))

/* By an instruction of its own, so that no library hears of it. */
static long make_ring(unsigned entries, struct io_uring_params *parameters)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(SYS_io_uring_setup), "D"(entries), "S"(parameters)
			 : "rcx", "r11", "memory");
	return result;
}

/* The result of one request. */
static int submit(int ring, const struct io_uring_params *p, const struct io_uring_sqe *request)
{
	size_t size = p->sq_off.array + p->sq_entries * sizeof(uint32_t);
	size_t answers = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);
	char *sq = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	char *cq = mmap(NULL, answers, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
	struct io_uring_sqe *requests = mmap(NULL, p->sq_entries * sizeof *requests, PROT_READ | PROT_WRITE, MAP_SHARED,
					     ring, IORING_OFF_SQES);

	if (sq == MAP_FAILED || cq == MAP_FAILED || requests == MAP_FAILED)
		return -1;
	requests[0] = *request;
	AT(sq, p->sq_off.array)[0] = 0;
	__atomic_store_n(AT(sq, p->sq_off.tail), *AT(sq, p->sq_off.tail) + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -1;
	return ((struct io_uring_cqe *)(cq + p->cq_off.cqes))[0].res;
}

int main(int argc, char **argv)
{
	struct io_uring_params parameters;
	struct io_uring_sqe request;
	char text[100];

	memset(&parameters, 0, sizeof parameters);
	memset(&request, 0, sizeof request);
	int ring = (int)make_ring(1, &parameters);
	if (ring < 0 || argc < 2)
		return 1;
	request.opcode = IORING_OP_OPENAT;
	request.fd = AT_FDCWD;
	request.addr = (uintptr_t)argv[1];
	int fd = submit(ring, &parameters, &request);
	ssize_t n = read(fd, text, sizeof text);
	return n <= 0 || fwrite(text, 1, (size_t)n, stdout) != (size_t)n;
}
