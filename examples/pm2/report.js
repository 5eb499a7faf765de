// Runs by the clock, says what it found, and is done.
console.log(`report of ${new Date().toISOString()}`);
