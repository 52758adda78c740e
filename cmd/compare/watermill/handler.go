package main

import (
	"encoding/json"
	"fmt"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill-sql/v4/pkg/sql"
	"github.com/ThreeDotsLabs/watermill/components/forwarder"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"allocation/cmd/compare/contest"
)

// handler applies commands. The Kafka subscriber calls it for one message of each partition at a
// time.
type handler struct {
	pool   *pgxpool.Pool
	events string
	logger watermill.LoggerAdapter
}

// handle applies one command; an error makes Watermill deliver it again.
func (h *handler) handle(msg *message.Message) error {
	var command contest.Command
	if err := json.Unmarshal(msg.Payload, &command); err != nil {
		return err
	}
	return pgx.BeginFunc(msg.Context(), h.pool, func(tx pgx.Tx) error { return h.apply(tx, msg, command) })
}

func (h *handler) apply(tx pgx.Tx, msg *message.Message, command contest.Command) error {
	ctx := msg.Context()
	event := contest.Allocated{Command: command}
	err := tx.QueryRow(ctx, `select ref from w_batches where sku = $1 and qty - allocated >= $2 order by eta nulls first, ref limit 1 for update`,
		command.SKU, command.Qty).Scan(&event.BatchRef)
	if err != nil {
		return fmt.Errorf("find a batch of %s: %w", command.SKU, err)
	}
	tag, err := tx.Exec(ctx, `insert into w_lines(order_id, sku, qty, batch_ref) values ($1, $2, $3, $4) on conflict do nothing`,
		command.OrderID, command.SKU, command.Qty, event.BatchRef)
	if err != nil || tag.RowsAffected() == 0 {
		return err // it was applied before
	}
	if _, err := tx.Exec(ctx, `update w_batches set allocated = allocated + $2, version = version + 1 where ref = $1`, event.BatchRef, command.Qty); err != nil {
		return err
	}
	return h.publish(tx, msg, event)
}

// publish writes the event into the outbox, in the handler's transaction.
func (h *handler) publish(tx pgx.Tx, msg *message.Message, event contest.Allocated) error {
	payload, err := json.Marshal(event)
	if err != nil {
		return err
	}
	out := message.NewMessage(watermill.NewUUID(), payload)
	out.SetContext(msg.Context())
	partition, _ := kafka.MessagePartitionFromCtx(msg.Context())
	offset, _ := kafka.MessagePartitionOffsetFromCtx(msg.Context())
	out.Metadata = message.Metadata{
		"ce_specversion": "1.0", "ce_type": contest.AllocatedType, "ce_source": "/allocation",
		"ce_id": contest.EventID(partition, offset), keyHeader: event.SKU,
	}
	publisher, err := sql.NewPublisher(sql.TxFromPgx(tx), sql.PublisherConfig{SchemaAdapter: schemaAdapter()}, h.logger)
	if err != nil {
		return err
	}
	outbox := outboxTopic(int(partition) % *shards)
	return forwarder.NewPublisher(publisher, forwarder.PublisherConfig{ForwarderTopic: outbox}).Publish(h.events, out)
}
