#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Jobs are dropped when the rules say so, and not before; what the archive shall have is in it, whatever dies meanwhile.

load lib

setup()
{
    make_scratch
}

teardown()
{
    clean_up_with_disk "$scratch/disk"
}

archive()
{
    echo "${state:-$scratch/state}/controller/archive"
}

# archived FILTER: of every job in the archive. Each file must be whole.
archived()
{
    local file
    for file in "$(archive)"/jobs-*.jsonl.zst; do
        [ ! -e "$file" ] || zstdcat "$file" || return 1
    done | jq -rc "$1"
    [ "${PIPESTATUS[0]}" = 0 ]
}

total_is()
{
    api GET /job && answers 200 && has .total_items "$1"
}

total_is_about()
{
    api GET /job && holds ".total_items | . >= $1 - 5 and . <= $1 + 5"
}

counts_agree()
{
    api GET '/job?limit=100' && answers 200 &&
        holds '(.total_items == ([.status_counts[]] | add)) and ((.items | length) == ([.total_items, 100] | min))'
}

logs()
{
    grep -E " $1 .*${2:-}" "$log"
}

# metric NAME: its value.
metric()
{
    local port
    port=$(sed -nE 's/.* metrics\.ready .*port=([0-9]+).*/\1/p' "$log" | tail -n 1)
    curl -sS -m 5 "http://127.0.0.1:$port/metrics" | sed -nE "s/^$1 //p"
}

has_fault_points()
{
    REEVE_FAULT=list "$REEVE_BUILD/reeve-controller" | grep -q '^retention'
}

# query_for_a_while SECONDS FILE: one query after the other; ids of those that were answered.
query_for_a_while()
{
    local until=$((SECONDS + $1)) id
    while [ "$SECONDS" -lt "$until" ]; do
        id=$(curl -sS -m 5 -H "Authorization: Bearer $token" "$url/node/_any/hostname" 2>/dev/null | jq -r '.job_id // empty') || true
        [ -z "$id" ] || echo "$id" >>"$2"
    done
}

