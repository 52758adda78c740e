package bench

// Report is what was measured. What could not be seen is left out.
type Report struct {
	Workload string `json:"workload"`
	Orders   string `json:"order_ids"`
	Workers  int    `json:"workers"` // that were started
	Commands int    `json:"commands"`
	Repeats  int    `json:"repeated_commands"` // of the commands, those that repeat another and so have no effect
	Products int    `json:"products"`          // with ample stock
	Before   Lines  `json:"lines_before"`
	Events   int    `json:"events"`
	Repeated int    `json:"repeated_events"` // more than Events: published again, as they may be

	Throughput *Throughput          `json:"throughput,omitempty"`
	Rate       int                  `json:"rate,omitempty"`    // commands a second
	Latency    map[string]Latencies `json:"latency,omitempty"` // by command; "all": together
	Storm      *StormReport         `json:"storm,omitempty"`

	CPU        CPU      `json:"cpu_seconds_per_command"`
	Batches    *Batches `json:"batches,omitempty"`
	PeakMemory int64    `json:"worker_peak_rss_bytes,omitempty"` // of the worker that took most
	WAL        float64  `json:"wal_bytes_per_command"`
	Tables     float64  `json:"table_bytes_per_command"` // with indexes
}

// Throughput is how fast a backlog was worked off.
type Throughput struct {
	Seconds float64 `json:"seconds"` // from the first event's timestamp to the last one's
	Rate    float64 `json:"commands_per_second"`
}

// CPU is how long processors were busy for a command. That of workers that run already is not seen.
type CPU struct {
	Workers float64 `json:"workers,omitempty"`
}

// Batches says how many commands workers put into a transaction.
type Batches struct {
	Transactions uint64  `json:"transactions"`
	Mean         float64 `json:"mean_commands"`
}

// StormReport is how long a batch with many lines took to shrink, and what commands on other
// products noticed.
type StormReport struct {
	Lines   int       `json:"lines"`
	Moved   int       `json:"moved_lines"`
	Seconds float64   `json:"seconds"`       // from when the command was due until its last event was read
	Before  Latencies `json:"others_before"` // of all commands
	During  Latencies `json:"others_during"` // of commands of partitions that were worked on beside the storm, by other appliers
	Behind  Latencies `json:"behind_during"` // of commands of partitions that waited for it, because they have the same applier
}

// report fills in everything but times, given what was used before and after so many commands.
func (r *run) report(w *workers, before, after usage, commands int) *Report {
	n := float64(max(commands, 1))
	report := &Report{
		Workload: r.plan.workload, Orders: string(r.plan.orders), Workers: len(w.all), Commands: r.book.sent, Repeats: r.book.repeats, Products: r.plan.products,
		Before: r.before, Events: r.book.taken, Repeated: r.book.repeated, Rate: r.plan.rate,
		CPU: CPU{(after.seconds - before.seconds) / n},
		WAL: float64(after.wal-before.wal) / n, Tables: float64(after.tables-before.tables) / n,
	}
	if transactions := after.transactions - before.transactions; transactions > 0 {
		report.Batches = &Batches{transactions, (after.commands - before.commands) / float64(transactions)}
	}
	for _, one := range w.all {
		report.PeakMemory = max(report.PeakMemory, peakMemory(one.process.PID()))
	}
	return report
}

// throughput is 0 where all events have one timestamp: that is too few to tell.
func (r *run) throughput() *Throughput {
	t := &Throughput{Seconds: r.book.last.Sub(r.book.first).Seconds()}
	if t.Seconds > 0 {
		t.Rate = float64(r.book.sent) / t.Seconds
	}
	return t
}
