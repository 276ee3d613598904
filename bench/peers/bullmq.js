// SPDX-License-Identifier: MIT
// bullmq.js SOCKET QUEUE COMMAND, SOCKET being Redis's:
//   load N                        fills the queue
//   measure CASE SECONDS CLIENTS  prints requests a second, p50 and p99 in ms
//   serve                         lists and takes jobs over HTTP, prints its URL
//   work                          finishes what comes
//   drain                         leaves as many waiting as were loaded
//   empty                         removes all jobs
// Whatever is in the queue came in by BullMQ's own calls.
'use strict';

const http = require('node:http');
const { Queue, Worker } = require('bullmq');

const [socket, name, command, ...args] = process.argv.slice(2);
const connection = { path: socket, maxRetriesPerRequest: null };
const newQueue = () => new Queue(name, { connection });
const queue = newQueue();

const WAITING = 100; // of N jobs, to stay as they were added
const BULK = 1000;
const OPERATIONS = ['node.disk.get', 'node.memory.get', 'node.load.get', 'node.hostname.get', 'command.exec.execute'];
// To cut documents from.
const TEXT = Array.from({ length: 2000 }, (_, i) => ((i * 2654435761) >>> 0).toString(16)).join(' ');

// One document in ten has 3-12 KB, the others about 600 bytes.
function job(i) {
  const size = i % 10 === 3 ? 3000 + ((i * 6841) % 9000) : 350 + ((i * 6841) % 300);
  const operation = OPERATIONS[i % OPERATIONS.length];
  const hostname = 'web-' + String(i % 1000).padStart(4, '0');
  return {
    name: operation,
    data: { target: '_any', hostname, user: 'user-' + (i % 7), result: TEXT.slice(0, size) },
  };
}

const SMALL = job(0);

// In bulks, four of them on their way.
async function add(from, to) {
  const underway = [];
  for (let i = from; i < to; i += BULK) {
    const length = Math.min(BULK, to - i);
    underway.push(queue.addBulk(Array.from({ length }, (_, k) => job(i + k))));
    if (underway.length === 4) await underway.shift();
  }
  await Promise.all(underway);
}

// A worker finishes what waits; 2.5 % fail.
function finish(n) {
  let finished = 0;
  return new Promise((resolve, reject) => {
    const worker = new Worker(
      name,
      async (taken) => {
        if ((Number(taken.id) * 7919) % 1000 < 25) throw new Error('exit status 1');
        return { changed: false };
      },
      { connection, concurrency: 200 },
    );
    const count = () => {
      finished += 1;
      if (finished === n) worker.close().then(resolve, reject);
    };
    worker.on('completed', count);
    worker.on('failed', count);
    worker.on('error', reject);
  });
}

async function load(n) {
  await empty();
  const working = Math.max(0, n - WAITING);
  await add(0, working);
  if (working > 0) await finish(working);
  await add(working, n);
  const counts = await queue.getJobCounts();
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (total !== n) throw new Error(`${total} jobs instead of ${n}: ${JSON.stringify(counts)}`);
}

// BullMQ has a list for each state and none of all jobs: the completed ones are the longest.
async function page(offset) {
  const [jobs, counts] = await Promise.all([queue.getJobs(['completed'], offset, offset + 9), queue.getJobCounts()]);
  if (jobs.length !== 10 || counts.completed < 10) throw new Error(`${jobs.length} jobs at ${offset}`);
  return { items: jobs, status_counts: counts };
}

async function measure(what, seconds, clients) {
  const { completed } = await queue.getJobCounts('completed');
  // A client that adds has a connection of its own, as those of the other systems.
  const queues = what === 'insert' ? Array.from({ length: clients }, newQueue) : [];
  const requests = {
    page_first: () => page(0),
    page_offset: () => page(Math.floor(Math.random() * (completed - 9))),
    insert: (client) => queues[client].add(SMALL.name, SMALL.data),
  };
  const times = [];
  const ask = async (client, until, keep) => {
    for (let from = performance.now(); from < until; ) {
      await requests[what](client);
      const now = performance.now();
      if (keep) times.push(now - from);
      from = now;
    }
  };
  const all = (until, keep) => Promise.all(Array.from({ length: clients }, (_, client) => ask(client, until, keep)));

  await all(performance.now() + 500, false); // until the program is compiled
  const from = performance.now();
  await all(from + seconds * 1000, true);
  const took = (performance.now() - from) / 1000;

  times.sort((a, b) => a - b);
  const quantile = (q) => times[Math.ceil(times.length * q) - 1].toFixed(3);
  console.log((times.length / took).toFixed(1), quantile(0.5), quantile(0.99));
  await Promise.all(queues.map((each) => each.close()));
}

// The least that a service in front of BullMQ does: GET is the newest page, POST is answered once the job is on the disk.
function serve() {
  const reply = (response, status, body) => {
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', async () => {
      if (request.method === 'GET') return reply(response, 200, await page(0));
      const { operation, ...data } = JSON.parse(Buffer.concat(parts).toString());
      const { id } = await queue.add(operation.type, data);
      return reply(response, 201, { job_id: id, status: 'submitted' });
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/job`));
}

// At once, as many at a time as it is given.
function work() {
  new Worker(name, async () => ({ changed: false }), { connection, concurrency: 200 });
}

async function drain() {
  await queue.drain();
  await add(0, WAITING);
}

const empty = () => queue.obliterate({ force: true });

const commands = { load, measure, serve, work, drain, empty };
Promise.resolve(commands[command](...args.map((arg) => (/^[0-9]+$/.test(arg) ? Number(arg) : arg))))
  .then(() => command === 'serve' || command === 'work' || queue.close())
  .catch((error) => {
    console.error(error);
    process.exit(1);
  });
