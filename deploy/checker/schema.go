package checker

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// schema knows which columns the database has: an older one has not all of them.
type schema map[string]bool

func readSchema(ctx context.Context, tx pgx.Tx) (schema, error) {
	var columns []string
	rows, err := tx.Query(ctx, `select table_name || '.' || column_name from information_schema.columns where table_schema = any(current_schemas(false))`)
	if err != nil {
		return nil, err
	}
	if columns, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return nil, err
	}
	s := schema{}
	for _, c := range columns {
		s[c] = true
	}
	return s, nil
}

// or is what to select of a column, where there is one, or instead of it.
func (s schema) or(table, column, without, with string) string {
	if s[table+"."+column] {
		return with
	}
	return without
}

func (s schema) readHeldCommands(ctx context.Context, tx pgx.Tx, into *[]HeldCommandRow) error {
	if !s["held_commands.seq"] {
		return nil
	}
	return query(ctx, tx, into, `select seq, key, command_source, command_offset, value from held_commands order by seq`)
}
