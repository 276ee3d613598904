#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every move of a run that src/job/transition.c allows, made by the real programs. With a question mark: what was
# presumed from silence, and is overruled. The last test compares this table with that one.
#
#: waiting acknowledged       | what has to wait for a worker is acknowledged, then started, then completed
#: waiting started            | what has to wait for a worker is acknowledged, then started, then completed
#: waiting completed          | what is over at once comes to its end in one move
#: waiting error              | what is over at once comes to its end in one move
#: waiting timeout            | what is killed before it is told as started has timed out
#: waiting expired            | what its host does not get in time expires
#: waiting cancelled          | what its host does not have is cancelled at once
#: waiting refused            | what the host's policy forbids is refused
#: waiting interrupted        | what an agent was given, and nobody told of, is interrupted when the agent is killed
#: acknowledged started       | what has to wait for a worker is acknowledged, then started, then completed
#: acknowledged completed     | what has waited and is over at once comes to its end from acknowledged
#: acknowledged error         | what has waited and is over at once comes to its end from acknowledged
#: acknowledged timeout       | what is killed before it is told as started has timed out
#: acknowledged expired       | what finds no worker in time expires
#: acknowledged cancelled     | what waits for a worker is cancelled
#: acknowledged refused       | what waits for a worker when the host's policy changes is refused
#: acknowledged interrupted   | what was acknowledged or started is interrupted when the agent is killed
#: started completed          | what has to wait for a worker is acknowledged, then started, then completed
#: started error              | a program that turns out to be none after a while fails from started
#: started timeout            | what runs beyond its limit is killed
#: started cancelled          | what runs is killed when it is cancelled
#: started interrupted        | what was acknowledged or started is interrupted when the agent is killed
#: started lost               | a host that was silent overrules that its runs were lost
#: expired? started           | a host that was silent overrules an expiry by what it still does
#: expired? completed         | a host that was silent overrules an expiry by what it has done
#: expired? error             | a host that was silent overrules an expiry by what it has done
#: expired? timeout           | a host that was silent overrules an expiry by what it has done
#: expired? expired           | a host that was silent confirms an expiry
#: expired? cancelled         | a host that was silent tells of a cancellation instead of an expiry
#: expired? refused           | a host that was silent tells of its policy instead of an expiry
#: expired? interrupted       | a host that was silent and whose agent was killed tells what was interrupted
#: lost? completed            | a host that was silent overrules that its runs were lost
#: lost? error                | a host that was silent overrules that its runs were lost
#: lost? timeout              | a host that was silent overrules that its runs were lost
#: lost? cancelled            | a cancellation that nobody heard of overrules that its run was lost
#: lost? interrupted          | a host that was silent and whose agent was killed tells what was interrupted
#
# Without a test: the programs of this version never come to it (src/job/test_transition.c has them).
#
#: waiting skipped            | - no operation skips
#: acknowledged skipped       | - no operation skips
#: started skipped            | - no operation skips
#: expired? skipped           | - no operation skips
#: lost? skipped              | - no operation skips
#: lost? started              | - only what was told as started can be lost
#: lost? expired              | - what was started does not expire
#: lost? refused              | - what was started is not refused

load lib
load detached

setup()
{
    make_scratch
    controller='' agent=''
    REEVE_FAULT=list "$REEVE_BUILD/reeve-agent" | grep -q . || skip 'this build has no waits to shorten'
    # Ten minutes and half a minute in the product.
    export REEVE_WAIT=dispatch.lost:1000,core.listening:1000
}

teardown()
{
    end_pair || return 1
    rm -rf "$scratch"
}

# How long an agent keeps to itself that a run waits or has started: 0.2 s and 0.5 s in the product.
tells_after()
{
    REEVE_WAIT+=,runs.tell:$1
}

# ask OPERATION INPUT [QUERY]: a job of all hosts, which are one; of those the code is shown. Sets job.
ask()
{
    api POST "/node/_all/command/$1?expires=${3:-60s}" "$2" -H 'Prefer: respond-async' && answers 202 && job=$(member .job_id)
}

# ask_shell COMMAND [TIMEOUT [EXPIRES]], ask_program PATH [TIMEOUT [EXPIRES]]
ask_shell()
{
    ask shell "$(jq -nc --arg c "$1" --argjson t "${2:-60}" '{command: $c, timeout: $t}')" "${3:-}"
}

ask_program()
{
    ask exec "$(jq -nc --arg c "$1" --argjson t "${2:-60}" '{command: $c, timeout: $t}')" "${3:-}"
}

