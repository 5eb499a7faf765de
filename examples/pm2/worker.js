// Works, says so, and ends well when it is asked to.
let beats = 0;
console.log('working');
setInterval(() => console.log(`beat ${++beats}`), +process.env.BEAT_MS);
process.on('SIGINT', () => process.exit(0));
