# An HTTP server on the sockets that it is started with (LISTEN_FDS, as systemd has it): the port stays open while
# it is restarted, and all instances share it.
import http.server, os, signal, socket, sys

FIRST = 3


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = f"instance {os.environ.get('THRUM_INSTANCE', '-')}, pid {os.getpid()}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


if os.environ.get("LISTEN_PID") != str(os.getpid()) or int(os.environ.get("LISTEN_FDS", 0)) < 1:
    sys.exit("started without a socket: `listen: [\"tcp://127.0.0.1:8002\"]` gives it one")

server = http.server.HTTPServer(("", 0), Answer, bind_and_activate=False)
server.socket.close()
server.socket = socket.socket(fileno=FIRST)
server.socket.settimeout(0.2)  # so that it sees that it is to end
ending = []
signal.signal(signal.SIGTERM, lambda *_: ending.append(1))
print("serving", server.socket.getsockname(), flush=True)
while not ending:
    server.handle_request()
print("ending", flush=True)
