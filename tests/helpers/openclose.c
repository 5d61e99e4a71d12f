/* SPDX-License-Identifier: MIT */
/* openclose N - opens and closes an allowed file N times: the call that a guard costs most. For bench.sh. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	for (long i = argc > 1 ? atol(argv[1]) : 1000; i > 0; i--) {
		int fd = open("/usr/include/stdio.h", O_RDONLY);
		if (fd < 0)
			return 1;
		close(fd);
	}
	return 0;
}
