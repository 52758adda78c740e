package main

import (
	"context"
	"errors"
	"fmt"
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

// writeAudit writes the tables beside the logs, if logs are kept, for a person who looks into a
// violation.
func (c *campaign) writeAudit(ctx context.Context) error {
	if c.options.logs == "" {
		return nil
	}
	conn, err := pgx.Connect(ctx, c.pair.URL("postgres", database))
	if err != nil {
		return fmt.Errorf("write audit: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for name, query := range auditQueries {
		file, err := os.Create(filepath.Join(c.options.logs, name+".csv"))
		if err != nil {
			return err
		}
		_, err = conn.PgConn().CopyTo(ctx, file, "copy ("+query+") to stdout with (format csv, header)")
		if err := errors.Join(err, file.Close()); err != nil {
			return fmt.Errorf("write audit: %s: %w", name, err)
		}
	}
	return nil
}
