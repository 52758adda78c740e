package bench

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// run is one measurement.
type run struct {
	plan     Plan
	site     Site
	stock    stock
	workload workload
	book     *book

	eventStarts kadm.ListedOffsets // of the events topic's partitions
	systems     systems
	workers     []*worker
	logs        string // the folder of their logs; empty where there are none
	watchers    sync.WaitGroup

	began time.Time // of the load
	storm int       // the number of the command that shrinks a batch
	skip  int       // how many commands were sent that are not the workload's
	fail  context.CancelCauseFunc
}

// Run fills the database, measures, and checks that every command had its effect. Topics and tables
// must exist and be empty. What it wrote stays.
func Run(ctx context.Context, plan Plan, site Site) (report *Report, err error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	stock := stockOf(plan)
	site.Progress = oneAtATime(site.Progress)
	r := &run{plan: plan, site: site, stock: stock, workload: newWorkload(plan), book: newBook(stock.version), fail: fail}
	client, err := site.Connect()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	if err := r.prepare(ctx, admin); err != nil {
		return nil, causeOf(ctx, err)
	}
	defer r.stopWorkers()
	measure := r.measureBacklog
	if plan.Rate > 0 {
		measure = r.measureAtRate
	}
	report, err = measure(ctx, admin)
	if err != nil {
		return nil, causeOf(ctx, err)
	}
	return report, r.check(ctx, admin)
}

// oneAtATime lets the sender and the reader both tell how far they are.
func oneAtATime(show func(string, int64)) func(string, int64) {
	var mu sync.Mutex
	return func(doing string, done int64) {
		mu.Lock()
		defer mu.Unlock()
		show(doing, done)
	}
}

// prepare loads the stock.
func (r *run) prepare(ctx context.Context, admin *kadm.Client) error {
	r.site.Progress("preloading lines", int64(r.stock.products*r.stock.history+r.stock.storm+r.stock.waiting))
	topics, err := admin.ListTopics(ctx, r.site.Commands)
	if err == nil {
		err = topics.Error()
	}
	if err != nil {
		return fmt.Errorf("describe the topic %s: %w", r.site.Commands, err)
	}
	starts, err := admin.ListStartOffsets(ctx, r.site.Commands, r.site.Events)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return fmt.Errorf("list offsets: %w", err)
	}
	r.eventStarts = kadm.ListedOffsets{r.site.Events: starts[r.site.Events]}
	if r.systems, err = r.findSystems(ctx, admin); err != nil {
		return err
	}
	return r.stock.load(ctx, r.site.DB, topics[r.site.Commands], starts)
}

// measureBacklog sends everything first, and then has workers work it off. While they do, nobody
// reads the events.
func (r *run) measureBacklog(ctx context.Context, admin *kadm.Client) (*Report, error) {
	if err := r.sendBacklog(ctx); err != nil {
		return nil, err
	}
	before, err := r.use(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.startWorkers(); err != nil {
		return nil, err
	}
	if err := r.awaitReady(ctx); err != nil {
		return nil, err
	}
	if err := r.awaitEvents(ctx, admin); err != nil {
		return nil, err
	}
	after, err := r.use(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.readAll(ctx, r.book.complete); err != nil {
		return nil, err
	}
	report := r.report(before, after, r.book.sent)
	report.Throughput = r.throughput()
	return report, nil
}

// measureAtRate sends at a rate while it reads the events.
func (r *run) measureAtRate(ctx context.Context, _ *kadm.Client) (*Report, error) {
	if err := r.startWorkers(); err != nil {
		return nil, err
	}
	if err := r.awaitReady(ctx); err != nil {
		return nil, err
	}
	r.began = time.Now()
	var sent atomic.Bool
	var reading, measuring sync.WaitGroup
	reading.Go(func() {
		if err := r.readAll(ctx, func() bool { return sent.Load() && r.book.complete() }); err != nil {
			r.fail(err)
		}
	})
	var before usage
	measuring.Go(func() { before = r.useAfterWarmUp(ctx) })
	err := r.sendAtRate(ctx)
	if err != nil {
		r.fail(err)
	}
	sent.Store(true)
	reading.Wait()
	measuring.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	after, err := r.use(ctx)
	if err != nil {
		return nil, err
	}
	report := r.report(before, after, r.book.warm)
	r.addLatencies(report)
	return report, nil
}

func (r *run) useAfterWarmUp(ctx context.Context) (u usage) {
	timer := time.NewTimer(WarmUp - time.Since(r.began))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return u
	case <-timer.C:
	}
	u, err := r.use(ctx)
	if err != nil {
		r.fail(err)
	}
	return u
}
