package warehouse_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/storetest"
	"allocation/store/warehouse"
	"allocation/worker"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// fact is an event of another service.
func fact(sequence int64, kind, data string) worker.Command {
	c := storetest.Command(0, kind, "%s", data)
	c.Taken, c.Sequence = true, sequence
	return c
}

func task(name, data string) worker.Command { return storetest.Command(0, name, "%s", data) }

// What the warehouse does is published, and what stock and the warehouse itself have to do is sent
// to the partition of the article.
func TestService(t *testing.T) {
	b := storetest.New(t, warehouse.Service, 1)
	applied := b.Do(
		task("AnnounceShipment", `{"sku":"CHAIR","shipment":1,"qty":9}`),
		fact(1, "BatchCreated", `{"ref":"CHAIR.1","sku":"CHAIR","qty":9}`),
		fact(2, "Allocated", `{"orderid":"alice.1","lineid":"1","sku":"CHAIR","qty":3,"batchref":"CHAIR.1"}`),
		fact(1, "BatchCreated", `{"ref":"CHAIR.1","sku":"CHAIR","qty":9}`),
		fact(4, "OrderReady", `{"customerid":"alice","orderid":"alice.1","lines":[{"sku":"CHAIR","lineid":"1","qty":3,"batchref":"CHAIR.1","fact":2}]}`),
	)
	require.Equal(t, []string{"changed", "no_effect", "no_effect", "ignored", "changed"}, storetest.Results(applied))
	require.Equal(t, []string{
		`1 ShipmentAnnounced {"sku":"CHAIR","batchref":"CHAIR.1","qty":9}`,
		`0 CreateBatch {"sku":"CHAIR","ref":"CHAIR.1","qty":9}`,
		`0 PickLine {"sku":"CHAIR","batchref":"CHAIR.1","orderid":"alice.1","lineid":"1","fact":2}`,
	}, storetest.Says(applied.Rows[0]))
	pick := applied.Rows[0][2]
	require.Equal(t, []string{"alice", "CHAIR", "alice.1", "alice.1"}, []string{pick.Key, pick.RecordKey, pick.Subject, pick.Cause.CorrelationID})

	rows := b.Do(task("PickLine", string(pick.Value)), task("ReportDamage", `{"sku":"CHAIR","shipment":1,"report":"r","qty":2}`)).Rows[0]
	require.Equal(t, []string{
		`2 LinePicked {"sku":"CHAIR","batchref":"CHAIR.1","orderid":"alice.1","lineid":"1","qty":3}`,
		`0 Dispatch {"sku":"CHAIR","orderid":"alice.1","lineid":"1"}`,
		`3 GoodsLost {"sku":"CHAIR","batchref":"CHAIR.1","qty":2,"reason":"damaged"}`,
	}, storetest.Says(rows))
	rows = b.Do(fact(3, "Dispatched", `{"orderid":"alice.1","lineid":"1","sku":"CHAIR","qty":3,"batchref":"CHAIR.1"}`)).Rows[0]
	require.Equal(t, []string{
		`4 LineShipped {"sku":"CHAIR","batchref":"CHAIR.1","orderid":"alice.1","lineid":"1","qty":3}`,
		`0 ChangeBatchQuantity {"sku":"CHAIR","batchref":"CHAIR.1","qty":4,"revision":0}`,
		`0 ChangeBatchQuantity {"sku":"CHAIR","batchref":"CHAIR.1","qty":4,"revision":1}`,
	}, storetest.Says(rows))
}

// Operators read batches by SQL, and by revision what stock was told. The rows of customers are not
// looked at.
func TestLedgerBatches(t *testing.T) {
	b := storetest.New(t, warehouse.Service, 1)
	b.Do(
		task("AnnounceShipment", `{"sku":"CHAIR","shipment":1,"qty":9}`), task("ReportDamage", `{"sku":"CHAIR","shipment":1,"report":"r","qty":2}`),
		task("AnnounceShipment", `{"sku":"LAMP","shipment":1,"qty":5,"eta":"2030-01-01"}`),
		fact(4, "OrderReady", `{"customerid":"alice","orderid":"alice.1","lines":[{"sku":"CHAIR","lineid":"1","qty":3,"batchref":"CHAIR.1","fact":2}]}`),
	)
	operator := b.As("allocation_operator")
	require.NoError(t, operator.CheckSchema(t.Context()))
	articles, err := warehouse.Articles(t.Context(), operator)
	require.NoError(t, err)
	require.Len(t, articles, 2)
	require.Equal(t, "CHAIR", articles[0].SKU)
	require.EqualValues(t, 7, articles[0].Batches[0].Shelf())
	articles, err = warehouse.Articles(t.Context(), operator, "LAMP", "SOFA")
	require.NoError(t, err)
	require.Len(t, articles, 1)
	require.Equal(t, "2030-01-01", articles[0].Batches[0].ETA)

	rows, err := operator.Query(t.Context(), `select ref || ' ' || received || ' ' || lost || ' ' || arrived from ledger_batches(null) order by 1`)
	require.NoError(t, err)
	var said []string
	for rows.Next() {
		var line string
		require.NoError(t, rows.Scan(&line))
		said = append(said, line)
	}
	require.NoError(t, rows.Err())
	require.Equal(t, []string{"CHAIR.1 9 2 true", "LAMP.1 5 0 false"}, said)
	for revision, want := range map[string]int{"null": 0, "-1": 0, "0": 2, "1": 2} {
		require.Equal(t, want, b.Count(`select lost_at(told, `+revision+`) from ledger_batches('CHAIR')`))
	}
	require.True(t, storetest.Ask[bool](b, `select lost_at('[{"revision":4,"lost":1}]', 3) is null`))
}

// A fact without a sequence is refused by what it has in place of it.
func TestFact_namesTheSequence(t *testing.T) {
	t.Parallel()
	for text, is := range map[string]string{"": "missing, or no text of at most 255 bytes", "x": `"x"`} {
		_, mine, refusal := warehouse.Rules.Fact(&worker.Command{Taken: true, Type: "OrderReady", SequenceText: text, Data: []byte(`{"customerid":"a","orderid":"a.1"}`)})
		require.True(t, mine)
		require.Equal(t, &worker.Refusal{Reason: "malformed", Message: "OrderReady: ce_sequence is " + is + "; it must be an integer from 1 to 9223372036854775807"}, refusal)
	}
}
