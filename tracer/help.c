/* SPDX-License-Identifier: MIT */
/*
 * help.c - what a user is told of commands and options, from their tables.
 */
#include "help.h"

#include <errno.h>
#include <string.h>

#include "version.h"

enum { OPTION_COLUMN = 28, COMMAND_COLUMN = 46, OPTION_TEXT = 64 };

/* "run [options] -- COMMAND [ARG...]" */
static void usage_of(const struct command *command, char *text, size_t size)
{
	bool options = command_option(command, 1) != NULL;	/* more than --help */
	snprintf(text, size, "%s%s%s%s", command->name, options ? " [options]" : "",
		 *command->operands != '\0' ? " " : "", command->operands);
}

void help_overview(FILE *to)
{
	fprintf(to, "picket %s - run an untrusted tool under a policy, and write down every refusal\n\nUsage:\n",
		PICKET_VERSION);
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		char usage[OPTION_TEXT];
		usage_of(&commands[i], usage, sizeof(usage));
		fprintf(to, "  picket %-*s %s\n", COMMAND_COLUMN - 9, usage, commands[i].summary);
	}
	fprintf(to, "  picket %-*s %s\n", COMMAND_COLUMN - 9, "--version", "print the version");
	fputs("\nOptions of a command: picket help COMMAND. More: picket(1), picket-policy(5), picket-result(5).\n", to);
}

static void print_option(const struct option *option, FILE *to)
{
	char text[OPTION_TEXT];
	char letter[5] = "    ";
	if (option->letter != 0)
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	snprintf(text, sizeof(text), "%s--%s%s%s", letter, option->name, option->value != NULL ? " " : "",
		 option->value != NULL ? option->value : "");
	fprintf(to, "  %-*s %s%s\n", OPTION_COLUMN, text, option->help,
		option->repeatable && option->value != NULL ? " (repeatable)" : "");
}

void help_command(const struct command *command, FILE *to)
{
	char usage[OPTION_TEXT];
	usage_of(command, usage, sizeof(usage));
	fprintf(to, "Usage: picket %s\n\n%c%s.\n", usage, command->summary[0] - 'a' + 'A', command->summary + 1);
	if (*command->details != '\0')
		fprintf(to, "\n%s", command->details);
	for (size_t i = 0; i < COMMAND_GROUPS && command->groups[i] != NULL; i++) {
		const struct option_group *group = command->groups[i];
		fprintf(to, "\n%s options:\n", group->title);
		for (size_t k = 0; k < group->count; k++)
			print_option(&group->list[k], to);
	}
}

int help_words(char *const *words, unsigned count, FILE *to)
{
	if (count == 0) {
		help_overview(to);
		return 0;
	}
	unsigned used = 0;
	const struct command *command = command_find(words[0], count > 1 ? words[1] : NULL, &used);
	if (command != NULL && used == count) {
		help_command(command, to);
		return 0;
	}
	bool found = false;
	size_t length = strlen(words[0]);
	for (size_t i = 0; i < COMMAND_COUNT && count == 1; i++) {
		const char *name = commands[i].name;
		if (strncmp(name, words[0], length) != 0 || name[length] != ' ')
			continue;
		if (found)
			fputc('\n', to);
		help_command(&commands[i], to);
		found = true;
	}
	return found ? 0 : -ENOENT;
}
