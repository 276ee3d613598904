#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What was answered stays true when a disk is full, turns read-only, or loses its power; and when there is room again
# all goes on without anybody's help.

load lib

setup()
{
    [ "$(id -u)" = 0 ] || skip 'only root mounts a small disk'
    make_scratch
    # Else a full disk is retention's reason to drop what these tests look for.
    export REEVE_RETENTION_DISK_PERCENT=100
    state=$scratch/state
    witness=$scratch/witness
    mkdir "$state"
}

teardown()
{
    [ "$(id -u)" = 0 ] || return 0
    clean_up_with_disk "${disk:-}"
}

# ---- a disk ----

# make_disk MIB: an empty ext4 file system in a file, not mounted.
make_disk()
{
    truncate -s "$1M" "$scratch/image"
    mkfs.ext4 -q -m 0 -F "$scratch/image"
}

# mount_disk DIRECTORY [USER]: it, as a directory of that user's.
mount_disk()
{
    disk=$1
    mkdir -p "$disk"
    mount -o loop,errors=remount-ro "$scratch/image" "$disk"
    chown "${2:-root}" "$disk"
    chmod 700 "$disk"
}

# A disk that is mounted again at once would still be the old one.
unmount_disk()
{
    umount "$disk"
    wait_for 10 has_no_device
}

has_no_device()
{
    [ -z "$(losetup -n -j "$scratch/image")" ]
}

# To the last block.
fill_disk()
{
    local i=0 size
    for size in 64M 8M 1M 64K 4K; do
        while fallocate -l "$size" "$disk/ballast.$i" 2>/dev/null; do i=$((i + 1)); done
    done
}

empty_disk()
{
    rm -f "$disk"/ballast.*
}

# A file system that finds itself damaged: what an errors=remount-ro disk does by itself.
break_disk()
{
    local device
    device=$(findmnt -n -o SOURCE "$disk")
    echo 1 >"/sys/fs/ext4/${device##*/}/trigger_fs_error"
}

# More output than any reserve has room for, also when it is packed.
write_much='head -c 750000 /dev/urandom | base64 -w 0; head -c 750000 /dev/urandom | base64 -w 0 >&2'

says()
{
    grep -q " $1 " "$log"
}

same_child()
{
    [ "$(child "$1")" = "$2" ]
}

# ---- full ----

@test "a controller whose disk is full refuses, reads on, and goes on when there is room" {
    make_disk 400
    mount_disk "$state/controller" reeve
    start_reeve
    pid=$(child controller)
    submit_query
    known=$job
    submit_shell "echo ran >>$witness; sleep 2; $write_much"
    running=$job
    wait_for 5 job_is "$running" processing
    fill_disk
    wait_for 20 says core.no_space
    api GET /node/_any/hostname
    refused 507
    api POST "/job/$running/cancel"
    refused 507
    api DELETE "/job/$known"
    refused 507
    raw_api /health/ready
    answers 503
    api GET /agent
    answers 200
    job_is "$known" completed
    job_is "$running" processing
    empty_disk
    wait_for 10 says core.space_again
    wait_for 20 job_is "$running" completed
    holds '.result.stdout | length == 1000000'
    wait_for 10 submit_query
    same_child controller "$pid"
    [ "$(<"$witness")" = ran ]
}

@test "a full disk that takes a little is not tried over and over" {
    make_disk 400
    mount_disk "$state/controller" reeve
    start_reeve
    for _ in 1 2 3 4 5; do
        submit_query # pages that are used again: a small commit finds room in the file
    done
    submit_shell "sleep 2; $write_much"
    wait_for 5 job_is "$job" processing
    fill_disk
    wait_for 20 says core.no_space
    sleep 16
    # After 1, 2, 4, … seconds: each time the agent is sent away.
    [ "$(grep -c ' core.no_space ' "$log")" -le 5 ]
    empty_disk
    wait_for 5 job_is "$job" completed
}

@test "who waits for a job while its disk is full learns its outcome when there is room" {
    make_disk 400
    mount_disk "$state/controller" reeve
    start_reeve
    curl -sS -m 40 -o "$scratch/answer" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        -d "$(jq -nc --arg c "echo ran >>$witness; sleep 1; $write_much" '{command: $c, timeout: 60}')" \
        "$url/node/_any/command/shell?wait=30s" 3>&- &
    asking=$!
    wait_for 5 test -e "$witness"
    fill_disk
    wait_for 20 says core.no_space
    empty_disk
    wait "$asking"
    [ "$(jq -r '.results[0].stdout | length' "$scratch/answer")" = 1000000 ]
}

