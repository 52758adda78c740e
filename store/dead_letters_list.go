package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// LetterFilter says which dead letters are meant. What is empty leaves nothing out.
type LetterFilter struct {
	Reasons []string
	Types   []string
	Key     string    // of the command or, where that could not be read, of its record
	Since   time.Time // when it became a dead letter
	Until   time.Time
}

// Empty reports whether the filter leaves nothing out.
func (f *LetterFilter) Empty() bool {
	return len(f.Reasons) == 0 && len(f.Types) == 0 && f.Key == "" && f.Since.IsZero() && f.Until.IsZero()
}

// LetterList is the beginning of a list, oldest first.
type LetterList struct {
	Letters []Letter `json:"letters"`
	More    int64    `json:"more"` // how many match besides
}

const (
	letterFilterSQL = `
    (cardinality($1::text[]) = 0 or d.reason = any($1)) and (cardinality($2::text[]) = 0 or d.type = any($2)) and
    ($3::text = '' or d.key = $3 or d.key is null and d.record_key = convert_to($3, 'UTF8'))
    and ($4::timestamptz is null or d.recorded_at >= $4) and ($5::timestamptz is null or d.recorded_at < $5)`

	listLettersSQL = `
select ` + letterColumns + ` from dead_letters d` + letterJoins + `
where d.state = any($6) and ` + letterFilterSQL + lastSQL + `
order by d.recorded_at, d.source, d.row_no limit $7`

	countLettersSQL = `
select count(*), count(*) filter (where d.retries > 0 and d.reason = 'internal') from dead_letters d
where d.state = any($6) and ` + letterFilterSQL + lastSQL

	// A command that was retried and refused again is one dead letter, its last: those before it
	// are history, for Letter.
	lastSQL = `
    and not (d.state = 'retried' and d.batch_last is null and exists (
        select from dead_letters n where coalesce(n.command_source, n.source) = coalesce(d.command_source, d.source) and n.command_offset = d.command_offset
            and (n.recorded_at, n.row_no) > (d.recorded_at, d.row_no)))`

	// What is not resolved has an index of its own, which Postgres sees only where the states stand
	// in the query.
	unresolvedSQL = `d.state in ('open', 'retrying', 'discarding') and `
)

func (f *LetterFilter) args(more ...any) []any {
	return append([]any{notNull(f.Reasons), notNull(f.Types), f.Key, timeOrNull(f.Since), timeOrNull(f.Until)}, more...)
}

func notNull(list []string) []string { return append([]string{}, list...) }

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// aboutStates makes a query about some states one that costs nothing for dead letters that are
// resolved, unless it is about those.
func aboutStates(query string, states []string) string {
	return strings.Replace(query, "where d.state", "where "+unresolvedOnly(states)+"d.state", 1)
}

// unresolvedOnly is unresolvedSQL, unless states that are resolved are asked for.
func unresolvedOnly(states []string) string {
	if slices.Contains(states, LetterRetried) || slices.Contains(states, LetterDiscarded) {
		return ""
	}
	return unresolvedSQL
}

// Letters are the oldest dead letters in some states.
func (s *Store) Letters(ctx context.Context, f LetterFilter, states []string, limit int) (found LetterList, err error) {
	found.Letters, err = list(ctx, s, "list dead letters", scanLetter, aboutStates(listLettersSQL, states), f.args(states, limit)...)
	if err != nil || len(found.Letters) < limit {
		return found, err
	}
	total, _, err := countLetters(ctx, s.pool, countLettersSQL, f, states)
	found.More = max(0, total-int64(len(found.Letters)))
	return found, err
}

// rowQuerier is a pool or a transaction.
type rowQuerier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// countLetters counts dead letters by countLettersSQL, and among them the commands that failed when
// they were retried before.
func countLetters(ctx context.Context, db rowQuerier, query string, f LetterFilter, states []string) (all, again int64, err error) {
	err = db.QueryRow(ctx, aboutStates(query, states), f.args(states)...).Scan(&all, &again)
	return all, again, readError("count dead letters", err)
}
