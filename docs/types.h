/* SPDX-License-Identifier: MIT */
/*
 * Printed from the rows in src/catalog/; never compiled.
 *
 * Each member `m` has a twin `bool has_m`: given, defaulted, or to be written.
 * struct t_list is { t *v; size_t n; }, struct t_map the same of { key, val }.
 */

/* How one host fared */
enum run_result {
    run_result_OK, /* "ok": It did what was asked */
    run_result_FAILED, /* "failed": It did not; error says why */
    run_result_SKIPPED, /* "skipped": The operation does not apply to this host */
};

/* Nothing */
struct none {
};

/* Who shall do it, and how long to wait */
struct node_target {
    const char *hostname; /* path: Host name, machine id, _any, _all, or a label such as group:web; a host name, machine id, _any, _all, or a label such as group:web.dev */
    int64_t wait; /* query: How long to hold the request for the result; 0s answers 202 at once; a duration such as 30s, 5m, 2h or 7d, from 0s to 1h; default 30s */
    int64_t expires; /* query: When a run that has not started is given up (default: the wait, at least 1s); a duration such as 30s, 5m, 2h or 7d, from 1s to 30d; optional */
    bool sensitive; /* query: Whether input and result show as *** to all but the reply to this request; they are kept nowhere, so if the reply is lost, so is the result; default false */
};

/* What one host answered */
struct run_entry {
    const char *hostname; /* Host */
    enum run_result status; /* How it fared */
    bool changed; /* Whether the host was changed; optional */
    const char *error; /* Why it failed or was skipped; optional */
};

/* The job was taken and goes on */
struct job_accepted {
    const char *job_id; /* Job id; a UUID such as 0190b9a0-0000-7000-8000-000000000001 */
    const char *status; /* submitted */
};

/* Why a request was refused, or a job failed */
struct error_reply {
    const char *error; /* What is wrong, and what is accepted */
    int64_t code; /* The HTTP status; an integer from 400 to 599 */
    const char *reason; /* The same as a word, such as invalid or not_found */
    const char *details; /* More, for people; optional */
    const char *field; /* The parameter or member at fault, such as operation.type; optional */
    const char *request_id; /* As in the header X-Request-ID */
    const char *job_id; /* The job that was made all the same; a UUID such as 0190b9a0-0000-7000-8000-000000000001; optional */
};

/* Load averages */
struct load_average {
    double one; /* "1min", Over one minute */
    double five; /* "5min", Over five minutes */
    double fifteen; /* "15min", Over fifteen minutes */
};

/* Memory of a host */
struct memory {
    int64_t total; /* All memory; an integer (bytes) */
    int64_t free; /* Memory nothing uses, not even caches; an integer (bytes) */
    int64_t used; /* Memory that programs can't get: total minus available; an integer (bytes) */
    int64_t available; /* Memory that programs can still get, caches given back; an integer (bytes); optional */
    int64_t cached; /* Page cache and reclaimable slab; an integer (bytes); optional */
    int64_t swap_total; /* All swap; an integer (bytes); optional */
    int64_t swap_free; /* Swap nothing uses; an integer (bytes); optional */
};

/* Operating system */
struct os_info {
    const char *distribution; /* Distribution, such as debian */
    const char *version; /* Its version, such as 12.5 */
};

/* A mounted local file system */
struct disk {
    const char *name; /* Mount point */
    int64_t total; /* Size; an integer (bytes) */
    int64_t used; /* In use; an integer (bytes) */
    int64_t free; /* Free for ordinary users; an integer (bytes) */
    const char *device; /* What is mounted; optional */
    const char *fstype; /* File system type; optional */
};

/* A host at a glance */
struct node_status_out {
    const char *uptime; /* Time since boot, in words */
    struct load_average load_average; /* Load averages; optional */
    struct memory memory; /* Memory; optional */
    struct os_info os_info; /* Operating system; optional */
    struct disk_list disks; /* Local file systems */
    struct str_list missing; /* Parts that could not be read, and why; optional */
};

/* Local file systems */
struct node_disk_out {
    struct disk_list disks; /* Local file systems */
};

/* Memory */
struct node_memory_out {
    struct memory memory; /* Memory */
};

/* Load */
struct node_load_out {
    struct load_average load_average; /* Load averages */
};

/* Operating system */
struct node_os_out {
    struct os_info os_info; /* Operating system */
};

/* Uptime */
struct node_uptime_out {
    const char *uptime; /* Time since boot, such as 4h1m0s */
};

/* Name */
struct node_hostname_out {
    struct str_map labels; /* Labels of the agent; optional */
};

/* What a program's output was */
enum output_encoding {
    output_encoding_TEXT, /* "text": UTF-8 text */
    output_encoding_BINARY, /* "binary": Not UTF-8: other bytes were replaced by U+FFFD */
};

/* A program and its arguments */
struct command_exec_in {
    const char *command; /* Program: a path, or a name looked up in the standard PATH; 1 to 4096 characters of text */
    struct str_list args; /* Arguments, passed as they are; an array, each value at most 65536 characters of text; optional */
    const char *cwd; /* Working directory (default /); 1 to 4096 characters of text; optional */
    struct secret stdin; /* Text for its standard input (default: nothing); at most 65536 characters of text; optional */
    int64_t timeout; /* Seconds after which it is killed; an integer from 1 to 300; default 30 */
};

/* A command line */
struct command_shell_in {
    const char *command; /* Command line for /bin/sh -c; 1 to 65536 characters of text */
    const char *cwd; /* Working directory (default /); 1 to 4096 characters of text; optional */
    struct secret stdin; /* Text for its standard input (default: nothing); at most 65536 characters of text; optional */
    int64_t timeout; /* Seconds after which it is killed; an integer from 1 to 300; default 30 */
};

/* What the program did */
struct command_out {
    const char *stdout; /* Standard output */
    const char *stderr; /* Standard error */
    int64_t exit_code; /* Exit status; -1 when a signal ended it */
    int64_t duration_ms; /* How long it ran; an integer (ms) */
    const char *signal; /* The signal that ended it, such as SIGKILL; optional */
    bool timed_out; /* Whether it was killed because its time was up; optional */
    bool truncated; /* Whether output over the cap was cut; optional */
    enum output_encoding encoding; /* Stands where output was not UTF-8; optional */
};

/* State of a job */
enum job_status {
    job_status_SUBMITTED, /* "submitted": Every run waits */
    job_status_PROCESSING, /* "processing": Some run is not final */
    job_status_COMPLETED, /* "completed": All hosts completed, or some and the others skipped */
    job_status_FAILED, /* "failed": Some host failed, none completed */
    job_status_PARTIAL_FAILURE, /* "partial_failure": Some hosts failed, some completed */
    job_status_SKIPPED, /* "skipped": All hosts skipped */
};

