-- SPDX-License-Identifier: MIT
-- What wrk sends to a service in front of BullMQ: a job of about 500 bytes.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"operation":{"type":"node.disk.get"},"target":"_any","hostname":"web-0001","user":"user-1","result":"'
    .. string.rep("x", 350) .. '"}'
