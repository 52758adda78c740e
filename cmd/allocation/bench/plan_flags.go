package bench

import (
	"cmp"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
)

// plan reads the settings, or says everything that is wrong with them.
func (c *Command) plan(p *cli.Program) (Plan, error) {
	problems := p.Problems()
	c.Kafka.Check(problems)
	c.Database.Check(problems)
	c.Topics.Check(problems)
	problems.OneOf("workload", []string{c.Workload}, Workloads()...)
	problems.OneOf("order-ids", []string{c.OrderIDs}, OrderIDs()...)
	plan := Plan{
		Workload: c.Workload,
		Orders:   Orders(c.OrderIDs),
		Commands: problems.Integer("commands", cmp.Or(c.Commands, "1000000"), 1, 100_000_000),
		Products: problems.Integer("skus", c.SKUs, 1, 10_000_000),
		History:  problems.Integer("history", c.History, 0, 100_000_000),
		Waiting:  problems.Integer("waiting", c.Waiting, 0, 10_000_000),
		Lines:    problems.Integer("lines", cmp.Or(c.Lines, "100000"), 2, 10_000_000),
		Workers:  problems.Integer("workers", c.Workers, 0, 1000),
		Rate:     problems.Integer("rate", c.Rate, 0, 1_000_000),
	}
	if c.Duration != "" {
		plan.Duration = problems.Wait("duration", c.Duration)
	}
	c.checkTogether(problems, plan)
	if plan.Waiting > 0 {
		plan.Workload = Waiting
	}
	if plan.Workload == Hot {
		plan.Products = 1
	}
	return plan, problems.Err()
}

// checkTogether finds flags that do not go together.
func (c *Command) checkTogether(problems *config.Problems, plan Plan) {
	if plan.Waiting > 0 && c.Workload != Uniform {
		problems.Say("--waiting takes the place of --workload %s: give one of them", c.Workload)
	}
	if c.Lines != "" && c.Workload != Storm {
		problems.Say("--lines is for --workload storm")
	}
	switch {
	case plan.Rate > 0 && plan.Duration == 0:
		problems.Say("--rate needs a --duration, such as 30s")
	case plan.Rate > 0 && c.Commands != "":
		problems.Say("--commands is for a backlog: with --rate, that and --duration say how many")
	case plan.Rate == 0 && c.Duration != "":
		problems.Say("--duration needs a --rate, in commands a second")
	case plan.Rate == 0 && c.Workload == Storm:
		problems.Say("--workload storm needs a --rate for the commands on other products, and a --duration")
	}
}
