#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Bulk actions when the controller is killed meanwhile: done wholly, or not at all.

load lib
load detached

setup()
{
    make_scratch
    controller='' agent=''
}

teardown()
{
    end_program controller
    end_program agent
    clean_up
}

# bulk ACTION FILTER [MEMBERS]: e.g. bulk cancel '{"user":"ann"}' '{"dry_run":true}'.
bulk()
{
    api POST "/job/$1" "$(jq -nc --argjson f "$2" --argjson m "${3:-{\}}" '{filter: $f} + $m')"
}

# Doubles what is there until there are N jobs.
multiply()
{
    local n
    until n=$(count) && [ "$n" -ge "$1" ]; do
        bulk retry '{"until":"0s"}' "{\"limit\":$(($1 - n < n ? $1 - n : n))}"
        answers 200
    done
}

# count [QUERY]: of the jobs.
count()
{
    api GET "/job?limit=1&${1:-}" && member .total_items
}

is_up()
{
    api GET /job && answers 200
}

# begin_alone: a controller that a test can kill, with N jobs that wait for an agent which is gone.
begin_alone()
{
    write_pair
    mkdir -m 1777 "$scratch/note"
    start_program controller
    start_program agent
    wait_for 20 test -s "$token_file"
    token=$(<"$token_file")
    wait_for 20 agent_is_ready
    end_program agent KILL
    for _ in 1 2 3 4 5; do
        submit_shell 'true' '?expires=1h'
    done
    multiply "$1"
}

start_again()
{
    start_program controller
    wait_for 20 is_up
}

# kill_during ACTION FILTER MEMBERS: kills the controller at some moment of it.
kill_during()
{
    bulk "$@" 2>/dev/null &
    local asking=$!
    sleep "0.0$((RANDOM % 5))$((RANDOM % 10))"
    end_program controller KILL
    wait "$asking" || true
    start_again
}

# all_or_none BEFORE AFTER N
all_or_none()
{
    local changed=$(($2 - $1))
    [ "$changed" = 0 ] || [ "${changed#-}" = "$3" ] || {
        echo "${changed#-} of $3"
        return 1
    }
}

all_is_sound()
{
    end_program controller
    "$reeve" ledger check --state "$scratch/state"
}

@test "killed at any moment, an action is done wholly or not at all" {
    begin_alone 240
    for _ in 1 2 3; do
        was=$(count)
        kill_during retry '{"until":"0s"}' '{"limit":200}'
        all_or_none "$was" "$(count)" 200
    done
    for _ in 1 2 3; do
        was=$(count code=cancelled)
        kill_during cancel '{"status":["submitted"]}' '{"limit":70}'
        all_or_none "$was" "$(count code=cancelled)" 70
    done
    for _ in 1 2 3; do
        was=$(count)
        kill_during delete '{"until":"0s"}' '{"limit":70}'
        all_or_none "$was" "$(count)" 70
    done
    all_is_sound
}

@test "killed in the middle of applying it, nothing of an action is done" {
    REEVE_FAULT=list "$REEVE_BUILD/reeve-controller" --version | grep -q "^bulk" || skip 'this build has no fault points'
    begin_alone 60
    end_program controller
    for action in retry cancel delete; do
        export REEVE_FAULT=bulk.apply:30:kill:$scratch/note/$action
        write_program controller-that-dies "$scratch/controller"
        unset REEVE_FAULT
        "$scratch/controller-that-dies" 3>&- &
        controller=$!
        wait_for 20 is_up
        bulk "$action" '{"until":"0s"}' 2>/dev/null || true
        wait_for 10 is_gone "$controller"
        [ -e "$scratch/note/$action" ]
        start_again
        [ "$(count)" = 60 ]
        [ "$(count status=submitted)" = 60 ]
        end_program controller
    done
    start_again
    all_is_sound
}