@test "old queries go to the archive, modifies stay, and submissions go on meanwhile" {
    REEVE_RETENTION_QUERIES=2s REEVE_RETENTION_ARCHIVE=true start_reeve
    submit_shell 'echo kept'
    kept=$job
    submit_query
    api GET "/job/$job"
    first=$(member .)
    echo "$job" >"$scratch/ids"
    query_for_a_while 5 "$scratch/ids" &
    busy=$!
    for _ in 1 2 3 4 5 6 7 8; do
        counts_agree
        sleep 0.4
    done
    wait "$busy"
    [ "$(wc -l <"$scratch/ids")" -gt 20 ]
    wait_for 10 total_is 1
    has '.items[0].id' "$kept"
    counts_agree
    api GET "/job/$job"
    refused 404
    diff <(sort "$scratch/ids") <(archived .id | sort)
    [ "$(archived "select(.id == \"$job\")" | jq -S .)" = "$(jq -S . <<<"$first")" ]
    [ "$(logs retention.dropped | wc -l)" -lt "$(wc -l <"$scratch/ids")" ]
    logs retention.dropped 'jobs=[1-9][0-9]* reason=age archived=1'
    [ "$(metric reeve_jobs_dropped_total)" = "$(wc -l <"$scratch/ids")" ]
    # What is the archive's is nobody else's.
    [ "$(stat -c %a "$(archive)")" = 700 ]
}

@test "other rules hold from SIGHUP on" {
    echo 'log_level: info' >"$scratch/reeve.yaml"
    chmod 644 "$scratch/reeve.yaml"
    start_reeve --config "$scratch/reeve.yaml"
    for _ in 1 2 3 4 5 6; do
        submit_query
    done
    sleep 2
    total_is 6
    printf 'log_level: info\nretention:\n  completed:\n    jobs: 2\n' >"$scratch/reeve.yaml"
    kill -HUP "$supervisor"
    wait_for 5 total_is 2
    has '.items[0].id' "$job"
    logs retention.dropped 'jobs=4 reason=jobs_of_status archived=0'
    [ ! -e "$(archive)" ]
}

@test "nothing is dropped while the archive fails, which is said once" {
    REEVE_RETENTION_QUERIES=1s REEVE_RETENTION_ARCHIVE=true start_reeve
    : >"$(archive)"
    submit_query
    wait_for 5 logs retention.failed archive
    sleep 6
    total_is 1
    [ "$(logs retention.failed | wc -l)" = 1 ]
    [ "$(curl -sS -o "$scratch/ready" -w '%{http_code}' "$url/health/ready")" = 200 ]
    rm "$(archive)"
    wait_for 15 total_is 0
    logs retention.works_again
    [ "$(archived .id)" = "$job" ]
}

@test "killed between archive and drop, a job is archived twice and lost never" {
    has_fault_points || skip 'this build has no fault points'
    export REEVE_FAULT=retention.archived:1:kill:$scratch/note
    chmod 777 "$scratch"
    REEVE_RETENTION_QUERIES=2s REEVE_RETENTION_ARCHIVE=true start_reeve
    for _ in 1 2 3; do
        submit_query
    done
    wait_for 10 logs retention.dropped
    wait_for 10 agent_is_ready
    wait_for 10 total_is 0
    [ -e "$scratch/note" ]
    [ "$(archived .id | sort -u | wc -l)" = 3 ]
    [ "$(archived .id | wc -l)" -gt 3 ]
}

@test "what the disk does not let go is archived once" {
    has_fault_points || skip 'this build has no fault points'
    export REEVE_FAULT=retention.refused:1:ENOSPC:$scratch/note
    chmod 777 "$scratch"
    REEVE_RETENTION_QUERIES=2s REEVE_RETENTION_ARCHIVE=true start_reeve
    submit_query
    wait_for 10 logs retention.failed 'the state disk'
    total_is 1
    wait_for 10 logs retention.works_again
    total_is 0
    [ "$(archived .id)" = "$job" ]
}

@test "what a killed write left in the archive is cut off at start" {
    has_fault_points || skip 'this build has no fault points'
    export REEVE_FAULT=archive.sync:2:kill:$scratch/note
    chmod 777 "$scratch"
    REEVE_RETENTION_QUERIES=2s REEVE_RETENTION_ARCHIVE=true start_reeve
    submit_query
    wait_for 10 logs retention.dropped
    submit_query
    wait_for 10 logs retention.archive_cut 'bytes=[1-9]'
    wait_for 10 agent_is_ready
    wait_for 10 total_is 0
    [ "$(archived .id | wc -l)" = 2 ]
    [ "$(archived .id | sort -u | wc -l)" = 2 ]
}

@test "kill -9 at any moment of retention loses nothing that is not in the archive" {
    REEVE_RETENTION_QUERIES=1s REEVE_RETENTION_ARCHIVE=true start_reeve
    local busy=()
    for i in 1 2; do
        query_for_a_while 9 "$scratch/ids.$i" &
        busy+=($!)
    done
    for _ in 1 2 3 4; do
        sleep "1.$RANDOM"
        kill_child controller
    done
    wait "${busy[@]}"
    wait_for 10 total_is 0
    cat "$scratch"/ids.* | sort >"$scratch/ids"
    [ "$(wc -l <"$scratch/ids")" -gt 20 ]
    archived .id | sort -u >"$scratch/archived"
    [ -z "$(comm -23 "$scratch/ids" "$scratch/archived")" ]
}

@test "beyond its share of the disk the oldest jobs go, and no more than that" {
    [ "$(id -u)" = 0 ] || skip 'only root mounts a small disk'
    mkdir "$scratch/disk"
    mount -t tmpfs -o size=1000m,mode=755 reeve-test "$scratch/disk"
    state=$scratch/disk/state
    # A percent of it are about 10 MB; a file of others takes a half.
    fallocate -l 500M "$scratch/disk/ballast"
    REEVE_RETENTION_DISK_PERCENT=1 start_reeve
    # A percent of the half that is left: 5 MB, 33 of these: 200,000 letters, 150,000 bytes when packed.
    for _ in $(seq 60); do
        api POST /node/_any/command/shell '{"command": "head -c 150000 /dev/urandom | base64 -w 0"}'
        answers 202
        job=$(member .job_id)
    done
    wait_for 10 logs retention.dropped reason=disk_percent
    sleep 3
    api GET /job
    kept=$(member .total_items)
    [ "$kept" -ge 13 ] && [ "$kept" -le 40 ]
    has '.items[0].id' "$job"
    sleep 3
    total_is "$kept"
    # New ones take the place of the old: the file has what it needs.
    before=$(stat -c %s "$state/controller/ledger/data.mdb")
    for _ in $(seq 60); do
        api POST /node/_any/command/shell '{"command": "head -c 150000 /dev/urandom | base64 -w 0"}'
        answers 202
    done
    wait_for 10 total_is_about "$kept"
    after=$(stat -c %s "$state/controller/ledger/data.mdb")
    [ $((after * 2)) -le $((before * 3)) ]
}
