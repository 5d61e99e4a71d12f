/* SPDX-License-Identifier: MIT */
/*
 * plugin_places.h - where plugins and trusted keys are when no option says it.
 */
#ifndef PICKET_TRACER_PLUGIN_PLACES_H
#define PICKET_TRACER_PLUGIN_PLACES_H

#include "cli.h"
#include "complaint.h"
#include "plugin_load.h"

/*
 * The directory of --registry; else /var/lib/picket/plugins for root, $XDG_DATA_HOME/picket/plugins or
 * ~/.local/share/picket/plugins for others. malloc'ed; NULL with *why: no home directory, or out of memory.
 */
char *plugin_registry_directory(const struct cli *cli, struct complaint *why);
/* The directory of --trusted; else /etc/picket/trusted, $XDG_CONFIG_HOME/picket/trusted or ~/.config/picket/trusted. */
char *plugin_trusted_directory(const struct cli *cli, struct complaint *why);

/* What the commands that verify need. */
struct plugin_session {
	char *registry, *trusted;
	struct plugin_trust trust;
};
/* From the options. 0 or -errno with *why. The environment's keys are wiped in every case. */
int plugin_session_open(const struct cli *cli, struct plugin_session *session, struct complaint *why);
/* Tells the user when a shared key was needed and none was there. */
void plugin_session_close(struct plugin_session *session);

#endif
