# SPDX-License-Identifier: MIT
# "reeve doctor": what is wrong is found and named, with what to do.
bats_require_minimum_version 1.5.0
load lib

setup()
{
    make_scratch
}

teardown()
{
    clean_up
}

doctor()
{
    run --separate-stderr "$reeve" doctor --state "$state" "$@"
}

# says HEALTH CHECK TEXT: the line of that check.
says()
{
    grep -E "^$1 +$2 .*$3" <<<"$output" || {
        echo "no line '$1 $2 … $3' in:"
        echo "$output"
        return 1
    }
}

@test "a pair that works is found well" {
    start_reeve
    doctor
    [ "$status" = 0 ]
    says ok programs 'all three'
    says ok state "$state"
    says ok controller "$url is ready"
    says ok agents '1 ready'
}

@test "a controller that is not there, and an agent that is not heard, are named" {
    start_reeve
    stop_reeve
    doctor
    [ "$status" = 1 ]
    says BAD controller "can't reach $url"
    [[ $output == *'reeve start'* ]]
    says look agents 'not known'
}

@test "a port that another program has is named" {
    start_reeve
    stop_reeve
    python3 -u -m http.server --bind 127.0.0.1 "$port" >/dev/null 2>&1 3>&- &
    other=$!
    wait_for 5 curl -sS "$url/"
    doctor
    kill "$other"
    [ "$status" = 1 ]
    says BAD controller 'something else than Reeve'
}

@test "a token that is refused is named" {
    start_reeve
    REEVE_TOKEN=a.b.c doctor
    [ "$status" = 1 ]
    says BAD agents 'the token is refused'
}

@test "an open state directory is named" {
    start_reeve
    chmod 0755 "$state/agent"
    doctor
    chmod 0700 "$state/agent"
    [ "$status" = 1 ]
    says BAD state 'agent is open to others'
    [[ $output == *"chmod 0700 $state/agent"* ]]
}

@test "a program that was killed is remembered" {
    start_reeve
    doctor
    says ok failures 'no program has failed'
    kill_child agent
    doctor
    [ "$status" = 0 ]
    says look failures 'the agent that started at .* did not end by itself'
    kill_child controller
    doctor
    says look failures 'the controller that started at'
}
