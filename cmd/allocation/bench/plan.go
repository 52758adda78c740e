package bench

import (
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Plan is what to measure, without mistakes.
type Plan struct {
	Workload string
	Orders   Orders
	Commands int // of a backlog
	Products int
	History  int // past lines of all products, at least
	Waiting  int // lines that wait from the start
	Lines    int // of the batch that shrinks
	Workers  int // to start; 0: they run already

	Rate     int           // commands a second; 0: a backlog, as fast as workers can
	Duration time.Duration // of the measured part
}

// Site is where to measure.
type Site struct {
	Connect  func(...kgo.Opt) (*kgo.Client, error) // to Kafka
	DB       *pgx.Conn                             // to Postgres, as the owner of the tables
	Commands string                                // the topic
	Events   string                                // the topic

	Program string   // of a worker
	Env     []string // of a worker; its HTTP_ADDR is added

	Progress func(doing string, done int64) // called often, by one goroutine at a time
}

// WarmUp is the part of a load at a rate that is not counted: connections open, and plans of
// statements settle.
const WarmUp = 2 * time.Second
