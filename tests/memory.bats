#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# How much memory clients can make the controller use. Measured on the ordinary build: sanitizers keep
# freed memory.

load lib
REEVE_BUILD=$REEVE_BUILD_PLAIN
reeve=$REEVE_BUILD/reeve

setup_file()
{
    start_reeve
}

teardown_file()
{
    clean_up
}

# KiB of memory that only the controller holds.
resident()
{
    awk '/^Rss(Anon|Shmem):/ { sum += $2 } END { print sum }' "/proc/$(child controller)/status"
}

@test "large and wicked bodies leave no memory behind" {
    { printf '{"args":[' && yes '{},' | head -n 340000 | tr -d '\n' && printf '{}]}'; } >"$BATS_TEST_TMPDIR/many"
    post()
    {
        seq 64 | xargs -P 16 -I{} curl -sS -o /dev/null -w '%{http_code}\n' -H "Authorization: Bearer $token" \
            -H 'Content-Type: application/json' --data-binary "@$BATS_TEST_TMPDIR/many" "$url/node/_any/command/exec" | sort -u
    }
    before=$(resident)
    [ "$(post)" = 400 ]
    # 16 bodies of 1 MiB at once, twice for growing buffers, and what the allocator keeps.
    [ $(($(resident) - before)) -lt 49152 ]
    once=$(resident)
    [ "$(post)" = 400 ]
    [ $(($(resident) - once)) -lt 16384 ]
}

@test "an idle connection costs at most 20 KB, and those beyond the cap are refused at once" {
    before=$(resident)
    mkfifo "$BATS_TEST_TMPDIR/hold"
    "$REEVE_BUILD/tests/idle" "$port" 17000 <"$BATS_TEST_TMPDIR/hold" >"$BATS_TEST_TMPDIR/idle" 3>&- &
    exec 8>"$BATS_TEST_TMPDIR/hold"
    wait_for 20 test -s "$BATS_TEST_TMPDIR/idle"
    read -r _ open _ refused <"$BATS_TEST_TMPDIR/idle"
    grown=$(($(resident) - before))
    echo "$open open, $refused refused, $grown KiB"
    exec 8>&-
    [ "$open" -ge 10000 ]
    [ "$refused" -ge 100 ]
    [ $((open + refused)) = 17000 ]
    [ $((grown * 1024)) -le $((open * 20000)) ]
    wait_for 5 submit_query
}
