-- SPDX-License-Identifier: MIT
-- The jobs of a controller as one would keep them in PostgreSQL, and :jobs of them: one a second, 2 % failed, 0.5 % partial
-- failures, the newest hundred at work; one document in ten has 3-12 KB, the others about 600 bytes.
set client_min_messages = warning;
drop table if exists jobs;
drop type if exists job_status;
create type job_status as enum
    ('submitted', 'processing', 'completed', 'failed', 'partial_failure', 'skipped');

create table jobs (
    id uuid not null,
    created timestamptz not null,
    status job_status not null,
    operation text not null,
    target text not null,
    hostname text not null,
    user_name text not null,
    document text not null -- what the list shows of it; text, since jsonb would have to be printed each time
);
alter table jobs alter document set storage external; -- uncompressed: it is read as often as it is written

-- A UUID of version 7: the time in milliseconds, then chance. What is made together lies together in the index.
create or replace function job_id(at timestamptz) returns uuid language sql volatile as $$
    select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        placing substring(int8send((extract(epoch from at) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
$$;
