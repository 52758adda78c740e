package config

import (
	"runtime"
	"time"
)

// Tuning says how much a worker takes on at once, and how long things may take.
type Tuning struct {
	Appliers        string `name:"appliers" env:"APPLIERS" placeholder:"N" help:"Transactions at the same time; as many as there are cores without it."`
	MaxBatch        string `name:"max-batch" env:"MAX_BATCH" default:"4000" help:"The most commands of a transaction."`
	CatchUpTime     string `name:"catch-up-time" env:"CATCH_UP_TIME" default:"0s" help:"Over which a backlog is spread, so that other programs on the machine slow down less; 0s: it goes as fast as it can."`
	OutboxRetention string `name:"outbox-retention" env:"OUTBOX_RETENTION" default:"7d" help:"How long published events stay in the database."`
	ShutdownTimeout string `name:"shutdown-timeout" env:"SHUTDOWN_TIMEOUT" default:"25s" help:"How long a stop may take."`
	StallTimeout    string `name:"stall-timeout" env:"STALL_TIMEOUT" default:"30s" help:"After which work that does not move turns /readyz red."`
	WaitForNewer    string `name:"wait-for-newer-worker" env:"WAIT_FOR_NEWER_WORKER" default:"0s" help:"How long a command of a later version than this worker knows waits for a newer worker, instead of being refused."`
}

// TuningSettings are Tuning's values, read.
type TuningSettings struct {
	Appliers        int
	MaxBatch        int
	CatchUpTime     time.Duration // 0: a backlog goes as fast as it can
	OutboxRetention time.Duration
	ShutdownTimeout time.Duration
	StallTimeout    time.Duration
	WaitForNewer    time.Duration // 0: what this worker does not know is refused
}

// Check finds the mistakes and reads the values.
func (t Tuning) Check(p *Problems) TuningSettings {
	appliers := runtime.GOMAXPROCS(0)
	if t.Appliers != "" {
		appliers = p.Integer("appliers", t.Appliers, 1, 256)
	}
	return TuningSettings{
		Appliers:        appliers,
		MaxBatch:        p.Integer("max-batch", t.MaxBatch, 1, 100_000),
		CatchUpTime:     p.duration("catch-up-time", t.CatchUpTime, 0, time.Hour),
		OutboxRetention: p.Retention("outbox-retention", t.OutboxRetention),
		ShutdownTimeout: p.duration("shutdown-timeout", t.ShutdownTimeout, time.Second, time.Hour),
		StallTimeout:    p.duration("stall-timeout", t.StallTimeout, time.Second, time.Hour),
		WaitForNewer:    p.duration("wait-for-newer-worker", t.WaitForNewer, 0, 365*day),
	}
}

// Retention reads how long published events stay in the database.
func (p *Problems) Retention(flag, value string) time.Duration {
	return p.duration(flag, value, time.Hour, 3650*day)
}
