package products

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/worker"
)

// newer is a command of a newer type.
func newer(c worker.Command, recordKey string) worker.Command {
	c.Type, c.Newer, c.Wait, c.Key = "", "allocation.v2.Some", time.Hour, []byte(recordKey)
	c.Refusal = &worker.Refusal{Reason: "unknown_type", Message: "it is not known"}
	return c
}

// A command of a newer type holds the product that it names: by itself, by a batch, or by its
// record's key. Another that asks for a batch that it may make waits, too.
func TestApply_aNewerCommandHoldsItsProduct(t *testing.T) {
	for name, c := range map[string]struct{ data, recordKey string }{
		"by itself":                {`{"sku":"CHAIR","ref":"b9"}`, "TABLE"},
		"by a batch":               {`{"batchref":"b1"}`, "TABLE"},
		"by the key of its record": {`{"ref":"b9"}`, "CHAIR"},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, 1)
			b.Do(
				command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`),
				command(0, "CreateBatch", `{"ref":"b2","sku":"TABLE","qty":5}`))
			applied := b.Do(
				newer(command(0, "", "%s", c.data), c.recordKey),
				command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":1}`),
				command(0, "ChangeBatchQuantity", `{"batchref":"b1","qty":1}`),
				command(0, "Allocate", `{"orderid":"o1","sku":"TABLE","qty":1}`))
			require.Equal(t, []string{"held", "held", "held", "changed"}, results(applied))
			want := "unknown_batch"
			if name != "by a batch" {
				want = ""
			}
			require.Equal(t, want, b.Do(command(0, "ChangeBatchEta", `{"batchref":"b9"}`)).Outcomes[0].Reason)
		})
	}
	b := setup(t, 1)
	applied := b.Do(newer(command(0, "", `{"batchref":"none"}`), ""))
	require.Equal(t, "unknown_type", applied.Outcomes[0].Reason, "nothing tells what to hold")
}
