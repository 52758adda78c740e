package programtest

import (
	"encoding/json"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/operate/offsets"
	"allocation/deploy/testbed"
	"allocation/store"
)

// Verify runs verify.
func (s *Service) Verify(args ...string) Outcome {
	s.T.Helper()
	return Run(s.T, append([]string{"verify", "--kafka-brokers=" + testbed.Kafka(s.T), "--events-topic=" + s.Names.Events}, args...)...)
}

// Execute runs statements as the owner of the tables.
func (s *Service) Execute(statements string) {
	s.T.Helper()
	Administer(s.T, s.DatabaseURL(), statements)
}

// AwaitAtRest returns when n rows are in the outbox, published, and known to be so.
func (s *Service) AwaitAtRest(n int64) {
	s.T.Helper()
	conn := testbed.Connect(s.T, s.DatabaseURL())
	testbed.Eventually(s.T, func() bool {
		var next, published int64
		err := conn.QueryRow(s.T.Context(), `select sum(next_row), sum(published_row) from positions`).Scan(&next, &published)
		return err == nil && next == n && published == n
	})
}

// DLQ runs a command of dlq.
func (s *Service) DLQ(args ...string) Outcome {
	return Run(s.T, append([]string{"dlq"}, args...)...)
}

// AwaitLetters waits until a list has so many dead letters.
func (s *Service) AwaitLetters(want int, filter ...string) []store.Letter {
	s.T.Helper()
	var list store.LetterList
	testbed.Eventually(s.T, func() bool {
		list = store.LetterList{}
		require.NoError(s.T, json.Unmarshal([]byte(s.DLQ(append([]string{"list", "--json"}, filter...)...).RequireDone(s.T)), &list))
		return len(list.Letters) == want
	}, "%d dead letters", want)
	return list.Letters
}

// Produce sends a record as it is.
func (s *Service) Produce(r *kgo.Record) {
	s.T.Helper()
	r.Topic = s.Names.Commands
	require.NoError(s.T, testbed.Client(s.T, testbed.Kafka(s.T)).ProduceSync(s.T.Context(), r).FirstErr())
}

// Offsets runs a command of offsets.
func (s *Service) Offsets(args ...string) Outcome {
	s.T.Helper()
	return Run(s.T, append(append([]string{"offsets"}, args...), "--kafka-brokers="+testbed.Kafka(s.T))...)
}

// Positions are the positions, by partition.
func (s *Service) Positions() map[int32]offsets.Position {
	s.T.Helper()
	var list []offsets.Position
	require.NoError(s.T, json.Unmarshal([]byte(s.Offsets("list", "--json").RequireDone(s.T)), &list))
	byPartition := map[int32]offsets.Position{}
	for _, l := range list {
		byPartition[l.Partition] = l
	}
	return byPartition
}

// Busy is the partition that the product's commands came by.
func (s *Service) Busy() offsets.Position {
	for _, l := range s.Positions() {
		if l.Position > 0 {
			return l
		}
	}
	return offsets.Position{}
}

// DeleteBefore deletes a partition's records before an offset.
func (s *Service) DeleteBefore(partition int32, offset int64) {
	s.T.Helper()
	below := kadm.Offsets{}
	below.AddOffset(s.Names.Commands, partition, offset, -1)
	_, err := testbed.Admin(s.T, testbed.Kafka(s.T)).DeleteRecords(s.T.Context(), below)
	require.NoError(s.T, err)
}

// Poison makes commands fail whose order is called so.
func (s *Service) Poison() {
	s.Execute(`
create function poison() returns trigger language plpgsql as $$ begin if new.orderid like 'poison%' then raise exception 'odd'; end if; return new; end $$;
create trigger poison before insert on lines for each row execute function poison()`)
}