/* State of a run, one job on one host */
enum run_state {
    run_state_WAITING, /* "waiting": Its host has not said anything about it */
    run_state_ACKNOWLEDGED, /* "acknowledged": Its host has it and will start it */
    run_state_STARTED, /* "started": Its host is doing it */
    run_state_COMPLETED, /* "completed": Done */
    run_state_FAILED, /* "failed": Not done; the code says why */
    run_state_SKIPPED, /* "skipped": Does not apply to this host */
};

/* Why a run failed */
enum run_code {
    run_code_NONE, /* "none": It did not fail */
    run_code_ERROR, /* "error": The operation failed */
    run_code_TIMEOUT, /* "timeout": Its time was up; the process group was killed */
    run_code_EXPIRED, /* "expired": It had not started before its deadline */
    run_code_CANCELLED, /* "cancelled": Somebody cancelled it */
    run_code_INTERRUPTED, /* "interrupted": The agent died while running it; outcome unknown */
    run_code_LOST, /* "lost": The host went silent while running it */
    run_code_REFUSED, /* "refused": The host's own policy forbids it */
};

/* What is done */
struct operation {
    const char *type; /* Operation, such as node.disk.get; an operation such as node.disk.get (see /openapi.json) */
    struct slice data; /* Its input; optional */
};

/* How much of each job */
enum job_view {
    job_view_FULL, /* "full": All of it */
    job_view_SUMMARY, /* "summary": No result, responses, agent_states and timeline; how many runs are where instead */
};

/* Which jobs */
struct job_filter {
    struct job_status_list status; /* Only jobs in one of these states; optional */
    const char *operation; /* Only this operation, or all that begin so: network.; an operation such as node.disk.get, or what several begin with, such as network.; optional */
    const char *hostname; /* Only jobs that this host has a run of: its name or machine id; 1 to 255 characters of text; optional */
    const char *target; /* Only jobs for this target: _any, _all, a label as it was asked, or a host by name or machine id; a host name, machine id, _any, _all, or a label such as group:web.dev; optional */
    const char *user; /* Only jobs of this user; 1 to 255 characters of text; optional */
    const char *since; /* Only jobs created then or later; a duration counts back from now; a time such as 2026-11-24T06:12:28Z (RFC 3339), or a duration back from now such as 2h; optional */
    const char *until; /* Only jobs created before then; a time such as 2026-11-24T06:12:28Z (RFC 3339), or a duration back from now such as 2h; optional */
    bool changed; /* Only jobs that changed a host, or only those that completed and changed none; optional */
    struct run_code_list code; /* Only jobs with a run that failed for one of these reasons; none: without a failed run; optional */
    const char *bulk; /* Only jobs that this bulk action made or cancelled; a UUID such as 0190b9a0-0000-7000-8000-000000000001; optional */
};

/* Filter and page */
struct job_list_in {
    struct job_status_list status; /* query: Only jobs in one of these states; optional */
    const char *operation; /* query: Only this operation, or all that begin so: network.; an operation such as node.disk.get, or what several begin with, such as network.; optional */
    const char *hostname; /* query: Only jobs that this host has a run of: its name or machine id; 1 to 255 characters of text; optional */
    const char *target; /* query: Only jobs for this target: _any, _all, a label as it was asked, or a host by name or machine id; a host name, machine id, _any, _all, or a label such as group:web.dev; optional */
    const char *user; /* query: Only jobs of this user; 1 to 255 characters of text; optional */
    const char *since; /* query: Only jobs created then or later; a duration counts back from now; a time such as 2026-11-24T06:12:28Z (RFC 3339), or a duration back from now such as 2h; optional */
    const char *until; /* query: Only jobs created before then; a time such as 2026-11-24T06:12:28Z (RFC 3339), or a duration back from now such as 2h; optional */
    bool changed; /* query: Only jobs that changed a host, or only those that completed and changed none; optional */
    struct run_code_list code; /* query: Only jobs with a run that failed for one of these reasons; none: without a failed run; optional */
    const char *bulk; /* query: Only jobs that this bulk action made or cancelled; a UUID such as 0190b9a0-0000-7000-8000-000000000001; optional */
    enum job_view view; /* query: How much of each job; default full */
    int64_t limit; /* query: Jobs per page; an integer from 1 to 100; default 10 */
    int64_t offset; /* query: Jobs to skip (default: 0); an integer of at least 0; optional */
    const char *cursor; /* query: Where to go on: next or prev of another page with the same filter; a cursor of an earlier reply to the same request; optional */
};

/* All jobs by state */
struct status_counts {
    int64_t submitted; /* Jobs of which every run waits */
    int64_t processing; /* Jobs with a run that is not final */
    int64_t completed; /* Jobs that completed */
    int64_t failed; /* Jobs that failed */
    int64_t partial_failure; /* Jobs that failed on some hosts only */
    int64_t skipped; /* Jobs that every host skipped */
};

/* What one host answered */
struct job_response {
    const char *status; /* State of the run */
    struct slice data; /* Result; optional */
    bool changed; /* Whether the host was changed; or null */
    const char *error; /* Why it failed; optional */
    const char *hostname; /* Host */
};

/* Where one host stands */
struct agent_state {
    const char *status; /* State of the run */
    const char *error; /* Why it failed; optional */
    enum run_code code; /* Why it failed, as a word; optional */
    const char *duration; /* From start to end; optional */
};

/* One line of a job's history */
struct job_event {
    const char *timestamp; /* When, by the controller's clock; a time such as 2026-11-24T06:12:28Z (RFC 3339) */
    const char *event; /* submitted acknowledged started completed failed skipped retried cancelled released moved */
    const char *hostname; /* Host; optional */
    const char *message; /* Sentence; optional */
    const char *error; /* Why it failed; optional */
};

/* How many runs are where */
struct run_summary {
    int64_t total; /* Runs of the job */
    int64_t completed; /* Runs that completed */
    int64_t failed; /* Runs that failed */
    int64_t skipped; /* Runs that were skipped */
    int64_t active; /* Runs that are not final */
};

