/* SPDX-License-Identifier: MIT */
/*
 * Records that concern an agent.
 *
 * Hosts are numbered in the order they came, and a number stays with its machine.
 */
#include "ledger/apply.h"

#include <errno.h>

static int agent_read(struct ledger *ledger, host_number host, struct agent_row *ret)
{
    uint64_t key = host;
    struct slice bytes;

    if (host == 0 || host > ledger->meta.n_hosts)
        return OUTCOME_NOT_FOUND;
    int r = table_get(&ledger->txn, TABLE_AGENTS, u64_slice(&key), &bytes);
    if (r)
        return r == OUTCOME_NOT_FOUND ? FAULT(-EUCLEAN) : r;
    return agent_row_decode(bytes, ret);
}

static int agent_write(struct ledger *ledger, host_number host, const struct agent_row *agent,
                       int64_t now_us)
{
    uint64_t key = host;

    buf_clear(&ledger->row);
    agent_row_encode(agent, &ledger->row);
    if (buf_overflowed(&ledger->row))
        return FAULT(-EFBIG);
    int r = table_put(&ledger->txn, TABLE_AGENTS, u64_slice(&key), buf_slice(&ledger->row));
    if (r)
        return r;
    ledger_record_applied(ledger, now_us);
    return 0;
}

static bool agent_equal(const struct agent_row *a, const struct agent_row *b)
{
    return a->epoch == b->epoch && slice_equal(a->hostname, b->hostname) &&
           slice_equal(a->labels, b->labels);
}

int apply_agent(struct ledger *ledger, const struct record *record, int64_t now_us,
                struct ledger_effect *ret)
{
    const struct record_agent *said = &record->agent;
    struct agent_row agent = {
        .first_seen_us = now_us,
        .changed_us = now_us,
        .epoch = said->epoch,
        .machine_id = slice_of(said->machine_id),
        .hostname = slice_of(said->hostname),
        .labels = said->labels.size ? said->labels : SLICE("{}"),
    };
    struct agent_row old;

    (void)ret;
    if (said->host == ledger->meta.n_hosts + 1) {
        ledger->meta.n_hosts++;
        ledger->agents_changed = true;
        return agent_write(ledger, said->host, &agent, now_us);
    }
    int r = agent_read(ledger, said->host, &old);
    if (r)
        return r;
    if (!slice_equal(old.machine_id, agent.machine_id))
        return OUTCOME_CONFLICT;
    if (agent_equal(&old, &agent))
        return 0;
    agent.first_seen_us = old.first_seen_us;
    if (old.epoch == agent.epoch)
        agent.reported = old.reported;
    ledger->agents_changed |= !slice_equal(old.hostname, agent.hostname);
    return agent_write(ledger, said->host, &agent, now_us);
}

int apply_reported(struct ledger *ledger, const struct record *record, int64_t now_us,
                   struct ledger_effect *ret)
{
    const struct record_reported *said = &record->reported;
    struct agent_row agent;
    int r = agent_read(ledger, said->host, &agent);

    (void)ret;
    if (r)
        return r;
    if (agent.epoch == said->epoch && agent.reported >= said->number)
        return 0;
    agent.epoch = said->epoch;
    agent.reported = said->number;
    return agent_write(ledger, said->host, &agent, now_us);
}
