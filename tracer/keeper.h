/* SPDX-License-Identifier: MIT */
/*
 * keeper.h - a process between the launcher and a tool that nobody traces:
 * every orphan of the run becomes its child, and it sees to it that nothing outlives the run, nor the launcher.
 */
#ifndef PICKET_TRACER_KEEPER_H
#define PICKET_TRACER_KEEPER_H

#include <stdbool.h>
#include <sys/types.h>

#include "launch.h"
#include "usage.h"

/* What the keeper tells: first whether the tool came to run, then how it ended. */
struct keeper_word {
	struct launch_trouble trouble;
	pid_t tool;
	bool over;		  /* the second word */
	int status;		  /* as waitpid(2) gives it; this and the next in the second word only */
	struct usage_spent spent; /* by all that the keeper has waited for */
};

struct keeper {
	pid_t pid;
	int words; /* reads struct keeper_word; ends with the keeper */
};

/* Start it, and let it start the tool. It ends when the tool has, or at SIGTERM, or with us; nothing of the run is left
 * then. 0 or -errno. */
int keeper_start(struct keeper *keeper, const struct launch *launch);

/* Wait for its end, which has begun or is asked for here; then nothing of the run is left. */
void keeper_finish(const struct keeper *keeper);

/* Kill all that descends from this process until nothing is left of it: waits for its end. */
void keeper_end_all(void);

#endif
