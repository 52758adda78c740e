package bench

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// stock is what is in the database before the first command: products with batches, and lines that
// are there from earlier. It is as workers would have left it, all events published and, where
// there is a history, only the newer half of them kept.
type stock struct {
	orders   Orders
	products int // with a main batch each
	history  int // dispatched lines of each product
	storm    int // lines on the batch that shrinks; 0: no such product
	waiting  int // lines of the product without stock; 0: no such product. There is only one of the two
}

func stockOf(p Plan) stock {
	s := stock{orders: p.Orders, products: p.Products, history: (p.History + p.Products - 1) / p.Products, waiting: p.Waiting}
	if p.Workload == Storm {
		s.storm = p.Lines
	}
	return s
}

func (s stock) lines() Lines {
	return Lines{Allocated: int64(s.storm), Waiting: int64(s.waiting), Dispatched: int64(s.products * s.history)}
}

// version is what a product's version is.
func (s stock) version(sku string) int64 {
	switch sku {
	case stormSKU:
		return int64(2 + s.storm)
	case queueSKU:
		return int64(1 + s.waiting)
	}
	return int64(1 + 2*s.history)
}

// load writes the stock, as if the products' commands had come by the partitions that their keys
// belong to.
func (s stock) load(ctx context.Context, db *pgx.Conn, topic kadm.TopicDetail, starts kadm.ListedOffsets) error {
	const days = 14
	if _, err := db.Exec(ctx, `select outbox_make_days($1)`, days); err != nil { // the database may have been migrated long ago
		return fmt.Errorf("make the outbox' days: %w", err)
	}
	tx, err := db.Begin(ctx)
	if err != nil {
		return fmt.Errorf("load stock: %w", err)
	}
	defer func() { _ = tx.Rollback(ctx) }()
	if err := s.write(ctx, tx, topic, starts); err != nil {
		return fmt.Errorf("load stock: %w", err)
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("load stock: %w", err)
	}
	if _, err := db.Exec(ctx, `vacuum analyze products, batches, lines, outbox, positions`); err != nil {
		return fmt.Errorf("vacuum: %w", err)
	}
	return checkpoint(ctx, db)
}

// checkpoint has the stock on disk before anything is measured, where this user may ask for that.
func checkpoint(ctx context.Context, db *pgx.Conn) error {
	const insufficientPrivilege = "42501"
	_, err := db.Exec(ctx, `checkpoint`)
	var pg *pgconn.PgError
	if err == nil || errors.As(err, &pg) && pg.Code == insufficientPrivilege {
		return nil
	}
	return fmt.Errorf("checkpoint: %w", err)
}

func (s stock) write(ctx context.Context, tx pgx.Tx, topic kadm.TopicDetail, starts kadm.ListedOffsets) error {
	sources, err := ensurePositions(ctx, tx, topic, starts)
	if err != nil {
		return err
	}
	for _, statement := range []string{homesSQL, s.pastOrderSQL()} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	if err := s.describe(ctx, tx, func(sku string) int32 { return sources[partitionOf(sku, topic)] }); err != nil {
		return err
	}
	for _, statement := range s.statements() {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// describe fills the temporary tables, given the source that a product's events come by.
func (s stock) describe(ctx context.Context, tx pgx.Tx, home func(sku string) int32) error {
	peers, ranks := map[int32]int{}, make([]int, s.products)
	for i := range s.products {
		source := home(skuOf(i))
		ranks[i] = peers[source]
		peers[source]++
	}
	rows := pgx.CopyFromSlice(s.products, func(i int) ([]any, error) {
		source := home(skuOf(i))
		return []any{skuOf(i), i, source, ranks[i], peers[source], s.history}, nil
	})
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"bench_homes"}, []string{"sku", "number", "source", "rank", "peers", "past"}, rows); err != nil {
		return err
	}
	const open = `insert into bench_open values ($1, $2, $3, $4, $5, nullif($6, ''))`
	var err error
	switch {
	case s.storm > 0:
		_, err = tx.Exec(ctx, open, stormSKU, home(stormSKU), s.storm, "allocated", []string{stormBatch, stormSpare}, stormBatch)
	case s.waiting > 0:
		_, err = tx.Exec(ctx, open, queueSKU, home(queueSKU), s.waiting, "waiting", []string{queueSKU + "-none"}, "")
	}
	return err
}

// partitionOf is where a product's commands go, as Java's clients place them.
func partitionOf(sku string, topic kadm.TopicDetail) int32 {
	return int32(kgo.StickyKeyPartitioner(nil).ForTopic(topic.Topic).Partition(&kgo.Record{Key: []byte(sku)}, len(topic.Partitions)))
}

// ensurePositions gives the topic's partitions positions, and returns their sources by partition.
func ensurePositions(ctx context.Context, tx pgx.Tx, topic kadm.TopicDetail, starts kadm.ListedOffsets) (map[int32]int32, error) {
	var topics []string
	var ids [][16]byte
	var partitions []int32
	var from []int64
	for _, p := range topic.Partitions.Numbers() {
		start, _ := starts.Lookup(topic.Topic, p)
		topics, ids, partitions, from = append(topics, topic.Topic), append(ids, topic.ID), append(partitions, p), append(from, start.Offset)
	}
	if _, err := tx.Exec(ctx, `select ensure_positions($1, $2, $3, $4, $4)`, topics, ids, partitions, from); err != nil {
		return nil, err
	}
	sources := map[int32]int32{}
	var partition, source int32
	rows, err := tx.Query(ctx, `select partition, source from positions where topic = $1 and topic_id = $2 and retired_at is null`, topic.Topic, topic.ID)
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&partition, &source}, func() error { sources[partition] = source; return nil })
	}
	if err == nil && len(sources) != len(partitions) {
		err = errors.New("the database has positions of a topic of that name that was deleted: use another database")
	}
	return sources, err
}
