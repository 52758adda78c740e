package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"allocation/cmd/internal/cli"
)

// occupied says that something holds data. It may be somebody's, so nothing is measured there.
func occupied(what, name, holds string) error {
	return fmt.Errorf("the %s %s holds %s: bench fills a broker and a database with commands of its own, so it wants topics and tables that hold nothing; "+
		"give it others, or remove what is there", what, name, holds)
}

// refuseTopics returns an error where one of the topics holds a record. Topics that do not exist
// hold none.
func refuseTopics(ctx context.Context, admin *kadm.Client, topics []string) error {
	for _, topic := range topics {
		bounds, err := cli.TopicBounds(ctx, admin, topic)
		if errors.Is(err, kerr.UnknownTopicOrPartition) {
			continue
		}
		if err != nil {
			return err
		}
		records := int64(0)
		for _, b := range bounds {
			records += b.End - b.Start
		}
		if records > 0 {
			return occupied("topic", topic, fmt.Sprintf("%d records", records))
		}
	}
	return nil
}

// tables are those that must hold nothing.
var tables = []string{"products", "batches", "lines", "outbox", "dead_letters", "positions"}

// refuseTables returns an error where one of the service's tables holds a row. Tables that do not
// exist hold none. Where workers may run already, positions of partitions in which nothing was
// applied yet are none of anybody's.
func refuseTables(ctx context.Context, db *sql.DB, workersRun bool) error {
	for _, table := range tables {
		var exists, holds bool
		if err := db.QueryRowContext(ctx, `select to_regclass($1) is not null`, table).Scan(&exists); err != nil {
			return fmt.Errorf("look for the table %s: %w", table, err)
		}
		if !exists {
			continue
		}
		question, rows := `select exists (select from `+table, "rows"
		if table == "positions" {
			rows = "rows, because workers were there (--workers 0 takes those that run, where they have applied nothing yet)"
		}
		if table == "positions" && workersRun {
			question += ` where next_offset > 0 or next_row > 0`
		}
		if err := db.QueryRowContext(ctx, question+`)`).Scan(&holds); err != nil {
			return fmt.Errorf("look into the table %s: %w", table, err)
		}
		if holds {
			return occupied("table", table, rows)
		}
	}
	return nil
}
