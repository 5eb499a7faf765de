// Node's side of `thrum bench`: bench.js NAME ROUNDS THREADS FOLDER. A line of JSON for each figure: {"name":…,"value":…}.
'use strict';
const { Worker, isMainThread, parentPort, workerData, MessageChannel } = require('worker_threads');
const { fork } = require('child_process');
const fs = require('fs');

const BELOW = 1000000, PARTS = 16, TASKS = 20000;

function countPrimes({ from, below }) {
  let count = 0;
  for (let n = from; n < below; n++) {
    let prime = n > 1;
    if (n % 2 === 0) prime = n === 2;
    else for (let d = 3; prime && d * d <= n; d += 2) prime = n % d !== 0;
    if (prime) count++;
  }
  return count;
}

const table = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let sum = byte << 24;
  for (let bit = 0; bit < 8; bit++) sum = sum & 0x80000000 ? (sum << 1) ^ 0x04c11db7 : sum << 1;
  table[byte] = sum;
}

function checksum({ path }) {
  const bytes = fs.readFileSync(path);
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum = (sum << 8) ^ table[(sum >>> 24) ^ bytes[i]];
  for (let size = bytes.length; size > 0; size = Math.floor(size / 256)) sum = (sum << 8) ^ table[(sum >>> 24) ^ (size & 255)];
  return ~sum >>> 0;
}

const jobs = { countPrimes, checksum, echo: (task) => task };

// ---- workers: threads and processes do the same ----

function begin(kind, job) {
  if (kind === 'thread') {
    const worker = new Worker(__filename, { workerData: { job } });
    return { send: (task) => worker.postMessage(task), on: (done) => worker.on('message', done), end: () => worker.terminate() };
  }
  const child = fork(__filename, ['worker', job]);
  return {
    send: (task) => child.send(task),
    on: (done) => child.on('message', done),
    end: () => new Promise((ended) => { child.once('exit', ended); child.disconnect(); }),
  };
}

/** The pool of the guide: one task at a time for each worker. */
function doAll(workers, tasks) {
  return new Promise((resolve) => {
    let next = 0, done = 0;
    for (const worker of workers) {
      worker.done = () => {
        if (++done === tasks.length) resolve();
        else if (next < tasks.length) worker.send(tasks[next++]);
      };
      if (!worker.known) worker.on(() => worker.done());
      worker.known = true;
      if (next < tasks.length) worker.send(tasks[next++]);
    }
  });
}

async function timed(work) {
  const begun = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - begun) / 1e6;
}

async function withWorkers(kind, job, count, work) {
  const workers = Array.from({ length: count }, () => begin(kind, job));
  const value = await work(workers);
  await Promise.all(workers.map((worker) => worker.end()));
  return value;
}

// ---- what is measured ----

const primes = Array.from({ length: PARTS }, (_, i) => ({ from: i * (BELOW / PARTS), below: (i + 1) * (BELOW / PARTS) }));
const filesIn = (folder) => Array.from({ length: 10 }, (_, i) => ({ path: `${folder}/${i}` }));

const byOne = (job, tasks) => () => timed(() => { tasks.forEach((task) => jobs[job](task)); });
const byMany = (kind, job, tasks, count) => () => timed(() => withWorkers(kind, job, count, (workers) => doAll(workers, tasks)));

function ways(job, tasks, count) {
  return { '1 thread': byOne(job, tasks), [`${count} threads`]: byMany('thread', job, tasks, count), [`${count} processes`]: byMany('process', job, tasks, count) };
}

function throughput(kind, count) {
  const tasks = Array.from({ length: TASKS }, (_, i) => i);
  return () => withWorkers(kind, 'echo', count, async (workers) => {
    await doAll(workers, tasks.slice(0, count)); // they have all begun
    return TASKS / await timed(() => doAll(workers, tasks));
  });
}

/** How long the sender is at it. */
function block(isTransferred) {
  return async () => {
    const worker = new Worker(__filename, { workerData: { receives: true } });
    await new Promise((online) => worker.once('online', online));
    const buffer = new ArrayBuffer(100 << 20);
    new Uint8Array(buffer).fill(1);
    const answered = new Promise((got) => worker.once('message', got));
    const span = await timed(() => worker.postMessage(buffer, isTransferred ? [buffer] : []));
    await answered;
    await worker.terminate();
    return span;
  };
}

function start(kind) {
  return () => withWorkers(kind, 'echo', 0, async () => {
    let worker;
    const span = await timed(async () => { worker = begin(kind, 'echo'); await doAll([worker], [1]); });
    await worker.end();
    return span;
  });
}

const benches = {
  primes: (count) => ways('countPrimes', primes, count),
  files: (count, folder) => ways('checksum', filesIn(folder), count),
  scaling: () => Object.fromEntries([1, 2, 4, 8].map((n) => [n === 1 ? '1 thread' : `${n} threads`, byMany('thread', 'countPrimes', primes, n)])),
  transfer: () => ({ copied: block(false), transferred: block(true) }),
  pool: (count) => ({ [`${count} threads`]: throughput('thread', count), [`${count} processes`]: throughput('process', count) }),
  start: () => ({ thread: start('thread'), process: start('process') }),
};

async function main(name, rounds, count, folder) {
  for (const [row, once] of Object.entries(benches[name](count, folder))) {
    const values = [];
    for (let i = 0; i < rounds; i++) values.push(await once());
    values.sort((a, b) => a - b);
    console.log(JSON.stringify({ name: row, value: values[Math.floor(rounds / 2)] }));
  }
}

if (!isMainThread && workerData) {
  if (workerData.receives) parentPort.once('message', () => parentPort.postMessage(0));
  else parentPort.on('message', (task) => parentPort.postMessage(jobs[workerData.job](task)));
} else if (process.send && process.argv[2] === 'worker') {
  process.on('message', (task) => process.send({ answer: jobs[process.argv[3]](task) }));
} else {
  main(process.argv[2], +process.argv[3], +process.argv[4], process.argv[5]);
}
