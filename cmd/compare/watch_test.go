package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/compare/contest"
)

func TestWatch_findsWhatIsWrong(t *testing.T) {
	w := newWorkload(100, true)
	right := func(i int) contest.Allocated { return contest.Allocated{Command: w.command(i), BatchRef: batchRef(0)} }
	otherQty, otherBatch, unknown := right(1), right(1), right(1)
	otherQty.Qty, otherBatch.BatchRef, unknown.OrderID = 2, batchRef(1), "order-100"
	for name, test := range map[string]struct {
		records []*kgo.Record
		want    string
	}{
		"right":        {[]*kgo.Record{event(t, right(0), "a"), event(t, right(1), "b")}, ""},
		"repeated":     {[]*kgo.Record{event(t, right(0), "a"), event(t, right(0), "a")}, ""},
		"quantity":     {[]*kgo.Record{event(t, otherQty, "a")}, "it must be"},
		"batch":        {[]*kgo.Record{event(t, otherBatch, "a")}, "it must be"},
		"nobody's":     {[]*kgo.Record{event(t, unknown, "a")}, "nobody placed"},
		"out of order": {[]*kgo.Record{event(t, right(1), "a"), event(t, right(0), "b")}, "the event of order 0 comes after that of order 1"},
	} {
		found := newWatch(w)
		var err error
		for _, r := range test.records {
			if err == nil {
				err = found.note(r, time.Now())
			}
		}
		if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v; want %q", name, err, test.want)
		}
		if name == "repeated" && found.orders != 1 {
			t.Errorf("%d orders", found.orders)
		}
	}
}

func event(t *testing.T, e contest.Allocated, id string) *kgo.Record {
	t.Helper()
	value, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return &kgo.Record{Key: []byte(e.SKU), Value: value, Timestamp: time.Now(), Headers: []kgo.RecordHeader{
		{Key: "ce_type", Value: []byte(contest.AllocatedType)}, {Key: "ce_id", Value: []byte(id)},
	}}
}
