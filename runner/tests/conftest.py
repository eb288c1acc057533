# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import chain, repeat
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run_check():
    """Run `python -m runner` as a user does, with stdout and stderr no terminals."""

    def run(*arguments):
        # The runner must stand in for the Agent before anything imports the base package, hence a new process.
        return subprocess.run(
            [sys.executable, '-m', 'runner', *arguments],
            cwd=ROOT,
            env={**os.environ, 'COLUMNS': '40', 'FORCE_COLOR': '1'},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


@pytest.fixture
def serve():
    """Serve payloads on loopback, each scrape the next one, the last one for ever. Gives the URL."""
    servers = []

    def start(*payloads):
        answers = chain(payloads, repeat(payloads[-1]))

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = next(answers).encode()
                self.send_response(200)
                self.send_header('Content-Type', 'text/plain; version=0.0.4')
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Quiet."""

        server = HTTPServer(('127.0.0.1', 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        servers.append((server, thread))
        return f'http://127.0.0.1:{server.server_port}/metrics'

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()
