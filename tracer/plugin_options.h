/* SPDX-License-Identifier: MIT */
/*
 * plugin_options.h - what the options of `picket plugin ...` say (and --request of
 * run). Strings are the program's arguments; NULL: not given.
 */
#ifndef PICKET_TRACER_PLUGIN_OPTIONS_H
#define PICKET_TRACER_PLUGIN_OPTIONS_H

#include <stdbool.h>

struct plugin_options {
	const char *registry;			  /* --registry DIR */
	const char *trusted;			  /* --trusted DIR */
	const char *manifest;			  /* --manifest FILE */
	const char *key;			  /* --key FILE: an Ed25519 secret key */
	const char *key_file;			  /* --key-file FILE: a shared key */
	bool allow_short_key;			  /* --allow-short-key */
	bool hmac;				  /* --hmac */
	bool embed;				  /* --embed */
	bool trust;				  /* --trust */
	const char *id, *name, *version, *signer; /* --id, --name, --version, --signer */
	const char *expires;			  /* --expires DATE */
	const char *output;			  /* -o, --output FILE */
	char **capabilities;			  /* --capability, NULL-terminated; never NULL */
	unsigned capability_count;
	unsigned timeout_secs; /* --timeout-secs; 0: not given */
	const char *request;   /* --request FILE or - */
};

#endif
