// Empty tasks a second by piscina, with two threads: a burst, and with 256 outstanding. node piscina.js FOLDER-OF-MODULES
"use strict";
const path = require("path"), threads = require("worker_threads");

const TASKS = 20000, WINDOW = 256, THREADS = 2;

async function burst(pool) {
	const begun = process.hrtime.bigint();
	await Promise.all(Array.from({ length: TASKS }, () => pool.run(0)));
	return TASKS / (Number(process.hrtime.bigint() - begun) / 1e9);
}

async function windowed(pool) {
	let left = TASKS;
	const one = async () => {
		while (left-- > 0)
			await pool.run(0);
	};
	const begun = process.hrtime.bigint();
	await Promise.all(Array.from({ length: WINDOW }, one));
	return TASKS / (Number(process.hrtime.bigint() - begun) / 1e9);
}

async function main() {
	const { Piscina } = require(path.join(process.argv[2], "piscina"));
	const pool = new Piscina({ filename: __filename, minThreads: THREADS, maxThreads: THREADS, maxQueue: TASKS });

	await burst(pool); // it is compiled
	console.log(Math.round(await burst(pool)), Math.round(await windowed(pool)));
	await pool.destroy();
}

module.exports = () => 0;
if (threads.isMainThread)
	main();
