package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// sender sends commands and remembers the first that Kafka did not take.
type sender struct {
	run    *run
	client *kgo.Client
	fail   context.CancelCauseFunc
}

// send notes the command, due at a time since the load began, and sends it.
func (s *sender) send(ctx context.Context, c message, due time.Duration) {
	s.run.book.expect(c, due)
	s.client.Produce(ctx, c.record(s.run.site.Commands), func(r *kgo.Record, err error) {
		if err != nil {
			s.fail(fmt.Errorf("send to %s: %w", s.run.site.Commands, err))
		}
		s.run.book.placed(c.Number, r.Partition)
	})
}

// sending calls do with a sender, and returns when Kafka has taken everything.
func (r *run) sending(ctx context.Context, linger time.Duration, do func(context.Context, *sender) error) error {
	const buffered = 50_000
	client, err := r.site.Connect(kgo.ProducerLinger(linger), kgo.MaxBufferedRecords(buffered), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
		kgo.RecordDeliveryTimeout(patience))
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	err = do(ctx, &sender{r, client, fail})
	if err == nil {
		err = client.Flush(ctx)
	}
	if err != nil || ctx.Err() != nil {
		return causeOf(ctx, err)
	}
	return nil
}

// sendBacklog sends all commands, as fast as it can.
func (r *run) sendBacklog(ctx context.Context) error {
	const linger = 5 * time.Millisecond
	return r.sending(ctx, linger, func(ctx context.Context, s *sender) error {
		for i := 0; i < r.plan.Commands && ctx.Err() == nil; i++ {
			s.send(ctx, r.workload.next(), 0)
			r.site.Progress("commands sent", int64(i+1))
		}
		return nil
	})
}

// sendAtRate sends each command when it is due, until the time is over. It does not wait for the
// results of earlier commands.
func (r *run) sendAtRate(ctx context.Context) error {
	return r.sending(ctx, 0, func(ctx context.Context, s *sender) error {
		end := WarmUp + r.plan.Duration
		sent, err := s.paced(ctx, 0, func(due time.Duration) bool { return due < end })
		if err != nil || r.plan.Workload != Storm {
			return err
		}
		r.storm = len(r.book.entries)
		s.send(ctx, stormCommand(r.plan.Lines, r.storm), end)
		r.skip = 1
		_, err = s.paced(ctx, sent, func(time.Duration) bool { return !r.book.done(r.storm) })
		return err
	})
}

// paced sends commands at the rate, beginning with so many that were sent before, while goOn says
// so of the time when the next one is due.
func (s *sender) paced(ctx context.Context, sent int, goOn func(due time.Duration) bool) (int, error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ; ; sent++ {
		due := time.Duration(float64(sent) / float64(s.run.plan.Rate) * float64(time.Second))
		if !goOn(due) {
			return sent, nil
		}
		timer.Reset(due - time.Since(s.run.began))
		select {
		case <-ctx.Done():
			return sent, context.Cause(ctx)
		case <-timer.C:
		}
		c := s.run.workload.next()
		c.Number += s.run.skip
		s.send(ctx, c, due)
		s.run.site.Progress("commands sent", int64(sent+1))
	}
}
