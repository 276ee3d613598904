-- SPDX-License-Identifier: MIT
-- Any page of the failed jobs, 2 % of all, by its offset.
\set offset random(0, :jobs / 50 - 10)
select id, document from jobs where status = 'failed' order by created desc, id desc limit 10 offset :offset;
select status, count(*) from jobs group by status;
