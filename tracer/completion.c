/* SPDX-License-Identifier: MIT */
/*
 * completion.c - completion scripts, from the tables of commands and options.
 * `make install` installs what this prints.
 */
#include "help.h"

#include <errno.h>
#include <string.h>

#include "compile.h"
#include "level.h"

/* First words of the commands that have two. */
static const char *const families[] = {"policy", "plugin", "request"};
enum { FAMILIES = sizeof(families) / sizeof(*families) };

/* Words that a value can be, a space behind each; nothing for kinds without a list. */
static void print_values(enum value_kind kind, FILE *to)
{
	switch (kind) {
	case VALUE_PROFILE:
		for (const char *const *name = profile_names; *name != NULL; name++)
			fprintf(to, "%s ", *name);
		break;
	case VALUE_LEVEL_AUTO:
	case VALUE_LEVEL:
		for (unsigned i = 0; i < LEVEL_COUNT; i++)
			fprintf(to, "%s ", level_name((enum level)i));
		if (kind == VALUE_LEVEL_AUTO)
			fputs("auto ", to);
		break;
	case VALUE_ACTION:
		fputs("deny kill audit ", to);
		break;
	case VALUE_TEXT:
	case VALUE_FILE:
	case VALUE_DIRECTORY:
		break;
	}
}

/* Words of `picket` at a place: with `first` NULL the first words, else the second words after it. */
static void print_words(const char *first, FILE *to)
{
	char last[32] = "";
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const char *name = commands[i].name;
		size_t length = strcspn(name, " ");
		if (first == NULL && (strncmp(last, name, length) != 0 || last[length] != '\0')) {
			snprintf(last, sizeof(last), "%.*s", (int)length, name);
			fprintf(to, "%s ", last);
		} else if (first != NULL && strlen(first) == length && strncmp(first, name, length) == 0 &&
			   name[length] == ' ') {
			fprintf(to, "%s ", name + length + 1);
		}
	}
}

/* ---- bash ---- */

static void bash_value(const struct option *option, FILE *to)
{
	if (option->value == NULL)
		return;
	fprintf(to, "\t--%s", option->name);
	if (option->letter != 0)
		fprintf(to, " | -%c", option->letter);
	if (option->kind == VALUE_FILE) {
		fputs(") compopt -o default; return ;;\n", to);
	} else if (option->kind == VALUE_DIRECTORY) {
		fputs(") compopt -o dirnames; return ;;\n", to);
	} else {
		fputs(") mapfile -t COMPREPLY < <(compgen -W '", to);
		print_values(option->kind, to);
		fputs("' -- \"$word\"); return ;;\n", to);
	}
}

static void bash_command(const struct command *command, FILE *to)
{
	const struct option *option;
	fprintf(to, "\t'%s') options='", command->name);
	for (size_t i = 0; (option = command_option(command, i)) != NULL; i++)
		fprintf(to, "--%s ", option->name);
	fputs("' ;;\n", to);
}

