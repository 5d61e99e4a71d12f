/* SPDX-License-Identifier: MIT */
/* plugin_places.c - see plugin_places.h. */
#include "plugin_places.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "diag.h"

/* One kind of directory. */
struct habit {
	const char *option;   /* for messages */
	const char *system;   /* root's */
	const char *variable; /* an absolute path counts */
	const char *home;     /* else below the home directory */
	const char *end;      /* below the variable's */
};

static char *find(const char *given, const struct habit *habit, const char *home, struct complaint *why)
{
	const char *base = getenv(habit->variable);
	char *path = NULL;
	int length;

	if (given)
		length = asprintf(&path, "%s", given);
	else if (geteuid() == 0)
		length = asprintf(&path, "%s", habit->system);
	else if (base && *base == '/')
		length = asprintf(&path, "%s/%s", base, habit->end);
	else if (home)
		length = asprintf(&path, "%s/%s/%s", home, habit->home, habit->end);
	else
		return complain(why, 0, "no home directory; say %s DIR", habit->option), NULL;
	return length < 0 ? complain(why, 0, "%s", strerror(ENOMEM)), NULL : path;
}

char *plugin_registry_directory(const struct cli *cli, struct complaint *why)
{
	static const struct habit habit = {"--registry", "/var/lib/picket/plugins", "XDG_DATA_HOME", ".local/share",
					   "picket/plugins"};

	return find(cli->plugin.registry, &habit, cli->job.policy.home, why);
}

char *plugin_trusted_directory(const struct cli *cli, struct complaint *why)
{
	static const struct habit habit = {"--trusted", "/etc/picket/trusted", "XDG_CONFIG_HOME", ".config",
					   "picket/trusted"};

	return find(cli->plugin.trusted, &habit, cli->job.policy.home, why);
}

int plugin_session_open(const struct cli *cli, struct plugin_session *session, struct complaint *why)
{
	*session = (struct plugin_session){.registry = NULL};
	int error = plugin_trust_open(NULL, cli->plugin.key_file, cli->plugin.allow_short_key, &session->trust, why);
	if (error)
		return error;
	session->registry = plugin_registry_directory(cli, why);
	session->trusted = plugin_trusted_directory(cli, why);
	session->trust.directory = session->trusted;
	if (session->registry && session->trusted)
		return 0;
	plugin_session_close(session);
	return -ENOENT;
}

void plugin_session_close(struct plugin_session *session)
{
	if (session->trust.shared_was_needed)
		diag("warning: %s: a random key was used, with which nothing signed earlier verifies",
		     session->trust.shared_missing);
	plugin_trust_close(&session->trust);
	free(session->registry);
	free(session->trusted);
}
