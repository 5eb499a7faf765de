// Says which process answers, and tells the one above when it is ready and before it goes.
const http = require('http');

let requests = 0;
const server = http.createServer((request, response) => {
  requests++;
  response.setHeader('Connection', 'close');
  response.end(JSON.stringify({ instance: process.env.NODE_APP_INSTANCE, mode: process.env.MODE, requests }) + '\n');
});
server.listen(+process.env.PORT, '127.0.0.1', () => process.send('ready'));
process.on('SIGINT', () => server.close(() => {
  console.log(`served ${requests}`);
  process.exit(0);
}));