/* A job */
struct job_item {
    const char *cursor; /* Where an export goes on behind this job; a cursor of an earlier reply to the same request; optional */
    const char *id; /* Job id; a UUID such as 0190b9a0-0000-7000-8000-000000000001 */
    enum job_status status; /* State */
    const char *created; /* When it was submitted; a time such as 2026-11-24T06:12:28Z (RFC 3339) */
    struct operation operation; /* What is done */
    const char *target; /* Who shall do it, as it was asked */
    const char *user; /* Who submitted it: subject of the token */
    bool sensitive; /* Input and result show as *** here: it was submitted as sensitive; optional */
    struct slice result; /* Result, when the job has one run and it completed; optional */
    bool changed; /* Whether a host was changed; null while pending, failed or skipped; or null */
    const char *error; /* Why it failed: the first host that failed; optional */
    const char *hostname; /* Host, when the job has one run; optional */
    const char *updated_at; /* When it last changed; a time such as 2026-11-24T06:12:28Z (RFC 3339) */
    struct job_response_map responses; /* Answers by host, of a broadcast; optional */
    struct agent_state_map agent_states; /* States by host, of a broadcast; optional */
    int64_t runs_shown; /* Hosts shown here, when not all are; optional */
    int64_t runs_total; /* Hosts of the job, when not all are shown; optional */
    struct job_event_list timeline; /* History, in order of time; optional */
    struct run_summary runs; /* How many runs are where, in a summary; optional */
};

/* A page of jobs */
struct job_list_out {
    int64_t total_items; /* Jobs matching the filter */
    struct status_counts status_counts; /* All jobs by state */
    struct status_counts matching_counts; /* Jobs by state that match all of the filter but status, when there is more than status; optional */
    const char *next; /* Cursor of the page with older jobs, when there are any; a cursor of an earlier reply to the same request; optional */
    const char *prev; /* Cursor of the page with newer jobs, when there are any; a cursor of an earlier reply to the same request; optional */
    struct slice items; /* The page, newest first */
};

/* Filter and where to go on */
struct job_export_in {
    struct job_status_list status; /* query: Only jobs in one of these states; optional */
    const char *operation; /* query: Only this operation, or all that begin so: network.; an operation such as node.disk.get, or what several begin with, such as network.; optional */
    const char *hostname; /* query: Only jobs that this host has a run of: its name or machine id; 1 to 255 characters of text; optional */
    const char *target; /* query: Only jobs for this target: _any, _all, a label as it was asked, or a host by name or machine id; a host name, machine id, _any, _all, or a label such as group:web.dev; optional */
    const char *user; /* query: Only jobs of this user; 1 to 255 characters of text; optional */
    const char *since; /* query: Only jobs created then or later; a duration counts back from now; a time such as 2026-11-24T06:12:28Z (RFC 3339), or a duration back from now such as 2h; optional */
    const char *until; /* query: Only jobs created before then; a time such as 2026-11-24T06:12:28Z (RFC 3339), or a duration back from now such as 2h; optional */
    bool changed; /* query: Only jobs that changed a host, or only those that completed and changed none; optional */
    struct run_code_list code; /* query: Only jobs with a run that failed for one of these reasons; none: without a failed run; optional */
    const char *bulk; /* query: Only jobs that this bulk action made or cancelled; a UUID such as 0190b9a0-0000-7000-8000-000000000001; optional */
    const char *cursor; /* query: Where to go on: cursor of the last job of an export with the same filter; a cursor of an earlier reply to the same request; optional */
};

/* All matching jobs, newest first, one a line */
struct job_export_out {
    struct lines lines; /* whole body: A job */
};

/* A job */
struct job_ref {
    const char *id; /* path: Job id; a UUID such as 0190b9a0-0000-7000-8000-000000000001 */
};

/* A job */
struct job_get_out {
    struct slice item; /* whole body: The job */
};

/* An operation and who shall do it */
struct job_submit_in {
    int64_t wait; /* query: How long to hold the request for the result; 0s answers 202 at once; a duration such as 30s, 5m, 2h or 7d, from 0s to 1h; default 30s */
    int64_t expires; /* query: When a run that has not started is given up (default: the wait, at least 1s); a duration such as 30s, 5m, 2h or 7d, from 1s to 30d; optional */
    bool sensitive; /* query: Whether input and result show as *** to all but the reply to this request; they are kept nowhere, so if the reply is lost, so is the result; default false */
    struct operation operation; /* What is done */
    const char *target_hostname; /* Host name, machine id, _any, _all, or a label such as group:web; a host name, machine id, _any, _all, or a label such as group:web.dev */
};

/* The reply of the operation's own route */
struct job_submit_out {
    struct slice reply; /* whole body: job_id and results, as the operation's own route answers */
};

/* A job, and who shall do it this time */
struct job_retry_in {
    const char *id; /* path: Job id; a UUID such as 0190b9a0-0000-7000-8000-000000000001 */
    const char *target_hostname; /* Who shall do it (default: the job's own target); a host name, machine id, _any, _all, or a label such as group:web.dev; optional */
};

/* The new job */
struct job_retry_out {
    const char *job_id; /* Id of the new job; a UUID such as 0190b9a0-0000-7000-8000-000000000001 */
    const char *status; /* created */
    int64_t revision; /* Position in the ledger, rising; optional */
    const char *timestamp; /* When it was submitted; a time such as 2026-11-24T06:12:28Z (RFC 3339); optional */
};

/* The job after the cancellation was recorded */
struct job_cancel_out {
    const char *job_id; /* Job id; a UUID such as 0190b9a0-0000-7000-8000-000000000001 */
    enum job_status status; /* State now; runs that have started are being killed */
    int64_t cancelled; /* Runs that will never start */
    int64_t stopping; /* Runs whose host was told to stop */
};

/* Which jobs */
struct job_bulk_in {
    struct job_filter filter; /* Which jobs: at least one condition of the list */
    bool dry_run; /* Only count; default false */
    int64_t limit; /* At most so many jobs, the newest that match; an integer from 1 to 10000; default 10000 */
    const char *cursor; /* Where to go on: next of an action with the same filter; a cursor of an earlier reply to the same request; optional */
};

/* Which jobs, and for how long they may wait this time */
struct job_bulk_retry_in {
    struct job_filter filter; /* Which jobs: at least one condition of the list */
    bool dry_run; /* Only count; default false */
    int64_t limit; /* At most so many jobs, the newest that match; an integer from 1 to 10000; default 10000 */
    const char *cursor; /* Where to go on: next of an action with the same filter; a cursor of an earlier reply to the same request; optional */
    int64_t expires; /* When a run that has not started is given up (default: after the time that the job had, at least 30s); a duration such as 30s, 5m, 2h or 7d, from 1s to 30d; optional */
};