/* The words that name a command, and what stands behind the -- of run. */
static void bash_words(FILE *to)
{
	fputs("# bash completion for picket; made by: picket completion bash\n"
	      "_picket() {\n"
	      "\tlocal word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}\n"
	      "\tlocal options='' i\n"
	      "\tCOMPREPLY=()\n"
	      "\t# \"--option=value\" comes as three words.\n"
	      "\tif [ \"$word\" = = ]; then word=''\n"
	      "\telif [ \"$previous\" = = ]; then previous=${COMP_WORDS[COMP_CWORD - 2]}; fi\n"
	      "\tif [ \"$COMP_CWORD\" = 1 ] || { [ \"$COMP_CWORD\" = 2 ] && [ \"$command\" = help ]; }; then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W '",
	      to);
	print_words(NULL, to);
	fputs("--help --version' -- \"$word\"); return\n"
	      "\tfi\n",
	      to);
	for (size_t i = 0; i < FAMILIES; i++) {
		fprintf(to,
			"\tif [ \"$command\" = %s ]; then\n"
			"\t\tif [ \"$COMP_CWORD\" = 2 ]; then mapfile -t COMPREPLY < <(compgen -W '",
			families[i]);
		print_words(families[i], to);
		fprintf(to,
			"' -- \"$word\"); return; fi\n"
			"\t\tcommand=\"%s ${COMP_WORDS[2]}\"\n"
			"\tfi\n",
			families[i]);
	}
	fputs("\tif [ \"$command\" = run ]; then\n"
	      "\t\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	      "\t\t\t[ \"${COMP_WORDS[i]}\" = -- ] || continue\n"
	      "\t\t\tif [ $((i + 1)) = \"$COMP_CWORD\" ]; then mapfile -t COMPREPLY < <(compgen -c -- \"$word\")\n"
	      "\t\t\telse compopt -o default; fi\n"
	      "\t\t\treturn\n"
	      "\t\tdone\n"
	      "\tfi\n",
	      to);
}

static void print_bash(FILE *to)
{
	bool seen[OPTION_COUNT] = {false};
	const struct option *option;
	bash_words(to);
	fputs("\tcase $previous in\n", to);
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		for (size_t k = 0; (option = command_option(&commands[i], k)) != NULL; k++) {
			if (!seen[option->id])
				bash_value(option, to);
			seen[option->id] = true;
		}
	}
	fputs("\tesac\n\tcase $command in\n", to);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		bash_command(&commands[i], to);
	fputs("\tesac\n"
	      "\tif [ \"$command\" = completion ]; then options='bash zsh fish'\n"
	      "\telif [ \"$command\" = explain ]; then options+=' read write exec look connect bind'; fi\n"
	      "\tcase $command:$word in\n"
	      "\t'policy check:'[!-]*) compopt -o default ;;\n"
	      "\t*) mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
	      "\t   [ ${#COMPREPLY[@]} -gt 0 ] || compopt -o default ;;\n"
	      "\tesac\n"
	      "}\n"
	      "complete -F _picket picket\n",
	      to);
}

/* ---- zsh ---- */

/* Text inside '...[...]' of an _arguments specification. */
static void zsh_text(const char *text, FILE *to)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			fputs("'\\'", to); /* and the quote itself opens again */
		else if (strchr("[]:\\", *text) != NULL)
			fputc('\\', to);
		fputc(*text, to);
	}
}

static void zsh_option(const struct option *option, FILE *to)
{
	char exclusive[80] = "*";
	if (!option->repeatable && option->letter != 0)
		snprintf(exclusive, sizeof(exclusive), "(-%c --%s)", option->letter, option->name);
	else if (!option->repeatable)
		snprintf(exclusive, sizeof(exclusive), "(--%s)", option->name);
	fputs(" \\\n\t\t\t", to);
	if (option->letter != 0)
		fprintf(to, "'%s'{-%c,--%s%s}'[", exclusive, option->letter, option->name,
			option->value != NULL ? "=" : "");
	else
		fprintf(to, "'%s--%s%s[", exclusive, option->name, option->value != NULL ? "=" : "");
	zsh_text(option->help, to);
	fputs("]", to);
	if (option->value != NULL) {
		fputs(":", to);
		zsh_text(option->value, to);
		fputs(":", to);
		if (option->kind == VALUE_FILE) {
			fputs("_files", to);
		} else if (option->kind == VALUE_DIRECTORY) {
			fputs("_files -/", to);
		} else if (option->kind != VALUE_TEXT) {
			fputs("(", to);
			print_values(option->kind, to);
			fputs(")", to);
		}
	}
	fputs("'", to);
}

static const char *zsh_operands(enum command_id id)
{
	switch (id) {
	case COMMAND_RUN:
		return "'*::command:_normal'";
	case COMMAND_POLICY_CHECK:
		return "':policy file:_files'";
	case COMMAND_EXPLAIN:
		return "':access:(read write exec look connect bind)' ':target:_files'";
	case COMMAND_COMPLETION:
		return "':shell:(bash zsh fish)'";
	case COMMAND_HELP:
		return "'*:command:'";
	case COMMAND_PLUGIN_SIGN:
	case COMMAND_PLUGIN_VERIFY:
	case COMMAND_PLUGIN_INSTALL:
	case COMMAND_REQUEST_CHECK:
		return "':file:_files'";
	case COMMAND_PLUGIN_RUN:
		return "'*:program and arguments:_files'";
	case COMMAND_PLUGIN_KEYGEN:
	case COMMAND_PLUGIN_LIST:
	case COMMAND_PLUGIN_REMOVE:
	case COMMAND_PROBE:
	case COMMAND_POLICY_SHOW:
	case COMMAND_SYSCALLS:
	case COMMAND_COUNT:
		break;
	}
	return NULL;
}

