package program_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cloudevent"
)

func TestService_reallocates(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Send("CreateBatch", "ref=b2", "sku=CHAIR", "qty=50", "eta=2030-01-01")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20")
	s.Send("Allocate", "orderid=o2", "sku=CHAIR", "qty=20", "--id=second")
	s.Send("ChangeBatchQuantity", "batchref=b1", "sku=CHAIR", "qty=25", "revision=3")
	s.Send("Allocate", "orderid=o3", "sku=CHAIR", "qty=1000000", "lineid=l1")
	s.Send("Dispatch", "orderid=o1", "sku=CHAIR")
	s.Send("Deallocate", "orderid=o3", "sku=CHAIR", "lineid=l1")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=7")

	require.Equal(t, []string{
		"CHAIR         1  BatchCreated          batch b1 of 50, in the warehouse",
		"CHAIR         2  BatchCreated          batch b2 of 50, due 2030-01-01",
		"CHAIR         3  Allocated             order o1 gets 20 of batch b1",
		"CHAIR         4  Allocated             order o2 gets 20 of batch b1",
		"CHAIR         5  BatchQuantityChanged  batch b1 has 25 now (revision 3)",
		"CHAIR         6  Deallocated           order o2 gives 20 back to batch b1: batch reduced",
		"CHAIR         7  Allocated             order o2 gets 20 of batch b2",
		"CHAIR         8  OutOfStock            order o3 line l1 waits for 1000000",
		"CHAIR         9  Dispatched            order o1 left with 20 of batch b1",
		"CHAIR        10  Deallocated           order o3 line l1 no longer waits for 1000000: cancelled",
		"CHAIR            AllocationRejected    order o1 asks for 7, which is rejected: line_conflict",
	}, programtest.WithoutTimes(s.Tail(11)))
	require.Len(t, s.Tail(3, "--order=o2"), 3)
	require.Contains(t, s.Tail(1, "--type=OutOfStock", "--sku=CHAIR")[0], "order o3")

	var e cloudevent.Event
	require.NoError(t, json.Unmarshal([]byte(s.Tail(1, "--json", "--type=Deallocated")[0]), &e))
	require.Equal(t, "allocation.v1.Deallocated", e.Type)
	require.Equal(t, "0000000000000000006", e.Sequence)
	require.JSONEq(t, `{"orderid":"o2","sku":"CHAIR","qty":20,"batchref":"b1","reason":"batch_reduced"}`, string(e.Data))

	requireGolden(t, "show-order.txt", programtest.WithoutTimes(strings.Split(programtest.Run(t, "show", "order", "o2").RequireDone(t), "\n")))
	requireGolden(t, "show-product.txt", strings.Split(programtest.Run(t, "show", "product", "CHAIR").RequireDone(t), "\n"))
	requireGolden(t, "show-batch.txt", strings.Split(programtest.Run(t, "show", "batch", "b2").RequireDone(t), "\n"))

	programtest.Run(t, "show", "order", "nobody").RequireFailed(t, `there is no order "nobody"`)
}

// requireGolden compares with a file of testdata, which UPDATE_GOLDEN=1 writes.
func requireGolden(t *testing.T, name string, lines []string) {
	t.Helper()
	got := strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestService_healthAndMetrics(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	require.Equal(t, "200 ok\n", s.Get("/livez"))
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Send("Allocate", "orderid=o1", "sku=NONE", "qty=1")
	s.Tail(2)

	var names []string
	for line := range strings.SplitSeq(s.Get("/metrics"), "\n") {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok && strings.HasPrefix(name, "allocation_") {
			names = append(names, name)
		}
	}
	requireGolden(t, "metrics.txt", names)
	require.Regexp(t, `allocation_build_info\{goversion="go[^"]+",version="[^"]+"\} 1`, s.Get("/metrics"))

	require.NoError(t, s.Stop())
	require.Contains(t, s.Get("/livez"), "refused")
}