/* What was done: all of it, or nothing */
struct job_bulk_out {
    int64_t matched; /* Jobs that match the filter */
    int64_t taken; /* Jobs that this was done to, or would be: not those that it can't be done to, or that changed meanwhile */
    const char *bulk_id; /* Id of this action, by which the jobs that it made or cancelled are found; a UUID such as 0190b9a0-0000-7000-8000-000000000001; optional */
    const char *watch; /* Path that lists those jobs; optional */
    const char *next; /* Cursor to go on with, when more jobs match than were looked at; a cursor of an earlier reply to the same request; optional */
};

/* Runs by state */
struct state_counts {
    int64_t waiting; /* Runs whose host has not said anything */
    int64_t active; /* Runs that are acknowledged or started */
    int64_t completed; /* Runs that completed */
    int64_t failed; /* Runs that failed */
    int64_t skipped; /* Runs that were skipped */
};

/* A run: the job on one host */
struct job_run {
    int64_t run; /* Its number in the job, from 0, which never changes */
    const char *hostname; /* Host */
    enum run_state status; /* State */
    enum run_code code; /* Why it failed, as a word; optional */
    bool changed; /* Whether the host was changed; null while pending, failed or skipped; or null */
    const char *error; /* Why it failed or was skipped; optional */
    struct slice data; /* Result, when it completed; optional */
    const char *acknowledged; /* When its host had it; a time such as 2026-11-24T06:12:28Z (RFC 3339); optional */
    const char *started; /* When its host began; a time such as 2026-11-24T06:12:28Z (RFC 3339); optional */
    const char *finished; /* When it ended; a time such as 2026-11-24T06:12:28Z (RFC 3339); optional */
    const char *duration; /* From start to end; optional */
};

/* A job, and which of its runs */
struct job_run_list_in {
    const char *id; /* path: Job id; a UUID such as 0190b9a0-0000-7000-8000-000000000001 */
    struct run_state_list status; /* query: Only runs in one of these states; optional */
    int64_t limit; /* query: Runs per page; an integer from 1 to 1000; default 100 */
    const char *cursor; /* query: Where to go on: next of another page of the same job and states; a cursor of an earlier reply to the same request; optional */
};

/* A page of a job's runs */
struct job_run_list_out {
    int64_t total_items; /* Runs matching the filter */
    struct state_counts state_counts; /* All runs of the job by state */
    const char *next; /* Cursor of the page that follows, when there is one; a cursor of an earlier reply to the same request; optional */
    struct slice items; /* The page, in order of run number; a page ends early at 8 MiB */
};

/* What jobs are counted by */
enum stats_by {
    stats_by_STATUS, /* "status": State */
    stats_by_OPERATION, /* "operation": Operation */
    stats_by_HOSTNAME, /* "hostname": Host that has a run of the job; the time range may hold at most 1,048,576 jobs then */
    stats_by_USER, /* "user": Who submitted it */
    stats_by_CODE, /* "code": Why a run of the job failed */
};

/* Which jobs, and what they are counted by */
struct job_stats_in {
    struct stats_by_list by; /* query: What they are counted by (default: status); optional */
    struct job_status_list status; /* query: Only jobs in one of these states; optional */
    const char *operation; /* query: Only this operation, or all that begin so: network.; an operation such as node.disk.get, or what several begin with, such as network.; optional */
    const char *hostname; /* query: Only jobs that this host has a run of: its name or machine id; 1 to 255 characters of text; optional */
    const char *target; /* query: Only jobs for this target: _any, _all, a label as it was asked, or a host by name or machine id; a host name, machine id, _any, _all, or a label such as group:web.dev; optional */
    const char *user; /* query: Only jobs of this user; 1 to 255 characters of text; optional */
    const char *since; /* query: Only jobs created then or later; a duration counts back from now; a time such as 2026-11-24T06:12:28Z (RFC 3339), or a duration back from now such as 2h; optional */
    const char *until; /* query: Only jobs created before then; a time such as 2026-11-24T06:12:28Z (RFC 3339), or a duration back from now such as 2h; optional */
    bool changed; /* query: Only jobs that changed a host, or only those that completed and changed none; optional */
    struct run_code_list code; /* query: Only jobs with a run that failed for one of these reasons; none: without a failed run; optional */
    const char *bulk; /* query: Only jobs that this bulk action made or cancelled; a UUID such as 0190b9a0-0000-7000-8000-000000000001; optional */
    int64_t bucket; /* query: Count by time of creation as well, in pieces this long; at most 1,000 from since to until; a duration such as 30s, 5m, 2h or 7d, from 1s to 3650d; optional */
};

/* Jobs by what they have in common: groups with jobs, the largest first, at most 1,000 of a kind */
struct job_groups {
    struct i64_map status; /* Jobs by state; their sum is total; optional */
    struct i64_map operation; /* Jobs by operation; their sum and operation_others is total; optional */
    int64_t operation_others; /* Jobs of operations that are not named, when there are any; optional */
    struct i64_map hostname; /* Jobs by host that has a run of them; a job counts once for each of its hosts, so their sum may be over total; optional */
    int64_t hostname_others; /* The sum of the hosts that are not named, when there are any; optional */
    struct i64_map user; /* Jobs by user; their sum and user_others is total; optional */
    int64_t user_others; /* Jobs of users who are not named, when there are any; optional */
    struct i64_map code; /* Jobs by why a run failed, none: without a failed run; a job counts once for each of its reasons, so their sum may be over total; optional */
};

/* Jobs created in one piece of time, by state */
struct stats_bucket {
    const char *start; /* When it begins; a time such as 2026-11-24T06:12:28Z (RFC 3339) */
    int64_t total; /* Jobs, the sum of the following */
    int64_t submitted; /* Jobs of which every run waits */
    int64_t processing; /* Jobs with a run that is not final */
    int64_t completed; /* Jobs that completed */
    int64_t failed; /* Jobs that failed */
    int64_t partial_failure; /* Jobs that failed on some hosts only */
    int64_t skipped; /* Jobs that every host skipped */
};

/* Counts of jobs, all of one moment */
struct job_stats_out {
    const char *since; /* Only jobs created then or later; a time such as 2026-11-24T06:12:28Z (RFC 3339); optional */
    const char *until; /* Only jobs created before then; a time such as 2026-11-24T06:12:28Z (RFC 3339); optional */
    int64_t total; /* Jobs matching the filter */
    struct job_groups by; /* The same jobs by what was asked for */
    int64_t bucket; /* How long each of series is; optional */
    struct stats_bucket_list series; /* The same jobs by time of creation, without gaps, the oldest first; each begins at a multiple of bucket since 1970 (UTC); their sum is total; optional */
};

/* Whether an agent is heard */
enum agent_status {
    agent_status_READY, /* "Ready": Heard within the last 30 seconds */
    agent_status_NOT_READY, /* "NotReady": Silent */
};

