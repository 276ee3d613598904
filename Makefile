# SPDX-License-Identifier: MIT
.PHONY: all check lint cover fuzz bench fresh format types clean

all:
	scripts/packages run
	scripts/build build

check:
	./check

# What is too slow for ./check: clang-tidy, gcc -fanalyzer, ThreadSanitizer over the threaded tests.
lint:
	scripts/lint --deep

cover:
	scripts/cover

# make fuzz TIME=60: seconds a target.
fuzz:
	scripts/fuzz $(or $(TIME),60)

bench: all
	mkdir -p build/bench/scratch
	build/bench/disk build/bench/scratch

# The README's two commands in a pristine Debian: make fresh [SUITE=trixie]
fresh:
	scripts/fresh $(or $(SUITE),bookworm)

format:
	scripts/lint --format

# What is printed from rows.
types: all
	build/reeve-types > docs/types.h
	build/reeve-configuration > docs/configuration.md
	build/reeve-configuration reeve-controller > packaging/reeve.yaml
	build/reeve-configuration reeve-agent > packaging/agent.yaml

clean:
	rm -rf build
