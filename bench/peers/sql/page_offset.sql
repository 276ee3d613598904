-- SPDX-License-Identifier: MIT
-- Any page, by its offset.
\set offset random(0, :jobs - 10)
select id, document from jobs order by created desc, id desc limit 10 offset :offset;
select status, count(*) from jobs group by status;
