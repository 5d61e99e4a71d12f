/* SPDX-License-Identifier: MIT */
/*
 * fuzz_image.c - no image that image_check accepts, and no path or address, makes a decision read outside or run on.
 *
 * The input is a list of changes to a good image (a byte of length, an offset, bytes), then a text of paths. The
 * header's fixed fields and the checksum are made right again, since accidents are not what is tried here. Everything
 * lies in memory of exactly its size, for the sanitizer to see.
 */
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "decide.h"
#include "image_layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int result)
{
	if (result < 0)
		abort();
}

/* Read a string to its end. */
static void read_text(const char *text)
{
	static volatile size_t sink;

	sink = strlen(text);
	(void)sink;
}

static struct image *good_image(size_t *length)
{
	static const char *const patterns[] = {
		"/",
		"/a",
		"/a/b",
		"/a/*/b",
		"/a/**/b*",
		"/**/*.x",
		"/a/x*y",
		"/a/x*z",
		"/**/c/d",
		"/*/e",
		"/a/long-name-of-more-than-16",
		"/b/*m*",
		"/b/*",
		"/b/**/q/**/r",
	};
	struct build *build = build_new();
	struct net_prefix prefix = {.any_family = true, .tcp = true, .ports = {1, 9}};
	struct image *image;
	int index;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		struct rule rule = {(enum rule_key)(i % (RULE_EXEC_DENY + 1)), (enum rule_layer)(i % 3), "s", "v",
				    patterns[i]};

		must(build_path_rule(build, &rule));
	}
	must(index = build_net_rule(build, &(struct rule){RULE_CONNECT, LAYER_FILE, "s", "v", "t"}));
	must(build_also_internet(build, index, &prefix));
	must(build_also_abstract(build, index, "name*", 5));
	must(build_also_unix_path(build, index, "/a/**/s*"));
	must(build_finish(build, &image, length));
	build_free(build);
	return image;
}

/* Apply the changes of the input; the rest of it is returned through *data and *size. */
static void change(unsigned char *bytes, size_t length, const uint8_t **data, size_t *size)
{
	while (*size >= 4 && (*data)[0] != 0) {
		size_t count = (*data)[0] % 8 + 1, at = ((size_t)(*data)[1] << 8 | (*data)[2]) % length;

		*data += 3;
		*size -= 3;
		if (count > *size)
			count = *size;
		if (count > length - at)
			count = length - at;
		memcpy(bytes + at, *data, count);
		*data += count;
		*size -= count;
	}
}

static void try_path(const struct image *image, const uint8_t *bytes, size_t length)
{
	char *path = malloc(length == 0 ? 1 : length);
	struct verdict verdict;

	if (length > 0)
		memcpy(path, bytes, length);
	for (unsigned access = 0; access < 17; access++) {
		verdict = decide_path(image, path, length, access);
		if (verdict.rule != RULE_DEFAULT)
			read_text(image_rule(image, verdict.rule).source);
		if (verdict.allowed != (verdict.error == 0))
			abort();
	}
	decide_move(image, path, length, "/a/x/b", 6, true);
	verdict = decide_move(image, "/a/x/b", 6, path, length, true);
	if (verdict.rule != RULE_DEFAULT)
		read_text(image_rule(image, verdict.rule).target);
	decide_unix_path(image, NET_CONNECT, path, length);
	decide_unix_path(image, NET_BIND, path, length);
	decide_own_socket(image, path, length);
	for (int use = 0; use < 2; use++)
		decide_address(image, (enum net_use)use, NET_TCP, (const struct sockaddr *)path, (socklen_t)length);
	free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = {
		"/", "/a/b", "/a/q/b/bx", "/b/amz/q/w/r", "/z/f.x/c/d/e", "/a/xqy/s1", "/a/long-name-of-more-than-16"};
	static struct image *good;
	static size_t length;
	struct image *image;

	if (good == NULL)
		good = good_image(&length);
	image = malloc(length);
	memcpy(image, good, length);
	change((unsigned char *)image, length, &data, &size);
	image->magic = good->magic;
	image->version = good->version;
	image->header_length = good->header_length;
	image->length = length;
	image->checksum = image_checksum(image, length);
	if (image_check(image, length) == 0) {
		for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
			try_path(image, (const uint8_t *)paths[i], strlen(paths[i]));
		try_path(image, data, size);
		for (uint32_t i = 0; i < image_rule_count(image) && i < 100; i++) {
			struct rule rule = image_rule(image, i);

			read_text(rule.source);
			read_text(rule.value);
			read_text(rule_key_name(rule.key));
		}
	}
	free(image);
	return 0;
}
