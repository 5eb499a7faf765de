// Keeps all that it ever made: its memory grows until its limit ends it.
'use strict';
const kept = [];
const step = Number(process.env.STEP_MB || 5);

setInterval(() => {
  kept.push(Buffer.alloc(step * 1024 * 1024, 1));
  process.send?.({ type: 'memory', data: { rss: process.memoryUsage().rss } });
}, Number(process.env.EVERY_MS || 200));

process.on('SIGTERM', () => {
  console.log(`ending with ${kept.length * step} MB`);
  process.exit(0);
});
