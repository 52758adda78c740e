package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/deploy/checker"
)

// auditQueries read the tables that show which transaction wrote what, and when it committed.
var auditQueries = map[string]string{
	"positions": `select * from positions`,
	"outbox": `select xmin transaction, pg_xact_commit_timestamp(xmin) committed, source, row_no, command_source, command_offset, event_no, type, key, sequence,
        after_source, after_row from outbox order by source, row_no`,
	"dead_letters": `select xmin transaction, pg_xact_commit_timestamp(xmin) committed, source, row_no, command_source, command_offset, reason, key, state from dead_letters`,
}

// writeAudit writes the tables beside the logs, for a person who looks into a violation.
func (c *campaign) writeAudit(ctx context.Context) error {
	return c.connected(ctx, database, func(conn *pgx.Conn) (failed error) {
		for name, query := range auditQueries {
			var rows bytes.Buffer
			_, err := conn.PgConn().CopyTo(ctx, &rows, "copy ("+query+") to stdout with (format csv, header)")
			failed = errors.Join(failed, err, os.WriteFile(filepath.Join(c.logs, name+".csv"), rows.Bytes(), 0o644))
		}
		return failed
	})
}

// sayLost says what Kafka has in the places of commands that it acknowledged and does not have:
// also what was aborted, and markers.
func (c *campaign) sayLost(ctx context.Context, lost []checker.Record) error {
	const around, patience = 3, 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, r := range lost[:min(len(lost), around)] {
		from := kgo.NewOffset().At(max(0, r.Offset-around))
		client, err := kgo.NewClient(kgo.SeedBrokers(c.cluster.Brokers()...), kgo.KeepControlRecords(),
			kgo.ConsumeResetOffset(kgo.NoResetOffset()), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{r.Topic: {r.Partition: from}}))
		if err != nil {
			return err
		}
		fetches := client.PollRecords(ctx, 2*around+1)
		client.Close()
		c.say("around the lost command at %s.%d.%d Kafka has (error: %v):", r.Topic, r.Partition, r.Offset, fetches.Err())
		fetches.EachRecord(func(has *kgo.Record) {
			c.say("  offset %d of %s: control %t, transactional %t, producer %d, epoch %d, leader epoch %d, key %q", has.Offset, has.Timestamp.UTC().Format(time.RFC3339Nano),
				has.Attrs.IsControl(), has.Attrs.IsTransactional(), has.ProducerID, has.ProducerEpoch, has.LeaderEpoch, has.Key)
		})
	}
	return nil
}
