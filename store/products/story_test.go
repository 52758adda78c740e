package products

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed/storetest"
	"allocation/store"
	"allocation/worker"
)

// told are events as text.
func told(events []store.EventView) (out []string) {
	for _, e := range events {
		out = append(out, fmt.Sprintf("%d %s %s", e.Sequence, e.Type, e.Data))
	}
	return out
}

func story(b *storetest.Bench, order string) LineStory {
	b.T.Helper()
	s, err := View{b.Store}.OrderStory(b.T.Context(), order, "", 100)
	require.NoError(b.T, err)
	require.Len(b.T, s.Lines, 1)
	return s.Lines[0]
}

func TestOrderStory_followsHistoryOverPartitions(t *testing.T) {
	b := setup(t, 2)
	b.Do(
		command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`),
		command(0, "CreateBatch", `{"ref":"b2","sku":"CHAIR","qty":50,"eta":"2030-01-01"}`),
		command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`))
	b.Do(command(1, "ChangeBatchQuantity", `{"batchref":"b1","qty":5}`))
	b.Do(command(0, "Deallocate", `{"orderid":"o1","sku":"CHAIR"}`))

	line := story(b.Bench, "o1")
	require.Equal(t, "cancelled", line.State)
	require.NotNil(t, line.PlacedAt)
	require.False(t, line.Cut)
	require.Equal(t, []string{
		`3 Allocated {"orderid":"o1","sku":"CHAIR","qty":20,"batchref":"b1"}`,
		`5 Deallocated {"orderid":"o1","sku":"CHAIR","qty":20,"batchref":"b1","reason":"batch_reduced"}`,
		`6 Allocated {"orderid":"o1","sku":"CHAIR","qty":20,"batchref":"b2"}`,
		`7 Deallocated {"orderid":"o1","sku":"CHAIR","qty":20,"batchref":"b2","reason":"cancelled"}`,
	}, told(line.Events))
	var causes []string
	for _, e := range line.Events {
		require.Equal(t, "test", e.Worker)
		require.WithinDuration(t, time.Now(), *e.Committed, time.Minute)
		require.NotNil(t, e.Cause.Time)
		require.False(t, e.Published)
		causes = append(causes, e.Cause.ID.String()+" "+e.Cause.First.Type)
	}
	require.Equal(t, []string{"commands.0.2 Allocated", "commands.1.0 BatchQuantityChanged", "commands.1.0 BatchQuantityChanged", "commands.0.3 Deallocated"}, causes)
	require.JSONEq(t, `{"was_qty":50}`, string(line.Events[1].Cause.First.Note))
	require.JSONEq(t, `{"passed_over":[{"ref":"b1","available":5}]}`, string(line.Events[2].Note))
}

func TestOrderStory_saysThatItIsCut(t *testing.T) {
	b := setup(t, 1)
	b.Do(
		command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`),
		command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`),
		command(0, "Dispatch", `{"orderid":"o1","sku":"CHAIR"}`))
	b.Exec(`delete from outbox where type = 'Allocated'`)
	line := story(b.Bench, "o1")
	require.True(t, line.Cut)
	require.Len(t, line.Events, 1)
	require.Equal(t, "dispatched", line.State)

	b.Exec(`delete from outbox`)
	line = story(b.Bench, "o1")
	require.True(t, line.Cut)
	require.Empty(t, line.Events)
}

