package store

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"allocation/worker"
)

// The error codes that functions of the migrations raise.
const (
	codeFenced   = "AL001"
	codeConflict = "AL002"
)

// Codes of Postgres' own.
const (
	codeCheck    = "23514" // check_violation
	codeDenied   = "42501" // insufficient_privilege
	codeLocked   = "55P03" // lock_not_available: after lock_timeout
	codeCanceled = "57014" // query_canceled
)

// readError tells what an error of a call that commits nothing allows: such a call can always be
// made again.
func readError(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, classify(err, worker.ErrOutage))
}

// writeError tells what an error of a pipeline with its commit inside allows. The server's word
// that a statement failed means that nothing was committed. After anything else the commit may have
// happened.
func writeError(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, classify(err, worker.ErrUnknownOutcome))
}

func classify(err, unanswered error) error {
	if errors.Is(err, worker.ErrConflict) { // found while reading
		return err
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		if pgconn.SafeToRetry(err) {
			return both(worker.ErrOutage, err)
		}
		return both(unanswered, err)
	}
	switch {
	case pg.SeverityUnlocalized != "ERROR": // in whatever language: the session ended: FATAL, PANIC
		return both(unanswered, err)
	case pg.Code == codeFenced:
		return fenced(pg)
	case isConflict(pg):
		return both(worker.ErrConflict, err)
	case pg.Code == "40003": // statement_completion_unknown
		return both(unanswered, err)
	case isOutage(pg):
		return both(worker.ErrOutage, err)
	}
	return err
}

// canceled reports whether a call was cancelled, as a guard does it.
func canceled(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == codeCanceled
}

func both(kind, err error) error { return fmt.Errorf("%w: %w", kind, err) }

func fenced(pg *pgconn.PgError) error {
	return &worker.FencedError{Sources: sourcesIn(pg.Detail)}
}

// sourcesIn reads a list of sources as functions and notifications have it.
func sourcesIn(list string) (sources []int32) {
	for part := range strings.SplitSeq(list, ",") {
		if n, err := strconv.ParseInt(part, 10, 32); err == nil {
			sources = append(sources, int32(n))
		}
	}
	return sources
}

// isConflict: another transaction was first, or Postgres chose this one to give way.
func isConflict(pg *pgconn.PgError) bool {
	switch pg.Code {
	case codeConflict,
		"23503", // foreign_key_violation: a held key was freed, or something began to wait for it
		"23505", // unique_violation
		"40001", // serialization_failure
		"40P01", // deadlock_detected
		codeLocked:
		return true
	}
	return false
}

// isOutage reports whether no transaction can succeed now: the server, the session, its rights or
// the schema are not as they must be. Errors count by class, from Postgres' appendix A. An error
// about the state of a connection is never a command's fault: behind a pooler, another client may
// have left that state.
//
// The other errors may be the fault of one command: of its data (21, 22), of a constraint (23), of
// a trigger (09, 27, 2F, 38, 39, P0, and codes that only triggers raise), or of the amount that it
// asks for at once (54, and 57014, a statement that took too long).
func isOutage(pg *pgconn.PgError) bool {
	switch pg.Code[:2] {
	case "03", // SQL statement not yet complete
		"08", // connection exception
		"0A", // feature not supported: a plan that does not fit the schema after a migration, a copy that a policy forbids
		"0B", // invalid transaction initiation
		"0L", // invalid grantor
		"0P", // invalid role specification
		"24", // invalid cursor state
		"25", // invalid transaction state: also a standby, or a primary that was demoted
		"26", // invalid SQL statement name: somebody deallocated what was prepared
		"28", // invalid authorization
		"2B", // dependent privilege descriptors still exist
		"2D", // invalid transaction termination
		"34", // invalid cursor name
		"3B", // savepoint exception
		"3D", // invalid catalog name: no such database
		"3F", // invalid schema name
		"40", // transaction rollback, but for conflicts
		"42", // syntax error or access rule violation: rights, missing tables, and prepared statements that exist already
		"44", // with check option violation: a view in a table's place
		"53", // insufficient resources: disk full, out of memory, too many connections
		"55", // object not in prerequisite state
		"58", // system error: I/O
		"72", // snapshot too old
		"F0", // configuration file error
		"XX": // internal error: corruption
		return true
	case "57": // operator intervention: shutdown, crash
		return pg.Code != codeCanceled
	}
	return lacksDay(pg)
}

// spoils reports whether an error says that a connection is not in the state that this side takes
// it to be in. Another one is.
func spoils(pg *pgconn.PgError) bool {
	switch pg.Code {
	case "25006": // read_only_sql_transaction is the server's state
		return false
	case "42P03", "42P05", "42P14": // duplicate_cursor, duplicate_prepared_statement, invalid_prepared_statement_definition
		return true
	}
	switch pg.Code[:2] {
	case "08", "0A", "0B", "24", "25", "26", "2D", "34", "3B":
		return true
	}
	return false
}

// lacksDay: the outbox has no table for the day of a row. A check that is not kept has a name.
func lacksDay(pg *pgconn.PgError) bool {
	return pg.Code == codeCheck && pg.ConstraintName == ""
}
