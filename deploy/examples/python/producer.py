"""Sends commands to the allocation service: two batches, two orders, and a delivery that was smaller than announced."""

import json
import os
import sys

from confluent_kafka import Producer

# A command that is sent again keeps its id, however often and by whomever it is sent: it names the fact, not the sending.
COMMANDS = [
    ("CreateBatch", "delivery-b1", {"ref": "b1", "sku": "CHAIR", "qty": 50}),
    ("CreateBatch", "delivery-b2", {"ref": "b2", "sku": "CHAIR", "qty": 50, "eta": "2030-01-01"}),
    ("Allocate", "order-o1", {"orderid": "o1", "sku": "CHAIR", "qty": 20}),
    ("Allocate", "order-o2", {"orderid": "o2", "sku": "CHAIR", "qty": 20}),
    ("ChangeBatchQuantity", "count-b1-1", {"batchref": "b1", "sku": "CHAIR", "qty": 25, "revision": 1}),
]


def main():
    producer = Producer({
        "bootstrap.servers": os.environ.get("KAFKA_BROKERS", "127.0.0.1:19092"),
        "enable.idempotence": True,  # sends no record twice, keeps their order, waits for all replicas
        "partitioner": "murmur2_random",  # places keys as Java's client does; librdkafka's own default does not
    })
    failed = []

    def delivered(name):
        def report(error, message):
            if error is not None:
                failed.append(f"send {name}: {error}")
            else:
                print(f"sent {name} to partition {message.partition()}, offset {message.offset()}")
        return report

    for kind, identity, data in COMMANDS:
        producer.produce(
            "warehouse.commands",
            key=data["sku"],  # the commands of a product keep their order
            value=json.dumps(data),
            headers={
                "content-type": "application/json",
                "ce_specversion": "1.0",
                "ce_type": f"allocation.v1.{kind}",
                "ce_source": "/examples/python",
                "ce_id": identity,
            },
            on_delivery=delivered(f"{kind} {identity}"),
        )
    producer.flush()
    if failed:
        sys.exit("\n".join(failed))


if __name__ == "__main__":
    main()
