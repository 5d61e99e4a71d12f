/* SPDX-License-Identifier: MIT */
/*
 * notify_kernel.h - seccomp_unotify(2): what of it newer kernels have than
 * the headers that we are built with may know.
 */
#ifndef PICKET_TRACER_NOTIFY_KERNEL_H
#define PICKET_TRACER_NOTIFY_KERNEL_H

#include <linux/seccomp.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* Linux 5.19 */
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64) /* Linux 6.6 */
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

#endif
