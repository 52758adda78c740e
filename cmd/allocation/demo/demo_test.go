package demo_test

import (
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/demo"
	"allocation/cmd/allocation/demo/demotest"
	"allocation/cmd/allocation/programtest"
	"allocation/deploy/local"
	"allocation/deploy/testbed"
	"allocation/store"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// site is a demo that the tests of this file share, one after the other.
type site struct {
	*testing.T
	*demotest.Demo
}

func TestDemo(t *testing.T) {
	t.Parallel()
	d := site{t, demotest.Start(t)}
	d.saysWhereWhatIs()
	d.tellsTheStory()
	d.sendsDuplicates()
	d.sendsEarly()
	d.halvesABatch()
	d.freezesAWorker()
	d.poisonsAProduct()
	d.cutsPostgres()
	d.hasPagesWithoutFault()
	d.addsUp(20)
	pids := d.Children()
	require.Greater(t, len(pids), 6)
	d.Stop(syscall.SIGKILL)
	testbed.Eventually(t, func() bool { return !slices.ContainsFunc(pids, demotest.Lives) }, "all end with it")
}

// saysWhereWhatIs: the programs are where they run, not where the demo was started, and each worker
// has an address.
func (d site) saysWhereWhatIs() {
	d.Helper()
	var page demo.TroublePage
	require.True(d, d.Get("/trouble", &page))
	require.Contains(d, d.Said(), "\n  "+page.Path+"\n")
	orders := strings.TrimSpace(d.Type("PATH=/usr/bin:/bin; " + page.Path + "; command -v orders"))
	require.Equal(d, filepath.Join(d.Programs, "orders"), orders)
	require.Regexp(d, `\n            http://127\.0\.0\.1:\d+/readyz  warehouse-worker\n`, d.Said())
}

// tellsTheStory: orders leave, customers become VIPs, and all adds up all the while.
func (d site) tellsTheStory() {
	d.Helper()
	testbed.Eventually(d, func() bool {
		s, ok := d.Sums()
		require.True(d, ok)
		require.True(d, s.AddsUp, "%+v", s)
		return s.Dispatched > 0 && s.VIPs.Told > 0 && count(s, "dispatched") > 0
	})
	d.addsUp(20)
}

// addsUp: the sums are right in so many successive reads, of which each sees something else.
func (d site) addsUp(reads int) {
	d.Helper()
	seen := map[[3]int64]bool{}
	testbed.Eventually(d, func() bool {
		s, ok := d.Sums()
		require.True(d, ok)
		require.True(d, s.AddsUp, "%+v", s)
		require.Empty(d, s.Differ)
		require.Empty(d, s.Behind)
		require.Equal(d, s.Received-s.Lost, s.Free+s.Allocated+s.Dispatched)
		require.Equal(d, s.VIPs.Due, s.VIPs.Told)
		require.Empty(d, s.VIPs.Differ)
		seen[[3]int64{s.Free, s.Allocated, s.Dispatched}] = true
		return len(seen) == reads
	}, "%d different reads", reads)
}

func count(s *demo.Sums, state string) int64 {
	for _, c := range s.Orders {
		if c.State == state {
			return c.Count
		}
	}
	return -1
}

// press makes a trouble, and gives what it did.
func (d site) press(kind string) demo.TroubleView {
	d.Helper()
	status, next := d.Press(kind)
	require.Equal(d, http.StatusSeeOther, status)
	require.Equal(d, "/trouble#"+kind, next)
	v := d.Trouble(kind)
	require.Empty(d, v.Last.Problem)
	require.NotEmpty(d, v.Last.Did)
	return v
}

// isOver waits until a trouble is over.
func (d site) isOver(kind string) {
	d.Helper()
	testbed.Eventually(d, func() bool { return !d.Trouble(kind).Last.On }, "%s is over", kind)
	require.Empty(d, d.Trouble(kind).Last.Problem)
}

// command is the command of a trouble that begins so.
func (d site) command(v *demo.TroubleView, begins string) string {
	d.Helper()
	for _, c := range v.Last.Commands {
		if strings.HasPrefix(c.Command, begins) {
			return c.Command
		}
	}
	require.Fail(d, "there is no command "+begins)
	return ""
}

func (d site) sendsDuplicates() {
	v := d.press("duplicates")
	explain := d.command(&v, "allocation explain command")
	testbed.Eventually(d, func() bool { return strings.Contains(d.Type(explain), "without effect") }, "%s says that it came twice", explain)
	d.addsUp(2)
}

// sendsEarly: what came too early is refused, and applied when it is retried.
func (d site) sendsEarly() {
	v := d.press("early")
	status, _ := d.Press("early")
	require.Equal(d, http.StatusConflict, status, "one at a time")
	letter := v.Last.Links[0]
	require.Equal(d, "/letter", letter.Path)
	testbed.Eventually(d, func() bool {
		var found struct{ Reason string }
		return d.Get("/letter?id="+letter.ID, &found) && found.Reason == "unknown_sku"
	})
	d.isOver("early")
	testbed.Eventually(d, func() bool { return d.Get("/product?id="+v.Last.Links[1].ID, &struct{}{}) }, "its batch has come")
	require.Contains(d, d.Type(d.command(&v, "allocation dlq retry")), "applied")
	require.Contains(d, d.Type(d.command(&v, "allocation explain order")), "gets 3 of batch")
	d.addsUp(2)
}

func (d site) halvesABatch() {
	before, _ := d.Sums()
	v := d.press("halve")
	ref := v.Last.Links[0].ID
	testbed.Eventually(d, func() bool {
		s, ok := d.Sums()
		return ok && s.Lost > before.Lost && strings.Contains(d.Type(d.command(&v, "allocation explain batch")), "batch "+ref+" has ")
	}, "%s has less", ref)
	require.Contains(d, d.Type(d.command(&v, "warehouse explain command")), "are lost: damaged")
	d.addsUp(2)
}

// freezesAWorker: its partitions go to the other, until it is there again.
func (d site) freezesAWorker() {
	d.press("freeze-worker")
	testbed.Eventually(d, func() bool { return len(d.owners()) == 1 }, "one worker has all partitions")
	d.addsUp(2)
	if testing.Short() {
		return // it wakes up beside what follows
	}
	d.isOver("freeze-worker")
	testbed.Eventually(d, func() bool { return len(d.owners()) == 2 }, "both have partitions")
	d.addsUp(2)
}

// owners are the workers that have partitions of stock's commands.
func (d site) owners() map[string]bool {
	var page struct{ Partitions []struct{ Owner string } }
	require.True(d, d.Get("/partitions", &page))
	owners := map[string]bool{}
	for _, p := range page.Partitions {
		owners[p.Owner] = true
	}
	return owners
}

// poisonsAProduct: it is held until somebody gives the command up.
func (d site) poisonsAProduct() {
	v := d.press("poison")
	testbed.Eventually(d, func() bool {
		var page struct{ Held []store.HeldKey }
		return d.Get("/product?id="+v.Last.Links[0].ID, &page) && len(page.Held) == 1
	}, "it is held")
	d.addsUp(2)
	d.Type(d.command(&v, "allocation dlq discard"))
	d.isOver("poison")
	d.addsUp(2)
}

// cutsPostgres: pages say so, and all goes on afterwards.
func (d site) cutsPostgres() {
	v := d.press("cut-postgres")
	testbed.Eventually(d, func() bool { _, ok := d.Sums(); return !ok }, "pages cannot be read")
	testbed.Eventually(d, func() bool {
		return strings.Contains(d.Type("curl -s "+strings.TrimPrefix(d.command(&v, "curl"), "curl ")), "postgres: reach database")
	}, "a worker says for what it waits")
	d.isOver("cut-postgres")
	testbed.Eventually(d, func() bool { _, ok := d.Sums(); return ok }, "pages can be read")
	d.addsUp(5)
}

// While orders is stopped, stock and the warehouse go on, and it catches up.
func TestDemo_stopsOrders(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
	d := site{t, demotest.Start(t)}
	d.tellsTheStory()
	d.press("stop-orders")
	before, _ := d.Sums()
	testbed.Eventually(t, func() bool {
		s, ok := d.Sums()
		require.True(t, ok)
		require.True(t, s.AddsUp, "%+v", s)
		return s.Received > before.Received+20
	}, "goods come")
	stopped, _ := d.Sums()
	require.Equal(t, count(stopped, "cancelled"), count(before, "cancelled"))
	testbed.Eventually(t, func() bool { return strings.Contains(d.Type("orders status || true"), "no worker runs") })
	d.isOver("stop-orders")
	testbed.Eventually(t, func() bool {
		s, ok := d.Sums()
		return ok && s.AddsUp && count(s, "dispatched") > count(stopped, "dispatched")+10
	}, "it caught up")
	d.addsUp(5)
}

// What is not built is said before anything begins.
func TestDemo_needsThePrograms(t *testing.T) {
	t.Parallel()
	programtest.Run(t, "dev", "--demo", "--dir="+filepath.Join(t.TempDir(), "data"), "--http-addr=127.0.0.1:0", "--shop-addr=127.0.0.1:0").RequireFailed(t, "the program allocation is not beside ", "`make build`")
	programtest.Run(t, "dev", "--demo", "--shop-addr=8083").RequireMisuse(t, `--shop-addr is "8083"; it must be an address such as`)
	programtest.Run(t, "dev", "--demo", "--shop-addr=0.0.0.0:8083").RequireMisuse(t, `--shop-addr is "0.0.0.0:8083"; it must be for this machine only`)
	for _, flag := range []string{"--http-addr", "--kafka-addr"} {
		for _, addr := range []string{"127.0.0.1:8099", "localhost:8099"} {
			programtest.Run(t, "dev", "--demo", flag+"="+addr, "--shop-addr=127.0.0.1:8099").
				RequireMisuse(t, `--shop-addr is "127.0.0.1:8099"; it must be another address than that of `+flag)
		}
	}
	programtest.Run(t, "dev", "--demo", "--catch-up-time=3m").RequireMisuse(t, "--demo does not take --catch-up-time")
	programtest.Run(t, "dev", "--demo", "--postgres-port=8099", "--shop-addr=127.0.0.1:8099").RequireMisuse(t, "another address than that of --postgres-port")
	programtest.Run(t, "dev", "--demo", "--command-topics=a", "--events-topic=b").RequireMisuse(t, `is "a"; it must be warehouse.commands with --demo`, `is "b"; it must be allocation.events with --demo`)
}

// Another shop is there already: the demo's customers do not go there. Where the folder is in use,
// that is said first: the demo that uses it has the ports, too.
func TestDemo_leavesAnotherShopAlone(t *testing.T) {
	t.Parallel()
	other, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer other.Close()
	_, port, _ := net.SplitHostPort(other.Addr().String())
	dir := filepath.Join(t.TempDir(), "data")
	args := []string{"dev", "--demo", "--dir=" + dir, "--http-addr=127.0.0.1:0", "--shop-addr=" + other.Addr().String()}
	programtest.Run(t, args...).RequireFailed(t, "port "+port+", for the shop, is in use by another program: stop that, or choose another port with --shop-addr")
	lock, err := local.LockFolder(filepath.Join(dir, "dev.lock"))
	require.NoError(t, err)
	defer lock.Close()
	programtest.Run(t, args...).RequireFailed(t, "folder is in use by process ")
}