static void print_zsh(FILE *to)
{
	const struct option *option;
	fputs("#compdef picket\n"
	      "# zsh completion for picket; made by: picket completion zsh\n"
	      "_picket() {\n"
	      "\tlocal command=$words[2]\n"
	      "\tif (( CURRENT == 2 )); then compadd -- ",
	      to);
	print_words(NULL, to);
	fputs("--help --version; return; fi\n"
	      "\tshift words; (( CURRENT-- ))\n",
	      to);
	for (size_t i = 0; i < FAMILIES; i++) {
		fprintf(to,
			"\tif [[ $command == %s ]]; then\n"
			"\t\tif (( CURRENT == 2 )); then compadd -- ",
			families[i]);
		print_words(families[i], to);
		fprintf(to,
			"; return; fi\n"
			"\t\tcommand=\"%s $words[2]\"; shift words; (( CURRENT-- ))\n"
			"\tfi\n",
			families[i]);
	}
	fputs("\tcase $command in\n", to);
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const char *operands = zsh_operands(commands[i].id);
		fprintf(to, "\t'%s')\n\t\t_arguments -S", commands[i].name);
		for (size_t k = 0; (option = command_option(&commands[i], k)) != NULL; k++)
			zsh_option(option, to);
		fprintf(to, "%s%s ;;\n", operands != NULL ? " \\\n\t\t\t" : "", operands != NULL ? operands : "");
	}
	fputs("\tesac\n}\n_picket \"$@\"\n", to);
}

/* ---- fish ---- */

static void fish_option(const struct command *command, const struct option *option, FILE *to)
{
	fputs("complete -c picket -n '__picket_in ", to);
	fprintf(to, "%s' -l %s", command->name, option->name);
	if (option->letter != 0)
		fprintf(to, " -s %c", option->letter);
	if (option->value != NULL) {
		fputs(option->kind == VALUE_FILE ? " -r -F" : " -x", to);
		if (option->kind == VALUE_DIRECTORY) {
			fputs(" -a '(__fish_complete_directories)'", to);
		} else if (option->kind != VALUE_FILE && option->kind != VALUE_TEXT) {
			fputs(" -a '", to);
			print_values(option->kind, to);
			fputs("'", to);
		}
	}
	fputs(" -d '", to);
	for (const char *c = option->help; *c != '\0'; c++)
		fprintf(to, *c == '\'' ? "\\%c" : "%c", *c);
	fputs("'\n", to);
}

static void print_fish(FILE *to)
{
	const struct option *option;
	fputs("# fish completion for picket; made by: picket completion fish\n"
	      "function __picket_in\n"
	      "\tset -l words (commandline -opc)\n"
	      "\tcontains -- -- $words; and return 1\n"
	      "\tfor i in (seq (count $argv))\n"
	      "\t\tset -l at (math $i + 1)\n"
	      "\t\ttest \"$words[$at]\" = \"$argv[$i]\"; or return 1\n"
	      "\tend\n"
	      "end\n"
	      "complete -c picket -f -n 'test (count (commandline -opc)) -eq 1' -a '",
	      to);
	print_words(NULL, to);
	for (size_t i = 0; i < FAMILIES; i++) {
		fprintf(to,
			"'\ncomplete -c picket -f -n '__picket_in %s; and test (count (commandline -opc)) -eq 2' -a '",
			families[i]);
		print_words(families[i], to);
	}
	fputs("'\ncomplete -c picket -f -n '__picket_in help' -a '", to);
	print_words(NULL, to);
	fputs("'\ncomplete -c picket -f -n '__picket_in completion' -a 'bash zsh fish'\n"
	      "complete -c picket -n '__picket_in explain' -a 'read write exec look connect bind'\n"
	      "complete -c picket -n 'contains -- -- (commandline -opc)' -a '(__fish_complete_subcommand)'\n",
	      to);
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		for (size_t k = 0; (option = command_option(&commands[i], k)) != NULL; k++)
			fish_option(&commands[i], option, to);
	}
}

int completion_print(const char *shell, FILE *to)
{
	if (strcmp(shell, "bash") == 0)
		print_bash(to);
	else if (strcmp(shell, "zsh") == 0)
		print_zsh(to);
	else if (strcmp(shell, "fish") == 0)
		print_fish(to);
	else
		return -ENOENT;
	return 0;
}