# stands JOB WORD: the state of its run, or why it failed. A host that has said nothing is not in the item.
stands()
{
    api GET "/job/$1" && has '[.agent_states[] | .code // .status] | first // "waiting"' "$2"
}

# events JOB WORD…: its history, but for when it was submitted.
events()
{
    api GET "/job/$1" && has '[.timeline[].event] - ["submitted"] | join(" ")' "${*:2}"
}

# occupy COMMAND: the one worker, until the command ends.
occupy()
{
    unique_sleep
    ask_shell "$1; exec $nap"
    occupying=$job
    wait_for 5 runs "$nap"
}

leave()
{
    pkill -KILL -fx "$nap"
}

# delayed_program SECONDS: a file whose execution the kernel holds up for so long (fcntl(2), leases), and that is then
# no program. Sets program.
delayed_program()
{
    program=$scratch/program
    echo nothing >"$program"
    chmod 755 "$program"
    python3 - "$program" "$1" >"$scratch/held" 3>&- <<'EOF' &
import fcntl, signal, sys, time
signal.signal(signal.SIGIO, signal.SIG_IGN)
file = open(sys.argv[1], 'r+')
fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print('held', flush=True)
time.sleep(float(sys.argv[2]))
EOF
    wait_for 5 grep -q held "$scratch/held"
}

# A controller that is started after this finds no agent, until they meet again; the agent does not notice.
part()
{
    end_program controller KILL
    mv "$scratch/bus/socket" "$scratch/bus/elsewhere"
}

meet()
{
    mv "$scratch/bus/elsewhere" "$scratch/bus/socket"
}

controller_answers()
{
    api GET '/job?limit=1' && answers 200
}

restart_controller()
{
    start_program controller
    wait_for 20 controller_answers
}

# ---- by the agent's word ----

@test "what has to wait for a worker is acknowledged, then started, then completed" {
    start_pair --max-jobs 1
    occupy true
    wait_for 5 stands "$occupying" started
    ask_shell 'sleep 1'
    stands "$job" waiting
    wait_for 5 stands "$job" acknowledged
    leave
    wait_for 5 stands "$job" started
    wait_for 5 stands "$job" completed
    events "$job" acknowledged started completed
}

@test "what is over at once comes to its end in one move" {
    tells_after 60000
    start_pair
    ask_shell true
    wait_for 5 stands "$job" completed
    ask_program /nonexistent
    wait_for 5 stands "$job" error
}

@test "what has waited and is over at once comes to its end from acknowledged" {
    start_pair --max-jobs 1
    occupy true
    ask_shell true
    done=$job
    ask_program /nonexistent
    wait_for 5 stands "$done" acknowledged
    wait_for 5 stands "$job" acknowledged
    leave
    wait_for 5 stands "$done" completed
    wait_for 5 stands "$job" error
}

@test "a program that turns out to be none after a while fails from started" {
    start_pair
    delayed_program 1.5
    ask_program "$program"
    wait_for 5 stands "$job" started
    wait_for 5 stands "$job" error
    events "$job" acknowledged started failed
}

@test "what is killed before it is told as started has timed out" {
    tells_after 1300
    start_pair --max-jobs 1
    occupy true
    ask_shell 'sleep 60' 1
    wait_for 5 stands "$job" acknowledged
    leave
    wait_for 5 stands "$job" timeout
    ask_shell 'sleep 60' 1
    sleep 0.8
    stands "$job" waiting
    wait_for 5 stands "$job" timeout
}

@test "what runs beyond its limit is killed" {
    start_pair
    unique_sleep
    ask_shell "$nap" 1
    wait_for 5 stands "$job" started
    wait_for 5 stands "$job" timeout
    runs_no_more "$nap"
}

@test "what its host does not get in time expires" {
    start_pair
    end_program agent
    ask_shell "echo ran >$scratch/witness" 60 1s
    late=$job
    stands "$late" waiting
    wait_for 5 stands "$late" expired
    has '.error | contains("silent")' false
    start_program agent
    wait_for 10 submit_query
    [ ! -e "$scratch/witness" ]
    stands "$late" expired
}

@test "what finds no worker in time expires" {
    start_pair --max-jobs 1
    occupy true
    ask_shell "echo ran >$scratch/witness" 60 1s
    wait_for 5 stands "$job" acknowledged
    wait_for 5 stands "$job" expired
    leave
    wait_for 5 stands "$occupying" completed
    submit_query
    [ ! -e "$scratch/witness" ]
}

