#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A state that is damaged is told in words and left as it is; a copy of one is as good as the state.

load lib
bats_require_minimum_version 1.5.0

setup()
{
    make_scratch
}

teardown()
{
    clean_up
}

# ---- helpers ----

# ends STATUS WORD… -- COMMAND…: ends by itself with this status, and says each word.
ends()
{
    local want=$1 words=()
    shift
    while [ "$1" != -- ]; do words+=("$1") && shift; done
    shift
    run "$@" 3>&-
    [ "$status" = "$want" ] || {
        printf '%s: exit status %s, not %s\n%s\n' "$*" "$status" "$want" "$output"
        return 1
    }
    local word
    for word in "${words[@]}"; do
        [[ $output = *"$word"* ]] || {
            printf 'not said: %s, but: %s\n' "$word" "$output"
            return 1
        }
    done
}

check()
{
    timeout 30 "$reeve" ledger check --state "$1"
}

# controller STATE [SECONDS]: alone, as the user the state belongs to; stopped after that time.
controller()
{
    local as=()
    [ "$(id -u)" != 0 ] || as=(setpriv --reuid=reeve --regid=reeve --clear-groups)
    timeout -s TERM "${2:-30}" "${as[@]}" "$REEVE_BUILD/reeve-controller" --state "$1" --port 0
}

# A pair with jobs of several kinds; then stopped. Sets before, ledger.
make_state()
{
    start_reeve
    for _ in 1 2 3; do submit_query; done
    api POST /node/_all/command/exec '{"command":"/nonexistent"}'
    api POST /node/_any/command/shell '{"command":"echo planted-output"}'
    api GET '/job?limit=100'
    before=$body
    [ "${1:-}" = running ] || stop_reeve
    ledger=$state/controller/ledger
}

