# SPDX-License-Identifier: MIT
# The host's own word: what its agent.yaml allows, as whom programs run, and the line in its journal.
load lib

setup()
{
    make_scratch
}

teardown()
{
    [ -z "${reader:-}" ] || kill "$reader" 2>/dev/null || true
    clean_up
}

# policy LINE…: the agent's file; tells a running supervisor.
policy()
{
    printf '%s\n' "$@" >"$scratch/agent.yaml"
    [ -z "${supervisor:-}" ] || kill -HUP "$supervisor"
}

start_with_policy()
{
    policy "$@"
    start_reeve --agent-config "$scratch/agent.yaml" </dev/null
}

executes()
{
    api POST /node/_any/command/exec "$1"
}

forbidden()
{
    executes '{"command": "true"}' && answers 500 && has .reason refused
}

allowed()
{
    executes '{"command": "true"}' && answers 202
}

@test "what is denied is refused, recorded and never executed" {
    start_with_policy 'deny: [command.*]'
    executes "{\"command\": \"touch\", \"args\": [\"$scratch/done\"]}"
    answers 500
    has .reason refused
    [[ $(member .error) == *"this host's own policy forbids command.exec.execute (deny in its agent.yaml)"* ]]
    failed_with "$(member .job_id)" 'own policy forbids'
    has '.timeline | any(.event == "started")' false
    [ ! -e "$scratch/done" ]
    submit_query
}

@test "with a list of what is allowed all else is refused" {
    start_with_policy 'allow: [node.hostname.get]'
    submit_query
    api GET /node/_any/disk
    answers 500
    has .reason refused
}

@test "SIGHUP changes the policy, and a wrong one changes nothing" {
    start_with_policy 'max_jobs: 4'
    executes '{"command": "true"}' && answers 202
    policy 'deny: [command.exec.execute]'
    wait_for 5 forbidden
    policy 'deny: [commando.*]'
    wait_for 5 grep -q "config.refused.*'commando.*' matches no operation" "$log"
    forbidden
    policy 'allow: ["*"]'
    wait_for 5 allowed
}

@test "programs run as the user that the host names, with its groups and home" {
    [ "$(id -u)" = 0 ] || skip 'needs root'
    start_with_policy 'command:' '  run_as: nobody'
    executes '{"command": "id"}' && answers 202
    [ "$(member '.results[0].stdout' | tr -d '\n')" = "$(id nobody)" ]
    executes '{"command": "sh", "args": ["-c", "echo $HOME $USER; cat /proc/self/status"]}'
    [[ $(member '.results[0].stdout') == "$(getent passwd nobody | cut -d: -f6) nobody"* ]]
    [[ $(member '.results[0].stdout') == *'CapEff:'*'0000000000000000'* ]]
    executes "{\"command\": \"cat\", \"args\": [\"$state/agent/runlog\"]}"
    [[ $(member '.results[0].stderr') == *'Permission denied'* ]]
    # The rest of the agent stays root.
    api GET /node/_any && answers 200
}

@test "a user that does not exist ends the start with its name" {
    policy 'command:' '  run_as: no-such-user'
    run timeout 20 "$reeve" start --state "$scratch/state" --port 0 --agent-config "$scratch/agent.yaml" </dev/null
    [ "$status" = 2 ]
    [[ $output == *'command.run_as: there is no user no-such-user'* ]]
}

# Whether somebody reads it; a socket that was left behind has nobody.
journal_is_read()
{
    python3 -c 'import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).connect("/dev/log")' 2>/dev/null
}

# Where no journald or syslog runs, this reads what they would.
read_journal()
{
    [ "$(id -u)" = 0 ] || skip 'needs root to take the place of a journal'
    refute journal_is_read >/dev/null || skip 'this machine has a journal of its own; package.bats reads one'
    rm -f /dev/log
    python3 - "$scratch/journal" 3>&- <<'PYTHON' &
import socket, sys, os
reader = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
reader.bind("/dev/log")
try:
    with open(sys.argv[1], "ab", buffering=0) as out:
        while True:
            out.write(reader.recv(65536) + b"\n")
finally:
    os.unlink("/dev/log")
PYTHON
    reader=$!
    wait_for 5 test -S /dev/log
}

@test "each run that may change the host leaves a line in its journal, with no input in it" {
    read_journal
    start_reeve
    executes '{"command": "echo", "args": ["planted-argument"]}' && answers 202
    executed=$(member .job_id)
    submit_query
    kill "$reader"
    wait "$reader" || true
    rm -f /dev/log
    [ "$(wc -l <"$scratch/journal")" = 1 ]
    grep -E "^<[0-9]+>reeve-agent\[[0-9]+\]: run\.begins job=$executed run=0 operation=command\.exec\.execute user=\"admin\"$" "$scratch/journal"
    # Without a journal nothing is held up.
    executes '{"command": "true"}' && answers 202
}

@test "a journal that does not read holds nothing up" {
    read_journal
    kill -STOP "$reader"
    start_reeve
    for _ in $(seq 15); do
        executes '{"command": "true"}' && answers 202
    done
    kill -CONT "$reader"
    kill "$reader"
    rm -f /dev/log
}
