/* SPDX-License-Identifier: MIT */
/*
 * run.h - one run from the job to the result.
 */
#ifndef PICKET_TRACER_RUN_H
#define PICKET_TRACER_RUN_H

#include "job.h"

/* Do everything that `picket run` was asked. Says on stderr what failed. The exit status for the caller. */
int run_job(const struct job *job);

enum exit_status {
	EXIT_STATUS_VIOLATION = 123, /* --fail-on-violation */
	EXIT_STATUS_TIMEOUT = 124,
	EXIT_STATUS_PICKET = 125, /* Picket itself failed or refused to start */
	EXIT_STATUS_NOT_RUNNABLE = 126,
	EXIT_STATUS_NOT_FOUND = 127,
	EXIT_STATUS_SIGNAL = 128, /* plus the signal */
};

#endif
