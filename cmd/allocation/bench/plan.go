package bench

import (
	"cmp"
	"fmt"
	"time"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
)

// plan is what to measure, without mistakes.
type plan struct {
	workload string
	orders   orders
	commands int // of a backlog
	products int
	history  int // past lines of all products, at least
	waiting  int // lines that wait from the start
	lines    int // of the batch that shrinks
	workers  int // to start; 0: they run already

	rate     int           // commands a second; 0: a backlog, as fast as workers can
	duration time.Duration // of the measured part
}

// warmUp is the part of a load at a rate that is not counted: connections open, and plans of
// statements settle.
const warmUp = 2 * time.Second

// end is when the measured part of a load at a rate ends, since the load began.
func (p plan) end() time.Duration { return warmUp + p.duration }

// plan reads the settings, or says everything that is wrong with them.
func (c *Command) plan(p *cli.Program) (plan, error) {
	problems := p.Problems()
	c.Kafka.Check(problems)
	c.Database.Check(problems)
	c.Topics.Check(problems)
	problems.OneOf("workload", []string{c.Workload}, uniform, zipf, hot, storm, mixed)
	problems.OneOf("order-ids", []string{c.OrderIDs}, string(randomOrders), string(growingOrders))
	read := plan{
		workload: c.Workload,
		orders:   orders(c.OrderIDs),
		commands: problems.Integer("commands", cmp.Or(c.Commands, "1000000"), 1, 100_000_000),
		products: problems.Integer("skus", c.SKUs, 1, 10_000_000),
		history:  problems.Integer("history", c.History, 0, 100_000_000),
		waiting:  problems.Integer("waiting", c.Waiting, 0, 10_000_000),
		lines:    problems.Integer("lines", cmp.Or(c.Lines, "100000"), 2, 10_000_000),
		workers:  problems.Integer("workers", c.Workers, 0, 1000),
		rate:     problems.Integer("rate", c.Rate, 0, 1_000_000),
	}
	if c.Duration != "" {
		read.duration = problems.Wait("duration", c.Duration)
	}
	c.checkTogether(problems, read)
	if read.waiting > 0 {
		read.workload = waiting
	}
	if read.workload == hot {
		read.products = 1
	}
	return read, problems.Err()
}

// checkTogether finds flags that do not go together.
func (c *Command) checkTogether(problems *config.Problems, p plan) {
	if p.waiting > 0 && c.Workload != uniform {
		problems.Say("--waiting takes the place of --workload %s: give one of them", c.Workload)
	}
	if c.Lines != "" && c.Workload != storm {
		problems.Say("--lines is for --workload storm")
	}
	switch {
	case p.rate > 0 && p.duration == 0:
		problems.Say("--rate needs a --duration, such as 30s")
	case p.rate > 0 && c.Commands != "":
		problems.Say("--commands is for a backlog: with --rate, that and --duration say how many")
	case p.rate == 0 && c.Duration != "":
		problems.Say("--duration needs a --rate, in commands a second")
	case p.rate == 0 && c.Workload == storm:
		problems.Say("--workload storm needs a --rate for the commands on other products, and a --duration")
	}
}

// orders says how orders are named.
type orders string

// The ways to name orders.
const (
	randomOrders  orders = "random"  // like UUIDs: each anywhere among the others, which is what costs an index most
	growingOrders orders = "growing" // like numbers of a counter, or UUIDs of version 7: each above all before
)

// id names the order with a number, which is below zero for the orders that are there from the
// start.
func (o orders) id(number int) string {
	if o == growingOrders && number < 0 {
		return fmt.Sprintf("0%015x", -number)
	}
	if o == growingOrders {
		return fmt.Sprintf("1%015x", number)
	}
	const golden = 0x9e3779b97f4a7c15
	z := uint64(number)*golden + golden // each step can be undone, so no two numbers have one id
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return fmt.Sprintf("%016x", z^z>>31)
}
