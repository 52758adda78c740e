package e2e

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Random commands through two workers, checked against the naive model of the checker: the same
// events in the order that their sequences tell, first appearances in sequence, repeats byte for
// byte equal, the tables as the events add up. MODEL_COMMANDS is how many.
func TestWorker_doesWhatTheModelDoes(t *testing.T) {
	for name, anyKey := range map[string]bool{"commands of a product by one partition": false, "any key, two topics": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := setup(t, modelPartitions)
			last := a.runModel(&generator{Rand: random(t), anyKey: anyKey, topics: a.commands}, number(t, "MODEL_COMMANDS", "4000"))
			a.check(time.Minute)
			last.stop()
			a.check(0)
		})
	}
}

const modelPartitions = 4

// runModel sends random commands while workers come and go, two of them most of the time, and
// returns the last.
func (a *arena) runModel(g *generator, commands int) *process {
	a.t.Helper()
	const rounds = 4
	first := a.start("worker-0", "")
	first.awaitClaim()
	for i := range rounds {
		second := a.start(fmt.Sprint("worker-", 1+i), "")
		records := make([]*kgo.Record, commands/rounds)
		for i := range records {
			records[i] = g.next()
		}
		require.NoError(a.t, a.client.ProduceSync(a.t.Context(), records...).FirstErr())
		second.awaitClaim()
		first.stop()
		first = second
	}
	return first
}

// generator makes commands that meet each other: few products, batches and orders, small
// quantities, and repeats.
type generator struct {
	*rand.Rand
	anyKey bool
	topics []string
	sent   []*kgo.Record
}

func (g *generator) next() *kgo.Record {
	if len(g.sent) > 0 && g.IntN(10) == 0 {
		return g.repeat()
	}
	sku := g.IntN(6)
	commandType, data := g.command(sku)
	r := &kgo.Record{Value: []byte(data), Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v1." + commandType)}}}
	if g.IntN(4) > 0 {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: "ce_id", Value: fmt.Appendf(nil, "c-%d", len(g.sent))})
	}
	r.Key = fmt.Appendf(nil, "S%d", sku)
	r.Topic, r.Partition = g.topics[0], int32(sku%modelPartitions)
	if g.anyKey {
		g.misplace(r)
	}
	kept := *r // the client writes into what it sends
	g.sent = append(g.sent, &kept)
	return r
}

// repeat sends an earlier command again.
func (g *generator) repeat() *kgo.Record {
	old := g.sent[g.IntN(len(g.sent))]
	r := &kgo.Record{Topic: old.Topic, Partition: old.Partition, Key: old.Key, Value: old.Value, Headers: old.Headers}
	if g.anyKey {
		g.misplace(r)
	}
	return r
}

// misplace gives a command any topic, partition and key.
func (g *generator) misplace(r *kgo.Record) {
	r.Topic, r.Partition, r.Key = g.topics[g.IntN(len(g.topics))], int32(g.IntN(modelPartitions)), nil
	if g.IntN(2) == 0 {
		r.Key = fmt.Appendf(nil, "k%d", g.IntN(100))
	}
}

func (g *generator) command(sku int) (commandType, data string) {
	// Batches belong to products by number, but for a few commands that mix them up.
	batch := sku + 6*g.IntN(8)
	if g.IntN(20) == 0 {
		batch = g.IntN(50)
	}
	order := fmt.Sprintf(`"orderid":"o%d","sku":"S%d"%s`, g.IntN(150), sku, g.oneOf(``, ``, ``, `,"lineid":"1"`, `,"lineid":null`))
	switch g.IntN(20) {
	case 0, 1:
		return "CreateBatch", fmt.Sprintf(`{"ref":"b%d","sku":"S%d","qty":%d%s}`, batch, sku, g.IntN(40), g.eta())
	case 2, 3, 4:
		extra := g.oneOf(``, ``, `,"revision":`+fmt.Sprint(g.IntN(50)), fmt.Sprintf(`,"sku":"S%d"`, sku))
		return "ChangeBatchQuantity", fmt.Sprintf(`{"batchref":"b%d","qty":%d%s}`, batch, g.IntN(40), extra)
	case 5:
		return "ChangeBatchEta", fmt.Sprintf(`{"batchref":"b%d"%s}`, batch, g.eta())
	case 6, 7, 8:
		return "Deallocate", `{` + order + `}`
	case 9, 10:
		return "Dispatch", `{` + order + `}`
	case 11:
		return g.oneOf("Allocate", "Nope"), g.oneOf(`{}`, `x`, `{"orderid":"","sku":"S","qty":1}`)
	default:
		return "Allocate", fmt.Sprintf(`{%s,"qty":%d}`, order, 1+g.IntN(9))
	}
}

func (g *generator) eta() string {
	return g.oneOf(``, `,"eta":null`, `,"eta":"2030-01-01"`, `,"eta":"2030-01-02"`, `,"eta":"2029-12-31"`)
}

func (g *generator) oneOf(texts ...string) string { return texts[g.IntN(len(texts))] }
