package products

import (
	"context"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"allocation/store"
)

// MaxPage is how many rows a page may have. It is below maxLooked.
const MaxPage = 1000

// Bounds of a page of a list, whatever the filter leaves out.
const (
	// maxLooked is how many keys a page looks at. One that finds too little by then ends early, and
	// says where to go on.
	maxLooked = 5000

	// few rows are read and sorted where no index has them in the order of the list.
	few = 10_000
)

// List is a page of a list.
type List[T any] struct {
	Rows []T
	Next string // the key to go on after; empty: that was all
}

// cut makes a page of one row more than it may have.
func cut[T any](rows []T, limit int, key func(*T) string) (list List[T]) {
	list.Rows = rows
	if len(rows) > limit {
		list.Rows = rows[:limit]
		list.Next = key(&rows[limit-1])
	}
	return list
}

// SKUs says which products a list is about. What is empty leaves none out.
type SKUs struct {
	SKU    string
	Prefix string // of SKUs, byte for byte
}

func (s SKUs) all() bool { return s == SKUs{} }

// narrow adds what a column with SKUs must be.
func (s SKUs) narrow(c *conditions, column string) {
	if s.SKU != "" {
		c.add(column+" = ?", s.SKU)
	}
	c.addPrefix(column, s.Prefix)
}

// conditions are what rows of a list must be, and the arguments of its query.
type conditions struct {
	texts []string
	args  []any
}

// add adds a condition. Each ? in it stands for an argument.
func (c *conditions) add(text string, args ...any) {
	for _, arg := range args {
		text = strings.Replace(text, "?", c.arg(arg), 1)
	}
	c.texts = append(c.texts, text)
}

// addPrefix adds what texts are that begin so. A range is what an index is read by, and takes no
// character for a wildcard.
func (c *conditions) addPrefix(column, prefix string) {
	if prefix == "" {
		return
	}
	c.add(column+" >= ?", prefix)
	if end := endOfPrefix(prefix); end != "" {
		c.add(column+" < ?", end)
	}
}

// arg adds an argument, and gives its name.
func (c *conditions) arg(value any) string {
	c.args = append(c.args, value)
	return "$" + strconv.Itoa(len(c.args))
}

func (c *conditions) String() string {
	if len(c.texts) == 0 {
		return "true"
	}
	return strings.Join(c.texts, " and ")
}

// endOfPrefix is the first text after all that begin with a prefix, in the order of bytes; empty
// where there is none.
func endOfPrefix(prefix string) string {
	for prefix != "" {
		last, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		if last == 0xD7FF {
			return prefix + "\uE000" // no character is between them
		}
		if last < utf8.MaxRune {
			return prefix + string(last+1)
		}
	}
	return ""
}

// eachOnce is a query of the different values of a column of lines, in order, maxLooked of them at
// most. It steps from one to the next by an index, however many lines have the same. Its
// reader stops it.
func (c *conditions) eachOnce(column string) string {
	next := `select k.` + column + ` from lines k where ` + c.String()
	return `
    with recursive w (key, n) as (
        select (` + next + ` order by k.` + column + ` limit 1), 1
        union all
        select (` + next + ` and k.` + column + ` > w.key order by k.` + column + ` limit 1), w.n + 1
        from w where w.key is not null and w.n < ` + strconv.Itoa(maxLooked) + `)
    select key from w where key is not null`
}

// lookedUpTo says where a page ends that looked at maxLooked keys: empty where there are no more.
// keys is a query of them, in order.
func (v View) lookedUpTo(ctx context.Context, keys string, args []any) (last string, err error) {
	sql := `select count(*), coalesce(max(key), '') from (` + keys + ` limit ` + strconv.Itoa(maxLooked) + `) k (key)`
	count, err := one[int](ctx, v, sql, args, &last)
	if count < maxLooked {
		return "", err
	}
	return last, err
}

// areFew reports whether a query has few rows.
func (v View) areFew(ctx context.Context, query string, args []any) (bool, error) {
	count, err := one[int](ctx, v, `select count(*) from (`+query+` limit `+strconv.Itoa(few+1)+`) r`, args)
	return count <= few, err
}

// one reads the first column of one row, and others of it.
func one[T any](ctx context.Context, v View, sql string, args []any, others ...any) (value T, err error) {
	rows, _ := v.Query(ctx, sql, args...) // its error is that of the rows, too
	value, err = pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (value T, err error) {
		return value, row.Scan(append([]any{&value}, others...)...)
	})
	return value, store.ShowError("list", err)
}

// rows reads the rows of a list.
func rows[T any](ctx context.Context, v View, sql string, args []any) ([]T, error) {
	found, _ := v.Query(ctx, sql, args...) // its error is that of the rows, too
	list, err := pgx.CollectRows(found, pgx.RowToStructByPos[T])
	return list, store.ShowError("list", err)
}
