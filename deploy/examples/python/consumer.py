"""Follows allocation.events and knows at any time which order is on which batch. It takes each event once, though some come twice."""

import json
import os
import signal

from confluent_kafka import Consumer, KafkaException

STATE_FILE = "state.json"


def load():
    """All that this consumer knows, and how it tells repeats. Both are saved together: a service with a database does it in one transaction."""
    try:
        with open(STATE_FILE, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {"products": {}, "rejected": []}


def save(state):
    """Replaces the file as a whole: a crash leaves the old one or the new one."""
    with open(STATE_FILE + ".new", "w", encoding="utf-8") as file:
        json.dump(state, file)
    os.replace(STATE_FILE + ".new", STATE_FILE)


def take(state, message):
    """Applies an event, unless it is a repeat."""
    headers = {key: value.decode() for key, value in message.headers()}
    sku, event = headers["ce_partitionkey"], json.loads(message.value())
    if "ce_sequence" not in headers:  # AllocationRejected: nothing changed, so nothing was counted
        if headers["ce_id"] not in state["rejected"]:
            state["rejected"].append(headers["ce_id"])  # may be forgotten when repeats that late no longer matter
            print(f"{sku}: order {event['orderid']} was rejected: {event['reason']}", flush=True)
        return
    product = state["products"].setdefault(sku, {"sequence": 0, "lines": {}})
    sequence, last = int(headers["ce_sequence"]), product["sequence"]
    if sequence <= last:
        return  # a repeat, perhaps a late one
    if last > 0 and sequence > last + 1:
        raise RuntimeError(f"{sku}: events {last + 1} to {sequence - 1} are missing")
    product["sequence"] = sequence
    apply(product["lines"], sku, sequence, headers["ce_type"], event)


def apply(lines, sku, sequence, kind, event):
    if "orderid" not in event:
        return  # of a batch
    line = event["orderid"] + "\t" + event.get("lineid", "")  # no identifier has a control character
    if kind == "allocation.v1.Allocated":
        lines[line] = event["batchref"]
        print(f"{sku} {sequence}: order {event['orderid']} is on batch {event['batchref']}", flush=True)
    elif kind in ("allocation.v1.Deallocated", "allocation.v1.OutOfStock", "allocation.v1.Dispatched"):
        lines.pop(line, None)
        print(f"{sku} {sequence}: order {event['orderid']} is on no batch", flush=True)


def main():
    state = load()
    consumer = Consumer({
        "bootstrap.servers": os.environ.get("KAFKA_BROKERS", "127.0.0.1:19092"),
        "group.id": "example-python",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,  # the state first, then the offset
    })
    consumer.subscribe(["allocation.events"])
    stopped = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.append(True))
    try:
        while not stopped:
            messages = consumer.consume(1000, timeout=0.2)
            for message in messages:
                if message.error():
                    raise KafkaException(message.error())
                take(state, message)
            if messages:
                save(state)
                consumer.commit(asynchronous=False)
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
