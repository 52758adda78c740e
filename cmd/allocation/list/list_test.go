package list_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/store/products"
)

// ended is the last line of a list as JSON.
type ended struct {
	Page struct {
		Rows     int    `json:"rows"`
		After    string `json:"after"`
		Waiting  int64  `json:"waiting"`
		FreeNow  int64  `json:"free_now"`
		FreeLate int64  `json:"free_later"`
	} `json:"page"`
}

// listed reads JSON lines.
func listed[T any](t *testing.T, out string) (rows []T, end ended) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	for _, line := range lines[:len(lines)-1] {
		var row T
		require.NoError(t, json.Unmarshal([]byte(line), &row), line)
		rows = append(rows, row)
	}
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &end))
	require.Equal(t, len(rows), end.Page.Rows)
	return rows, end
}

func TestList_tellsWhatIsThere(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Send("CreateBatch", "ref=b2", "sku=CHAIR", "qty=50", "eta=2030-01-01")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20")
	s.Send("Allocate", "orderid=o2", "sku=CHAIR", "qty=60")
	s.Send("CreateBatch", "ref=b3", "sku=DESK", "qty=5")
	s.AwaitAtRest(5)
	list := func(args ...string) string {
		return programtest.Run(t, append([]string{"list"}, args...)...).RequireDone(t)
	}
	require.Equal(t, `PRODUCT  VERSION  BATCHES  FREE NOW  FREE LATER  WAITING  QUANTITY  HELD
CHAIR    4        2        30        50          1        60
DESK     1        1        5         0           0        0

2 products, 35 free now, 50 free later, 1 waiting line
`, list("products"))
	require.Equal(t, `BATCH  PRODUCT  QUANTITY  ALLOCATED  AVAILABLE  DUE
b1     CHAIR    50        20         30         in the warehouse
b2     CHAIR    50        0          50         2030-01-01

2 batches, 30 free now, 50 free later
`, list("batches", "--sku=CHAIR"))
	require.Regexp(t, `^ORDER  LINE  PRODUCT  QUANTITY  STATE    BATCH  PLACED
o2           CHAIR    60        waiting         20\d\d-.*Z

1 line, a quantity of 60
$`, list("lines"))
	require.Regexp(t, `o1           CHAIR    20        allocated  b1     20\d\d-.*Z\n`, list("lines", "--batch=b1"))
	require.Regexp(t, `(?s)o2 .* waiting .*\no1 .* allocated .*\n2 lines, a quantity of 80\n$`, list("lines", "--state=waiting,allocated"))
	programtest.Run(t, "list", "lines", "--state=waiting,dispatched").RequireMisuse(t, `"dispatched"`)
	programtest.Run(t, "list", "lines", "--state=waiting,allocated", "--batch=b1").RequireMisuse(t, "--batch is about allocated lines")
	require.Equal(t, "no lines\n", list("lines", "--older-than=2d"))
	require.Equal(t, "no batches\n", list("batches", "--due-before=2030-01-01"))
	s.Execute(`update lines set placed_at = null where orderid = 'o2'`)
	require.Contains(t, list("lines", "--older-than=2d"), "not known")
	require.Regexp(t, `(?s)o1     0        1          0           0          20.*Z\no2     1        0          0           0          not known\n`, list("orders"))

	rows, end := listed[products.ListedProduct](t, list("products", "--limit=1", "--json"))
	require.Equal(t, "CHAIR", rows[0].SKU)
	require.Equal(t, "CHAIR", end.Page.After)
	require.EqualValues(t, 30, end.Page.FreeNow)
	rows, end = listed[products.ListedProduct](t, list("products", "--limit=1", "--json", "--after", end.Page.After))
	require.Equal(t, "DESK", rows[0].SKU)
	require.Empty(t, end.Page.After)
}

// The text of a page ends with the command of the next one, which a shell reads as it is meant,
// whatever the names are.
func TestList_endsAPageWithTheCommandOfTheNext(t *testing.T) {
	t.Parallel()
	database := programtest.NewMigratedDatabase(t)
	programtest.Administer(t, database, `
insert into allocation.products (sku, version, waiting, last_source, last_row) select E'it''s $(id) "\u202e' || n, 1, 0, 1, 1 from generate_series(1, 5) n`, `
insert into allocation.batches (ref, sku, qty, first_qty) select 'b "' || sku, sku, 5, 5 from allocation.products`, `
insert into allocation.lines (orderid, sku, lineid, qty, placed, state, batchref, last_source, last_row, last_day, placed_at)
select 'o' || sku, sku, 'l' || n, 1, n, case n when 1 then 'waiting' else 'allocated' end::allocation.line_state, case n when 2 then 'b "' || sku end, 1, 1, '2026-11-01', now()
from allocation.products, generate_series(1, 2) n`)
	for _, args := range [][]string{
		{"products"}, {"products", "--sku-prefix=it's"}, {"batches"}, {"orders"}, {"lines"}, {"lines", "--state", "allocated"},
		{"lines", "--state", "waiting,allocated"},
	} {
		out, found := programtest.Run(t, append(append([]string{"list"}, args...), "--limit=2")...).RequireDone(t), 0
		for {
			rows, next, more := strings.Cut(out, "more to look at:\n\n    allocation ")
			for line := range strings.Lines(rows) {
				if strings.Contains(line, "it's") {
					found++
				}
			}
			if !more {
				break
			}
			out = programtest.Run(t, words(t, next)...).RequireDone(t)
		}
		want := 5
		if slices.Contains(args, "waiting,allocated") {
			want = 10
		}
		require.Equal(t, want, found, args)
	}
}

// words are those of a command line, as a shell reads them.
func words(t *testing.T, line string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-c", `printf '%s\0' `+line)
	cmd.Env = []string{"LC_ALL=C.UTF-8"}
	out, err := cmd.Output()
	require.NoError(t, err)
	all := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	for i, word := range all {
		if strings.HasPrefix(word, "--database-url-file") { // the test adds it
			return append(all[:i:i], all[i+1:]...)
		}
	}
	return all
}

func TestList_wrongUsage(t *testing.T) {
	t.Parallel()
	programtest.NewMigratedDatabase(t)
	for says, args := range map[string][]string{
		`--limit is "1001"; it must be an integer from 1 to 1000`: {"products", "--limit=1001"},
		`--due-before is "soon"; it must be a date such as`:       {"batches", "--due-before=soon"},
		`--state is "lost"; it must be one of waiting, allocated`: {"lines", "--state=lost"},
		"a line that waits has no batch":                          {"lines", "--state=waiting", "--batch=b1"},
		`--older-than is "old"; it must be a time such as`:        {"lines", "--older-than=old"},
		`--after is "CHAIR"; it must be as the page before has`:   {"lines", "--after=CHAIR"},
		"--sku-prefix is empty; give it a value, or leave it out": {"products", "--sku-prefix="},
		"--sku and --sku-prefix can't be used together":           {"batches", "--sku=a", "--sku-prefix=a"},
	} {
		programtest.Run(t, append([]string{"list"}, args...)...).RequireMisuse(t, says)
	}
}