@test "what its host does not have is cancelled at once" {
    start_pair
    end_program agent
    ask_shell "echo ran >$scratch/witness"
    api POST "/job/$job/cancel"
    answers 200
    has '[.cancelled, .stopping] | join(" ")' '1 0'
    stands "$job" cancelled
    start_program agent
    wait_for 10 submit_query
    [ ! -e "$scratch/witness" ]
}

@test "what waits for a worker is cancelled" {
    start_pair --max-jobs 1
    occupy true
    ask_shell "echo ran >$scratch/witness"
    wait_for 5 stands "$job" acknowledged
    api POST "/job/$job/cancel"
    has '[.cancelled, .stopping] | join(" ")' '0 1'
    wait_for 5 stands "$job" cancelled
    leave
    submit_query
    [ ! -e "$scratch/witness" ]
}

@test "what runs is killed when it is cancelled" {
    start_pair
    occupy true
    wait_for 5 stands "$job" started
    api POST "/job/$job/cancel"
    has '[.cancelled, .stopping] | join(" ")' '0 1'
    wait_for 5 stands "$job" cancelled
    runs_no_more "$nap"
}

@test "what an agent was given, and nobody told of, is interrupted when the agent is killed" {
    tells_after 60000
    start_pair --max-jobs 1
    occupy "echo ran >>$scratch/witness"
    ask_shell "echo ran >>$scratch/witness"
    sleep 0.3
    stands "$occupying" waiting
    stands "$job" waiting
    end_program agent KILL
    start_program agent
    wait_for 10 stands "$occupying" interrupted
    wait_for 10 stands "$job" interrupted
    submit_query
    [ "$(<"$scratch/witness")" = ran ]
}

@test "what was acknowledged or started is interrupted when the agent is killed" {
    start_pair --max-jobs 1
    occupy "echo ran >>$scratch/witness"
    ask_shell "echo ran >>$scratch/witness"
    wait_for 5 stands "$occupying" started
    wait_for 5 stands "$job" acknowledged
    end_program agent KILL
    start_program agent
    wait_for 10 stands "$occupying" interrupted
    wait_for 10 stands "$job" interrupted
    submit_query
    [ "$(<"$scratch/witness")" = ran ]
}

# policy LINE…: the agent's file.
policy()
{
    printf '%s\n' "$@" >"$scratch/agent.yaml"
}

@test "what the host's policy forbids is refused" {
    policy 'deny: [command.*]'
    start_pair --config "$scratch/agent.yaml"
    ask_shell "echo ran >$scratch/witness"
    wait_for 5 stands "$job" refused
    [ ! -e "$scratch/witness" ]
}

@test "what waits for a worker when the host's policy changes is refused" {
    policy 'max_jobs: 1'
    start_pair --config "$scratch/agent.yaml"
    occupy true
    ask_shell "echo ran >$scratch/witness"
    wait_for 5 stands "$job" acknowledged
    policy 'max_jobs: 1' 'deny: [command.shell.*]'
    kill -HUP "$agent"
    wait_for 5 grep -q 'config.reloaded' "$scratch/log"
    leave
    wait_for 5 stands "$job" refused
    [ ! -e "$scratch/witness" ]
}

# ---- presumed from silence, and overruled ----

@test "a host that was silent tells of its policy instead of an expiry" {
    policy 'deny: [command.*]'
    start_pair --config "$scratch/agent.yaml"
    kill -STOP "$agent"
    ask_shell "echo ran >$scratch/witness" 60 1s
    wait_for 6 stands "$job" expired
    kill -CONT "$agent"
    wait_for 5 stands "$job" refused
    [ ! -e "$scratch/witness" ]
}

@test "a host that was silent confirms an expiry" {
    start_pair
    kill -STOP "$agent"
    ask_shell "echo ran >$scratch/witness" 60 1s
    wait_for 6 stands "$job" expired
    holds '.error | contains("silent")'
    kill -CONT "$agent"
    wait_for 5 own_word "$job"
    stands "$job" expired
    [ ! -e "$scratch/witness" ]
}

own_word()
{
    api GET "/job/$1" && holds '.error | contains("deadline to begin has passed")'
}

