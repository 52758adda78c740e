package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Busy says which other session holds the lock of migrations, for which this one will wait; empty
// where none does.
func Busy(ctx context.Context, db *sql.DB, s Schema) (string, error) {
	var (
		pid          int64
		user, client string
	)
	err := db.QueryRowContext(ctx, `
		select l.pid, coalesce(a.usename, '?'), coalesce(nullif(a.application_name, ''), '?')
		from pg_locks l left join pg_stat_activity a on a.pid = l.pid
		where l.locktype = 'advisory' and l.granted and l.pid <> pg_backend_pid()
			and l.database = (select oid from pg_database where datname = current_database())
			and (l.classid::bigint << 32 | l.objid::bigint) = $1
		limit 1`, s.LockID()).Scan(&pid, &user, &client)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("ask who migrates: %w", err)
	}
	return fmt.Sprintf("session %d of user %s, application %s, has the lock of migrations", pid, user, client), nil
}
