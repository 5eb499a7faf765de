// A cluster as the documentation of Node writes one. By itself (node server.js) it makes its own workers; as workers of
// thrum (exec_mode: cluster) only the second half runs, and thrum is the primary.
'use strict';
const cluster = require('cluster');
const http = require('http');
const os = require('os');

function runPrimary() {
  const count = Number(process.env.WORKERS || os.cpus().length);
  for (let i = 0; i < count; i++) cluster.fork();
  cluster.on('exit', (worker) => {
    if (!worker.exitedAfterDisconnect) cluster.fork();
  });
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) worker.send({ cmd: 'shutdown' });
    cluster.disconnect(() => process.exit(0));
  });
}

function runWorker() {
  let requests = 0;
  const server = http.createServer((request, response) => {
    requests++;
    response.end(`worker ${cluster.worker.id}, pid ${process.pid}, request ${requests}\n`);
  });

  server.listen(Number(process.env.PORT || 8000), () => {
    console.log(`worker ${cluster.worker.id} listens on port ${server.address().port}`);
  });
  process.on('message', (message) => {
    if (message && message.cmd === 'status') {
      process.send({ requestId: message.requestId, status: { id: cluster.worker.id, requests } });
    } else if (message && message.cmd === 'shutdown') {
      console.log('closing');
      server.close(() => process.exit(0));
    }
  });
}

if (cluster.isPrimary) runPrimary();
else runWorker();
