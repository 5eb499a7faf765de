// Answers requests that carry an id, in whatever order they are done, and tells its state every few seconds.
'use strict';
let served = 0;

const operations = {
  add: ({ a, b }) => a + b,
  fib: ({ n }) => {
    const fib = (k) => (k < 2 ? k : fib(k - 1) + fib(k - 2));
    return fib(n);
  },
  sleep: ({ ms }) => new Promise((resolve) => setTimeout(resolve, ms, `slept ${ms} ms`)),
};

async function answer({ requestId, cmd, args }) {
  try {
    if (!Object.hasOwn(operations, cmd)) throw new Error(`unknown command: ${cmd}`);
    process.send({ requestId, result: await operations[cmd](args || {}) });
  } catch (error) {
    process.send({ requestId, error: error.message });
  }
  served++;
}

function tellStatus() {
  const { rss, heapUsed } = process.memoryUsage();
  process.send({ type: 'status', data: { served, uptime: process.uptime(), rss, heapUsed } });
}

process.on('message', (message) => {
  if (message && message.cmd === 'shutdown') {
    console.log(`served ${served}`);
    process.exit(0);
  } else if (message && message.requestId !== undefined) {
    answer(message);
  }
});

setInterval(tellStatus, 2000).unref();
process.send('ready');
