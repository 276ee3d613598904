-- SPDX-License-Identifier: MIT
-- Any page, by the last job of the page before: they are a second apart, so that any time is such a job's.
\set before random(:from + 10, :from + :jobs)
select id, document from jobs
    where (created, id) < (to_timestamp(:before), '00000000-0000-0000-0000-000000000000')
    order by created desc, id desc limit 10;
select status, count(*) from jobs group by status;
