// Each worker counts what it serves and tells it, so that one sees that the load is shared evenly.
'use strict';
const http = require('http');
let requests = 0;

http
  .createServer((request, response) => {
    requests++;
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ pid: process.pid, instance: process.env.NODE_APP_INSTANCE, requests }) + '\n');
  })
  .listen(Number(process.env.PORT || 8001));

setInterval(() => {
  process.send({ type: 'axm:monitor', data: { requests: { value: requests, unit: '', type: 'counter' } } });
}, 500).unref();

process.send({ type: 'axm:action', data: { action_name: 'reset', arity: 0 } });
process.on('message', (message) => {
  if (message === 'reset') {
    const former = requests;
    requests = 0;
    process.send({ type: 'axm:reply', data: { action_name: 'reset', return: { former } } });
  }
});
