/* SPDX-License-Identifier: MIT */
/* hash.c - see hash.h. */
#include "hash.h"

#include <errno.h>
#include <unistd.h>

#include "diag.h"
#include "run.h"

void hash_no_memory(void)
{
	diag_errno(ENOMEM, "Picket itself failed, and ended what it ran");
	_exit(EXIT_STATUS_PICKET);
}
