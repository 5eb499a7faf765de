// Works for a while: each second it throws (20 %), exits with 1 (10 %), or goes on.
'use strict';
let seconds = 0;

console.log(`started, pid ${process.pid}`);
setInterval(() => {
  const chance = Math.random();
  seconds++;
  if (chance < 0.2) {
    console.log(`second ${seconds}: throwing`);
    throw new Error('crashed, as it does');
  } else if (chance < 0.3) {
    console.log(`second ${seconds}: exiting with 1`);
    process.exit(1);
  }
  console.log(`second ${seconds}: working`);
}, 1000);
