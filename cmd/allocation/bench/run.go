package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
)

// patience is how long nothing at all may happen while something is still missing.
const patience = time.Minute

// run is one measurement.
type run struct {
	plan     plan
	workload workload
	book     *book

	connect     func(...kgo.Opt) (*kgo.Client, error)
	admin       *kadm.Client
	db          *sql.DB // as the owner of the tables
	commands    string  // the topic
	events      string  // the topic
	environment []string
	line        *cli.StatusLine
	fail        context.CancelCauseFunc // ends the run

	before      Lines                // the measured part
	eventStarts map[int32]kgo.Offset // where the events of the measured part begin
	began       time.Time            // the load
	storm       int                  // the number of the command that shrinks a batch
}

// measure fills the database, measures, and checks that every command had its effect. Topics and
// tables must exist and be empty. What it wrote stays.
func (r *run) measure(ctx context.Context) (report *Report, err error) {
	if err := r.stock(ctx); err != nil {
		return nil, err
	}
	if r.plan.rate > 0 {
		report, err = r.measureAtRate(ctx)
	} else {
		report, err = r.measureBacklog(ctx)
	}
	if err != nil {
		return nil, err
	}
	return report, r.check(ctx)
}

// stock has workers make what is there from the start.
func (r *run) stock(ctx context.Context) error {
	workers, err := r.startWorkers(ctx)
	defer workers.stop()
	if err != nil {
		return err
	}
	if err := r.sendStock(ctx); err != nil {
		return err
	}
	if err := r.awaitApplied(ctx); err != nil {
		return err
	}
	r.before = r.book.lines
	bounds, err := cli.TopicBounds(ctx, r.admin, r.events)
	if err != nil {
		return err
	}
	r.eventStarts = map[int32]kgo.Offset{}
	for partition, b := range bounds {
		r.eventStarts[partition] = kgo.NewOffset().At(b.End)
	}
	return r.settle(ctx)
}

// settle has the stock on disk, and known to the planner, before anything is measured; on disk only
// where this user may ask for that.
func (r *run) settle(ctx context.Context) error {
	const insufficientPrivilege = "42501"
	for _, statement := range []string{`vacuum analyze products, batches, lines, outbox, positions`, `checkpoint`} {
		_, err := r.db.ExecContext(ctx, statement)
		if pg := (*pgconn.PgError)(nil); err != nil && (!errors.As(err, &pg) || pg.Code != insufficientPrivilege) {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// measureBacklog sends everything first, and then has workers work it off. While they do, nobody
// reads the events.
func (r *run) measureBacklog(ctx context.Context) (*Report, error) {
	if err := r.sendBacklog(ctx); err != nil {
		return nil, err
	}
	before, err := r.use(ctx, &workers{})
	if err != nil {
		return nil, err
	}
	workers, err := r.startWorkers(ctx)
	defer workers.stop()
	if err != nil {
		return nil, err
	}
	if err := r.awaitApplied(ctx); err != nil {
		return nil, err
	}
	after, err := r.use(ctx, workers)
	if err != nil {
		return nil, err
	}
	if err := r.readAll(ctx, r.book.complete); err != nil {
		return nil, err
	}
	report := r.report(workers, before, after, r.book.sent)
	report.Throughput = r.throughput()
	return report, nil
}

// measureAtRate sends at a rate while it reads the events.
func (r *run) measureAtRate(ctx context.Context) (*Report, error) {
	workers, err := r.startWorkers(ctx)
	defer workers.stop()
	if err != nil {
		return nil, err
	}
	r.began = time.Now()
	var sent atomic.Bool
	var before usage
	var beside sync.WaitGroup
	beside.Go(func() {
		if err := r.readAll(ctx, func() bool { return sent.Load() && r.book.complete() }); err != nil {
			r.fail(err)
		}
	})
	beside.Go(func() {
		var err error
		if before, err = r.useAfterWarmUp(ctx, workers); err != nil {
			r.fail(err)
		}
	})
	if err := r.sendAtRate(ctx); err != nil {
		r.fail(err)
	}
	sent.Store(true)
	beside.Wait()
	after, err := r.use(ctx, workers)
	if err != nil {
		return nil, err
	}
	report := r.report(workers, before, after, r.book.warm)
	if r.plan.workload == storm {
		report.Storm = r.stormReport(r.plan.end())
	} else {
		report.Latency = r.book.latencies(warmUp, r.plan.end(), func(entry) bool { return true })
	}
	return report, r.awaitApplied(ctx) // what has no event, too
}

func (r *run) useAfterWarmUp(ctx context.Context, w *workers) (u usage, err error) {
	timer := time.NewTimer(warmUp - time.Since(r.began))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return u, ctx.Err()
	case <-timer.C:
		return r.use(ctx, w)
	}
}
