#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a client was told stays true, whatever dies meanwhile.

load lib

setup()
{
    make_scratch
    witness=$scratch/witness
}

teardown()
{
    clean_up_with_disk "$scratch/disk"
}

freeze()
{
    frozen=$(child "$1")
    kill -STOP "$frozen"
}

thaw()
{
    kill -CONT "$frozen"
}

# ---- the agent is silent ----

@test "a run that was told expired never starts later" {
    start_reeve
    freeze agent
    api POST '/node/_any/command/shell?wait=1s&expires=1s' "{\"command\":\"echo ran >>$witness\"}"
    refused 504
    holds '.details | contains("waiting")'
    job=$(member .job_id)
    wait_for 6 failed_with "$job" expired
    thaw
    submit_query
    sleep 1
    [ ! -e "$witness" ]
    job_is "$(member .job_id)" completed
    failed_with "$(api GET '/job?status=failed' && member '.items[0].id')" expired
}

@test "a run whose host comes back in time is done" {
    start_reeve
    freeze agent
    submit_shell "echo ran >>$witness" '?expires=30s'
    sleep 1
    job_is "$job" submitted
    thaw
    wait_for 5 job_is "$job" completed
    [ "$(<"$witness")" = ran ]
}

@test "a cancelled run that had not started never starts" {
    start_reeve
    freeze agent
    submit_shell "echo ran >>$witness" '?expires=30s'
    api POST "/job/$job/cancel"
    answers 200
    has '.cancelled + .stopping' 1
    thaw
    wait_for 5 failed_with "$job" cancel
    sleep 0.5
    [ ! -e "$witness" ]
}

@test "a deleted run that had not started never starts" {
    start_reeve
    freeze agent
    submit_shell "echo ran >>$witness" '?expires=30s'
    api DELETE "/job/$job"
    answers 204
    thaw
    submit_query
    sleep 0.5
    [ ! -e "$witness" ]
}

# ---- something stands still ----

# Long enough to be late for deadlines; `make crash` lets it be a minute, in which a host counts as silent.
standstill=${REEVE_STANDSTILL_S:-2}

@test "agent, controller and supervisor may stand still under load, and nothing is lost or done twice" {
    start_reeve
    "$REEVE_BUILD/tests/promised" load "$url" "$state/token" "$witness" "$scratch/notes" $((3 * standstill + 4)) "$RANDOM" 3>&- &
    loading=$!
    for program in agent controller; do
        sleep 1
        freeze "$program"
        sleep "$standstill"
        thaw
    done
    sleep 1
    kill -STOP "$supervisor"
    sleep "$standstill"
    kill -CONT "$supervisor"
    wait "$loading"
    "$REEVE_BUILD/tests/promised" check "$url" "$state/token" "$witness" "$scratch/notes"
}

@test "a child that dies while the supervisor stands still is started when it goes on" {
    start_reeve
    kill -STOP "$supervisor"
    old=$(child controller)
    kill -KILL "$old"
    sleep 0.5
    kill -CONT "$supervisor"
    wait_for 10 is_another controller "$old"
    wait_for 10 submit_query
}

# ---- something dies ----

@test "a run whose agent is killed is interrupted and not done again" {
    start_reeve
    unique_sleep
    submit_shell "echo ran >>$witness; $nap"
    wait_for 5 runs "$nap"
    kill_child agent
    wait_for 10 failed_with "$job" interrupted
    [ "$(<"$witness")" = ran ]
    runs_no_more "$nap"
}

@test "a run that is interrupted in its first moments tells when it began" {
    start_reeve
    unique_sleep
    submit_shell "$nap"
    wait_for 5 runs "$nap"
    kill_child agent
    wait_for 10 failed_with "$job" interrupted
    holds '[.timeline[].event] | any(. == "started")'
}

@test "what an agent was doing ends with it, all of it, when nobody starts the agent again" {
    start_reeve
    unique_sleep
    submit_shell "$nap & sh -c '$nap; true' & $nap"
    wait_for 5 runs "$nap"
    kill -STOP "$supervisor"
    kill -KILL "$(child agent)"
    wait_for 5 runs_no_more "$nap"
    kill -CONT "$supervisor"
    wait_for 10 failed_with "$job" interrupted
}

@test "a supervisor that is killed takes all with it, and nothing is done twice after the next start" {
    start_reeve
    unique_sleep
    submit_shell "echo ran >>$witness; $nap"
    wait_for 5 runs "$nap"
    family=$(descendants_of "$supervisor")
    kill -KILL "$supervisor"
    for pid in $family; do wait_for 20 is_gone "$pid"; done
    runs_no_more "$nap"
    supervisor=
    start_reeve
    wait_for 10 failed_with "$job" interrupted
    submit_query
    [ "$(<"$witness")" = ran ]
}

