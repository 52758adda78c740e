package migrations_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/migrations"
)

// fillSQL makes a position and a batch for each session, and rows of before.
const fillSQL = `
insert into positions (topic, partition, topic_id, next_offset, next_row) select 'commands', n, gen_random_uuid(), 0, 1000000 from generate_series(0, 9) n;
insert into products (sku, version, waiting, last_source, last_row) select 'SKU-' || n, 1, 0, 1, 0 from generate_series(0, 9) n;
insert into batches (ref, sku, qty, first_qty) select 'b-' || n, 'SKU-' || n, 1000000, 1000000 from generate_series(0, 9) n;
insert into lines (orderid, sku, lineid, qty, placed, state, last_source, last_row, last_day)
select 'old-' || n, 'SKU-' || n % 10, '', 1, n + 1, 'waiting', 1, n, outbox_today() from generate_series(0, 99999) n;
insert into outbox (source, row_no, command_offset, event_no, type, key, subject, value)
select 1, n, n, 0, 'Allocated', 'SKU-' || n % 10, 'old-' || n, '{}' from generate_series(0, 99999) n;
insert into dead_letters (source, row_no, command_offset, reason, message, headers)
select 1, n, n, 'malformed', 'a test', '\x00' from generate_series(0, 19999) n;`

// session does what the transactions of a worker of the version before do, one after the other.
type session struct {
	number  int
	open    time.Duration // how long a transaction takes at least
	conn    *pgx.Conn
	round   int
	waited  time.Duration // the longest time that a statement took
	waiting string        // which one
}

// statements are those of testbed.VersionBefore, in its order.
func (s *session) statements() []string {
	source, row := s.number+1, 1_000_000+s.round
	return []string{
		fmt.Sprintf(`select ref, qty from lines_that_wait('SKU-%d', 10, 2), lateral (select ref from batches where sku = 'SKU-%[1]d' and open limit 1) b`, s.number),
		`begin`,
		fmt.Sprintf(`update positions set next_offset = next_offset + 1, next_row = next_row + 1, moved_at = now() where source = %d`, source),
		fmt.Sprintf(`select save_batches(array['b-%d'], array[1000000], array[%d], array[''], array[-1], array[''])`, s.number, s.round),
		fmt.Sprintf(`insert into lines (orderid, sku, lineid, qty, placed, state, batchref, last_source, last_row, last_day)
			values ('o-%d-%d', 'SKU-%[1]d', '', 1, %[2]d + 1000000, 'allocated', 'b-%[1]d', %d, %d, outbox_today())`, s.number, s.round, source, row),
		fmt.Sprintf(`insert into dead_letters (source, row_no, command_offset, reason, message, headers) values (%d, %d, 1, 'malformed', 'a test', '\x00')`, source, row),
		fmt.Sprintf(`delete from held_commands where key = 'SKU-%d'`, s.number),
		fmt.Sprintf(`select pg_sleep(%f)`, s.open.Seconds()),
		fmt.Sprintf(`insert into outbox (source, row_no, day, command_offset, event_no, type, key, subject, sequence, value)
			values (%d, %d, outbox_today(), 1, 0, 'Allocated', 'SKU-%d', 'o', %d, '{}')`, source, row, s.number, s.round+1),
		`commit`,
	}
}

func (s *session) transaction(ctx context.Context) error {
	s.round++
	for _, statement := range s.statements() {
		began := time.Now()
		if _, err := s.conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
		if took := time.Since(began); took > s.waited && !strings.Contains(statement, "pg_sleep") {
			s.waited, s.waiting = took, statement
		}
	}
	return nil
}

// before is a database with the schema of the version before, and an owner of it as `migrate up`
// has, who waits for locks for some time.
func before(t *testing.T, lockTimeout time.Duration) (address string, owner *sql.DB) {
	t.Helper()
	address = testbed.Migrated(t)
	settings, err := pgx.ParseConfig(testbed.WithOptions(t, address, "lock_timeout", fmt.Sprint(lockTimeout.Milliseconds())))
	require.NoError(t, err)
	owner = stdlib.OpenDB(*settings)
	t.Cleanup(func() { require.NoError(t, owner.Close()) })
	_, err = migrations.Down(t.Context(), owner, migrations.DefaultSchema, lines, testbed.SchemaBefore)
	require.NoError(t, err)
	_, err = testbed.Connect(t, address).Exec(t.Context(), fillSQL)
	require.NoError(t, err)
	return address, owner
}

// While workers of the version before write, the schema is brought up to date, and none of their
// statements waits for long. Half of the transactions stay open for a while.
func TestUp_whileWorkersOfTheVersionBeforeWrite(t *testing.T) {
	t.Parallel()
	address, owner := before(t, migrations.LockTimeout)
	var sessions []*session
	for n := range 6 {
		sessions = append(sessions, &session{number: n, open: time.Duration(n%2) * 150 * time.Millisecond, conn: testbed.Connect(t, address)})
		require.NoError(t, sessions[n].transaction(t.Context()))
		sessions[n].waited = 0
	}
	done, failures, all := make(chan struct{}), make(chan error, len(sessions)), sync.WaitGroup{}
	for _, s := range sessions {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := s.transaction(t.Context()); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	began := time.Now()
	up, err := migrations.Up(t.Context(), owner, migrations.Options{Lines: lines})
	took := time.Since(began)
	close(done)
	all.Wait()
	close(failures)
	require.NoError(t, err)
	for failure := range failures {
		require.NoError(t, failure)
	}
	require.NotEmpty(t, up.Applied)
	for _, s := range sessions {
		t.Logf("session %d: %d transactions in %s; the slowest statement took %s: %.60s", s.number, s.round, took.Round(time.Millisecond), s.waited.Round(time.Millisecond), s.waiting)
		require.Less(t, s.waited, migrations.LockTimeout)
		require.NoError(t, s.transaction(t.Context()), "and they go on with the new schema")
	}
}

// Where a transaction stays open for longer than a migration waits, that one gives up and changes
// nothing. Workers wait no longer than it did, and go on.
func TestUp_givesUpBehindATransactionThatStaysOpen(t *testing.T) {
	t.Parallel()
	const wait = time.Second
	address, owner := before(t, wait)
	stays, other := testbed.Connect(t, address), &session{number: 2, conn: testbed.Connect(t, address)}
	_, err := stays.Exec(t.Context(), `begin; insert into outbox (source, row_no, command_offset, event_no, type, key, subject, value) values (2, 0, 0, 0, 'Allocated', 'SKU-1', 'o', '{}')`)
	require.NoError(t, err)

	failed := make(chan error, 1)
	go func() {
		_, err := migrations.Up(t.Context(), owner, migrations.Options{Lines: lines})
		failed <- err
	}()
	for err = nil; err == nil; {
		require.NoError(t, other.transaction(t.Context()))
		select {
		case err = <-failed:
			require.Error(t, err)
		default:
		}
	}
	require.ErrorContains(t, err, "that migration changed nothing")
	t.Logf("the slowest statement meanwhile took %s", other.waited.Round(time.Millisecond))
	require.Less(t, other.waited, wait+migrations.LockTimeout)
	state, err := migrations.Look(t.Context(), owner, migrations.DefaultSchema, lines)
	require.NoError(t, err)
	require.True(t, state.Version.Older(lines.Latest()))
	require.NoError(t, other.transaction(t.Context()))

	_, err = stays.Exec(t.Context(), "rollback")
	require.NoError(t, err)
	_, err = migrations.Up(t.Context(), owner, migrations.Options{Lines: lines})
	require.NoError(t, err)
	require.NoError(t, other.transaction(t.Context()))
}
