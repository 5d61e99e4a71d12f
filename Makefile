# SPDX-License-Identifier: MIT
# Picket. `make help` lists what there is. All output goes to $(BUILD).
BUILD  ?= build
PREFIX ?= /usr/local
CC     ?= gcc

PKGS     = libconfig jansson libsodium libelf
CPPFLAGS = -D_GNU_SOURCE -Ipolicy -Itracer -DPREFIX='"$(PREFIX)"' $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
WARN     = -Wall -Wextra -Wshadow -Wswitch-enum -Wmissing-prototypes -Wstrict-prototypes -Wconversion
HARDEN   = -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
CFLAGS  ?= -O2 -g
ALL_CFLAGS  = -std=c17 $(WARN) $(HARDEN) $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now $(LDFLAGS)
LDLIBS   = $(shell pkg-config --libs $(PKGS) 2>/dev/null) -pthread

POLICY := $(wildcard policy/*.c)
TRACER := $(wildcard tracer/*.c)
LIB     = $(patsubst %.c,$(BUILD)/%.o,$(POLICY) $(filter-out tracer/main.c,$(TRACER)))
TESTS   = $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_*.c))

.PHONY: all clean unit
all: $(BUILD)/picket

$(BUILD)/picket: $(BUILD)/tracer/main.o $(LIB)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/policy/profiles.o: $(wildcard policy/profiles/*.conf)

# A unit test is linked with everything but main.
$(BUILD)/tests/test_%: tests/test_%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP -o $@ $< $(LIB) $(shell pkg-config --libs check) $(LDLIBS)

unit: $(TESTS)
	@for t in $(TESTS); do $$t || exit 1; done

clean:
	rm -rf $(BUILD)

-include $(wildcard $(BUILD)/*/*.d)
