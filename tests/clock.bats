#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Somebody sets a clock, or an agent can't tell what time it is: nothing starts late, and times keep their order.
#
# The wall clock of one program is moved by libfaketime, which leaves CLOCK_MONOTONIC and CLOCK_BOOTTIME as they are, but
# for absolute timers of theirs: an agent under it can't run programs.

load lib
load detached

setup()
{
    make_scratch
    controller='' agent='' supervisor=''
    # Sanitizers and another preloaded library don't agree.
    REEVE_BUILD=$REEVE_BUILD_PLAIN
    reeve=$REEVE_BUILD/reeve
}

teardown()
{
    local left=0
    end_pair || left=1
    stop_reeve || left=1
    [ "$left" = 0 ] && rm -rf "$scratch"
}

# set_clock NAME SECONDS: that program's, so much beside the machine's.
set_clock()
{
    echo "$2" >"$scratch/clock.new"
    chmod 644 "$scratch/clock.new"
    mv "$scratch/clock.new" "$scratch/$1.clock"
}

# start_pair_with_clock NAME [AGENT-FLAG…]
start_pair_with_clock()
{
    local library
    library=$(find /usr/lib -name libfaketimeMT.so.1 | head -n 1)
    [ -n "$library" ] || skip 'there is no libfaketime'
    write_pair "${@:2}"
    set_clock "$1" +0
    # Last: it makes a semaphore as the user that it is started as.
    sed -i "s|$REEVE_BUILD/reeve-$1 |env LD_PRELOAD=$library FAKETIME_TIMESTAMP_FILE=$scratch/$1.clock \
FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 &|" "$scratch/$1"
    start_pair
}

# The list is in the order in which the jobs were made, their times never rise in it, and in no job one comes before it
# was made. list_is ID…: newest first.
list_is()
{
    api GET '/job?limit=100'
    has '[.items[].id] | join(" ")' "$*"
    holds '[.items[].created] | . == (sort | reverse)'
    holds '[.items[] | (.created <= .updated_at) and ([.timeline[].timestamp] | . == sort) and .timeline[0].event == "submitted"] | all'
}

# submit_for SECONDS COMMAND: that is how long it may take.
submit_for()
{
    api POST /node/_any/command/shell "$(jq -nc --arg c "$2" --argjson t "$1" '{command: $c, timeout: $t}')" \
        -H 'Prefer: respond-async' && answers 202 && job=$(member .job_id)
}

# times_rise JOB: nothing of it comes before it was made, and no step before the one that led to it.
times_rise()
{
    api GET "/job/$1" && holds '(.created <= .updated_at) and ([.timeline[].timestamp] | . == sort)'
}

# step_clock SECONDS: the controller's, and waits until the agent has been told.
step_clock()
{
    local before
    before=$(grep -c 'core.clock_set' "$scratch/log" || true)
    set_clock controller "$1"
    wait_for 5 has_stepped "$before"
}

has_stepped()
{
    [ "$(grep -c 'core.clock_set' "$scratch/log")" -gt "$1" ]
}

@test "the controller's clock is set, and work and lists go on as before" {
    start_pair_with_clock controller
    jobs=
    # Not before the token was issued.
    for seconds in +0 +3600 +7200 +0 +3600; do
        set_clock controller "$seconds"
        for _ in 1 2; do
            submit_query
            jobs="$job $jobs"
        done
    done
    # shellcheck disable=SC2086 # a list
    list_is $jobs
    grep -q 'core.clock_set by_ms=-7[12]' "$scratch/log"
}

@test "a controller that starts with an earlier clock makes no earlier times" {
    start_pair_with_clock controller
    set_clock controller +3600
    submit_query
    first=$job
    end_program controller
    set_clock controller +0
    start_program controller
    wait_for 20 agent_is_ready
    submit_query
    list_is "$job" "$first"
}

@test "what has timed out does not start when the controller's clock was set back" {
    start_pair_with_clock controller
    kill -STOP "$agent"
    submit_shell "echo ran >$scratch/witness" '?expires=1s'
    set_clock controller -3600
    wait_for 6 failed_with "$job" expired
    kill -CONT "$agent"
    wait_for 5 submit_query
    [ ! -e "$scratch/witness" ]
}

@test "what has timed out does not start when the controller's clock was set forward" {
    start_pair_with_clock controller
    kill -STOP "$agent"
    set_clock controller +3600
    submit_shell "echo ran >$scratch/witness" '?expires=1s'
    wait_for 6 failed_with "$job" expired
    kill -CONT "$agent"
    wait_for 5 submit_query
    [ ! -e "$scratch/witness" ]
}

