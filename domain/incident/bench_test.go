package incident_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain/incident"
)

// large is the file of a product with so many events: batches, lines that wait, are served, leave
// and are cancelled, and changes of quantities that move lines.
func large(tb testing.TB, events int64) []byte {
	tb.Helper()
	replay, err := incident.NewReplay("SOFA", nil)
	require.NoError(tb, err)
	var commands []*incident.Command
	do := func(kind, format string, args ...any) {
		n := len(commands)
		c := &incident.Command{
			Type: kind, Data: fmt.Appendf(nil, format, args...), Position: fmt.Sprintf("warehouse.commands.3.%d", n), ID: fmt.Sprintf("command-%d", n),
			Correlation: fmt.Sprintf("checkout-%d", n),
		}
		c.Outcome, err = replay.Apply(c)
		require.NoError(tb, err)
		commands = append(commands, c)
	}
	for n := 0; replay.Version() < events; n++ {
		if n%50 == 0 {
			do("CreateBatch", `{"ref":"batch-%d","sku":"SOFA","qty":%d,"eta":"2031-01-%02d"}`, n, 200, n/50%28+1)
			do("ChangeBatchEta", `{"batchref":"batch-%d","sku":"SOFA"}`, max(0, n-200))
			do("ChangeBatchQuantity", `{"batchref":"batch-%d","sku":"SOFA","qty":%d}`, max(0, n-100), n%180)
		}
		do("Allocate", `{"orderid":"order-%d","sku":"SOFA","qty":%d}`, n, n%9+1)
		switch n % 4 {
		case 0:
			do("Dispatch", `{"orderid":"order-%d","sku":"SOFA"}`, max(0, n-300))
		case 1:
			do("Deallocate", `{"orderid":"order-%d","sku":"SOFA"}`, max(0, n-150))
		}
	}
	p := &past{product: incident.Product{SKU: "SOFA", Version: replay.Version()}, commands: commands}
	return p.file(tb, &incident.State{}, 0, nil)
}

func BenchmarkReplay_100000Events(b *testing.B) {
	file := large(b, 100_000)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		c := &incident.Checker{}
		require.NoError(b, c.Check(bytes.NewReader(file)))
	}
}
