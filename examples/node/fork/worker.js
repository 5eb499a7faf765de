// A child as child_process.fork() makes it: says that it is ready, works when it is told to, answers, and ends
// when its parent goes.
'use strict';

function sum(limit) {
  let total = 0;
  for (let i = 1; i <= limit; i++) total += i;
  return total;
}

process.on('message', (message) => {
  if (message.type === 'start') {
    console.log(`summing up to ${message.limit}`);
    process.send({ type: 'result', requestId: message.requestId, result: sum(message.limit) });
  }
});

process.on('disconnect', () => process.exit(0));
process.send({ type: 'ready' });
