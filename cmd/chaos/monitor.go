package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kadm"
)

// topicPartition is a partition of a command topic.
type topicPartition struct {
	topic     string
	partition int32
}

func (l topicPartition) String() string { return fmt.Sprintf("%s.%d", l.topic, l.partition) }

// position is where a partition stands in the database.
type position struct {
	nextOffset   int64
	nextRow      int64
	publishedRow int64
}

// monitor watches positions advance.
type monitor struct {
	campaign *campaign
	lag      atomic.Int64 // commands that are acknowledged and not applied
	moved    map[topicPartition]time.Time
	last     map[topicPartition]position
}

func newMonitor(c *campaign) *monitor {
	return &monitor{campaign: c, moved: map[topicPartition]time.Time{}, last: map[topicPartition]position{}}
}

// run looks again and again. While the database does not answer, nothing moves.
func (m *monitor) run(ctx context.Context) {
	const look, tell = 400 * time.Millisecond, 30 * time.Second
	told := time.Now()
	for rest(ctx, look) {
		now, err := m.positions(ctx)
		if err == nil {
			m.see(now, time.Now(), m.stable(ctx))
		}
		if time.Since(told) > tell {
			told = time.Now()
			m.campaign.say("%d commands sent, lag %d, %d workers", m.campaign.load.sent.Load(), m.lag.Load(), len(m.campaign.herd.all()))
		}
	}
	for l, from := range m.moved { // what still stands still, has done so until now
		m.campaign.journal.stall(l, from, time.Now())
	}
}

// see compares positions with what they were. A partition stands still from when it last moved, or
// got its work, until it moves. What lies behind the open transaction of a producer is no work yet,
// nor what has no leader.
func (m *monitor) see(now map[topicPartition]position, at time.Time, stable map[topicPartition]int64) {
	lag := int64(0)
	for l, end := range m.campaign.load.acked.ends() {
		if known, ok := stable[l]; ok {
			end = min(end, known)
		} else if l.topic == quantityTopic { // kept once: its broker is away
			end = min(end, now[l].nextOffset)
		}
		waits := end - now[l].nextOffset
		lag += max(0, waits)
		if now[l].nextOffset != m.last[l].nextOffset || m.moved[l].IsZero() {
			if from := m.moved[l]; !from.IsZero() {
				m.campaign.journal.stall(l, from, at)
			}
			m.moved[l] = at
		}
		if waits <= 0 {
			m.moved[l] = at
		}
	}
	m.last = now
	m.lag.Store(lag)
}

// stable asks Kafka how far consumers may read. A partition that it does not answer for is left
// out.
func (m *monitor) stable(ctx context.Context) map[topicPartition]int64 {
	const patience = time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	listed, _ := m.campaign.admin.ListCommittedOffsets(ctx, commandTopic, quantityTopic) // an error leaves partitions out
	offsets := map[topicPartition]int64{}
	listed.Each(func(o kadm.ListedOffset) {
		if o.Err == nil {
			offsets[topicPartition{o.Topic, o.Partition}] = o.Offset
		}
	})
	return offsets
}

// positions asks the primary.
func (m *monitor) positions(ctx context.Context) (map[topicPartition]position, error) {
	const patience = 2 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	all := map[topicPartition]position{}
	return all, m.campaign.connected(ctx, database, func(conn *pgx.Conn) error {
		var l topicPartition
		var p position
		rows, _ := conn.Query(ctx, "select topic, partition, next_offset, next_row, published_row from positions") // its error comes with the rows
		_, err := pgx.ForEachRow(rows, []any{&l.topic, &l.partition, &p.nextOffset, &p.nextRow, &p.publishedRow}, func() error {
			all[l] = p
			return nil
		})
		return err
	})
}