/* What can be wrong with a host */
enum condition_type {
    condition_type_MEMORY_PRESSURE, /* "MemoryPressure": More than 90 % of the memory is used */
    condition_type_HIGH_LOAD, /* "HighLoad": The load is over twice the number of processors */
    condition_type_DISK_PRESSURE, /* "DiskPressure": A local file system is more than 90 % full */
};

/* Addresses of an interface */
enum address_family {
    address_family_INET, /* "inet": IPv4 only */
    address_family_INET6, /* "inet6": IPv6 only */
    address_family_DUAL, /* "dual": IPv4 and IPv6 */
};

/* A network interface that is up */
struct agent_interface {
    const char *name; /* Name */
    const char *ipv4; /* First IPv4 address; optional */
    const char *ipv6; /* First IPv6 address; optional */
    const char *mac; /* Hardware address; optional */
    enum address_family family; /* Families; optional */
};

/* An IPv4 route of the main table */
struct agent_route {
    const char *destination; /* Network, or default */
    const char *gateway; /* Gateway; 0.0.0.0 for a direct route */
    const char *interface; /* Interface */
    const char *mask; /* Mask; optional */
    int64_t metric; /* Metric; optional */
    const char *flags; /* Flags, as route(8) shows them; optional */
};

/* What a host is */
struct agent_facts {
    struct os_info os_info; /* Operating system; optional */
    const char *architecture; /* Machine, as uname -m; optional */
    const char *kernel_version; /* Kernel release; optional */
    int64_t cpu_count; /* Processors online; optional */
    const char *fqdn; /* Full name of the host; optional */
    const char *service_mgr; /* systemd, or what PID 1 is; optional */
    const char *package_mgr; /* apt, dnf, …; optional */
    struct agent_interface_list interfaces; /* Interfaces that are up; optional */
    const char *primary_interface; /* Interface of the first default route; optional */
    struct agent_route_list routes; /* Routes; optional */
};

/* How a host is */
struct agent_vitals {
    int64_t uptime_s; /* Seconds since boot */
    struct load_average load_average; /* Load averages; optional */
    struct memory memory; /* Memory; optional */
    struct disk fullest_disk; /* The fullest local file system; optional */
};

/* Something that can be wrong with a host */
struct agent_condition {
    enum condition_type type; /* What */
    bool status; /* Whether it is so now */
    const char *reason; /* Figures; optional */
    const char *last_transition_time; /* When that last changed; a time such as 2026-11-24T06:12:28Z (RFC 3339) */
};

/* An agent and its host */
struct agent_info {
    const char *hostname; /* Host name */
    enum agent_status status; /* Whether it is heard */
    const char *state; /* Ready; optional */
    const char *machine_id; /* Machine id; optional */
    struct str_map labels; /* Labels; optional */
    const char *version; /* Version of the agent; optional */
    const char *registered_at; /* When it was last heard; a time such as 2026-11-24T06:12:28Z (RFC 3339); optional */
    const char *started_at; /* When the agent started; a time such as 2026-11-24T06:12:28Z (RFC 3339); optional */
    const char *uptime; /* Time since the host booted, in words; optional */
    struct load_average load_average; /* Load averages; optional */
    struct memory memory; /* Memory; optional */
    struct os_info os_info; /* Operating system; optional */
    const char *architecture; /* Machine; optional */
    const char *kernel_version; /* Kernel release; optional */
    int64_t cpu_count; /* Processors online; optional */
    const char *fqdn; /* Full name of the host; optional */
    const char *service_mgr; /* Service manager; optional */
    const char *package_mgr; /* Package manager; optional */
    struct agent_interface_list interfaces; /* Interfaces that are up; optional */
    const char *primary_interface; /* Interface of the first default route; optional */
    struct agent_route_list routes; /* Routes; optional */
    struct agent_condition_list conditions; /* What is wrong, or could be; optional */
    int64_t active_runs; /* Runs given to it that are not final; optional */
    int64_t clock_error_us; /* Bound on how far its idea of the controller's clock is off; optional */
};

/* All agents */
struct agent_list_out {
    struct agent_info_list agents; /* Agents by host name */
    int64_t total; /* How many */
};

/* An agent */
struct agent_ref {
    const char *hostname; /* path: Host name or machine id; 1 to 255 characters of text */
};

/* An agent */
struct agent_get_out {
    struct agent_info agent; /* whole body: The agent */
};

/* Whether it lives */
struct health_out {
    const char *status; /* ok */
};

/* Whether it can do its work */
struct ready_out {
    const char *status; /* ready or not_ready */
    const char *error; /* What is missing; optional */
};

/* How a part of the controller is */
enum component_state {
    component_state_OK, /* "ok": It works */
    component_state_ERROR, /* "error": It does not; error says why */
    component_state_DISABLED, /* "disabled": The configuration has it switched off */
};

/* A part of the controller */
struct component_status {
    enum component_state status; /* How it is */
    const char *error; /* What is wrong; optional */
    const char *address; /* Where it is reached; optional */
};

/* Jobs in the ledger */
struct status_jobs {
    int64_t total; /* All */
    int64_t unprocessed; /* Submitted, of which every run waits */
    int64_t processing; /* With a run that is not final */
    int64_t completed; /* Completed */
    int64_t failed; /* Failed */
    int64_t partial_failure; /* Failed on some hosts only */
    int64_t skipped; /* Skipped by every host */
    int64_t dlq; /* Always 0: no job is ever put aside undelivered */
};

/* An agent */
struct status_agent {
    const char *hostname; /* Host name */
    const char *labels; /* Labels, as k=v, k=v; optional */
    const char *registered; /* When it was last heard, such as 8s ago */
};

/* Agents */
struct status_agents {
    int64_t total; /* Known */
    int64_t ready; /* Heard within the last 30 seconds */
    struct status_agent_list agents; /* By host name; optional */
};

/* The ledger's file and its disk */
struct status_ledger {
    int64_t bytes; /* Size of the file; an integer (bytes) */
    int64_t disk_free; /* Bytes free on its disk; an integer (bytes) */
    int64_t oldest_reader_commits; /* Commits since the oldest snapshot that is still read; 0: none is */
};

/* Runs that are not final */
struct status_runs {
    int64_t open; /* All */
    int64_t active; /* Acknowledged or started */
};

/* How the controller is */
struct status_out {
    const char *status; /* ok or degraded */
    struct component_status_map components; /* Its parts */
    const char *version; /* Version */
    const char *uptime; /* Time since it started, such as 2h30m0s */
    struct status_jobs jobs; /* Jobs */
    struct status_runs runs; /* Open runs */
    struct status_agents agents; /* Agents */
    struct status_ledger ledger; /* The ledger */
};

