package export_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"
	"allocation/domain/incident"
	"allocation/domain/product"
)

// staged is a service with a history that has each command, lines that wait, a release, refusals,
// and commands without effect.
func staged(t *testing.T) *programtest.Service {
	t.Helper()
	s := programtest.StartService(t)
	send := func(args ...string) { s.Send(args...) }
	send("Allocate", "orderid=early", "sku=CHAIR", "qty=1", "--id=refused-1") // unknown_sku
	send("CreateBatch", "ref=z", "sku=CHAIR", "qty=30", "--id=c1")
	send("CreateBatch", "ref=a", "sku=CHAIR", "qty=30", "eta=2030-01-01", "--id=c2")
	send("CreateBatch", "ref=m", "sku=CHAIR", "qty=8", "--id=c3")
	send("CreateBatch", "ref=other", "sku=LAMP", "qty=5", "--id=c4")
	send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20", "--id=c5", "--correlation-id=shop-1")
	send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20", "--id=c5") // again: no effect
	send("Allocate", "orderid=o2", "sku=CHAIR", "qty=8", "--id=c6")
	send("Allocate", "orderid=o3", "sku=CHAIR", "qty=25", "lineid=l1", "--id=c7")
	send("Allocate", "orderid=o4", "sku=CHAIR", "qty=60", "--id=c8")            // waits
	send("Dispatch", "orderid=o4", "sku=CHAIR", "--id=refused-2")               // line_waiting
	send("ChangeBatchQuantity", "batchref=z", "sku=CHAIR", "qty=10", "--id=c9") // releases o1
	send("ChangeBatchQuantity", "batchref=z", "sku=CHAIR", "qty=10", "--id=c9") // again: no effect
	send("ChangeBatchQuantity", "batchref=a", "sku=CHAIR", "qty=90", "revision=4", "--id=c10")
	send("ChangeBatchQuantity", "batchref=a", "sku=CHAIR", "qty=80", "revision=4", "--id=c11") // stale: no effect
	send("ChangeBatchQuantity", "batchref=other", "sku=CHAIR", "qty=9", "--id=refused-3")      // sku_mismatch
	send("CreateBatch", "ref=other", "sku=CHAIR", "qty=9", "--id=refused-4")                   // batch_conflict
	send("ChangeBatchEta", "batchref=a", "sku=CHAIR", "eta=2030-02-02", "--id=c12")
	send("ChangeBatchEta", "batchref=a", "sku=CHAIR", "--id=c13")
	send("Dispatch", "orderid=o3", "sku=CHAIR", "lineid=l1", "--id=c14")
	send("Deallocate", "orderid=o2", "sku=CHAIR", "--id=c15")
	send("Allocate", "orderid=o2", "sku=CHAIR", "qty=8", "--id=refused-5") // line_cancelled
	send("CreateBatch", "ref=late", "sku=CHAIR", "qty=100", "--id=c16")
	s.AwaitLetters(5)
	settle(s)
	return s
}

// settle waits until all that was sent is applied and published.
func settle(s *programtest.Service) {
	conn := testbed.Connect(s.T, s.DatabaseURL())
	s.Send("CreateBatch", "ref=last", "sku=LAST", "qty=1")
	testbed.Eventually(s.T, func() bool {
		var n int
		err := conn.QueryRow(s.T.Context(), `select count(*) from batches where ref in ('last', 'late')`).Scan(&n)
		return err == nil && n == 2
	})
}

// export runs export, and leaves what it wrote in a file.
func export(t *testing.T, args ...string) (file string, o programtest.Outcome) {
	t.Helper()
	o = programtest.Run(t, append([]string{"export"}, args...)...)
	o.RequireDone(t)
	file = filepath.Join(t.TempDir(), "incident.json")
	require.NoError(t, os.WriteFile(file, []byte(o.Out), 0o600))
	return file, o
}

// read reads a file.
func read(t *testing.T, file string) (products []*incident.Product, commands []*incident.Command) {
	t.Helper()
	in, err := os.Open(file)
	require.NoError(t, err)
	defer in.Close()
	k := &keeper{}
	require.NoError(t, incident.Read(in, k))
	return k.products, k.commands
}

