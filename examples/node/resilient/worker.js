// Fails now and then; that it comes back, later each time, is its supervisor's doing.
'use strict';
const chance = Number(process.env.FAIL_CHANCE || 0.3);

console.log(`started, pid ${process.pid}`);
process.send?.({ type: 'heartbeat', data: { pid: process.pid } });

setInterval(() => {
  if (Math.random() < chance) {
    console.error('failing');
    process.exit(1);
  }
  process.send?.({ type: 'heartbeat', data: { pid: process.pid } });
}, Number(process.env.BEAT_MS || 500));
