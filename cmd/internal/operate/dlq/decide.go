package dlq

import (
	"context"
	"time"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/store"
)

// decideFlags are the arguments of retry and discard.
type decideFlags struct {
	config.Database
	letterFlags
	IDs    []string `arg:"" optional:"" name:"id" help:"The dead letters: <topic>.<partition>.<offset> of their commands. Or give a filter."`
	Limit  string   `default:"1000" help:"Decide on so many at most that match a filter, oldest first."`
	Wait   string   `default:"10s" help:"How long to wait until workers have done it."`
	DryRun bool     `help:"Print what would be decided, and decide nothing."`
	JSON   bool     `help:"Print JSON."`
}

type retryCommand struct {
	decideFlags
	Force    bool   `help:"Retry also what failed when it was retried before, or was discarded."`
	MaxBytes string `placeholder:"SIZE" help:"Read batches of records that were too large again from Kafka, and let each unpack to so much, such as 2GiB."`
}

const decideHelp = `The worker that has a letter's partition does it, in a transaction of its own, and the command waits up to --wait for what comes of it.
What nobody has done by then is not lost: it is done as soon as a worker has the partition.

Exit codes: 0 everything is done, or decided and not done yet; 1 something was refused or failed again, or nothing was decided.`

func (retryCommand) Help() string {
	return `Has dead letters applied again, with their original bytes. A refused command takes effect now; a command that failed (reason internal)
takes effect in its place, before the later ones of its ${entity} that wait for it. What is refused again is a dead letter again, and may be retried
as often as wanted. What fails again is retried once more only with --force: with IDs, all are retried or none; with a filter, it is left out.

A letter too_large is about a batch of records that was not unpacked. --max-bytes says how large it may be: the worker then reads it again from
Kafka, and its records take effect one after the other, in transactions of a few hundred; what is refused of them are dead letters of their own. It
needs memory for the largest of the records, several times, not for all of them; one above 256 MiB stays too_large. Whatever interrupts this, it goes on where it was. Give a large
batch time: --wait 1h, or look at dlq show. A letter unreadable is about a batch, too: reading it again succeeds where only its end was odd.

` + decideHelp + `

Examples:

    ${program} dlq retry ${topic}.3.1042
    ${program} dlq retry ${topic}.3.2000 --max-bytes 2GiB
    ${program} dlq retry --reason internal --since 2h --dry-run`
}

type discardCommand struct {
	decideFlags
	Force bool `help:"Discard also what is about to be retried, if it is not too late."`
}

func (discardCommand) Help() string {
	return `Gives dead letters up: their commands never take effect. Of a command that failed (reason internal), what waits for it is applied.

` + decideHelp + `

Examples:

    ${program} dlq discard ${topic}.3.1042
    ${program} dlq discard --reason malformed --until 7d`
}

// Run has them applied again.
func (c *retryCommand) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	largest := problems.Size("max-bytes", c.MaxBytes)
	if err := problems.Err(); err != nil {
		return err
	}
	return c.run(ctx, p, store.Decision{Force: c.Force, MaxBytes: largest})
}

// Run gives them up.
func (c *discardCommand) Run(ctx context.Context, p *cli.Program) error {
	return c.run(ctx, p, store.Decision{Force: c.Force, Discard: true})
}

func (c *decideFlags) run(ctx context.Context, p *cli.Program, d store.Decision) error {
	problems := p.Problems()
	d.IDs, d.Filter, d.DryRun = readIDs(problems, c.IDs...), c.filter(p, problems), c.DryRun
	d.Limit = problems.Integer("limit", c.Limit, 1, 100_000)
	wait := problems.Wait("wait", c.Wait)
	if err := problems.Err(); err != nil {
		return err
	}
	switch named := len(d.IDs) > 0; {
	case named && !d.Filter.Empty():
		return cli.Misuse("give IDs or a filter, not both")
	case !named && d.Filter.Empty():
		return cli.Misuse("give the IDs of dead letters, or a filter: --reason, --type, --%s, --since, --until", p.Vocabulary.Key)
	}
	db, err := p.OpenStore(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	decided, err := db.Decide(ctx, d)
	if err != nil {
		return err
	}
	decisions := newDecisions(p, &d, &decided)
	if !d.DryRun {
		if err := decisions.await(ctx, db, decided.Letters, wait); err != nil {
			return err
		}
	}
	return printDecisions(p, decisions, c.JSON)
}

// await waits until workers have done everything, or for so long. A person may stop it: what is
// decided stays so.
func (d *Decisions) await(ctx context.Context, db *store.Store, letters []store.Letter, limit time.Duration) error {
	const look = 100 * time.Millisecond
	tick := time.NewTicker(look)
	defer tick.Stop()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for last := false; ; {
		outcomes, err := db.Outcomes(context.WithoutCancel(ctx), letters)
		if err != nil {
			return err
		}
		for i := range outcomes {
			d.Letters[i].Outcome = &outcomes[i]
		}
		if last || d.total(store.OutcomePending) == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			last = true
		case <-ctx.Done():
			last = true
		}
	}
}