/* Which program this is */
struct version_out {
    const char *version; /* Version */
    const char *commit; /* Commit it was built from */
    const char *built; /* When it was built */
    const char *api; /* Version of the REST API */
};

/* OpenAPI 3.1 */
struct openapi_out {
    struct slice document; /* whole body: The document */
};

/* One run */
struct bus_run_ref {
    const char *job; /* Job id; a UUID such as 0190b9a0-0000-7000-8000-000000000001 */
    int64_t run; /* Number of the run within the job; an integer from 0 to 4294967295 */
};

/* An agent presents itself; first message of a connection */
struct bus_hello {
    const char *machine_id; /* Machine id; text that matches [0-9a-f]{32} */
    const char *hostname; /* Host name; a host name: 1 to 255 letters, digits, '-' and '_', in parts joined by '.' */
    struct str_map labels; /* Labels; optional */
    const char *version; /* Version of the agent; 1 to 64 characters of text */
    int64_t epoch; /* Which runlog this is: random when the file was made; an integer of at least 1 */
    int64_t next; /* Number of the oldest report not known to be durable; an integer of at least 1 */
    struct bus_run_ref_list runs; /* Runs its runlog knows whose outcome is not confirmed, finished or not */
    int64_t max_jobs; /* Runs it does at once; an integer from 1 to 1000 */
    int64_t sent_boot_us; /* When this was sent, by the agent's boot clock */
    int64_t up_us; /* How long the agent has been running; an integer of at least 0 */
    struct agent_facts facts; /* What the host is */
    struct agent_vitals vitals; /* How the host is */
};

/* An agent lives; every 10 s */
struct bus_beat {
    int64_t sent_boot_us; /* When this was sent, by the agent's boot clock */
    int64_t clock_error_us; /* Its bound on the error of its idea of the controller's clock; an integer of at least 0; optional */
    struct agent_facts facts; /* What the host is, when that has changed; optional */
    struct agent_vitals vitals; /* How the host is */
};

/* What an agent says about a run */
struct bus_report {
    int64_t number; /* Counts up by one within the epoch; an integer of at least 1 */
    struct bus_run_ref run; /* Which run */
    enum run_state state; /* acknowledged started completed failed skipped */
    enum run_code code; /* Why it failed */
    bool changed; /* Whether the host was changed; optional */
    const char *error; /* Why it failed or was skipped; at most 4096 characters of text; optional */
    struct slice data; /* Result; optional */
    int64_t acknowledged_us; /* When the agent took it; optional */
    int64_t started_us; /* When it began; optional */
    int64_t finished_us; /* When it ended; optional */
};

/* What time it is; answers hello and beat */
struct bus_time {
    int64_t sent_boot_us; /* The value from the hello or beat answered */
    int64_t now_us; /* The controller's clock */
};

/* Do one run */
struct bus_task {
    struct bus_run_ref run; /* Which run */
    const char *operation; /* Operation; an operation such as node.disk.get (see /openapi.json) */
    struct slice data; /* Its input, secrets as they are: whoever has held it wipes it */
    bool sensitive; /* Its result goes into one report and is kept nowhere; optional */
    int64_t limit_us; /* How long it may take; an integer of at least 1 */
    int64_t start_by_us; /* Refused when it can't be started by then */
    const char *user; /* Who submitted it; at most 255 characters of text */
};

/* Reports are durable in the ledger; the agent may forget them */
struct bus_confirm {
    int64_t number; /* All reports up to this number; an integer of at least 0 */
};

/* Least important event that is logged */
enum log_word {
    log_word_ERROR, /* "error": Act now */
    log_word_WARNING, /* "warning": Look */
    log_word_NOTICE, /* "notice": State changed */
    log_word_INFO, /* "info": One a request */
    log_word_DEBUG, /* "debug": All */
};

/* TLS of the HTTP port, 1.2 and newer */
struct config_tls {
    const char *certificate; /* reloaded: Certificate chain, PEM; an absolute path; 1 to 4095 characters of text; optional */
    const char *key; /* reloaded: Its private key, PEM, readable by the controller's user alone; an absolute path; 1 to 4095 characters of text; optional */
};

/* Prometheus metrics at /metrics, on an address of their own, without a token */
struct config_metrics {
    bool enabled; /* at start: Whether they are served; default true */
    const char *listen; /* at start: IPv4 or IPv6 address; beyond loopback whoever reaches it may read them, which the log warns of; 1 to 64 characters of text; default 127.0.0.1 */
    int64_t port; /* at start: Port; 0: any that is free, which the log names; an integer from 0 to 65535; default 9090 */
};

/* What one client may ask */
struct config_limits {
    int64_t requests_per_second; /* reloaded: Requests a token may make each second, lasting; 0: no limit. Beyond it: 429; an integer from 0 to 1000000; default 0 */
    int64_t burst; /* reloaded: How many of them at once; an integer from 1 to 1000000; default 100 */
    int64_t bad_tokens; /* reloaded: Bad tokens from one address within a minute, after which it is locked out; 0: no limit; an integer from 0 to 1000000; default 20 */
    int64_t lockout; /* reloaded: How long such an address is answered 429; a duration such as 30s, 5m, 2h or 7d, from 1s to 1d; default 1m */
};

/* What holders of a role may do */
struct config_role {
    struct str_list permissions; /* reloaded: Permissions, such as job:read; an array, each value 1 to 64 characters of text */
};

/* How long final jobs of one state are kept; beyond any of these the oldest are dropped */
struct config_retention_rule {
    int64_t age; /* reloaded: Time since their last change; a duration such as 30s, 5m, 2h or 7d, from 1s to 3650d; optional */
    int64_t jobs; /* reloaded: How many; an integer from 0 to 1000000000; optional */
    int64_t mib; /* reloaded: MiB of input, results and history, as they are stored; counted once a minute; an integer from 0 to 1000000000; optional */
};

/* How long final jobs are kept; beyond any of these the oldest are dropped */
struct config_retention {
    int64_t queries; /* reloaded: Age of jobs that only read: time since their last change; a duration such as 30s, 5m, 2h or 7d, from 1s to 3650d; default 24h */
    int64_t modifies; /* reloaded: Age of jobs that change hosts; a duration such as 30s, 5m, 2h or 7d, from 1s to 3650d; default 30d */
    int64_t jobs; /* reloaded: How many in all, those that are not final included; an integer from 1 to 1000000000; default 10000000 */
    int64_t disk_percent; /* reloaded: Percent they may take of the state disk, without what other files take of it; an integer from 1 to 100; default 80 */
    bool archive; /* reloaded: Whether dropped jobs are first written to STATE/archive, as JSON lines (zstd); default false */
    struct config_retention_rule completed; /* reloaded: Of completed jobs, besides; optional */
    struct config_retention_rule failed; /* reloaded: Of failed jobs, besides; optional */
    struct config_retention_rule partial_failure; /* reloaded: Of jobs that failed on some hosts, besides; optional */
    struct config_retention_rule skipped; /* reloaded: Of skipped jobs, besides; optional */
};