type keeper struct {
	products []*incident.Product
	commands []*incident.Command
}

func (k *keeper) Begin(p *incident.Product) error { k.products = append(k.products, p); return nil }
func (k *keeper) Step(c *incident.Command) error  { k.commands = append(k.commands, c); return nil }
func (k *keeper) End() error                      { return nil }

func TestExport_replaysWithoutDifference(t *testing.T) {
	t.Parallel()
	s := staged(t)
	kafka := "--kafka-brokers=" + s.Names.Server(t)
	for name, args := range map[string][]string{
		"anonymous": {"CHAIR"}, "plain": {"CHAIR", "--plain"}, "with topics": {"CHAIR", "--from-topic", kafka}, "all": {"CHAIR", "--plain", "--from-topic", kafka},
		"an order": {"o2"}, "an order with topics": {"o1", "--plain", "--from-topic", kafka},
	} {
		t.Run(name, func(t *testing.T) {
			file, o := export(t, args...)
			require.Contains(t, o.Err, "replayed with this program, nothing differs\n")
			require.NotContains(t, o.Err, "does not lead")
			require.Contains(t, programtest.Run(t, "replay", file).RequireDone(t), ": nothing differs\n")
			products, commands := read(t, file)
			require.Len(t, products, 1)
			results := map[string]int{}
			types := map[string]bool{}
			for _, c := range commands {
				results[c.Result]++
				types[c.Type] = true
				require.NotEmpty(t, c.Position)
				require.NotNil(t, c.Time)
			}
			if args[0] != "CHAIR" {
				require.Positive(t, products[0].Start.Version)
				return
			}
			require.Len(t, types, len(product.Commands))
			require.Equal(t, 5, results[incident.Refused])
			require.Equal(t, 14, results[incident.Changed])
			if strings.Contains(strings.Join(args, " "), "topic") {
				require.Equal(t, 3, results[incident.NoEffect])
			}
			require.Zero(t, products[0].Start.Version)
			require.Empty(t, products[0].Start.Batches)
		})
	}
}

// What a file has of identifiers tells nothing, and the order of batches is what it was.
func TestExport_replacesIdentifiers(t *testing.T) {
	t.Parallel()
	s := staged(t)
	_, o := export(t, "CHAIR", "--from-topic", "--kafka-brokers="+s.Names.Server(t))
	for _, name := range []string{"CHAIR", "LAMP", `"o1"`, `"early"`, `"l1"`, `"other"`, "shop-1", "refused-", `"c9"`, s.Names.Commands, "worker"} {
		require.NotContains(t, o.Out, name)
	}
	require.Contains(t, o.Out, `{"ref":"batch-5","sku":"sku-1","qty":30}`, "z is the last of a, late, m, other, z")
	require.Contains(t, o.Out, `{"ref":"batch-1","sku":"sku-1","qty":30,"eta":"2030-01-01"}`)
	_, o = export(t, "CHAIR", "--plain")
	require.Contains(t, o.Out, `{"ref":"z","sku":"CHAIR","qty":30}`)
}

// The state at a later start is that of the product then, whatever was before.
func TestExport_fromALaterTime(t *testing.T) {
	t.Parallel()
	s := staged(t)
	whole, _ := export(t, "CHAIR", "--plain")
	_, commands := read(t, whole)
	for n, c := range commands {
		if c.Result != incident.Changed {
			continue
		}
		since := c.Committed.Add(-time.Microsecond).Format(time.RFC3339Nano)
		file, o := export(t, "CHAIR", "--plain", "--from="+since, "--from-topic", "--kafka-brokers="+s.Names.Server(t))
		require.Contains(t, o.Err, "replayed with this program, nothing differs\n", "from step %d", n)
		require.NotContains(t, o.Err, "does not lead")
		products, later := read(t, file)
		start := products[0].Start
		replayed := programtest.Run(t, "replay", file, "--json").RequireDone(t)
		require.Contains(t, replayed, fmt.Sprintf(`"version":%d`, products[0].Version))
		if start.Version == 0 {
			continue
		}
		state := stateAt(t, whole, start.Version)
		require.Equal(t, state.Version, start.Version)
		requireSame(t, state, start)
		require.NotEmpty(t, later)

		file, _ = export(t, "CHAIR", "--to="+since)
		require.Equal(t, fmt.Sprint(start.Version), field(t, programtest.Run(t, "replay", file, "--json").RequireDone(t), `"version":(\d+)`))
	}
}