@test "what waits in an agent expires in time when the controller's clock was set back" {
    start_pair_with_clock controller --max-jobs 1
    unique_sleep
    submit_shell "exec $nap"
    wait_for 5 runs "$nap"
    submit_shell "echo ran >$scratch/witness" '?expires=2s'
    late=$job
    sleep 0.5
    set_clock controller -3600
    wait_for 6 failed_with "$late" expired
    pkill -KILL -fx "$nap"
    wait_for 5 submit_query
    [ ! -e "$scratch/witness" ]
}

@test "what runs has its limit, and no less, when the controller's clock is set" {
    start_pair_with_clock controller
    for seconds in +3600 +0; do
        unique_sleep
        submit_for 3 "exec $nap"
        endless=$job
        submit_for 60 'sleep 2; echo done'
        wait_for 5 job_is "$endless" processing
        wait_for 5 job_is "$job" processing
        step_clock "$seconds"
        wait_for 6 job_is "$job" completed
        has .result.stdout done
        wait_for 6 failed_with "$endless" 'timed out after 3 s'
        runs_no_more "$nap"
        times_rise "$job"
        times_rise "$endless"
    done
}

@test "what waits for its host may expire early when the controller's clock is set forward, and does not when it is set back" {
    start_pair_with_clock controller --max-jobs 1
    for seconds in +3600 +0; do
        end_program agent
        submit_shell "echo $seconds >>$scratch/witness" '?expires=30s'
        step_clock "$seconds"
        [ "$seconds" != +3600 ] || wait_for 5 failed_with "$job" expired
        start_program agent
        wait_for 10 job_is_final "$job"
        times_rise "$job"
    done
    submit_query
    [ "$(<"$scratch/witness")" = +0 ]
}

@test "no agent begins what a controller that is started anew, with its clock set forward, tells expired" {
    start_pair_with_clock controller --max-jobs 1
    end_program agent
    unique_sleep
    submit_shell "exec $nap" '?expires=2h'
    submit_shell "echo ran >$scratch/witness" '?expires=2m'
    step_clock +3600
    start_program agent
    wait_for 10 runs "$nap"
    end_program controller
    start_program controller
    wait_for 20 agent_is_ready
    # It listens to its agents for half a minute before it presumes anything.
    wait_for 40 failed_with "$job" expired
    pkill -KILL -fx "$nap"
    wait_for 5 submit_query
    [ ! -e "$scratch/witness" ]
}

@test "what waits in an agent may expire early when the controller's clock is set forward, and does not when it is set back" {
    start_pair_with_clock controller --max-jobs 1
    for seconds in +3600 +0; do
        unique_sleep
        submit_shell "exec $nap"
        wait_for 5 runs "$nap"
        submit_shell "echo $seconds >>$scratch/witness" '?expires=30s'
        sleep 0.5
        step_clock "$seconds"
        wait_for 5 agent_is_ready
        [ "$seconds" != +3600 ] || wait_for 5 failed_with "$job" expired
        pkill -KILL -fx "$nap"
        wait_for 10 job_is_final "$job"
        times_rise "$job"
    done
    submit_query
    [ "$(<"$scratch/witness")" = +0 ]
}

@test "an agent's clock is set, and nobody notices" {
    start_pair_with_clock agent
    jobs=
    for seconds in +0 +3600 -3600 +0; do
        set_clock agent "$seconds"
        for _ in 1 2; do
            submit_query
            jobs="$job $jobs"
        done
    done
    # shellcheck disable=SC2086 # a list
    list_is $jobs
    # Neither in the future nor before this test.
    holds "[.items[].timeline[].timestamp[0:19] + \"Z\" | fromdate | . >= now - $SECONDS - 2 and . <= now] | all"
}

connections()
{
    grep -c 'reeve-agent.* controller.connected' "$log"
}

has_connected_again()
{
    [ "$(connections)" -gt 1 ]
}

@test "an agent that can't tell what time it is begins nothing, says so, and learns it" {
    start_reeve
    frozen=$(child controller)
    kill -STOP "$frozen"
    kill -KILL "$(child agent)"
    wait_for 10 has_connected_again
    # The answer to its first question takes this long.
    sleep 3
    kill -CONT "$frozen"
    wait_for 5 agent_is_ready
    api POST /node/_any/command/shell "{\"command\":\"echo ran >$scratch/witness\"}"
    refused 504
    has .reason expired
    holds '.error | test("clock is known to [0-9]+ ms only")'
    [ ! -e "$scratch/witness" ]
    wait_for 15 submit_query
}
