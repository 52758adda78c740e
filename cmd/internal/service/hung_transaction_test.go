package service_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"
)

// A producer leaves a transaction open, and a thousand commands come behind it, which nobody can
// read. They are lag, and it is said since when, and what to do. The group's offset, which
// autoscalers read, stays what is applied and published.
func TestService_countsWhatWaitsForAHungTransaction(t *testing.T) {
	t.Parallel()
	s := programtest.NewService(t)
	s.Stall = "2s"
	s.SetUp("1")
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=5000")
	s.Tail(1)
	hung := testbed.Client(t, testbed.Kafka(t), kgo.TransactionalID(s.Group), kgo.TransactionTimeout(10*time.Minute))
	require.NoError(t, hung.BeginTransaction())
	require.NoError(t, hung.ProduceSync(t.Context(), allocate(s.Names.Commands, "hung")).FirstErr())

	const behind = 1000
	producer := testbed.Client(t, testbed.Kafka(t))
	var records []*kgo.Record
	for i := range behind {
		records = append(records, allocate(s.Names.Commands, fmt.Sprint("o", i)))
	}
	require.NoError(t, producer.ProduceSync(t.Context(), records...).FirstErr())

	series := func(metric string) string {
		return fmt.Sprintf(`%s{partition="0",topic=%q} `, metric, s.Names.Commands)
	}
	s.AwaitReadyz(`200 {"ready":true,"notes":["` + s.Names.Commands + ", partition 0: 1001 records from offset 1 on wait for a producer's transaction, which has been open for ")
	require.Contains(t, s.Get("/metrics"), series("allocation_consumer_lag")+"1001\n")
	stands := regexp.MustCompile(series("allocation_stable_offset_stands_seconds") + `[1-9]`)
	testbed.Eventually(s.T, func() bool { return stands.MatchString(s.Get("/metrics")) }, "the metric says for how long")
	testbed.Eventually(t, func() bool {
		return strings.Contains(s.Log.String(), `msg="commands wait for a producer's transaction"`)
	})
	s.Offsets("list").RequireDone(t, "ok: 1001 records wait for a producer's transaction")
	position := s.Positions()[0]
	require.EqualValues(t, 1001, *position.Lag)
	require.EqualValues(t, 1001, position.Open)

	offsets, err := kadm.NewClient(producer).FetchOffsets(t.Context(), s.Group)
	require.NoError(t, err)
	at, _ := offsets.Lookup(s.Names.Commands, 0)
	require.EqualValues(t, 1, at.At)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, hung.EndTransaction(ctx, kgo.TryAbort))
	require.Len(t, s.Tail(1+behind), 1+behind)
	s.AwaitReadyz("200 {\"ready\":true}\n")
	testbed.Eventually(t, func() bool {
		metrics := s.Get("/metrics")
		return strings.Contains(metrics, series("allocation_consumer_lag")+"0\n") && strings.Contains(metrics, series("allocation_stable_offset_stands_seconds")+"0\n")
	})
}

func allocate(topic, order string) *kgo.Record {
	return &kgo.Record{
		Topic: topic, Key: []byte("CHAIR"), Value: fmt.Appendf(nil, `{"orderid":%q,"sku":"CHAIR","qty":1}`, order),
		Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("allocation.v1.Allocate")}},
	}
}