func TestOrderStory_saysWhatALineWaitsForAndWhyItStays(t *testing.T) {
	b := setup(t, 1)
	b.Do(
		command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":5}`),
		command(0, "CreateBatch", `{"ref":"b2","sku":"CHAIR","qty":12,"eta":"2030-01-01"}`),
		command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":30}`),
		command(0, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":40}`),
		command(0, "Allocate", `{"orderid":"o3","sku":"CHAIR","qty":30}`),
		command(0, "Allocate", `{"orderid":"o4","sku":"CHAIR","qty":6}`))
	line := story(b.Bench, "o3")
	require.EqualValues(t, 2, line.Before)
	require.Equal(t, []string{"b2", "b1"}, []string{line.Most[0].Ref, line.Most[1].Ref})
	require.EqualValues(t, 6, line.Most[0].Available)
	require.Zero(t, story(b.Bench, "o1").Before)

	require.Nil(t, story(b.Bench, "o4").Better, "b1 comes first, and has too little")
	b.Do(command(0, "ChangeBatchQuantity", `{"batchref":"b1","qty":7}`))
	line = story(b.Bench, "o4")
	require.Equal(t, []string{"b2", "2030-01-01", "b1"}, []string{line.BatchRef, line.ETA, line.Better.Ref})
}

// Lines in front of one are counted up to a bound, over all quantities together.
func TestOrderStory_boundsWhatItCounts(t *testing.T) {
	b := setup(t, 1)
	commands := []worker.Command{command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":0}`)}
	for i := range MaxBefore + 100 {
		commands = append(commands, command(0, "Allocate", `{"orderid":"o%d","sku":"CHAIR","qty":%d}`, i, i%2+1))
	}
	b.Do(commands...)
	require.EqualValues(t, MaxBefore, story(b.Bench, fmt.Sprintf("o%d", MaxBefore+99)).Before)
	require.EqualValues(t, 500, story(b.Bench, "o500").Before)
}

// A batch's history has what changed its quantity. A dispatch does, though it is about a line.
func TestBatchStory(t *testing.T) {
	b := setup(t, 2)
	b.Do(
		command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50,"eta":"2030-01-01"}`),
		command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`),
		command(0, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":20}`))
	b.Do(command(1, "ChangeBatchEta", `{"batchref":"b1"}`))
	b.Do(command(0, "Dispatch", `{"orderid":"o1","sku":"CHAIR"}`), command(0, "ChangeBatchQuantity", `{"batchref":"b1","qty":5}`))
	s, err := View{b.Store}.BatchStory(t.Context(), "b1", 100)
	require.NoError(t, err)
	require.False(t, s.Cut)
	require.Equal(t, []string{
		`1 BatchCreated {"ref":"b1","sku":"CHAIR","qty":50,"eta":"2030-01-01"}`,
		`4 BatchEtaChanged {"batchref":"b1","sku":"CHAIR"}`,
		`5 Dispatched {"orderid":"o1","sku":"CHAIR","qty":20,"batchref":"b1"}`,
		`6 BatchQuantityChanged {"batchref":"b1","sku":"CHAIR","qty":5}`,
	}, told(s.Events))
	require.Equal(t, map[string]int64{"Deallocated": 1, "OutOfStock": 1}, s.Events[3].Effects)
	require.Nil(t, s.Events[0].Effects)
	require.Equal(t, []string{
		`3 Allocated {"orderid":"o2","sku":"CHAIR","qty":20,"batchref":"b1"}`,
		`7 Deallocated {"orderid":"o2","sku":"CHAIR","qty":20,"batchref":"b1","reason":"batch_reduced"}`,
		`8 OutOfStock {"orderid":"o2","sku":"CHAIR","qty":20}`,
	}, told(story(b.Bench, "o2").Events), "its line's own history")

	b.Exec(`update batches set last_source = null`)
	s, err = View{b.Store}.BatchStory(t.Context(), "b1", 100)
	require.NoError(t, err)
	require.True(t, s.Cut, "a worker of an older version made it")
	_, err = View{b.Store}.BatchStory(t.Context(), "nope", 100)
	require.ErrorIs(t, err, store.ErrUnknown)
}

func TestProductStory(t *testing.T) {
	b := setup(t, 2)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`), command(0, "CreateBatch", `{"ref":"c1","sku":"LAMP","qty":50}`))
	for i := range 6 {
		b.Do(command(i%2, "Allocate", `{"orderid":"o%d","sku":"CHAIR","qty":1}`, i))
	}
	s, err := View{b.Store}.ProductStory(t.Context(), "CHAIR", time.Now().UTC().Truncate(24*time.Hour), 100)
	require.NoError(t, err)
	require.False(t, s.Cut)
	var sequence []int64
	for _, e := range s.Events {
		sequence = append(sequence, e.Sequence)
	}
	require.Equal(t, []int64{1, 2, 3, 4, 5, 6, 7}, sequence)
	s, err = View{b.Store}.ProductStory(t.Context(), "CHAIR", time.Now().UTC().Truncate(24*time.Hour), 3)
	require.NoError(t, err)
	require.True(t, s.Cut)
	require.Len(t, s.Events, 3)
	require.EqualValues(t, 5, s.Events[0].Sequence)
	text, err := json.Marshal(s)
	require.NoError(t, err)
	require.Contains(t, string(text), `"position":"commands.0.`)
}