@test "a host that was silent overrules an expiry by what it has done" {
    tells_after 60000
    start_pair
    delayed_program 1
    ask_shell "echo ran >>$scratch/witness; sleep 0.5" 60 1s
    done=$job
    ask_program "$program" 60 1s
    none=$job
    unique_sleep
    ask_shell "$nap" 1 1s
    killed=$job
    wait_for 5 runs "$nap"
    kill -STOP "$agent"
    for job in "$done" "$none" "$killed"; do
        wait_for 6 stands "$job" expired
    done
    # The agent tells it to whom it meets next, with its hello.
    end_program controller KILL
    restart_controller
    kill -CONT "$agent"
    wait_for 5 stands "$done" completed
    wait_for 5 stands "$none" error
    wait_for 5 stands "$killed" timeout
    [ "$(<"$scratch/witness")" = ran ]
}

@test "a host that was silent overrules an expiry by what it still does" {
    tells_after 2000
    start_pair
    unique_sleep
    ask_shell "$nap" 60 1s
    wait_for 5 runs "$nap"
    kill -STOP "$agent"
    wait_for 6 stands "$job" expired
    api GET '/job?status=failed'
    has .total_items 1
    kill -CONT "$agent"
    wait_for 5 stands "$job" started
    api GET '/job?status=failed'
    has .total_items 0
    leave
    wait_for 5 stands "$job" completed
}

@test "a host that was silent tells of a cancellation instead of an expiry" {
    tells_after 60000
    start_pair --max-jobs 1
    occupy true
    ask_shell "echo ran >$scratch/witness" 60 1s
    sleep 0.3
    kill -STOP "$agent"
    api POST "/job/$job/cancel"
    has '[.cancelled, .stopping] | join(" ")' '0 1'
    wait_for 6 stands "$job" expired
    kill -CONT "$agent"
    wait_for 5 stands "$job" cancelled
    leave
    submit_query
    [ ! -e "$scratch/witness" ]
}

@test "a host that was silent and whose agent was killed tells what was interrupted" {
    start_pair
    unique_sleep
    ask_shell "$nap" 3 1s
    lost=$job
    wait_for 5 stands "$lost" started
    ask_shell "echo ran >>$scratch/witness; $nap" 60 1s
    wait_for 5 test -s "$scratch/witness"
    kill -STOP "$agent"
    wait_for 10 stands "$lost" lost
    wait_for 6 stands "$job" expired
    end_program agent KILL
    start_program agent
    wait_for 10 stands "$lost" interrupted
    wait_for 10 stands "$job" interrupted
    submit_query
    [ "$(<"$scratch/witness")" = ran ]
}

@test "a host that was silent overrules that its runs were lost" {
    start_pair
    delayed_program 1.5
    ask_program "$program" 2
    none=$job
    ask_shell "echo ran >>$scratch/witness; sleep 1.2" 2
    done=$job
    ask_shell 'sleep 60' 2
    killed=$job
    for job in "$none" "$done" "$killed"; do
        wait_for 5 stands "$job" started
    done
    part
    restart_controller
    stands "$none" started
    for job in "$none" "$done" "$killed"; do
        wait_for 6 stands "$job" lost
    done
    api GET '/job?status=failed'
    has .total_items 3
    meet
    wait_for 6 stands "$none" error
    wait_for 6 stands "$done" completed
    wait_for 6 stands "$killed" timeout
    [ "$(<"$scratch/witness")" = ran ]
}

@test "a cancellation that nobody heard of overrules that its run was lost" {
    start_pair
    unique_sleep
    ask_shell "$nap" 2
    wait_for 5 stands "$job" started
    kill -STOP "$agent"
    api POST "/job/$job/cancel"
    has '[.cancelled, .stopping] | join(" ")' '0 1'
    part
    kill -CONT "$agent"
    wait_for 5 runs_no_more "$nap"
    restart_controller
    wait_for 6 stands "$job" lost
    meet
    wait_for 6 stands "$job" cancelled
}

# ---- the table ----

@test "every move that is allowed stands in the table above, and no other" {
    sed -nE 's/^#: ([a-z?]+ [a-z]+) +\| .*/\1/p' "$BATS_TEST_FILENAME" | sort >"$scratch/named"
    "$REEVE_BUILD/tests/transitions" | sort | diff - "$scratch/named"
    sed -nE 's/^#: [^|]*\| ([^-].*)/\1/p' "$BATS_TEST_FILENAME" | sort -u >"$scratch/titles"
    while read -r title; do
        grep -qF "@test \"$title\" {" "$BATS_TEST_DIRNAME"/*.bats
    done <"$scratch/titles"
}
