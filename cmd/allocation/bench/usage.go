package bench

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// usage is what was used up to a moment.
type usage struct {
	seconds      float64 // of workers' CPUs
	transactions uint64
	commands     float64 // in transactions
	wal, tables  int64   // bytes
}

// use measures what was used up to now. Workers that were not started yet used nothing.
func (r *run) use(ctx context.Context, w *workers) (u usage, err error) {
	for _, one := range w.all {
		if err := one.addTo(ctx, &u); err != nil {
			return u, fmt.Errorf("read a worker's metrics: %w", err)
		}
	}
	err = r.db.QueryRowContext(ctx, bytesSQL).Scan(&u.wal, &u.tables)
	if err != nil {
		return u, fmt.Errorf("measure the database: %w", err)
	}
	return u, nil
}

// addTo adds what a worker used, by its metrics.
func (w *worker) addTo(ctx context.Context, u *usage) error {
	answer, err := get(ctx, w.url+"/metrics")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(answer.Body)
	if err != nil {
		return err
	}
	for _, m := range families["process_cpu_seconds_total"].GetMetric() {
		u.seconds += m.GetCounter().GetValue()
	}
	for _, m := range families["allocation_batch_commands"].GetMetric() {
		u.transactions += m.GetHistogram().GetSampleCount()
		u.commands += m.GetHistogram().GetSampleSum()
	}
	return nil
}

// bytesSQL is where the log ends, and how large the tables are that grow, with their indexes.
const bytesSQL = `
select (pg_current_wal_lsn() - '0/0')::bigint, (
    select sum(pg_total_relation_size(c.oid))::bigint from pg_class c
    where c.oid in ('products'::regclass, 'batches'::regclass, 'lines'::regclass, 'positions'::regclass, 'dead_letters'::regclass)
       or c.oid in (select inhrelid from pg_inherits where inhparent = 'outbox'::regclass))`

var peak = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peakMemory is the most memory, in bytes, that a process ever had resident, as Linux tells it; 0
// where it is not known.
func peakMemory(pid int) int64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	found := peak.FindSubmatch(status)
	if found == nil {
		return 0
	}
	kib, _ := strconv.ParseInt(string(found[1]), 10, 64)
	return kib << 10
}
