/* SPDX-License-Identifier: MIT */
/* greeter.c - a plugin that greets by a name from its environment, and with --phone-home tries to reach 127.0.0.1:PORT. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int phone_home(const char *port)
{
	struct sockaddr_in home = { .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, "127.0.0.1", &home.sin_addr);
	if (fd < 0 || connect(fd, (struct sockaddr *)&home, sizeof home)) {
		perror("greeter: phone home");
		return 1;
	}
	puts("phoned home");
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = getenv("GREETER_NAME");

	if (argc > 2 && strcmp(argv[1], "--phone-home") == 0)
		return phone_home(argv[2]);
	printf("hello, %s\n", name ? name : "whoever you are");
	return 0;
}