@test "a command outlives the controller and its outcome arrives, once" {
    start_reeve
    submit_shell "echo ran >>$witness; sleep 1.5; echo done"
    wait_for 5 test -e "$witness"
    kill_child controller
    wait_for 10 job_is "$job" completed
    has .result.stdout done
    [ "$(<"$witness")" = ran ]
}

@test "what waited when both were killed is done after the start" {
    start_reeve
    freeze agent
    submit_shell "echo ran >>$witness" '?expires=1m'
    kill -KILL "$frozen"
    kill_child controller
    wait_for 10 job_is "$job" completed
    [ "$(<"$witness")" = ran ]
}

@test "after a restart every job, result and count is what it was" {
    start_reeve
    for _ in 1 2 3; do submit_query; done
    api POST /node/_any/command/exec '{"command":"/nonexistent"}'
    api GET '/job?limit=100'
    before=$body
    stop_reeve
    start_reeve
    api GET '/job?limit=100'
    has . "$before"
}

@test "a runlog that is gone makes what was running interrupted" {
    start_reeve
    unique_sleep
    submit_shell "$nap"
    wait_for 5 runs "$nap"
    kill -STOP "$supervisor"
    kill -KILL "$(child agent)"
    find "$state" -name '*runlog*' -exec rm -rf {} +
    kill -CONT "$supervisor"
    wait_for 10 failed_with "$job" interrupted
}

# ---- the disk is full ----

is_told_no_space()
{
    api GET /node/_any/hostname && [ "$status_code" = 507 ]
}

@test "a full state disk refuses submissions, and neither reads nor outcomes" {
    [ "$(id -u)" = 0 ] || skip 'only root mounts a small disk'
    mkdir "$scratch/disk"
    mount -t tmpfs -o size=400m,mode=755 reeve-test "$scratch/disk"
    state=$scratch/disk/state
    start_reeve
    submit_shell 'sleep 3; echo done'
    fallocate -l 200M "$scratch/disk/ballast"
    wait_for 5 is_told_no_space
    refused 507
    raw_api /health/ready
    answers 503
    wait_for 10 job_is "$job" completed
    has .result.stdout done
    rm "$scratch/disk/ballast"
    wait_for 5 submit_query
}

# ---- the end ----

@test "SIGTERM lets requests in flight finish" {
    start_reeve
    curl -sS -m 20 -o "$scratch/answer" -w '%{http_code}' -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        -d "{\"command\":\"echo ran >$witness; sleep 1; echo done\"}" "$url/node/_any/command/shell" >"$scratch/code" 3>&- &
    asking=$!
    wait_for 5 test -e "$witness"
    stop_reeve
    wait "$asking"
    [ "$(<"$scratch/code")" = 202 ]
    [ "$(jq -r '.results[0].stdout' "$scratch/answer")" = done ]
}

# ---- the start ----

# start_fails WORD…: reeve start ends by itself, with a status, and says each word in its last lines.
start_fails()
{
    local word
    run timeout 20 "${runner[@]}" "$reeve" start --state "$state" --port "$port" 3>&-
    echo "$output"
    [ "$status" -ne 0 ] && [ "$status" -ne 124 ] || return 1
    for word; do
        grep -qiF -- "$word" <<<"$output" || return 1
    done
}

@test "a port that is taken is named, and nothing stays" {
    start_reeve
    (
        state=$scratch/other
        start_fails "$port"
    )
}

@test "a second start on the same state is refused while the first goes on" {
    start_reeve
    (
        port=$(free_port)
        start_fails "$state"
    )
    submit_query
}

@test "a second controller on the same ledger is refused" {
    start_reeve
    run timeout 10 "$REEVE_BUILD/reeve-controller" --state "$state/controller" --port 0
    [ "$status" = 1 ]
    [[ $output = *"another controller"* ]]
    submit_query
}

@test "a state directory that can't be written is named" {
    port=$(free_port)
    become_ordinary
    mkdir "$scratch/locked"
    chmod 500 "$scratch/locked"
    state=$scratch/locked/state
    start_fails "$state"
}

@test "a damaged ledger is refused and left as it is" {
    start_reeve
    submit_query
    stop_reeve
    ledger=$(find "$state" -name data.mdb)
    head -c 8192 /dev/zero | tr '\0' x >"$ledger"
    start_fails ledger
    [ "$(stat -c %s "$ledger")" = 8192 ]
}

@test "a ledger that was cut short is refused in words and left as it is" {
    start_reeve
    submit_query
    stop_reeve
    ledger=$(find "$state" -name data.mdb)
    truncate -s 8192 "$ledger"
    start_fails ledger 'cut short'
    [ "$(stat -c %s "$ledger")" = 8192 ]
}
