# SPDX-License-Identifier: MIT
.PHONY: all check lint crash cover fuzz bench deb fresh format types clean

all:
	scripts/packages run
	scripts/build build

check:
	./check

# What is too slow for ./check: clang-tidy, gcc -fanalyzer, ThreadSanitizer over the threaded tests.
lint:
	scripts/lint --deep

# What ./check does in minutes, for an hour: kills without end, every fault at every time, standstills of a minute.
# make crash LOOPS=5000
crash:
	scripts/build build/asan -Db_sanitize=address,undefined
	REEVE_BUILD=$(CURDIR)/build/asan tests/crash --loops $(or $(LOOPS),5000)
	REEVE_BUILD=$(CURDIR)/build/asan tests/faults --all
	REEVE_BUILD=$(CURDIR)/build/asan REEVE_STANDSTILL_S=60 bats -f 'stand still' tests/promises.bats

cover:
	scripts/cover

# make fuzz TIME=60 STEPS=1000000: seconds a target, and steps of each of the ledger's random tests.
fuzz:
	scripts/fuzz --steps $(or $(STEPS),1000000) $(or $(TIME),60)

# make bench IDLE=600 SIZES=1000,1000000 PEERS=0 CHART=docs/bench.svg: seconds for which the idle agent is watched, sizes of
# ledgers, seconds a case of a peer (0: none), where the chart goes.
bench: all
	rm -rf build/bench/scratch
	mkdir -p build/bench/scratch
	build/bench/disk build/bench/scratch
	build/bench/one --idle $(or $(IDLE),60) --figures build/bench/one.json build build/bench/scratch
	rm -rf build/bench/scratch
	build/bench/scale $(if $(SIZES),--sizes $(SIZES)) $(if $(PEERS),--peers $(PEERS)) --figures build/bench/one.json \
		--report build/bench/report.json --chart $(or $(CHART),build/bench/chart.svg) build build/bench
	rm -rf build/bench/scratch

# Debian packages, in build/deb/VERSION/.
deb:
	scripts/deb

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