func field(t *testing.T, text, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	require.NotNil(t, found)
	return found[1]
}

func stateAt(t *testing.T, file string, version int64) *incident.State {
	t.Helper()
	var r struct{ State *incident.State }
	require.NoError(t, json.Unmarshal([]byte(programtest.Run(t, "replay", file, "--json", fmt.Sprint("--to=", version)).RequireDone(t)), &r))
	return r.State
}

// requireSame compares batches, but for what is not known, and open lines.
func requireSame(t *testing.T, want, got *incident.State) {
	t.Helper()
	require.True(t, want.Agrees(got), "%+v\n%+v", want, got)
	for i, b := range got.Batches {
		require.Empty(t, b.Unknown, "the whole history is kept")
		require.Equal(t, want.Batches[i], b)
	}
}

// A login with the operators' role is enough.
func TestExport_asAnOperator(t *testing.T) {
	t.Parallel()
	s := staged(t)
	name, login := programtest.NewLogin(t, s.DatabaseURL())
	programtest.Administer(t, s.DatabaseURL(), "grant allocation_operator to "+name)
	t.Run("export", func(t *testing.T) {
		programtest.UseDatabase(t, login)
		export(t, "CHAIR", "--from-topic", "--kafka-brokers="+s.Names.Server(t))
		export(t, "--order", "o1")
	})
}

// What explain prints of a product can be replayed, too.
func TestReplay_takesWhatExplainPrints(t *testing.T) {
	t.Parallel()
	s := staged(t)
	text := programtest.Run(t, "explain", "product", "CHAIR", "--json", "--since=1d", "--kafka-brokers="+s.Names.Server(t)).RequireDone(t)
	require.Contains(t, programtest.RunWith(t.Context(), text, "replay", "-").RequireDone(t), "14 commands, 18 events: nothing differs\n")
	text = programtest.Run(t, "explain", "product", "CHAIR", "--json", "--limit=3", "--kafka-brokers="+s.Names.Server(t)).RequireDone(t)
	programtest.RunWith(t.Context(), text, "replay", "-").RequireFailed(t, "- cannot be replayed: events[0].sequence is 16; without a start, it must be 1: allocation export derives the state before")
}

func TestReplay_showsTheFirstDifference(t *testing.T) {
	t.Parallel()
	staged(t)
	file, o := export(t, "CHAIR", "--plain")
	changed := strings.Replace(o.Out, `"orderid":"o1","sku":"CHAIR","qty":20,"batchref":"z"`, `"orderid":"o1","sku":"CHAIR","qty":20,"batchref":"m"`, 1)
	require.NotEqual(t, o.Out, changed)
	require.NoError(t, os.WriteFile(file, []byte(changed), 0o600))
	programtest.Run(t, "replay", file, "--quiet").RequireFailed(t, "step 5, command c5 (Allocate {\"orderid\":\"o1\",\"sku\":\"CHAIR\",\"qty\":20}, ", ": the data of its event 1 differs\n"+
		"    then: #4 Allocated {\"orderid\":\"o1\",\"sku\":\"CHAIR\",\"qty\":20,\"batchref\":\"m\"}",
		"    now:  #4 Allocated {\"orderid\":\"o1\",\"sku\":\"CHAIR\",\"qty\":20,\"batchref\":\"z\"}", "step 5 differs from what was decided then")
}

