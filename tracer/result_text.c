/* SPDX-License-Identifier: MIT */
/*
 * result_text.c - violations as lines for people. All that the tool had a
 * hand in (names, commands) is escaped: a line stays a line.
 */
#include "result_store.h"

#include <stdlib.h>
#include <string.h>

#include "escape.h"

enum { SUMMARY_LINES = 10 };

static void print_clean(FILE *to, const char *text)
{
	char *clean = escape_line(text, strlen(text), NULL);
	fputs(clean != NULL ? clean : "(out of memory)", to);
	free(clean);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

/* " by policy.conf:12 filesystem.deny ~/.ssh" */
static void print_rule(const struct entry *entry, FILE *to)
{
	if (entry->violation.rule == RULE_ALWAYS) {
		fputs(", as under every policy", to);
	} else if (entry->violation.rule == RULE_CAPABILITIES) {
		fputs(": the plugin did not ask for it", to);
	} else if (!entry->has_rule) {
		fputs(" by default: no rule allows it", to);
	} else {
		fputs(" by ", to);
		print_clean(to, entry->rule_source);
		fprintf(to, " %s ", entry->rule_key);
		print_clean(to, entry->rule_value != NULL ? entry->rule_value : "");
	}
}

/*
 * picket: denied file_read /home/u/.ssh/id_rsa (openat, python3[4242], 3 times) by workstation:7 filesystem.deny
 * ~/.ssh; allow with --read ~/.ssh/id_rsa
 */
static void print_entry(const struct entry *entry, FILE *to)
{
	const struct violation *violation = &entry->violation;
	fprintf(to, "picket: %s %s ", violation_action_name(violation->action), violation_kind_name(violation->kind));
	print_clean(to, violation->target != NULL ? violation->target : "");
	fprintf(to, " (%s, ", violation->syscall != NULL ? violation->syscall : "?");
	print_clean(to, violation->exe != NULL ? base_name(violation->exe) : "?");
	fprintf(to, "[%d]", violation->pid);
	if (entry->count > 1)
		fprintf(to, ", %llu times", (unsigned long long)entry->count);
	fputc(')', to);
	print_rule(entry, to);
	if (violation->allow_with != NULL) {
		fputs("; allow with ", to);
		print_clean(to, violation->allow_with);
	}
	fputc('\n', to);
}

void result_print_violation(const struct result *result, const struct violation *violation, FILE *to)
{
	struct entry entry = {.violation = *violation, .count = 1};
	if (result->image != NULL && violation->rule < image_rule_count(result->image)) {
		struct rule rule = image_rule(result->image, violation->rule);
		entry.has_rule = true;
		entry.rule_source = rule.source;
		entry.rule_key = rule_key_name(rule.key);
		entry.rule_value = rule.value;
	}
	print_entry(&entry, to);
}

/* The entries that a summary shows: the first of each kind, so that none hides behind another, then in their order. */
struct selection {
	const struct entry *list[SUMMARY_LINES];
	size_t count;
	uint64_t refusals; /* that they count */
};
_Static_assert((int)VIOLATION_KINDS <= (int)SUMMARY_LINES, "one line for each kind");

static bool is_selected(const struct selection *selection, const struct entry *entry)
{
	for (size_t i = 0; i < selection->count; i++) {
		if (selection->list[i] == entry)
			return true;
	}
	return false;
}

static void select_entry(struct selection *selection, const struct entry *entry)
{
	selection->list[selection->count++] = entry;
	selection->refusals += entry->count;
}

static void select_entries(const struct result *result, struct selection *selection)
{
	bool seen[VIOLATION_KINDS] = {false};
	const struct entry *entry;
	for (entry = result->entries; entry != NULL; entry = entry->hh.next) {
		if (!seen[entry->violation.kind])
			select_entry(selection, entry);
		seen[entry->violation.kind] = true;
	}
	for (entry = result->entries; entry != NULL && selection->count < SUMMARY_LINES; entry = entry->hh.next) {
		if (!is_selected(selection, entry))
			select_entry(selection, entry);
	}
}

/* How many there are besides those shown. */
static void print_rest(const struct result *result, const struct selection *shown, FILE *to)
{
	if (result->kept == shown->count && result->dropped == 0)
		return;
	fprintf(to, "picket: and %llu more, of %llu refusals in all (--result FILE writes down %zu different ones)\n",
		(unsigned long long)(result->total - shown->refusals), (unsigned long long)result->total, result->kept);
}

static void print_end(const struct run_outcome *outcome, FILE *to)
{
	if (outcome->timed_out)
		fprintf(to, "picket: timed out after %.3g s: the run was ended\n", (double)outcome->duration_ns / 1e9);
	else if (outcome->resource_limited != NULL)
		fprintf(to, "picket: the run reached its limit %s\n", outcome->resource_limited);
}

void result_total(const struct result *result, const struct run_outcome *outcome, FILE *to)
{
	if (result->total > 0)
		fprintf(to, "picket: %llu refusal%s in all, %zu different\n", (unsigned long long)result->total,
			result->total == 1 ? "" : "s", result->kept);
	print_end(outcome, to);
}

void result_summary(const struct result *result, const struct run_outcome *outcome, FILE *to)
{
	struct selection shown = {.count = 0};
	select_entries(result, &shown);
	for (const struct entry *entry = result->entries; entry != NULL; entry = entry->hh.next) {
		if (is_selected(&shown, entry))
			print_entry(entry, to);
	}
	print_rest(result, &shown, to);
	print_end(outcome, to);
}
