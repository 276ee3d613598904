# SPDX-License-Identifier: MIT
# Configuration as an operator meets it: files, environment, flags, SIGHUP, and what is refused.
load lib

setup()
{
    make_scratch
}

teardown()
{
    clean_up
}

# reload FILE-CONTENT…: writes the controller's file and tells the supervisor.
reload()
{
    printf '%s\n' "$@" >"$scratch/reeve.yaml"
    kill -HUP "$supervisor"
}

# logs EVENT TEXT: a line of the log has both.
logs()
{
    grep -E " $1 .*$2" "$log"
}

# start_refused FLAG…: a start that ends at once; sets output and status.
start_refused()
{
    run timeout 10 "$reeve" start --state "$scratch/state" --port 0 "$@" </dev/null
}

@test "a misspelt key is refused with file, line and what is accepted" {
    printf 'log_level: info\nretention:\n  querys: 1h\n' >"$scratch/reeve.yaml"
    start_refused --config "$scratch/reeve.yaml"
    [ "$status" = 2 ]
    [[ $output == *"$scratch/reeve.yaml:3: retention: there is no key 'querys'; accepted are queries, modifies,"* ]]
    [ ! -e "$scratch/state/url" ]
    run "$reeve" config check "$scratch/reeve.yaml"
    [ "$status" = 2 ]
    [[ $output == *"reeve.yaml:3: retention: there is no key 'querys'"* ]]
}

@test "a value that is not accepted is refused wherever it stands" {
    echo 'port: 99999' >"$scratch/reeve.yaml"
    run "$reeve" config check "$scratch/reeve.yaml"
    [ "$status" = 2 ]
    [[ $output == *"reeve.yaml:1: port: '99999' is not accepted; expected an integer from 0 to 65535"* ]]
    REEVE_LOOPS=many start_refused
    [ "$status" = 2 ]
    [[ $output == *'REEVE_LOOPS: loops: '*'expected an integer from 1 to 64'* ]]
    run "$REEVE_BUILD/reeve-controller" --prot 80
    [ "$status" = 2 ]
    [[ $output == *'--prot: there is no such flag'* ]]
}

@test "file, environment and flags hold in this order" {
    printf 'port: 1\nlog_level: warning\nlimits:\n  burst: 7\n' >"$scratch/reeve.yaml"
    REEVE_LOG_LEVEL=info run "$reeve" config show --config "$scratch/reeve.yaml"
    [ "$status" = 0 ]
    [[ $output =~ log_level\ +info\ +REEVE_LOG_LEVEL ]]
    [[ $output =~ limits.burst\ +7\ +"$scratch/reeve.yaml:4" ]]
    [[ $output =~ retention.queries\ +24h\ +default ]]
    # The port of the file gives way to the flag that start_reeve gives.
    REEVE_LOOPS=1 start_reeve --config "$scratch/reeve.yaml"
    # One loop for the API, one for metrics; core, retention, bulk actions; and the first thread.
    [ "$(ls "/proc/$(child controller)/task" | wc -l)" = 6 ]
}

@test "SIGHUP changes what can change, and names what needs a restart" {
    echo 'log_level: info' >"$scratch/reeve.yaml"
    start_reeve --config "$scratch/reeve.yaml" </dev/null
    reload 'loops: 3' 'limits:' '  burst: 7'
    wait_for 5 logs config.reloaded "file=$scratch/reeve.yaml"
    logs config.needs_restart key=loops
    logs config.changed key=limits.burst
    # A flag still counts for more than the file.
    reload 'log_level: error'
    wait_for 5 logs config.changed key=limits.burst
    api GET /job && answers 200
    wait_for 5 logs http.request path=/job
}

@test "a file that became wrong is refused, and what held goes on" {
    echo 'log_json: false' >"$scratch/reeve.yaml"
    start_reeve --config "$scratch/reeve.yaml" </dev/null
    reload 'log_jsen: true'
    wait_for 5 logs config.refused "there is no key 'log_jsen'"
    submit_query
    rm "$scratch/reeve.yaml"
    kill -HUP "$supervisor"
    wait_for 5 logs config.refused 'No such file'
    submit_query
}

@test "beyond loopback nothing listens without TLS unless it is said" {
    start_refused --listen 0.0.0.0
    [ "$status" = 2 ]
    [[ $output == *'listen: 0.0.0.0 is not loopback'*'tls.certificate'*'insecure: true'* ]]
    start_reeve --listen 0.0.0.0 --insecure
    [ "$(cat "$state/url")" = "$url" ]
}

