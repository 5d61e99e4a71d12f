/* SPDX-License-Identifier: MIT */
/* intruder_library.c - a library that nothing allows to load; it says that it was. */
#include <unistd.h>

__attribute__((constructor)) static void loaded(void)
{
	if (write(1, "INTRUDER-RAN\n", 13) < 0)
		_exit(1);
}