/* The controller */
struct controller_config {
    const char *state; /* at start: Ledger, key and admin token; made when absent; 1 to 4095 characters of text; default /var/lib/reeve/controller */
    const char *listen; /* at start: IPv4 or IPv6 address of the HTTP API; 1 to 64 characters of text; default 127.0.0.1 */
    int64_t port; /* at start: Its port; 0: any that is free; an integer from 0 to 65535; default 8080 */
    bool insecure; /* at start: Listen beyond loopback without TLS: tokens and results can then be read on the way; default false */
    int64_t loops; /* at start: Threads that serve HTTP (default: one a processor); an integer from 1 to 64; optional */
    const char *bus; /* at start: Where the agent is: unix:PATH, or fd:N of a supervisor (default: no agent); 1 to 4096 characters of text; optional */
    enum log_word log_level; /* reloaded: Least important event that is logged; default notice */
    bool log_json; /* at start: Log a JSON object a line; default false */
    struct config_tls tls; /* at start: TLS; optional */
    struct config_metrics metrics; /* at start: Metrics; optional */
    struct config_limits limits; /* reloaded: What one client may ask; optional */
    struct config_role_map roles; /* reloaded: Roles beside admin, write and read, by name; optional */
    struct config_retention retention; /* reloaded: How long jobs are kept; optional */
};

/* How programs are run for command operations */
struct config_command {
    const char *run_as; /* at start: User they run as (default: the agent's); 1 to 32 characters of text; optional */
};

/* The agent, and its host's own word on what may be done there */
struct agent_config {
    const char *state; /* at start: Runlog; made when absent; 1 to 4095 characters of text; default /var/lib/reeve/agent */
    const char *bus; /* at start: Where the controller comes: unix:PATH, or fd:N of a supervisor; 1 to 4096 characters of text; default unix:/run/reeve/agent.sock */
    const char *controller_user; /* at start: User the controller must run as, for unix:PATH; a name or a number; 1 to 32 characters of text; default reeve */
    const char *hostname; /* at start: Name of this host (default: the system's); a host name: 1 to 255 letters, digits, '-' and '_', in parts joined by '.'; optional */
    struct str_map labels; /* at start: Labels of this host, such as group: web.dev; a JSON object, each value 1 to 255 characters of text; optional */
    int64_t max_jobs; /* at start: Runs at once; an integer from 1 to 100; default 10 */
    enum log_word log_level; /* at start: Least important event that is logged; default notice */
    bool log_json; /* at start: Log a JSON object a line; default false */
    struct str_list allow; /* reloaded: Operations this host does: types, or the beginning of one and a star, such as node.*; an empty list: none (default: all); an array, each value 1 to 64 characters of text; optional */
    struct str_list deny; /* reloaded: Operations this host refuses, also when allowed; an array, each value 1 to 64 characters of text; optional */
    struct config_command command; /* reloaded: How programs are run; optional */
};

/* Flags of every verb */
struct cli_options {
    const char *url; /* Where the controller is (or REEVE_URL; default: url in the state directory); optional */
    const char *token; /* Bearer token (better REEVE_TOKEN, which others can't see; default: token in the state directory); optional */
    const char *ca; /* Certificates, PEM, that the controller's must go back to (or REEVE_CA; default: the system's); optional */
    const char *state; /* State directory of this machine's controller (or REEVE_STATE); optional */
    bool json; /* Print the reply as it came, instead of a table; optional */
    bool help; /* Show this help; optional */
};

/* How to run a controller and an agent */
struct cli_start_in {
    int64_t port; /* Port of the HTTP API; 0: any that is free (default: of the configuration, 8080); an integer from 0 to 65535; optional */
    const char *listen; /* Address of the HTTP API, IPv4 or IPv6 (default: of the configuration, 127.0.0.1); 1 to 64 characters of text; optional */
    const char *user; /* User the controller runs as, when started by root; 1 to 32 characters of text; default reeve */
    int64_t loops; /* Threads that serve HTTP; an integer from 1 to 64; optional */
    int64_t max_jobs; /* Runs the agent does at once; an integer from 1 to 100; optional */
    const char *hostname; /* Name of this host (default: the system's); a host name: 1 to 255 letters, digits, '-' and '_', in parts joined by '.'; optional */
    struct str_map label; /* Label of this host, such as group=web.dev; a JSON object, each value 1 to 255 characters of text; optional */
    const char *config; /* Configuration of the controller (default: /etc/reeve/reeve.yaml when it is there); 1 to 4095 characters of text; optional */
    const char *agent_config; /* Configuration of the agent (default: /etc/reeve/agent.yaml when it is there); 1 to 4095 characters of text; optional */
    bool insecure; /* Listen beyond loopback without TLS; optional */
    int64_t metrics_port; /* Port of the metrics; 0: any that is free; an integer from 0 to 65535; optional */
    enum log_word log_level; /* Least important event that all log (default: of the configuration, notice); optional */
};

/* Whose token, and what it may do */
struct cli_token_generate_in {
    const char *subject; /* Who holds it: the user of the jobs it submits; 1 to 255 characters of text */
    struct str_list role; /* Role: admin, write, read, or one of the configuration; an array, each value 1 to 64 characters of text */
    struct str_list permission; /* Exactly these permissions instead of the roles', such as job:read; an array, each value 1 to 64 characters of text; optional */
    struct str_list target; /* Only for jobs on these hosts: host name, machine id, or label such as group:web (default: all); an array, each value 1 to 255 characters of text; optional */
    const char *config; /* Configuration that names roles (default: /etc/reeve/reeve.yaml when it is there); 1 to 4095 characters of text; optional */
    int64_t expires; /* How long it is valid; a duration such as 30s, 5m, 2h or 7d, from 1s to 3650d; default 30d */
};

/* Where the copy goes */
struct cli_ledger_backup_in {
    const char *dir; /* path: New directory, in which a controller can be started; 1 to 4000 characters of text */
    int64_t rate; /* MiB a second at most; an integer from 1 to 100000; default 50 */
};

/* A token */
struct cli_token_validate_in {
    const char *token; /* path: The token; read from standard input when it is not given; 1 to 4096 characters of text; optional */
};

