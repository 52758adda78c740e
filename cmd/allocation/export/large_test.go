package export_test

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"
)

// A product with EXPORT_EVENTS events (5,000) is exported and replayed. The log has the figures.
func TestExport_ofManyEvents(t *testing.T) {
	t.Parallel()
	events, err := strconv.Atoi(cmp.Or(os.Getenv("EXPORT_EVENTS"), "5000"))
	require.NoError(t, err)
	s := programtest.StartService(t)
	var lines strings.Builder
	sent := 0
	send := func(kind, format string, args ...any) {
		sent++
		fmt.Fprintf(&lines, `{"type":%q,"id":"cmd-%d","correlationid":"checkout-%d","data":%s}`+"\n", kind, sent, sent, fmt.Sprintf(format, args...))
	}
	for n := range events / 2 {
		if n%500 == 0 {
			send("CreateBatch", `{"ref":"batch-%d","sku":"SOFA","qty":%d,"eta":"2031-01-%02d"}`, n, 2600, n/500%28+1)
			send("ChangeBatchEta", `{"batchref":"batch-%d","sku":"SOFA"}`, n)
		}
		send("Allocate", `{"orderid":"order-%d","sku":"SOFA","qty":%d}`, n, n%9+1)
		send([]string{"Dispatch", "Deallocate"}[n%2], `{"orderid":"order-%d","sku":"SOFA"}`, max(0, n-100))
	}
	programtest.SendLines(t, s.Names.Commands, lines.String()).RequireDone(t)
	conn := testbed.Connect(t, s.DatabaseURL())
	var version int64
	testbed.Eventually(t, func() bool {
		var applied int64
		err := conn.QueryRow(t.Context(), `select (select sum(next_offset) from positions), (select version from products where sku = 'SOFA')`).Scan(&applied, &version)
		return err == nil && applied >= int64(sent)
	})

	began := time.Now()
	file, o := export(t, "SOFA")
	exported := time.Since(began)
	require.Contains(t, o.Err, "nothing differs")
	began = time.Now()
	require.Contains(t, programtest.Run(t, "replay", file, "--quiet").RequireDone(t), "nothing differs\n")
	quiet := time.Since(began)
	began = time.Now()
	programtest.Run(t, "replay", file).RequireDone(t)
	t.Logf("version %d of %d commands: exported %d MB in %s; replayed in %s, with each step printed in %s", version, sent, len(o.Out)>>20, exported, quiet, time.Since(began))
}
