package worker_test

import (
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"allocation/deploy/testbed"
)

// awaitAllCommitted waits until the group's offsets are at the ends of all its topics' partitions.
func (p *pipeline) awaitAllCommitted() {
	p.t.Helper()
	admin := kadm.NewClient(p.client)
	topics := []string{p.commands}
	for _, t := range p.topics {
		topics = append(topics, t.Name)
	}
	testbed.Eventually(p.t, func() bool {
		ends, err := admin.ListEndOffsets(p.t.Context(), topics...)
		if err != nil {
			return false
		}
		offsets, err := admin.FetchOffsets(p.t.Context(), p.group)
		if err != nil {
			return false
		}
		done := true
		ends.Each(func(end kadm.ListedOffset) {
			o, ok := offsets.Lookup(end.Topic, end.Partition)
			done = done && ok && o.At == end.Offset
		})
		return done
	})
}

// awaitEnd waits until a topic has so many records.
func (p *pipeline) awaitEnd(topic string, records int64) {
	p.t.Helper()
	admin := kadm.NewClient(p.client)
	testbed.Eventually(p.t, func() bool {
		ends, err := admin.ListEndOffsets(p.t.Context(), topic)
		require.NoError(p.t, err)
		var end int64
		ends.Each(func(o kadm.ListedOffset) { end += o.Offset })
		return end >= records
	})
}
