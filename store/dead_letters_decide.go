package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"allocation/worker"
)

// Decision is what an operator wants done with dead letters. They are the letters of the commands
// in IDs or, without IDs, the open letters that match Filter. Those that wait for a newer worker
// only match where their reason is asked for.
type Decision struct {
	IDs      []RecordID
	Filter   LetterFilter
	Limit    int   // most that match the filter
	Discard  bool  // else they are retried
	Force    bool  // also retry what failed when it was retried before
	MaxBytes int64 // to how many bytes batches of records that were too large may unpack; 0: they are not read again
	DryRun   bool  // decide nothing, but say what would be
}

// Decided are the dead letters on which was decided, oldest first.
type Decided struct {
	Letters []Letter `json:"letters"`
	More    int64    `json:"more"`     // how many match the filter besides
	LeftOut int64    `json:"left_out"` // how many match, but failed when they were retried before
}

// LettersError says for each letter why nothing was decided.
type LettersError struct{ Problems []string }

func (e *LettersError) Error() string { return strings.Join(e.Problems, "\n") }

const (
	idsSQL = `select ` + letterColumns + newestSQL + ` order by d.recorded_at, d.source, d.row_no for no key update of d`

	matchingSQL = `
select ` + letterColumns + ` from dead_letters d` + letterJoins + `
where d.state = 'open' and (d.retries = 0 or d.reason <> 'internal' or $6) and (d.batch_last is null or $8) and ` + letterFilterSQL + decidableSQL + `
order by d.recorded_at, d.source, d.row_no limit $7 for no key update of d`

	decidableSQL = ` and (d.reason <> '` + worker.ReasonNewer + `' or d.reason = any($1))`

	decideLettersSQL = `
update dead_letters d set state = $3, attempts = 0, resolved_at = null, batch_problem = null,
    batch_room = case when d.batch_last is not null then coalesce(nullif($4::bigint, 0), d.batch_room) end
from unnest($1::int[], $2::bigint[]) v (source, row_no) where d.source = v.source and d.row_no = v.row_no`
)

// Decide notes a decision in one transaction, and tells the workers. The partitions' owners do it,
// each in its own transaction: see Outcomes.
func (s *Store) Decide(ctx context.Context, d Decision) (decided Decided, err error) {
	const attempts = 5 // a worker may do what was decided before just now
	for range attempts {
		decided = Decided{}
		err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return d.decide(ctx, tx, s.schema.Channel(decidedChannel), &decided) })
		if err = readError("decide dead letters", err); !errors.Is(err, worker.ErrConflict) {
			break
		}
	}
	var problems *LettersError
	if errors.As(err, &problems) {
		return Decided{}, problems
	}
	return decided, err
}

func (d *Decision) decide(ctx context.Context, tx pgx.Tx, channel string, decided *Decided) (err error) {
	if len(d.IDs) > 0 {
		decided.Letters, err = d.named(ctx, tx)
	} else {
		err = d.matching(ctx, tx, decided)
	}
	if err != nil || d.DryRun || len(decided.Letters) == 0 {
		return err
	}
	sources, rows := letterRows(decided.Letters)
	if _, err := tx.Exec(ctx, decideLettersSQL, sources, rows, d.state(), d.MaxBytes); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `select pg_notify($1, '')`, channel)
	return err
}

func (d *Decision) state() string {
	if d.Discard {
		return LetterDiscarding
	}
	return LetterRetrying
}

// named are the last letters of the commands at IDs, if a decision on each is allowed.
func (d *Decision) named(ctx context.Context, tx pgx.Tx) ([]Letter, error) {
	topics, partitions, offsets := idArrays(unique(d.IDs))
	rows, _ := tx.Query(ctx, idsSQL, topics, partitions, offsets)
	letters, err := pgx.CollectRows(rows, scanLetter)
	if err != nil {
		return nil, err
	}
	var problems LettersError
	for _, p := range unique(d.IDs) {
		i := slices.IndexFunc(letters, func(l Letter) bool { return l.ID == p })
		if i < 0 {
			problems.Problems = append(problems.Problems, fmt.Sprintf("there is no dead letter %s", p))
		} else if why := d.refuses(&letters[i]); why != "" {
			problems.Problems = append(problems.Problems, fmt.Sprintf("%s %s", p, why))
		}
	}
	if len(problems.Problems) > 0 {
		return nil, &problems
	}
	return letters, nil
}

func unique(ids []RecordID) (list []RecordID) {
	seen := map[RecordID]bool{}
	for _, p := range ids {
		if !seen[p] {
			seen[p] = true
			list = append(list, p)
		}
	}
	return list
}

// refuses says why a letter is not to be decided so; empty where it may be. What is decided so
// already may be again: it changes nothing.
func (d *Decision) refuses(l *Letter) string {
	switch {
	case !d.Discard && l.Batch != nil && l.State == LetterRetried:
		return "was read again and applied; what was refused of it are dead letters of their own"
	case !d.Discard && l.Batch != nil && d.MaxBytes == 0:
		return "is about a batch of records that unpacks to too much: --max-bytes 1GiB, or another size, reads it again"
	case l.State == d.state():
		return ""
	case d.Discard && l.State == LetterRetried:
		return "was retried: its command is applied, and discarding it would not take that back"
	case d.Discard && l.State == LetterDiscarded:
		return "is discarded already"
	case d.Force:
		return ""
	case l.State == LetterRetrying:
		return "is about to be retried: --force discards it instead, if it is not too late"
	case l.State == LetterDiscarding:
		return "is about to be discarded: --force retries it instead, if it is not too late"
	case l.State == LetterRetried:
		return "was retried, and its command applied: --force applies it once more"
	case l.State == LetterDiscarded:
		return "was discarded: --force applies it now"
	case !d.Discard && l.Retries > 0 && l.Reason == reasonInternal:
		return fmt.Sprintf("was retried before (%d times), and failed again: --force retries it once more", l.Retries)
	}
	return ""
}

// matching are the oldest open letters that match the filter.
func (d *Decision) matching(ctx context.Context, tx pgx.Tx, decided *Decided) error {
	again := d.Force || d.Discard
	rows, _ := tx.Query(ctx, matchingSQL, d.Filter.args(again, d.Limit, d.Discard || d.MaxBytes > 0)...)
	letters, err := pgx.CollectRows(rows, scanLetter)
	if err != nil {
		return err
	}
	all, before, err := countLetters(ctx, tx, countLettersSQL+decidableSQL, d.Filter, []string{LetterOpen})
	if again {
		before = 0
	}
	decided.Letters, decided.LeftOut, decided.More = letters, before, max(0, all-before-int64(len(letters)))
	return err
}

func letterRows(letters []Letter) (sources []int32, rows []int64) {
	for i := range letters {
		sources, rows = append(sources, letters[i].row.Source), append(rows, letters[i].row.Row)
	}
	return sources, rows
}
