"""A tracing office's receiver: verify, keep, answer; then fetch each case and claim it.

pip install standardwebhooks httpx; set LIMS_URL, LIMS_TOKEN and LIMS_SECRET;
python receiver.py PORT BOOK
"""

import json
import os
import sqlite3
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
from standardwebhooks import Webhook, WebhookVerificationError

PORT, BOOK = int(sys.argv[1]), sqlite3.connect(sys.argv[2], isolation_level=None)
BOOK.execute("CREATE TABLE IF NOT EXISTS told (id PRIMARY KEY, case_id, sequence, followed)")
BOOK.execute("CREATE TABLE IF NOT EXISTS f0 (case_id PRIMARY KEY, sequence, card)")


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            told = Webhook(os.environ["LIMS_SECRET"]).verify(body, dict(self.headers))
        except WebhookVerificationError:
            self.send_error(401)
            return
        alone = [{"id": self.headers["webhook-id"], **told}]
        for one in told["data"]["notices"] if told["type"] == "digest" else alone:
            row = (one["id"], one["data"].get("case_id"), one["data"]["sequence"])
            BOOK.execute("INSERT OR IGNORE INTO told VALUES (?, ?, ?, FALSE)", row)
        self.send_response(204)  # only now that it is on disk
        self.end_headers()


def follow(lims: httpx.Client, book: sqlite3.Connection) -> None:
    waits = "FROM told WHERE NOT followed AND case_id NOT NULL GROUP BY case_id"
    for case_id, told in book.execute(f"SELECT case_id, max(sequence) {waits}").fetchall():
        answer = lims.get(f"/api/v1/cases/{case_id}")  # 404: not your team's
        if answer.is_success:
            card = answer.json()  # the newest state, in whatever order the notices came
            if card["state"] in ("presumptive", "confirmed") and not card["claimed_by_team"]:
                answer = lims.post(f"/api/v1/cases/{case_id}/claim")  # 409: another was faster
            kept = (case_id, card["sequence"], json.dumps(card))
            book.execute("INSERT OR REPLACE INTO f0 VALUES (?, ?, ?)", kept)
        if not answer.is_server_error:  # else it is asked again at the next look
            done = "UPDATE told SET followed = TRUE WHERE case_id = ? AND sequence <= ?"
            book.execute(done, (case_id, told))


def work() -> None:
    book = sqlite3.connect(sys.argv[2], isolation_level=None)
    key = {"Authorization": f"Bearer {os.environ['LIMS_TOKEN']}"}
    with httpx.Client(base_url=os.environ["LIMS_URL"], headers=key, timeout=20) as lims:
        while True:
            try:
                follow(lims, book)
            except httpx.TransportError as away:
                sys.stderr.write(f"{away}; asked again\n")
            time.sleep(1)


threading.Thread(target=work, daemon=True).start()
HTTPServer(("127.0.0.1", PORT), Receiver).serve_forever()
