#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The command line: what it prints, what it exits with, and what reeve start does on this machine.

load lib
bats_require_minimum_version 1.5.0

setup_file()
{
    start_reeve
}

setup()
{
    export REEVE_STATE=$state
}

teardown_file()
{
    clean_up
}

is_narrow()
{
    ! awk -v most=100 'length($0) > most { print length($0) ": " $0; wide = 1 } END { exit !wide }' <<<"$1"
}

# verbs [GROUP…]: every verb below it, as help shows them.
verbs()
{
    "$reeve" "$@" --help | sed -nE 's/^  ([a-z][a-z-]*( …)?)  +[A-Za-z].*/\1/p' | while read -r word group; do
        if [ -n "$group" ]; then
            verbs "$@" "$word" </dev/null
        else
            echo "$*" "$word"
        fi
    done
}

# ---- exit codes ----

@test "0: it is done" {
    exits 0 "$reeve" node hostname --target _any
    [[ $output = *"$(hostname)"* ]]
    exits 0 "$reeve" node command exec --target _any --command true
}

@test "1: a host failed or nobody answered in time" {
    exits 1 "$reeve" node command exec --target _any --command /nonexistent
    [[ $output$stderr = *"No such file"* ]]
    exits 1 "$reeve" node command shell --target _any --command 'sleep 2' --wait 200ms
}

@test "2: the command line is wrong" {
    exits 2 "$reeve" job lst
    [[ $stderr = *"did you mean job list"* ]]
    exits 2 "$reeve" job list --limit 0
    [[ $stderr = *limit* ]]
    exits 2 "$reeve" job list --no-such-flag
    exits 2 "$reeve" start --state "$scratch/none" --label a=1 --label b=2 --label a=3
    [[ $stderr = *--label*"a is given twice"* ]]
    exits 2 "$reeve" job get
    exits 2 "$reeve" job get not-an-id
    exits 2 "$reeve" node command exec --target _any
}

@test "3: the controller refused" {
    exits 3 "$reeve" job get 0193c0de-0000-7000-8000-000000000000
    exits 3 "$reeve" node hostname --target no-such-host
    [[ $stderr = *"$(hostname)"* ]]
    REEVE_TOKEN=x.y.z exits 3 "$reeve" job list
}

@test "4: the controller can't be reached" {
    exits 4 "$reeve" --url http://127.0.0.1:1 --token x job list
    [[ $stderr = *127.0.0.1:1* ]]
}

# ---- reading and printing ----

@test "every verb has help that fits the terminal" {
    exits 0 "$reeve" --help
    is_narrow "$output"
    # All but these are operations, and all operations are verbs.
    [ "$(verbs | grep -cvE '^ *(start|doctor|token|ledger|config)\b')" = "$("$REEVE_BUILD/tests/matrix" --operations | wc -l)" ]
    verbs | while read -r verb; do
        exits 0 "$reeve" $verb --help
        [ -n "$output" ]
        is_narrow "$output"
    done
}

@test "tables fit in 100 columns" {
    submit_shell "echo $(printf 'x%.0s' {1..500})"
    for verb in 'job list' 'agent list' 'node status --target _all' 'node disk --target _any' "agent get $(hostname)"; do
        exits 0 "$reeve" $verb
        is_narrow "$output"
    done
    exits 0 "$reeve" job get "$("$reeve" job list --json | jq -r '.items[0].id')"
    is_narrow "$output"
}

@test "--json prints the reply as it came" {
    exits 0 "$reeve" job list --limit 2 --json
    body=$output
    has '.items | length' 2
    holds 'has("status_counts")'
    exits 3 "$reeve" job get 0193c0de-0000-7000-8000-000000000000 --json
    body=$output
    has .code 404
}

@test "arguments after -- go to the program as they are" {
    exits 0 "$reeve" node command exec --target _any --json --command printf -- '[%s]' 'a  b' --limit -x $'c\nd'
    body=$output
    has '.results[0].stdout' $'[a  b][--limit][-x][c\nd]'
}

@test "what a host prints can't steer the terminal" {
    exits 0 "$reeve" node command exec --target _any --command printf -- 'a\033[31mb\rc\302\233d\342\200\256e'
    ! LC_ALL=C grep -qP '[\x1b\r]|\xc2\x9b|\xe2\x80\xae' <<<"$output"
}

