package main

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// kafkaHook strikes at what a Kafka client does.
type kafkaHook struct{ fault *fault }

func (f *fault) hook() kgo.Opt { return kgo.WithHooks(&kafkaHook{f}) }

var (
	_ kgo.HookBrokerWrite           = (*kafkaHook)(nil)
	_ kgo.HookBrokerRead            = (*kafkaHook)(nil)
	_ kgo.HookFetchRecordUnbuffered = (*kafkaHook)(nil)
)

const produceKey = 0

// OnBrokerWrite strikes when a produce request was sent.
func (h *kafkaHook) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if key == produceKey && err == nil {
		h.fault.reach(atProduce)
	}
}

// OnBrokerRead strikes when the answer to a produce request was read, and nobody knows it yet.
func (h *kafkaHook) OnBrokerRead(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if key == produceKey && err == nil {
		h.fault.reach(atProduced)
	}
}

// OnFetchRecordUnbuffered strikes when a poll takes records.
func (h *kafkaHook) OnFetchRecordUnbuffered(_ *kgo.Record, polled bool) {
	if polled {
		h.fault.reach(atPoll)
	}
}
