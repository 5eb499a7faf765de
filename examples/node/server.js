// An HTTP server with nothing to say. PORT=0 (the default) takes any free port.
'use strict';
const http = require('http');

const server = http.createServer((request, response) => {
  console.log(`${request.method} ${request.url}`);
  response.setHeader('Content-Type', 'text/plain');
  response.end(`hello from ${process.env.THRUM_SERVICE || 'node'}, pid ${process.pid}\n`);
});

server.listen(Number(process.env.PORT || 0), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/`);
});

process.on('SIGTERM', () => {
  console.log('closing');
  server.close(() => process.exit(0));
  server.closeIdleConnections?.();
});