# flip FILE OFFSET: all bits of one byte.
flip()
{
    local byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    printf "\\x$(printf %02x $((byte ^ 255)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# refused_and_untouched WORD…: check and both ways of starting say so, and the file is what it was.
refused_and_untouched()
{
    local sum
    sum=$(sha256sum <"$ledger/data.mdb")
    ends 3 "$@" "$ledger" -- check "$state" || return 1
    ends 1 "$@" "$ledger" -- controller "$state/controller" || return 1
    [ "$(wc -l <<<"$output")" = 1 ] || return 1
    ends 1 "$@" "$ledger" -- timeout 30 "$reeve" start --state "$state" --port "$(free_port)" || return 1
    [ "$(sha256sum <"$ledger/data.mdb")" = "$sum" ]
}

# ---- check ----

@test "a sound ledger has no findings, while a controller runs and when none does" {
    make_state running
    ends 0 '5 jobs, 5 runs, 1 blocks: 0 findings' -- check "$state"
    submit_query
    stop_reeve
    ends 0 '6 jobs, 6 runs, 1 blocks: 0 findings' -- check "$state"
    ends 0 '6 jobs' -- check "$state/controller"
    ends 0 '6 jobs' -- check "$ledger"
    start_reeve
    submit_query
}

@test "a check writes nothing, and what it makes belongs to the controller's user" {
    make_state
    rm "$ledger/lock.mdb"
    sum=$(sha256sum <"$ledger/data.mdb")
    ends 0 -- check "$state"
    [ "$(sha256sum <"$ledger/data.mdb")" = "$sum" ]
    [ "$(find "$state/controller" ! -user "$(stat -c %U "$ledger")")" = '' ]
    start_reeve
}

@test "where there is no ledger a check says so and makes nothing" {
    mkdir "$scratch/empty"
    ends 3 "no ledger in $scratch/empty" -- check "$scratch/empty"
    [ "$(ls -A "$scratch/empty")" = '' ]
    ends 3 "$scratch/none" -- check "$scratch/none"
}

@test "a key that others can read is a finding" {
    make_state
    chmod 644 "$state/controller/key"
    ends 1 'controller/key: is open to others: chmod it to 0600' '1 findings' -- check "$state"
}

@test "a damaged row is named with its job, and the exit status is 1" {
    make_state
    for offset in $(grep -abo '"operation":{"type":"command.shell' "$ledger/data.mdb" | cut -d: -f1); do
        flip "$ledger/data.mdb" $((offset + 1))
    done
    ends 1 'jobs, seq 5, job ' '1 findings' -- check "$state"
}

# ---- damage ----

@test "a byte that flips anywhere never makes the check or the controller crash" {
    make_state
    cp "$ledger/data.mdb" "$scratch/good.mdb"
    size=$(stat -c %s "$scratch/good.mdb")
    RANDOM=${REEVE_SEED:-1}
    for _ in $(seq 25); do
        cat "$scratch/good.mdb" >"$ledger/data.mdb"
        offset=$(((RANDOM << 15 | RANDOM) % size))
        echo "offset $offset of $size"
        flip "$ledger/data.mdb" "$offset"
        run check "$state" 3>&-
        [ "$status" = 0 ] || [ "$status" = 1 ] || [ "$status" = 3 ]
        refute grep -E "$sanitizer_words" <<<"$output"
        found=$status
        cat "$scratch/good.mdb" >"$ledger/data.mdb"
        flip "$ledger/data.mdb" "$offset"
        # One that starts is stopped by timeout, in good order.
        run controller "$state/controller" 0.7 3>&-
        refute grep -E "$sanitizer_words" <<<"$output"
        [ "$status" = 124 ] || { [ "$status" = 1 ] && [ "$found" != 0 ] && [[ $output = *"$ledger"* ]]; }
    done
    cat "$scratch/good.mdb" >"$ledger/data.mdb"
}

@test "an empty data.mdb is no new ledger" {
    make_state
    : >"$ledger/data.mdb"
    refused_and_untouched 'is empty' 'restore a backup'
}

@test "a data.mdb that is something else is refused" {
    make_state
    head -c 100000 /dev/zero | tr '\0' x >"$ledger/data.mdb"
    refused_and_untouched 'no file of LMDB' 'restore a backup'
}

@test "a data.mdb that is gone is no new ledger" {
    make_state
    rm "$ledger/data.mdb"
    ends 1 'is gone' "$ledger" -- controller "$state/controller"
    [ ! -e "$ledger/data.mdb" ]
}

@test "a runlog with a flipped byte is set aside, once, in words, and the agent goes on" {
    make_state
    flip "$state/agent/runlog" 60
    cp "$state/agent/runlog" "$scratch/damaged"
    : >"$log"
    start_reeve
    [ "$(grep -c set_aside= "$log")" = 1 ]
    cmp "$scratch/damaged" "$state/agent/$(sed -nE 's/.*set_aside=([^ ]+).*/\1/p' "$log")"
    submit_query
}

@test "a runlog that lost its end goes on with what it has" {
    make_state
    truncate -s -5 "$state/agent/runlog"
    start_reeve
    submit_query
    api GET '/job?limit=100'
    has .total_items 6
}

# ---- backup ----

@test "a backup made while jobs run is a state to start on: jobs, counts and results are equal" {
    make_state running
    ends 0 "$scratch/copy: 5 jobs, " -- "$reeve" ledger backup "$scratch/copy" --state "$state"
    submit_query
    ends 0 '5 jobs, 5 runs, 1 blocks: 0 findings' -- check "$scratch/copy"
    old_token=$token
    stop_reeve
    rm "$log"
    state=$scratch/copy
    start_reeve
    api GET '/job?limit=100'
    has . "$before"
    token=$old_token
    submit_query
}

@test "a backup of a controller alone is a state for one" {
    make_state
    ends 0 '5 jobs' -- "$reeve" ledger backup "$scratch/copy" --state "$state/controller"
    ends 0 '5 jobs' -- check "$scratch/copy"
    mv "$state/controller" "$state/lost"
    mv "$scratch/copy" "$state/controller"
    start_reeve
    api GET '/job?limit=100'
    has . "$before"
}

@test "an agent that is ahead of a ledger that was restored goes on" {
    make_state running
    ends 0 -- "$reeve" ledger backup "$scratch/copy" --state "$state"
    submit_query
    submit_query
    stop_reeve
    mv "$state/controller" "$state/lost"
    mv "$scratch/copy/controller" "$state/controller"
    start_reeve
    api GET '/job?limit=100'
    has . "$before"
    submit_query
    job_is "$job" completed
}

@test "a backup never writes over anything, and one that was cut off is not taken for one" {
    make_state
    mkdir "$scratch/full" "$scratch/empty"
    touch "$scratch/full/something"
    ends 3 "$scratch/full holds something" -- "$reeve" ledger backup "$scratch/full" --state "$state"
    ends 0 -- "$reeve" ledger backup "$scratch/empty" --state "$state"
    mkdir "$scratch/cut.partial"
    ends 3 "$scratch/cut.partial" -- "$reeve" ledger backup "$scratch/cut" --state "$state"
    [ ! -e "$scratch/cut" ]
}

@test "a backup belongs to whom the state belongs to, and is closed to others" {
    make_state
    ends 0 -- "$reeve" ledger backup "$scratch/copy" --state "$state"
    for part in . key ledger ledger/data.mdb; do
        [ "$(stat -c '%A %U' "$scratch/copy/controller/$part")" = "$(stat -c '%A %U' "$state/controller/$part")" ]
    done
}

@test "a backup of a damaged ledger fails in words and leaves nothing" {
    make_state
    truncate -s 16384 "$ledger/data.mdb"
    run timeout 30 "$reeve" ledger backup "$scratch/copy" --state "$state" 3>&-
    echo "$output"
    [ "$status" = 3 ]
    [[ $output = *"$state/controller"* ]]
    [ "$(ls -d "$scratch"/copy* 2>/dev/null)" = '' ]
}