@test "an agent whose disk is full takes nothing new, and keeps outcomes until there is room" {
    make_disk 64
    mount_disk "$state/agent"
    start_reeve
    pid=$(child agent)
    submit_shell "echo one >>$witness; sleep 2; $write_much"
    running=$job
    wait_for 5 job_is "$running" processing
    fill_disk
    wait_for 20 says runlog.no_space
    submit_shell "echo two >>$witness" '?expires=1m'
    waiting=$job
    sleep 1
    job_is "$running" processing
    job_is "$waiting" submitted
    empty_disk
    wait_for 20 job_is "$running" completed
    holds '.result.stdout | length == 1000000'
    wait_for 20 job_is "$waiting" completed
    same_child agent "$pid"
    [ "$(<"$witness")" = $'one\ntwo' ]
}

@test "a load on a disk that is filled and emptied again and again loses nothing" {
    make_disk 400
    mount_disk "$state"
    chmod 755 "$state"
    start_reeve
    "$REEVE_BUILD/tests/promised" load "$url" "$state/token" "$witness" "$scratch/notes" 8 "$RANDOM" &
    loading=$!
    for _ in 1 2 3; do
        sleep 1
        fill_disk
        sleep 1
        empty_disk
    done
    wait "$loading"
    wait_for 20 agent_is_ready
    "$REEVE_BUILD/tests/promised" check "$url" "$state/token" "$witness" "$scratch/notes"
}

# ---- read-only ----

@test "a controller whose disk turns read-only refuses and reads on, and all is there afterwards" {
    make_disk 400
    mount_disk "$state/controller" reeve
    start_reeve
    pid=$(child controller)
    submit_query
    known=$job
    break_disk
    api POST /node/_any/command/shell "{\"command\":\"echo ran >>$witness\"}"
    refused 507
    job_is "$known" completed
    raw_api /health/ready
    answers 503
    same_child controller "$pid"
    stop_reeve || true
    unmount_disk
    fsck.ext4 -p "$scratch/image" || [ $? -le 2 ]
    mount_disk "$state/controller" reeve
    start_reeve
    job_is "$known" completed
    submit_query
    [ ! -e "$witness" ]
}

@test "an agent whose disk turns read-only runs nothing, and does when it is mended" {
    make_disk 64
    mount_disk "$state/agent"
    start_reeve
    break_disk
    submit_shell "echo ran >>$witness" '?expires=1m'
    sleep 1
    [ ! -e "$witness" ]
    job_is "$job" submitted
    stop_reeve || true
    unmount_disk
    fsck.ext4 -p "$scratch/image" || [ $? -le 2 ]
    mount_disk "$state/agent"
    start_reeve
    wait_for 20 job_is "$job" completed
    [ "$(<"$witness")" = ran ]
}

# ---- without power ----

# A machine that comes back has another boot id.
boot_anew()
{
    cat /proc/sys/kernel/random/uuid >"$scratch/boot_id"
    # shellcheck disable=SC2016 # for that shell
    runner=(unshare --mount --propagation private sh -c 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"'
        "$scratch/boot_id")
}

# Programs end with the power: killed first, they can't act on what a sync that is cut off tells them. What was on its
# way to the disk then still is.
cut_power()
{
    local family pair pid
    family=$(descendants_of "$supervisor")
    pair=$(children_of "$supervisor")
    # shellcheck disable=SC2086 # a list; what the agent was doing ends with it
    kill -KILL "$supervisor" $pair 2>/dev/null || true
    "$REEVE_BUILD/tests/powercut" "$disk"
    for pid in $supervisor $family; do wait_for 20 is_gone "$pid"; done
    supervisor=
    : >"$log" # what ends by a fault gives nothing back, and that is no leak
}

@test "what was answered before a power cut is there after it, and nothing is done twice" {
    make_disk 400
    for _ in 1 2 3 4 5 6; do
        mount_disk "$state"
        chmod 755 "$state"
        boot_anew
        start_reeve
        "$REEVE_BUILD/tests/promised" load "$url" "$state/token" "$witness" "$scratch/notes" 2 "$RANDOM$RANDOM" 3>&- &
        loading=$!
        sleep "$((1 + RANDOM % 2)).$((RANDOM % 10))"
        cut_power
        wait "$loading"
        unmount_disk
    done
    mount_disk "$state"
    chmod 755 "$state"
    boot_anew
    start_reeve
    "$REEVE_BUILD/tests/promised" check "$url" "$state/token" "$witness" "$scratch/notes"
}
