// Command producer sends commands to the allocation service: two batches, two orders, and a
// delivery that was smaller than announced.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"os"

	"github.com/twmb/franz-go/pkg/kgo"
)

// command is one message. A command that is sent again keeps its id, however often and by whomever
// it is sent: it names the fact, not the sending.
type command struct{ kind, id, sku, data string }

var commands = []command{
	{"CreateBatch", "delivery-b1", "CHAIR", `{"ref":"b1","sku":"CHAIR","qty":50}`},
	{"CreateBatch", "delivery-b2", "CHAIR", `{"ref":"b2","sku":"CHAIR","qty":50,"eta":"2030-01-01"}`},
	{"Allocate", "order-o1", "CHAIR", `{"orderid":"o1","sku":"CHAIR","qty":20}`},
	{"Allocate", "order-o2", "CHAIR", `{"orderid":"o2","sku":"CHAIR","qty":20}`},
	{"ChangeBatchQuantity", "count-b1-1", "CHAIR", `{"batchref":"b1","sku":"CHAIR","qty":25,"revision":1}`},
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	// By default the client waits for all replicas, sends no record twice, and places keys as
	// Java's client does.
	client, err := kgo.NewClient(kgo.SeedBrokers(cmp.Or(os.Getenv("KAFKA_BROKERS"), "127.0.0.1:19092")))
	if err != nil {
		return err
	}
	defer client.Close()
	for _, c := range commands {
		sent, err := client.ProduceSync(ctx, c.record()).First()
		if err != nil {
			return fmt.Errorf("send %s: %w", c.id, err)
		}
		fmt.Fprintf(os.Stdout, "sent %s %s to partition %d, offset %d\n", c.kind, c.id, sent.Partition, sent.Offset)
	}
	return nil
}

// record is keyed by the SKU, so that the commands of a product keep their order.
func (c command) record() *kgo.Record {
	return &kgo.Record{
		Topic: "warehouse.commands",
		Key:   []byte(c.sku),
		Value: []byte(c.data),
		Headers: []kgo.RecordHeader{
			{Key: "content-type", Value: []byte("application/json")},
			{Key: "ce_specversion", Value: []byte("1.0")},
			{Key: "ce_type", Value: []byte("allocation.v1." + c.kind)},
			{Key: "ce_source", Value: []byte("/examples/go")},
			{Key: "ce_id", Value: []byte(c.id)},
		},
	}
}
