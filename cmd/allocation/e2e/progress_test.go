package e2e

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// topicPartition is a partition of a command topic.
type topicPartition struct {
	Topic     string
	Partition int32
}

// position is where a partition stands in the database.
type position struct {
	Topic        string
	Partition    int32
	NextOffset   int64
	NextRow      int64
	PublishedRow int64
}

func (a *arena) positions() map[topicPartition]position {
	a.t.Helper()
	rows, err := a.db.Query(a.t.Context(), `select topic, partition, next_offset, next_row, published_row from positions`)
	require.NoError(a.t, err)
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[position])
	require.NoError(a.t, err)
	all := map[topicPartition]position{}
	for _, p := range list {
		all[topicPartition{p.Topic, p.Partition}] = p
	}
	return all
}

// ends are the ends of the command partitions.
func (a *arena) ends() map[topicPartition]int64 {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), 10*time.Second)
	defer cancel()
	listed, err := a.admin.ListEndOffsets(ctx, a.commands...)
	require.NoError(a.t, err)
	ends := map[topicPartition]int64{}
	for topic, partitions := range listed {
		for partition, o := range partitions {
			ends[topicPartition{topic, partition}] = o.Offset
		}
	}
	return ends
}

// done reports whether everything is applied, published, saved, and reported to the group.
func (a *arena) done() bool {
	a.t.Helper()
	positions := a.positions()
	committed, err := a.admin.FetchOffsets(a.t.Context(), a.group)
	if err != nil {
		return false
	}
	for l, end := range a.ends() {
		p := positions[l]
		o, ok := committed.Lookup(l.Topic, l.Partition)
		if p.NextOffset != end || p.PublishedRow != p.NextRow || !ok || o.At != end {
			return false
		}
	}
	return true
}

// unpublished reports whether the database has rows that it does not know to be published.
func (a *arena) unpublished() bool {
	a.t.Helper()
	for _, p := range a.positions() {
		if p.PublishedRow < p.NextRow {
			return true
		}
	}
	return false
}