@test "what was started with is what is ended with, whatever the file says by then" {
    mkdir "$scratch/other"
    echo mine >"$scratch/other/running"
    printf 'state: %s\nmetrics:\n  enabled: false\n' "$scratch/own" >"$scratch/reeve.yaml"
    "$REEVE_BUILD/reeve-controller" --config "$scratch/reeve.yaml" --port 0 2>"$scratch/out" 3>&- &
    controller=$!
    wait_for 5 grep -q controller.ready "$scratch/out"
    [ -e "$scratch/own/running" ]
    printf 'state: %s\nmetrics:\n  enabled: false\n' "$scratch/other" >"$scratch/reeve.yaml"
    kill -HUP "$controller"
    wait_for 5 grep -q 'config.needs_restart key=state' "$scratch/out"
    kill -TERM "$controller"
    wait "$controller"
    [ ! -e "$scratch/own/running" ]
    [ -e "$scratch/other/running" ]
}

@test "a relative path to a certificate is refused, and so is a role that can't be, before anything is made" {
    printf 'tls:\n  certificate: cert.pem\n  key: /etc/key.pem\n' >"$scratch/reeve.yaml"
    start_refused --config "$scratch/reeve.yaml"
    [ "$status" = 2 ]
    [[ $output == *"reeve.yaml:2: tls.certificate: 'cert.pem' is not accepted; expected an absolute path"* ]]
    run "$reeve" config check "$scratch/reeve.yaml"
    [ "$status" = 2 ]
    printf 'roles:\n  ops:\n    permissions: [job:fly]\n' >"$scratch/reeve.yaml"
    run "$REEVE_BUILD/reeve-controller" --config "$scratch/reeve.yaml" --state "$scratch/own"
    [ "$status" = 2 ]
    [[ $output == *"there is no permission 'job:fly'"* ]]
    [ ! -e "$scratch/own" ]
    run "$reeve" config check "$scratch/reeve.yaml"
    [ "$status" = 2 ]
}

@test "metrics beyond loopback are served, and the log warns of it" {
    printf 'metrics:\n  listen: 0.0.0.0\n' >"$scratch/reeve.yaml"
    start_reeve --config "$scratch/reeve.yaml"
    wait_for 5 logs metrics.open 'listen=0.0.0.0'
}

@test "an agent whose file others can write does not start" {
    echo 'max_jobs: 3' >"$scratch/agent.yaml"
    chmod 666 "$scratch/agent.yaml"
    run timeout 10 "$REEVE_BUILD/reeve-agent" --config "$scratch/agent.yaml" --state "$scratch/agent" --bus "unix:$scratch/socket"
    [ "$status" = 3 ]
    [[ $output == *'nobody else may write'*"chmod go-w $scratch/agent.yaml"* ]]
    [ ! -e "$scratch/agent" ]
}

@test "the agent's file names its host and its labels" {
    printf 'hostname: web-01\nlabels:\n  group: web.dev\n' >"$scratch/agent.yaml"
    start_reeve --agent-config "$scratch/agent.yaml"
    api GET /node/group:web/hostname && answers 200
    has '.results[0].hostname' web-01
    has '.results[0].labels.group' web.dev
}

@test "a metrics address that is taken is named with its key" {
    python3 -u -m http.server --bind 127.0.0.1 "$(free_port)" >"$scratch/other" 2>&1 3>&- &
    other=$!
    wait_for 5 grep -q 'port' "$scratch/other"
    start_refused --metrics-port "$(grep -oE 'port [0-9]+' "$scratch/other" | cut -d' ' -f2)"
    kill "$other"
    [ "$status" = 3 ] || [ "$status" = 1 ]
    [[ $output == *'metrics.port chooses another'* ]]
}

@test "the sample is acceptable, and says nothing that is not the default" {
    "$reeve" config sample >"$scratch/reeve.yaml"
    run "$reeve" config check "$scratch/reeve.yaml"
    [ "$status" = 0 ]
    diff <("$reeve" config show --config "$scratch/reeve.yaml") <("$reeve" config show)
    "$reeve" config sample --agent >"$scratch/agent.yaml"
    run "$reeve" config check --agent "$scratch/agent.yaml"
    [ "$status" = 0 ]
}
