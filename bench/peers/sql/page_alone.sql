-- SPDX-License-Identifier: MIT
-- As page_keyset, without the counts: what they cost.
\set before random(:from + 10, :from + :jobs)
select id, document from jobs
    where (created, id) < (to_timestamp(:before), '00000000-0000-0000-0000-000000000000')
    order by created desc, id desc limit 10;
