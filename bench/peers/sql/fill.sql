-- SPDX-License-Identifier: MIT
-- Texts to cut the documents from: repeated text would shrink below what jobs hold.
create temporary table texts as
    select n, string_agg(md5(n * 1000 + k || ''), ' ') as body
    from generate_series(0, 255) n, generate_series(1, 364) k
    group by n;

insert into jobs
select
    job_id(made.created), made.created, made.status, made.operation, '_any', made.hostname, 'user-' || made.i % 7,
    format('{"id":"%s","status":"%s","operation":{"type":"%s"},"target":"_any","hostname":"%s","result":"%s"}',
        made.i, made.status, made.operation, made.hostname, left(texts.body, made.size))
from (
    select
        i,
        date_trunc('second', now()) - make_interval(secs => :jobs - i) as created,
        (case
            when i > :jobs - 100 then 'processing'
            when i * 7919 % 1000 < 20 then 'failed'
            when i * 7919 % 1000 < 25 then 'partial_failure'
            else 'completed'
        end)::job_status as status,
        (array['node.disk.get', 'node.memory.get', 'node.load.get', 'node.hostname.get', 'command.exec.execute'])
            [1 + i % 5] as operation,
        'web-' || lpad((i % 1000)::text, 4, '0') as hostname,
        case when i % 10 = 3 then 3000 + i * 6841 % 9000 else 350 + i * 6841 % 300 end::int as size
    from generate_series(1, :jobs::bigint) i
) made
join texts on texts.n = made.i % 256
order by made.i;

alter table jobs add primary key (id);
create index jobs_created on jobs (created, id);
create index jobs_status on jobs (status, created, id);
create index jobs_counts on jobs (status); -- half as large, so that counts are a fifth faster
vacuum (freeze, analyze) jobs;
checkpoint;
