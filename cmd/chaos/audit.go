package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"
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
