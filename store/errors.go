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
	codeCheck       = "23514" // check_violation
	codeLocked      = "55P03" // lock_not_available: after lock_timeout
	codeNoStatement = "26000" // invalid_sql_statement_name: somebody deallocated it
	codeOldPlan     = "0A000" // feature_not_supported: it does not fit the schema after a migration
)

// readError tells what an error of a call that commits nothing allows: such a call can always be made again.
func readError(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, classify(err, worker.ErrOutage))
}

// writeError tells what an error of a pipeline with its commit inside allows. The server's word that a statement failed means that nothing
// was committed. After anything else the commit may have happened.
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
	case isOutage(pg):
		return both(worker.ErrOutage, err)
	}
	return err
}

func both(kind, err error) error { return fmt.Errorf("%w: %w", kind, err) }

func fenced(pg *pgconn.PgError) error {
	e := &worker.FencedError{}
	for part := range strings.SplitSeq(pg.Detail, ",") {
		if n, err := strconv.ParseInt(part, 10, 32); err == nil {
			e.Sources = append(e.Sources, int32(n))
		}
	}
	return e
}

// isConflict: another transaction was first, or Postgres chose this one to give way.
func isConflict(pg *pgconn.PgError) bool {
	switch pg.Code {
	case codeConflict,
		"23503", // foreign_key_violation: a held product was freed, or something began to wait for it
		"23505", // unique_violation
		"40001", // serialization_failure
		"40P01", // deadlock_detected
		codeLocked:
		return true
	}
	return false
}

// isOutage: the database cannot serve anybody now, whatever the batch. By class, from Postgres' appendix A.
func isOutage(pg *pgconn.PgError) bool {
	if pg.Code == "57014" { // query_canceled: a statement that took too long, which may be one command's fault
		return false
	}
	switch pg.Code[:2] {
	case "08", // connection exception
		"28", // invalid authorization
		"3D", // invalid catalog name: no such database
		"3F", // invalid schema name
		"53", // insufficient resources: disk full, out of memory, too many connections
		"57", // operator intervention: shutdown, crash
		"58", // system error: I/O
		"XX": // internal error: corruption
		return true
	}
	switch pg.Code {
	case "25006", // read_only_sql_transaction: a standby, or a primary that was demoted
		"42501", // insufficient_privilege
		"42883", // undefined_function
		"42P01", // undefined_table
		"42703", // undefined_column
		"55000", // object_not_in_prerequisite_state
		codeNoStatement, codeOldPlan:
		return true
	}
	return lacksDay(pg)
}

// lacksDay: the outbox has no table for the day of a row. A check that is not kept has a name.
func lacksDay(pg *pgconn.PgError) bool {
	return pg.Code == codeCheck && pg.ConstraintName == ""
}
