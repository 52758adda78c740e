package bench

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kadm"
)

// OccupiedError says that something holds data. It may be somebody's, so nothing is measured there.
type OccupiedError struct {
	What  string // "topic" or "table"
	Name  string
	Holds string
}

func (e *OccupiedError) Error() string {
	return fmt.Sprintf("the %s %s holds %s: bench fills a broker and a database with commands of its own, so it wants topics and tables that hold nothing; "+
		"give it others, or remove what is there", e.What, e.Name, e.Holds)
}

// RefuseTopics returns an *OccupiedError when one of the topics holds a record. Topics that do not
// exist hold none.
func RefuseTopics(ctx context.Context, admin *kadm.Client, topics []string) error {
	for _, topic := range topics {
		found, err := admin.ListTopics(ctx, topic)
		if err != nil {
			return fmt.Errorf("list topics: %w", err)
		}
		if !found.Has(topic) {
			continue
		}
		records, err := recordsIn(ctx, admin, topic)
		if err != nil {
			return err
		}
		if records > 0 {
			return &OccupiedError{"topic", topic, fmt.Sprintf("%d records", records)}
		}
	}
	return nil
}

// recordsIn is how many offsets a topic has from its start to its end.
func recordsIn(ctx context.Context, admin *kadm.Client, topic string) (total int64, err error) {
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err == nil {
		err = starts.Error()
	}
	var ends kadm.ListedOffsets
	if err == nil {
		ends, err = admin.ListEndOffsets(ctx, topic)
	}
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return 0, fmt.Errorf("list offsets of %s: %w", topic, err)
	}
	ends.Each(func(o kadm.ListedOffset) { total += o.Offset })
	starts.Each(func(o kadm.ListedOffset) { total -= o.Offset })
	return total, nil
}

// tables are those that must hold nothing.
var tables = []string{"products", "batches", "lines", "outbox", "dead_letters", "positions"}

// RefuseTables returns an *OccupiedError when one of the service's tables holds a row. Tables that
// do not exist hold none. Where workers may run already, positions of partitions in which nothing
// was applied yet are none of anybody's.
func RefuseTables(ctx context.Context, db *pgx.Conn, workersRun bool) error {
	for _, table := range tables {
		var exists, holds bool
		if err := db.QueryRow(ctx, `select to_regclass($1) is not null`, table).Scan(&exists); err != nil {
			return fmt.Errorf("look for the table %s: %w", table, err)
		}
		if !exists {
			continue
		}
		question := `select exists (select from ` + table
		if table == "positions" && workersRun {
			question += ` where next_offset > 0 or next_row > 0`
		}
		if err := db.QueryRow(ctx, question+`)`).Scan(&holds); err != nil {
			return fmt.Errorf("look into the table %s: %w", table, err)
		}
		if holds {
			return &OccupiedError{"table", table, rowsOf(table)}
		}
	}
	return nil
}

func rowsOf(table string) string {
	if table == "positions" {
		return "rows, because workers were there (--workers 0 takes those that run, where they have applied nothing yet)"
	}
	return "rows"
}
