-- SPDX-License-Identifier: MIT
-- One job, one commit.
\set size random(350, 650)
\set host random(0, 999)
insert into jobs values (job_id(clock_timestamp()), clock_timestamp(), 'submitted', 'node.disk.get', '_any',
    'web-' || lpad(:host::text, 4, '0'), 'user-1',
    '{"id":"1","status":"submitted","operation":{"type":"node.disk.get"},"target":"_any","result":"' || repeat('x', :size) || '"}');
