-- SPDX-License-Identifier: MIT
-- The newest page.
select id, document from jobs order by created desc, id desc limit 10;
select status, count(*) from jobs group by status;
