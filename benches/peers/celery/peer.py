"""Celery on Redis as an office would set it up: `fill FIRST COUNT`, `left`; `celery worker` works.

PEER_CELERY=late acknowledges a task only when it ended; without it Celery's default holds, which
acknowledges before it begins.
"""

import json
import os
import sys

import requests
from celery import Celery

REDIS = f"redis://127.0.0.1:{os.environ['PEER_REDIS_PORT']}/0"
SINK = os.environ.get("PEER_SINK", "")

app = Celery("peer", broker=REDIS, backend=REDIS)
if os.environ.get("PEER_CELERY") == "late":
    app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)

session = requests.Session()


def parameter(name, text):
    return {"type": "text", "parameter_name": name, "text": text}


def message(number):
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "biz_opaque_callback_data": f"msg_{number:026}",
        "to": f"+62812{number:08}",
        "type": "template",
        "template": {
            "name": "kabar_card_printed_v1",
            "language": {"code": "id"},
            "components": [{"type": "body", "parameters": [
                parameter("addressee", "Bapak/Ibu Warga C."),
                parameter("document", "KTP-el"),
                parameter("ref", "K7QX-3M"),
            ]}],
        },
    }


@app.task(name="send")
def send(body):
    # The sink looks for the id as every other client writes it, without blanks.
    answer = session.post(
        f"{SINK}/v25.0/1000000001/messages",
        data=json.dumps(body, separators=(",", ":")),
        headers={"content-type": "application/json", "authorization": "Bearer token"},
        timeout=15,
    )
    answer.raise_for_status()
    return answer.json()["messages"][0]["id"]


def fill(first, count):
    with app.producer_or_acquire() as producer:
        for number in range(first, first + count):
            send.apply_async((message(number),), task_id=f"msg_{number:026}", producer=producer)


def left():
    """What Redis still holds: queued, or handed to a worker and not acknowledged."""
    redis = app.backend.client
    for raw in redis.lrange("celery", 0, -1):
        print(json.loads(raw)["headers"]["id"])
    for raw in redis.hvals("unacked"):
        print(json.loads(raw)[0]["headers"]["id"])


if __name__ == "__main__":
    command, *numbers = sys.argv[1:]
    {"fill": fill, "left": left}[command](*map(int, numbers))
