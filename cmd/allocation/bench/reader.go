package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// patience is how long nothing at all may happen while something is still missing.
const patience = time.Minute

// readAll reads the events from their beginning into the book until that is complete and no more
// commands will come.
func (r *run) readAll(ctx context.Context, all func() bool) error {
	from := map[int32]kgo.Offset{}
	r.eventStarts.Each(func(o kadm.ListedOffset) { from[o.Partition] = kgo.NewOffset().At(o.Offset) })
	client, err := r.site.Connect(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{r.site.Events: from}))
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
		r.site.Progress("events read", read)
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
			return 0, fmt.Errorf("read %s: %w", r.site.Events, causeOf(ctx, e.Err))
		}
	}
	for iter := fetches.RecordIter(); !iter.Done(); n++ {
		if err := r.book.take(iter.Next(), at); err != nil {
			return n, err
		}
	}
	return n, nil
}

// awaitEvents returns when the events topic holds as many events as must come. Asking for offsets
// costs the broker next to nothing.
func (r *run) awaitEvents(ctx context.Context, admin *kadm.Client) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	most, moved := int64(0), time.Now()
	for {
		n, err := recordsIn(ctx, admin, r.site.Events)
		if err != nil {
			return causeOf(ctx, err)
		}
		r.site.Progress("events", n)
		if n >= int64(r.book.expected) {
			return nil
		}
		if n > most {
			most, moved = n, time.Now()
		}
		if time.Since(moved) > patience {
			return fmt.Errorf("%d of %d events came, and none for %s", n, r.book.expected, patience)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// causeOf prefers why the context ended to the bare fact that it did.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}
