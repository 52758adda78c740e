package store

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"allocation/outbox"
	"allocation/worker"
)

const (
	beginRereadSQL = `
update dead_letters d set attempts = case when $3 then 1 else d.attempts + 1 end, batch_next = coalesce(d.batch_next, d.command_offset)
from positions p
where d.source = $1 and d.row_no = $2 and d.state = 'retrying' and d.batch_last is not null and p.source = coalesce(d.command_source, d.source)
returning p.source, p.topic, p.topic_id, p.partition, d.command_offset, d.batch_last, d.batch_next, coalesce(d.batch_room, 0), d.first_event, d.attempts`

	stopRereadSQL = `
update dead_letters set state = 'open', attempts = 0, batch_problem = $4
where source = $1 and row_no = $2 and state = 'retrying' and batch_next = $3`

	// A batch that is read again has its records take effect some at a time.
	rereadSQL = `
with updated as (
    update dead_letters set batch_next = $4, attempts = 0, batch_problem = null, state = case when $5 then 'retried' else state end,
        resolved_at = case when $5 then now() end
    where source = $1 and row_no = $2 and state = 'retrying' and batch_next = $3 returning 1)
select expect_count((select count(*) from updated), 1, 'batches read again')`
)

// BeginReread says how far a batch is that is read again, and counts the attempt.
func (s *Store) BeginReread(ctx context.Context, letter worker.LetterID, forget bool) (l worker.BatchLetter, err error) {
	err = s.guardedAt(ctx, "begin to read a batch again", 0, func(ctx context.Context, conn *pgxpool.Conn) error {
		return ignoreNone(conn.QueryRow(ctx, beginRereadSQL, letter.Source, letter.Row, forget).Scan(&l.From.ID, &l.From.Topic, &l.From.TopicID, &l.From.Partition,
			&l.First, &l.Last, &l.Next, &l.Room, &l.Event, &l.Attempts))
	})
	if err != nil || l.From.ID == 0 {
		return worker.BatchLetter{}, err
	}
	l.Letter = letter
	l.Event -= l.Event % worker.EventsEach // the first record's letters count in first_event, too
	return l, nil
}

// StopReread gives the decision back to the operator.
func (s *Store) StopReread(ctx context.Context, letter worker.BatchLetter, why string) error {
	return s.exec(ctx, "stop reading a batch again", stopRereadSQL, letter.Letter.Source, letter.Letter.Row, letter.Next, why)
}

// reread moves a batch that is read again, and tells Kafka when all of it is done.
func (t *txRows) reread(moves []worker.PositionMove, r *worker.Reread) {
	if t.parked.reread = r; r == nil || !r.Done {
		return
	}
	c := worker.Command{Offset: r.First, Cause: &outbox.Cause{Time: outbox.NoTime}, Parked: &worker.Parked{Letter: r.Letter, From: r.From}}
	t.parked.rereadRow = t.decide(moves, &c)
}

func queueReread(p *Pipeline, r *worker.Reread) {
	if r != nil {
		p.Execute(rereadSQL, r.Letter.Source, r.Letter.Row, r.Next, r.To, r.Done)
	}
}
