# SPDX-License-Identifier: MIT
# Programs as scripts, for the tests that kill and start them by themselves (program.h).

# Small disks that are filled, and full ones of the tester, are not what drops jobs in these tests.
export REEVE_RETENTION_DISK_PERCENT=100

# write_program NAME WORD…: a script in $scratch that becomes the program. The next REEVE_FAULT is written into it.
write_program()
{
    local path=$scratch/$1
    shift
    printf '#!/bin/bash\n%sexec %s>>%q 2>&1\n' "${REEVE_FAULT:+export REEVE_FAULT=$REEVE_FAULT$'\n'}" "$(printf '%q ' "$@")" \
        "$scratch/log" >"$path"
    chmod 755 "$path"
}

# write_pair [AGENT-FLAG…]: controller and agent without a supervisor, as scripts `controller` and `agent`. Sets url and
# token_file.
write_pair()
{
    local become=() user
    user=$(id -u)
    port=$(free_port)
    url=http://127.0.0.1:$port
    token_file=$scratch/state/token
    mkdir "$scratch/bus"
    mkdir -m 700 "$scratch/state"
    if [ "$user" = 0 ]; then
        chown reeve "$scratch/state"
        become=(setpriv --reuid=reeve --regid=reeve --clear-groups)
        user=$(id -u reeve)
    fi
    write_program controller "${become[@]}" "$REEVE_BUILD/reeve-controller" --state "$scratch/state" --port "$port" \
        --bus "unix:$scratch/bus/socket"
    write_program agent "$REEVE_BUILD/reeve-agent" --state "$scratch/agent-state" --bus "unix:$scratch/bus/socket" \
        --controller-user "$user" "$@"
}

# write_supervisor: the pair with its supervisor, as the script `supervisor`. Sets url and token_file.
write_supervisor()
{
    port=$(free_port)
    url=http://127.0.0.1:$port
    token_file=$scratch/state/token
    write_program supervisor "$REEVE_BUILD/reeve" start --state "$scratch/state" --port "$port"
}

# start_program NAME: that script, as a process whose id is then in the variable NAME.
start_program()
{
    "$scratch/$1" 3>&- &
    printf -v "$1" %s $!
}

# end_program NAME [SIGNAL]: and waits for it. Ended by anything but TERM, it need not end well.
end_program()
{
    local pid=${!1}
    [ -n "$pid" ] || return 0
    printf -v "$1" ''
    # One that stands still is to end by itself, or is killed before it can go on. Never after the signal: a SIGCONT takes
    # back the SIGSTOP by which the leak sanitizer looks at a process that ends.
    [ "${2:-TERM}" = KILL ] || kill -CONT "$pid"
    kill "-${2:-TERM}" "$pid"
    wait_for 20 is_gone "$pid" || return 1
    wait "$pid" || [ "${2:-TERM}" != TERM ]
}

# start_pair [AGENT-FLAG…]: write_pair unless that was done, started; waits until the agent is ready. Sets token,
# controller and agent.
start_pair()
{
    [ -e "$scratch/controller" ] || write_pair "$@"
    start_program agent
    start_program controller
    wait_for 20 test -s "$token_file"
    token=$(<"$token_file")
    wait_for 20 agent_is_ready
}

# Fails when one of them ends badly or a sanitizer spoke.
end_pair()
{
    local left=0
    end_program agent || left=1
    end_program controller || left=1
    log=$scratch/log note_operations
    ! grep -E "$sanitizer_words" "$scratch/log" || left=1
    return $left
}