/* A token that is to be accepted no more */
struct cli_token_revoke_in {
    const char *token; /* path: The token, or its id (jti); read from standard input when it is not given; 1 to 4096 characters of text; optional */
};

/* Whose configuration */
struct cli_config_in {
    const char *config; /* File (default: that of the program, when it is there); 1 to 4095 characters of text; optional */
    bool agent; /* The agent's, and not the controller's; optional */
};

/* A file */
struct cli_config_check_in {
    const char *file; /* path: File (default: that of the program); 1 to 4095 characters of text; optional */
    bool agent; /* The agent's, and not the controller's; optional */
};

/* Of which program */
struct cli_config_sample_in {
    bool agent; /* The agent's, and not the controller's; optional */
};

/* Show a host at a glance */
/* GET /node/{hostname}  node.status.get  node:read  query */
int op_node_status(struct host *ctx, const struct none *input, struct node_status_out *ret_out);

/* Show the name and labels of a host */
/* GET /node/{hostname}/hostname  node.hostname.get  node:read  query */
int op_node_hostname(struct host *ctx, const struct none *input, struct node_hostname_out *ret_out);

/* Show the local file systems of a host */
/* GET /node/{hostname}/disk  node.disk.get  node:read  query */
int op_node_disk(struct host *ctx, const struct none *input, struct node_disk_out *ret_out);

/* Show the memory of a host */
/* GET /node/{hostname}/memory  node.memory.get  node:read  query */
int op_node_memory(struct host *ctx, const struct none *input, struct node_memory_out *ret_out);

/* Show the load averages of a host */
/* GET /node/{hostname}/load  node.load.get  node:read  query */
int op_node_load(struct host *ctx, const struct none *input, struct node_load_out *ret_out);

/* Show the operating system of a host */
/* GET /node/{hostname}/os  node.os.get  node:read  query */
int op_node_os(struct host *ctx, const struct none *input, struct node_os_out *ret_out);

/* Show how long a host has been up */
/* GET /node/{hostname}/uptime  node.uptime.get  node:read  query */
int op_node_uptime(struct host *ctx, const struct none *input, struct node_uptime_out *ret_out);

/* Run a program */
/* POST /node/{hostname}/command/exec  command.exec.execute  command:execute  modify */
int op_command_exec(struct host *ctx, const struct command_exec_in *input, struct command_out *ret_out);

/* Run a shell command line */
/* POST /node/{hostname}/command/shell  command.shell.execute  command:execute  modify */
int op_command_shell(struct host *ctx, const struct command_shell_in *input, struct command_out *ret_out);

/* List jobs, newest first */
/* GET /job  job.list  job:read  local */
int op_job_list(struct op_ctx *ctx, const struct job_list_in *input, struct job_list_out *ret_out);

/* Write all matching jobs as JSON lines, newest first */
/* GET /job/export  job.export  job:read  local */
int op_job_export(struct op_ctx *ctx, const struct job_export_in *input, struct job_export_out *ret_out);

/* Submit a job by its operation's type */
/* POST /job  job.submit  job:write  local */
int op_job_submit(struct op_ctx *ctx, const struct job_submit_in *input, struct job_submit_out *ret_out);

/* Show a job */
/* GET /job/{id}  job.get  job:read  local */
int op_job_get(struct op_ctx *ctx, const struct job_ref *input, struct job_get_out *ret_out);

/* Count jobs by what they have in common, and by time; exact, and all of one moment */
/* GET /job/stats  job.stats  job:read  local */
int op_job_stats(struct op_ctx *ctx, const struct job_stats_in *input, struct job_stats_out *ret_out);

/* List a job's runs, one a host, in order of run number */
/* GET /job/{id}/run  job.run.list  job:read  local */
int op_job_run_list(struct op_ctx *ctx, const struct job_run_list_in *input, struct job_run_list_out *ret_out);

/* Delete a job; cancels it first if need be */
/* DELETE /job/{id}  job.delete  job:write  local */
int op_job_delete(struct op_ctx *ctx, const struct job_ref *input, struct none *ret_out);

/* Submit a job's operation again */
/* POST /job/{id}/retry  job.retry  job:write  local */
int op_job_retry(struct op_ctx *ctx, const struct job_retry_in *input, struct job_retry_out *ret_out);

/* Cancel a job: what waits never starts, what runs is killed */
/* POST /job/{id}/cancel  job.cancel  job:write  local */
int op_job_cancel(struct op_ctx *ctx, const struct job_ref *input, struct job_cancel_out *ret_out);

/* Submit the operations of all jobs that match again; all of them, or none */
/* POST /job/retry  job.bulk.retry  job:write  local */
int op_job_bulk_retry(struct op_ctx *ctx, const struct job_bulk_retry_in *input, struct job_bulk_out *ret_out);

/* Cancel all jobs that match and have not ended; all of them, or none */
/* POST /job/cancel  job.bulk.cancel  job:write  local */
int op_job_bulk_cancel(struct op_ctx *ctx, const struct job_bulk_in *input, struct job_bulk_out *ret_out);

/* Delete all jobs that match; cancels them first if need be; all of them, or none */
/* POST /job/delete  job.bulk.delete  job:write  local */
int op_job_bulk_delete(struct op_ctx *ctx, const struct job_bulk_in *input, struct job_bulk_out *ret_out);

/* List agents */
/* GET /agent  agent.list  agent:read  local */
int op_agent_list(struct op_ctx *ctx, const struct none *input, struct agent_list_out *ret_out);

/* Show an agent */
/* GET /agent/{hostname}  agent.get  agent:read  local */
int op_agent_get(struct op_ctx *ctx, const struct agent_ref *input, struct agent_get_out *ret_out);

/* Show whether the controller lives */
/* GET /health  health.get  public  local */
int op_health_get(struct op_ctx *ctx, const struct none *input, struct health_out *ret_out);

/* Show whether the controller can do its work */
/* GET /health/ready  health.ready  public  local */
int op_health_ready(struct op_ctx *ctx, const struct none *input, struct ready_out *ret_out);

/* Show how the controller is */
/* GET /health/status  health.status  health:read  local */
int op_health_status(struct op_ctx *ctx, const struct none *input, struct status_out *ret_out);

/* Show versions */
/* GET /version  version.get  public  local */
int op_version_get(struct op_ctx *ctx, const struct none *input, struct version_out *ret_out);

/* Print the OpenAPI document */
/* GET /openapi.json  openapi.get  public  local */
int op_openapi_get(struct op_ctx *ctx, const struct none *input, struct openapi_out *ret_out);

