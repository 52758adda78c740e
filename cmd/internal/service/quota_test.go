package service_test

import (
	"strings"
	"testing"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestService_saysThatAQuotaOfKafkaDelaysIt(t *testing.T) {
	t.Parallel()
	s := programtest.NewService(t)
	client := "client-" + s.Group // other tests share the brokers
	s.Hooks.Kafka = []kgo.Opt{kgo.ClientID(client)}
	s.SetUp("1")
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=100")
	s.Tail(1)
	require.NotContains(t, s.Get("/readyz"), "quota")

	done, err := testbed.Admin(t, testbed.Kafka(t)).AlterClientQuotas(t.Context(), []kadm.AlterClientQuotaEntry{{
		Entity: kadm.ClientQuotaEntity{{Type: "client-id", Name: &client}},
		Ops:    []kadm.AlterClientQuotaOp{{Key: "consumer_byte_rate", Value: 100}},
	}})
	require.NoError(t, err)
	require.NoError(t, done[0].Err)
	testbed.Eventually(s.T, func() bool {
		s.Send("ChangeBatchQuantity", "batchref=b1", "qty=90")
		return strings.Contains(s.Get("/readyz"), `"notes":["kafka: a quota delays this worker: broker `)
	}, "a note that names the broker")
	require.Regexp(t, `allocation_kafka_throttle_seconds_total [0-9.e+]*[1-9]`, s.Get("/metrics"))
	require.Contains(t, s.Log.String(), "a quota of Kafka delays this worker")
}