@test "a verb that changes a host wants to know which" {
    exits 2 "$reeve" node command exec --command true
    [[ $stderr = *--target* ]]
}

@test "jobs are listed, shown, retried, cancelled and deleted" {
    job=$("$reeve" node command shell --target _any --command 'sleep 60' --wait 0s --json | jq -r .job_id)
    exits 0 "$reeve" job get "$job"
    [[ $output = *command.shell.execute* ]]
    exits 0 "$reeve" job cancel "$job"
    wait_for 5 job_is "$job" failed
    exits 0 "$reeve" job list --status failed --json
    body=$output
    has '.items[0].id' "$job"
    exits 0 "$reeve" job delete "$job"
    exits 3 "$reeve" job retry "$job"
}

@test "a job is submitted by type" {
    exits 0 "$reeve" job submit --operation.type node.uptime.get --target-hostname _any
}

@test "url and token come from flags, the environment or the state directory, in this order" {
    unset REEVE_STATE
    exits 0 "$reeve" --state "$state" job list
    exits 0 env REEVE_URL="$url" REEVE_TOKEN="$token" "$reeve" job list
    exits 4 env REEVE_URL="$url" REEVE_TOKEN="$token" "$reeve" --url http://127.0.0.1:1 job list
}

@test "a token is made, shown and refused when it is not ours" {
    exits 0 "$reeve" token generate --subject ops --role write --expires 1h
    made=$output
    exits 0 "$reeve" token validate "$made"
    [[ $output = *ops* && $output = *write* ]]
    exits 0 "$reeve" token validate <<<"$made"
    exits 3 "$reeve" token validate "${made}x"
    exits 2 "$reeve" token generate --subject ops
    exits 2 "$reeve" token generate --subject ops --role king
}

# ---- reeve start ----

@test "start says where it is and who may read the token" {
    grep -qF "reeve: ready at $url, token in $state/token" "$log"
    [ "$(stat -c %a "$state/token")" = 600 ]
    [ "$(<"$state/url")" = "$url" ]
}

@test "started by root, only the agent is root" {
    users_of()
    {
        awk '/^Uid:/ { print $2, $3, $4, $5 }' "/proc/$(child "$1")/status"
    }
    me=$(id -u)
    [ "$(users_of agent)" = "$me $me $me $me" ]
    [ "$me" != 0 ] || me=$(id -u reeve)
    [ "$(users_of controller)" = "$me $me $me $me" ]
    [ "$(awk '/^Cap(Eff|Prm):/ { print $2 }' "/proc/$(child controller)/status" | sort -u)" = 0000000000000000 ]
}

@test "the controller listens on loopback alone" {
    [ "$(ss -Hltn "sport = :$port" | awk '{ print $4 }' | sort -u)" = "127.0.0.1:$port" ]
}

@test "a controller or agent that is killed is started anew" {
    for which in agent controller; do
        kill_child "$which"
        submit_query
    done
}

@test "a port that is none is refused" {
    for port in 0x 65536 -1 http; do
        exits 2 timeout 10 "$reeve" start --state "$BATS_TEST_TMPDIR/state" --port "$port"
        [[ $stderr = *port* ]]
    done
}

@test "SIGTERM and SIGINT end start with status 0 and leave nothing behind" {
    for signal in TERM INT; do
        (
            unset scratch state port
            make_scratch
            start_reeve
            family=$(descendants_of "$supervisor")
            kill -"$signal" "$supervisor"
            wait "$supervisor"
            for pid in $family; do is_gone "$pid"; done
            refute curl -s -m 2 "$url/health"
            supervisor=
            rm -rf "$scratch"
        )
    done
}

@test "a supervisor that is killed takes both with it" {
    (
        unset scratch state port
        make_scratch
        start_reeve
        family=$(descendants_of "$supervisor")
        kill -KILL "$supervisor"
        for pid in $family; do wait_for 5 is_gone "$pid"; done
        supervisor=
        rm -rf "$scratch"
    )
}

@test "an ordinary user starts a pair of their own" {
    (
        unset scratch state port
        make_scratch
        become_ordinary
        start_reeve
        submit_query
        api POST /node/_any/command/exec '{"command":"id","args":["-u"]}'
        has '.results[0].stdout' "$(stat -c %u "$state")"
        clean_up
    )
}
