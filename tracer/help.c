/* SPDX-License-Identifier: MIT */
/*
 * help.c - what a user is told of commands and options, from their tables.
 */
#include "help.h"

#include <errno.h>
#include <string.h>

#include "version.h"

enum { OPTION_COLUMN = 31, COMMAND_COLUMN = 51, USAGE = 64, PARAGRAPH = 1024, WIDTH = 100 };

/* Words from `indent`, where the line stands, to WIDTH, and on lines below it; *column is where the line stands then.
 */
static void print_words(const char *text, size_t indent, size_t *column, FILE *to)
{
	for (size_t length; *text != '\0'; text += length + (text[length] == ' ')) {
		length = strcspn(text, " ");
		if (*column + 1 + length > WIDTH) {
			fprintf(to, "\n%*s", (int)indent, "");
			*column = indent;
		}
		fprintf(to, "%s%.*s", *column > indent ? " " : "", (int)length, text);
		*column += length + (*column > indent);
	}
}

/* Each line of the text is a paragraph. */
static void print_paragraphs(const char *text, FILE *to)
{
	for (size_t length; *text != '\0'; text += length + (text[length] == '\n')) {
		char paragraph[PARAGRAPH];
		size_t column = 0;
		length = strcspn(text, "\n");
		snprintf(paragraph, sizeof(paragraph), "%.*s", (int)length, text);
		fputc('\n', to);
		print_words(paragraph, 0, &column, to);
		fputc('\n', to);
	}
}

static void print_command(const char *usage, const char *summary, FILE *to)
{
	size_t column = COMMAND_COLUMN;
	fprintf(to, "  picket %-*s", COMMAND_COLUMN - 9, usage);
	print_words(summary, COMMAND_COLUMN, &column, to);
	fputc('\n', to);
}

void help_overview(FILE *to)
{
	fprintf(to, "picket %s - run an untrusted tool under a policy, and write down every refusal\n\nUsage:\n",
		PICKET_VERSION);
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		char usage[USAGE];
		command_usage(&commands[i], usage, sizeof(usage));
		print_command(usage, commands[i].summary, to);
	}
	print_command("--version", "print the version", to);
	fputs("\nOptions of a command: picket help COMMAND. More: picket(1), picket-policy(5), picket-result(5).\n",
	      to);
}

static void print_option(const struct option *option, FILE *to)
{
	char text[USAGE];
	char letter[5] = "    ";
	if (option->letter != 0)
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	snprintf(text, sizeof(text), "%s--%s%s%s", letter, option->name, option->value != NULL ? " " : "",
		 option->value != NULL ? option->value : "");
	fprintf(to, "  %-*s", OPTION_COLUMN - 2, text);
	size_t column = OPTION_COLUMN;
	print_words(option->help, OPTION_COLUMN, &column, to);
	if (option->repeatable && option->value != NULL)
		print_words("(repeatable)", OPTION_COLUMN, &column, to);
	fputc('\n', to);
}

void help_command(const struct command *command, FILE *to)
{
	char usage[USAGE];
	command_usage(command, usage, sizeof(usage));
	fprintf(to, "Usage: picket %s\n\n%c%s.\n", usage, command->summary[0] - 'a' + 'A', command->summary + 1);
	if (command->details != NULL)
		print_paragraphs(command->details, to);
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
