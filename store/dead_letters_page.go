package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// LetterPage says which page of dead letters is wanted.
type LetterPage struct {
	LetterFilter
	States    []string
	Topic     string // of the command; empty: any
	Partition *int32 // nil: any
	Newest    bool   // the newest first, not the oldest
	After     LetterMark
	Limit     int
}

// LettersRead is a page of dead letters.
type LettersRead struct {
	Letters []Letter   `json:"letters"`
	Next    LetterMark `json:"next,omitzero"` // where the next page begins; there is none where this is zero
	// Searched is how many were looked at, where that is less than all and the page is not full.
	Searched int `json:"searched,omitempty"`
}

// LetterMark is a place in the order of dead letters. Zero is before the first.
type LetterMark struct {
	At     time.Time
	Source int32
	Row    int64
}

// MarshalText writes it as one word.
func (m LetterMark) MarshalText() ([]byte, error) {
	if m.At.IsZero() {
		return nil, nil
	}
	return fmt.Appendf(nil, "%s_%d_%d", m.At.UTC().Format(time.RFC3339Nano), m.Source, m.Row), nil
}

func (m LetterMark) String() string { text, _ := m.MarshalText(); return string(text) }

// UnmarshalText reads it.
func (m *LetterMark) UnmarshalText(text []byte) error {
	parts := strings.Split(string(text), "_")
	if len(parts) != 3 {
		return errors.New("no place in a list of dead letters")
	}
	at, err1 := time.Parse(time.RFC3339Nano, parts[0])
	source, err2 := strconv.ParseInt(parts[1], 10, 32)
	row, err3 := strconv.ParseInt(parts[2], 10, 64)
	*m = LetterMark{at, int32(source), row}
	return errors.Join(err1, err2, err3)
}

// MaxSearched is how many dead letters are looked at for one page, or counted for groups. What is
// asked for may be rare among many.
const MaxSearched = 10_000

// searchedSQL are the letters that are looked at, in order. From the number on, its arguments are
// two times of the filter, and a mark.
func searchedSQL(n int) string {
	return fmt.Sprintf(` from dead_letters d
where d.recorded_at >= coalesce($%d::timestamptz, '-infinity') and d.recorded_at < coalesce($%d::timestamptz, 'infinity')
    and (d.recorded_at, d.source, d.row_no) > ($%d::text::timestamptz, $%d::int, $%d::bigint)
order by d.recorded_at, d.source, d.row_no`, n, n+1, n+2, n+3, n+4)
}

var (
	letterPageSQL = `
select ` + letterColumns + ` from (select d.*` + searchedSQL(4) + ` limit $9) d` + letterJoins + `
where d.state = any($10) and ` + letterFilterSQL + ` and ($11::text = '' or p.topic = $11) and ($12::int is null or p.partition = $12)` + lastSQL + `
order by d.recorded_at, d.source, d.row_no limit $13`

	lastSearchedSQL = `select d.recorded_at, d.source, d.row_no` + searchedSQL(1) + ` offset $6 - 1 limit 1`
)

// newestFirst turns the order of a query around.
var newestFirst = strings.NewReplacer("d.row_no) > (", "d.row_no) < (", "order by d.recorded_at, d.source, d.row_no", "order by d.recorded_at desc, d.source desc, d.row_no desc")

// query makes a query about the page's states, in its order.
func (p *LetterPage) query(sql string) string {
	if p.Newest {
		sql = newestFirst.Replace(sql)
	}
	return strings.Replace(sql, "where d.recorded_at", "where "+unresolvedOnly(p.States)+"d.recorded_at", 1)
}

func (p *LetterPage) mark() []any {
	switch {
	case !p.After.At.IsZero():
		return []any{p.After.At.UTC().Format(time.RFC3339Nano), p.After.Source, p.After.Row}
	case p.Newest:
		return []any{"infinity", int32(0), int64(0)}
	}
	return []any{"-infinity", int32(0), int64(0)}
}

// LetterPage reads a page of dead letters. It costs the same however many there are.
func (s *Store) LetterPage(ctx context.Context, p LetterPage) (*LettersRead, error) {
	args := append(p.args(p.mark()...), MaxSearched)
	found, err := list(ctx, s, "list dead letters", scanLetter, p.query(letterPageSQL), append(args, p.States, p.Topic, p.Partition, p.Limit+1)...)
	if err != nil {
		return nil, err
	}
	read := &LettersRead{Letters: found}
	if len(found) > p.Limit {
		read.Letters = found[:p.Limit]
		last := &read.Letters[p.Limit-1]
		read.Next = LetterMark{last.RecordedAt, last.row.Source, last.row.Row}
		return read, nil
	}
	err = s.one(ctx, "list dead letters", []any{&read.Next.At, &read.Next.Source, &read.Next.Row}, p.query(lastSearchedSQL), args[3:]...)
	if errors.Is(err, pgx.ErrNoRows) {
		return read, nil // all were looked at
	}
	read.Searched = MaxSearched
	return read, err
}

// LetterGroup is how many dead letters have a reason and a state. A command that was refused again
// when it was retried counts each time.
type LetterGroup struct {
	Reason string    `json:"reason"`
	State  string    `json:"state"`
	Count  int64     `json:"count"`
	Oldest time.Time `json:"oldest"`
	Newest time.Time `json:"newest"`
}

const letterGroupsSQL = `
select d.reason, d.state, count(*), min(d.recorded_at), max(d.recorded_at) from (
    select d.* from dead_letters d
    where d.recorded_at > '-infinity' order by d.recorded_at, d.source, d.row_no limit $1) d
group by 1, 2 order by 3 desc, 1, 2`

// LetterGroups counts dead letters by reason and state, of those that are not resolved, or of all
// where states ask for them. It counts the oldest MaxSearched at most: cut says that there are
// more.
func (s *Store) LetterGroups(ctx context.Context, states []string) (groups []LetterGroup, cut bool, err error) {
	p := LetterPage{States: states}
	groups = []LetterGroup{}
	var g LetterGroup
	var counted int64
	err = s.each(ctx, "count dead letters", []any{&g.Reason, &g.State, &g.Count, &g.Oldest, &g.Newest}, func() error {
		counted += g.Count
		if slices.Contains(states, g.State) {
			groups = append(groups, g)
		}
		return nil
	}, p.query(letterGroupsSQL), MaxSearched)
	return groups, counted >= MaxSearched, err
}
