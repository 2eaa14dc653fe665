"""One function behind an HTTP server, as action servers in containers are. Prints its port once the function is loaded."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer

from function import handler


class Function(BaseHTTPRequestHandler):
    wbufsize = -1

    def do_POST(self):
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps(handler(event, None)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Function)
print(server.server_port, flush=True)
server.serve_forever()