func TestReplay_printsStepsAndTheStateAtAVersion(t *testing.T) {
	t.Parallel()
	staged(t)
	file, _ := export(t, "CHAIR")
	text := programtest.Run(t, "replay", file, "--to=4").RequireDone(t)
	require.Contains(t, text, "product sku-1, from version 0 on\n")
	require.Contains(t, text, "refused: unknown_sku: the sku \"sku-1\" has no batch yet")
	require.Contains(t, text, "\n    #4 order order-2 gets 20 of batch batch-5\n        batch batch-5 is the first in preference that had 20 available; before it come batch-3 (8, in the warehouse), which had too little")
	require.Contains(t, text, "\nproduct sku-1 at version 4\n  batch batch-1, due 2030-01-01: 30, of which 0 are allocated\n")
	require.Contains(t, text, "  20 for order order-2: allocated, batch batch-5\n")
	require.NotContains(t, text, "#5")
	programtest.Run(t, "replay", file, "--to=900").RequireFailed(t, "--to is 900, and the file ends at version 18")
}

func TestExport_ofNothing(t *testing.T) {
	t.Parallel()
	programtest.NewMigratedDatabase(t)
	programtest.Run(t, "export", "NOPE").RequireFailed(t, `there is no product and no order "NOPE"`)
	programtest.Run(t, "export", "NOPE", "--order").RequireFailed(t, `there is no order "NOPE"`)
	programtest.Run(t, "export", "NOPE", "--from=x").RequireMisuse(t, "--from is")
	programtest.Run(t, "export", "NOPE", "--from=1h", "--to=2h").RequireMisuse(t, "--to is before --from")
	programtest.Run(t, "replay", "/nope.json").RequireFailed(t, "no such file")
}

// Where the beginning is no longer kept, the state at the start is today's with all events taken
// back that are kept. A batch's revision from before is not known then, which is said.
func TestExport_whereTheBeginningIsNotKept(t *testing.T) {
	t.Parallel()
	s := staged(t)
	whole, _ := export(t, "CHAIR", "--plain")
	s.Execute(`delete from outbox where key = 'CHAIR' and sequence <= 9`)
	file, o := export(t, "CHAIR", "--plain", "--from-topic", "--kafka-brokers="+s.Names.Server(t))
	require.Contains(t, o.Err, "product CHAIR: 10 commands, from version 10 to 18; what was before is no longer kept (OUTBOX_RETENTION)")
	require.Contains(t, o.Err, "of batch a, the revision and the last_change at the start is no longer kept")
	require.Contains(t, o.Err, "nothing differs\n")
	products, _ := read(t, file)
	require.True(t, stateAt(t, whole, 10).Agrees(products[0].Start), "%+v", products[0].Start)
	programtest.Run(t, "replay", file).RequireDone(t, "nothing differs")
}

// Commands that came by several partitions are in the order in which they were decided.
func TestExport_commandsOfSeveralPartitions(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	conn := testbed.Connect(t, s.DatabaseURL())
	for n := range 30 {
		kind, data := "Allocate", fmt.Sprintf(`{"orderid":"o%d","sku":"DESK","qty":%d}`, n, n%4+1)
		switch n % 5 {
		case 0:
			kind, data = "CreateBatch", fmt.Sprintf(`{"ref":"b%d","sku":"DESK","qty":%d}`, n, n)
		case 3:
			kind, data = "Dispatch", fmt.Sprintf(`{"orderid":"o%d","sku":"DESK"}`, n) // unknown_line
		}
		again := `{"orderid":"o1","sku":"DESK","qty":2}`
		programtest.SendLines(t, s.Names.Commands, fmt.Sprintf(`{"type":%q,"data":%s,"key":"k%d"}`+"\n"+`{"type":"Allocate","data":%s,"key":"k%[3]d"}`+"\n", kind, data, n%7, again)).RequireDone(t)
		testbed.Eventually(t, func() bool {
			var offsets int64
			err := conn.QueryRow(t.Context(), `select sum(next_offset) from positions`).Scan(&offsets)
			return err == nil && offsets == int64(2*n+2)
		})
	}
	file, o := export(t, "DESK", "--from-topic", "--kafka-brokers="+s.Names.Server(t))
	require.Contains(t, o.Err, "nothing differs\n")
	_, commands := read(t, file)
	require.Len(t, commands, 60)
	programtest.Run(t, "replay", file).RequireDone(t, "60 commands, ")
}
