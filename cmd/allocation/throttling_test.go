package main

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestService_saysThatAQuotaOfKafkaDelaysIt(t *testing.T) {
	s := &Service{t: t, names: newTopicNames(t), group: "group-" + uuid.NewString()}
	client := "client-" + uuid.NewString() // other tests share the brokers
	s.hooks.Kafka = []kgo.Opt{kgo.ClientID(client)}
	s.setUp("1")
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=100")
	s.tail(1)
	require.NotContains(t, s.get("/readyz"), "quota")

	admin := newAdmin(t, s.names.server(t))
	defer admin.Close()
	done, err := admin.AlterClientQuotas(t.Context(), []kadm.AlterClientQuotaEntry{{
		Entity: kadm.ClientQuotaEntity{{Type: "client-id", Name: &client}},
		Ops:    []kadm.AlterClientQuotaOp{{Key: "consumer_byte_rate", Value: 100}},
	}})
	require.NoError(t, err)
	require.NoError(t, done[0].Err)
	s.eventually("a note that names the broker", func() bool {
		s.send("ChangeBatchQuantity", "batchref=b1", "qty=90")
		return strings.Contains(s.get("/readyz"), `"notes":["kafka: a quota delays this worker: broker `)
	})
	require.Regexp(t, `allocation_kafka_throttle_seconds_total [0-9.e+]*[1-9]`, s.get("/metrics"))
	require.Contains(t, s.log.String(), "a quota of Kafka delays this worker")
}
