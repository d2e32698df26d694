# task-runner-python: `make run` shows it, `make test` tests it; see README.md.
#
#   PYTHON=python3.13   the interpreter to embed (a command or a path)
#   CC=clang            the compiler
#   SANITIZE=1          AddressSanitizer and UndefinedBehaviorSanitizer
#   BUILD=DIR           where everything is built

CC ?= cc
BUILD ?= build$(if $(SANITIZE),/sanitize)
PKG_CONFIG ?= pkg-config
CLANG_FORMAT ?= clang-format

PYTHON ?=
PYTHON_FOUND := $(shell pyvenv/find-python $(PYTHON) 2>/dev/null)
PYTHON_CONFIG = $(shell pyvenv/python-flags $(PYTHON_FOUND) $(1))

WARNINGS = -Wall -Wextra -Wshadow -Wmissing-prototypes -Wswitch-enum -Werror
HARDENING = $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2) -fstack-protector-strong -fPIE
SANITIZERS = $(if $(SANITIZE),-fsanitize=address$(,)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
, := ,
OPTIMIZE ?= -O2 -g
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE -I. $(WARNINGS) $(OPTIMIZE) $(HARDENING) $(SANITIZERS) $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now $(SANITIZERS) $(LDFLAGS)

VERSION := 0.1.0

RUNNER = $(BUILD)/task-runner-python
ZYGOTE = $(BUILD)/task-runner-zygote
BROKER = $(BUILD)/demo-broker

BASE_SRC = $(wildcard runner/base/*.c)
HOST_SRC = $(BASE_SRC) $(wildcard runner/host/*.c) allowlist/policy.c
ZYGOTE_SRC = $(BASE_SRC) $(wildcard runner/zygote/*.c allowlist/*.c)
BROKER_SRC = $(BASE_SRC) $(wildcard tests/broker/*.c)
UNIT_SRC = $(wildcard tests/unit/test_*.c)

obj = $(patsubst %.c,$(BUILD)/obj/$(1)/%.o,$(2))
HOST_OBJ = $(call obj,host,$(HOST_SRC))
ZYGOTE_OBJ = $(call obj,zygote,$(ZYGOTE_SRC))
BROKER_OBJ = $(call obj,host,$(BROKER_SRC))

HOST_CFLAGS = -DVERSION='"$(VERSION)"' $(shell $(PKG_CONFIG) --cflags libwebsockets libcjson)
HOST_LIBS = $(shell $(PKG_CONFIG) --libs-only-L --libs-only-l libwebsockets libcjson) -lpthread
ZYGOTE_CFLAGS = $(call PYTHON_CONFIG,cflags)
ZYGOTE_LIBS = $(call PYTHON_CONFIG,libs)

.PHONY: all build run deps venv test bench check format clean
.DELETE_ON_ERROR:

all: build

build: $(RUNNER) $(ZYGOTE) $(BROKER)

# Everything is built anew when what it is built with changes.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(PYTHON_FOUND)' | cmp -s - $@ || \
	    printf '%s\n' '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(PYTHON_FOUND)' >$@
FORCE:

$(BUILD)/obj/host/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(HOST_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/obj/zygote/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ZYGOTE_CFLAGS) -MMD -MP -c $< -o $@

$(RUNNER): $(HOST_OBJ)
	$(CC) $(ALL_LDFLAGS) $^ $(HOST_LIBS) -o $@

$(ZYGOTE): $(ZYGOTE_OBJ)
	$(CC) $(ALL_LDFLAGS) $^ $(ZYGOTE_LIBS) -o $@

$(BROKER): $(BROKER_OBJ)
	$(CC) $(ALL_LDFLAGS) $^ $(HOST_LIBS) -o $@

clean:
	rm -rf build pyvenv/venv

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
