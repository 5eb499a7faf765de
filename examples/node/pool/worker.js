// A worker of a process pool: a task comes with an id, and is answered with it.
'use strict';

function fib(n) {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

const jobs = {
  fib: ({ n }) => fib(n),
  double: ({ n }) => n * 2,
  sleep: ({ ms }) => new Promise((resolve) => setTimeout(resolve, ms, `slept ${ms} ms`)),
  fail: () => {
    throw new Error('as it was told to');
  },
};

process.on('message', async ({ type, payload }) => {
  if (type !== 'task') return;
  try {
    if (!Object.hasOwn(jobs, payload.job)) throw new Error(`no such job: ${payload.job}`);
    process.send({ type: 'task_complete', taskId: payload.id, result: await jobs[payload.job](payload) });
  } catch (error) {
    process.send({ type: 'task_error', taskId: payload.id, error: error.message });
  }
});
