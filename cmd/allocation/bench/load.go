package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/language"
	"allocation/cmd/internal/operate/send"
)

// send sends what do gives it, and returns when Kafka has taken everything.
func (r *run) send(ctx context.Context, linger time.Duration, do func(put func(message)) error) error {
	const buffered = 50_000
	client, err := r.connect(kgo.ProducerLinger(linger), kgo.MaxBufferedRecords(buffered), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
		kgo.RecordDeliveryTimeout(patience))
	if err != nil {
		return err
	}
	defer client.Close()
	err = do(func(c message) {
		record := language.Products.Record(&send.Message{Command: c.Type, Data: []byte(c.Data), ID: idPrefix + strconv.Itoa(c.Number), Key: c.SKU}, r.commands, "/allocation/send")
		client.Produce(ctx, record, func(sent *kgo.Record, err error) {
			if err != nil {
				r.fail(fmt.Errorf("send to %s: %w", r.commands, err))
			}
			r.book.placed(c.Number, sent.Partition)
		})
	})
	if err != nil {
		return err
	}
	return client.Flush(ctx)
}

// backlogLinger gathers commands that are sent as fast as possible.
const backlogLinger = 5 * time.Millisecond

// sendStock sends the commands of what is there from the start.
func (r *run) sendStock(ctx context.Context) error {
	return r.send(ctx, backlogLinger, func(put func(message)) error {
		sent := 0
		for c := range r.plan.stock() {
			sent++
			c.Number = -sent
			r.book.stock(c)
			put(c)
			r.line.Show("commands sent of what is there from the start", int64(sent))
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		return nil
	})
}

// next makes the next command of the workload, due at a time since the load began.
func (r *run) next(due time.Duration) message {
	return r.book.expect(r.workload(len(r.book.entries)), due)
}

// sendBacklog sends all commands, as fast as it can.
func (r *run) sendBacklog(ctx context.Context) error {
	return r.send(ctx, backlogLinger, func(put func(message)) error {
		for i := 0; i < r.plan.commands && ctx.Err() == nil; i++ {
			put(r.next(0))
			r.line.Show("commands sent", int64(i+1))
		}
		return ctx.Err()
	})
}

// sendAtRate sends each command when it is due, until the time is over. It does not wait for the
// results of earlier commands.
func (r *run) sendAtRate(ctx context.Context) error {
	return r.send(ctx, 0, func(put func(message)) error {
		sent, err := r.paced(ctx, put, 0, func(due time.Duration) bool { return due < r.plan.end() })
		if err != nil || r.plan.workload != storm {
			return err
		}
		r.storm = len(r.book.entries)
		put(r.book.expect(stormCommand(r.plan.lines), r.plan.end()))
		_, err = r.paced(ctx, put, sent, func(time.Duration) bool { return !r.book.done(r.storm) })
		return err
	})
}

// paced sends commands at the rate, beginning with so many that were sent before, while goOn says
// so of the time when the next one is due.
func (r *run) paced(ctx context.Context, put func(message), sent int, goOn func(due time.Duration) bool) (int, error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ; ; sent++ {
		due := time.Duration(float64(sent) / float64(r.plan.rate) * float64(time.Second))
		if !goOn(due) {
			return sent, nil
		}
		timer.Reset(due - time.Since(r.began))
		select {
		case <-ctx.Done():
			return sent, ctx.Err()
		case <-timer.C:
		}
		put(r.next(due))
		r.line.Show("commands sent", int64(sent+1))
	}
}

// readAll reads the events of the commands into the book until all came.
func (r *run) readAll(ctx context.Context, all func() bool) error {
	client, err := r.connect(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{r.events: r.eventStarts}))
	if err != nil {
		return err
	}
	defer client.Close()
	moved := time.Now()
	for read := int64(0); !all(); {
		n, err := r.readSome(ctx, client)
		if err != nil {
			return err
		}
		if n > 0 {
			moved = time.Now()
		}
		if time.Since(moved) > patience {
			return fmt.Errorf("no event came for %s: %w", patience, r.book.missing())
		}
		read += n
		r.line.Show("events read", read)
	}
	return nil
}

// readSome reads what is there, or comes soon.
func (r *run) readSome(ctx context.Context, client *kgo.Client) (n int64, err error) {
	const soon = 250 * time.Millisecond
	wait, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	fetches := client.PollFetches(wait)
	at := time.Since(r.began)
	for _, e := range fetches.Errors() {
		if ctx.Err() != nil || !errors.Is(e.Err, context.DeadlineExceeded) {
			return 0, fmt.Errorf("read %s: %w", r.events, e.Err)
		}
	}
	for iter := fetches.RecordIter(); !iter.Done(); n++ {
		if err := r.book.take(iter.Next(), at); err != nil {
			return n, err
		}
	}
	return n, nil
}
