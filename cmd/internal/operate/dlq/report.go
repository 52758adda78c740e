package dlq

import (
	"fmt"
	"strings"

	"allocation/cmd/internal/cli"
	"allocation/store"
)

// decisionReport is what was decided, and what came of it.
type decisionReport struct {
	discard, dryRun bool
	letters         []store.Letter
	outcomes        []store.Outcome // of each; none in a dry run
	more, leftOut   int64
}

func newDecisionReport(d *store.Decision, decided *store.Decided) *decisionReport {
	return &decisionReport{discard: d.Discard, dryRun: d.DryRun, letters: decided.Letters, more: decided.More, leftOut: decided.LeftOut}
}

func (r *decisionReport) pending() bool { return r.total(store.OutcomePending) > 0 }

func (r *decisionReport) total(results ...string) (n int) {
	for _, o := range r.outcomes {
		for _, result := range results {
			if o.Result == result {
				n++
			}
		}
	}
	return n
}

func printDecisions(p *cli.Program, r *decisionReport, asJSON bool) error {
	var err error
	if asJSON {
		err = printJSON(p, r.json())
	} else {
		err = printDecisionTable(p, r)
	}
	switch {
	case err != nil:
		return err
	case len(r.letters) == 0:
		return fmt.Errorf("nothing was decided: see %s dlq list", p.Name)
	case r.total(store.OutcomeRefused, store.OutcomeFailed, store.OutcomeStopped) > 0:
		return fmt.Errorf("some were refused again or failed again: see %s dlq list", p.Name)
	}
	return nil
}

// Decisions are what a command decided. In JSON they are public contract.
type Decisions struct {
	Decision string          `json:"decision"` // retry or discard
	DryRun   bool            `json:"dry_run"`
	Letters  []decidedLetter `json:"letters"`
	More     int64           `json:"more"`     // how many match besides
	LeftOut  int64           `json:"left_out"` // how many match, but failed when they were retried before
}

type decidedLetter struct {
	ID store.RecordID `json:"id"`
	*store.Outcome
}

func (r *decisionReport) verb() string {
	if r.discard {
		return "discard"
	}
	return "retry"
}

func (r *decisionReport) json() Decisions {
	out := Decisions{Decision: r.verb(), DryRun: r.dryRun, Letters: []decidedLetter{}, More: r.more, LeftOut: r.leftOut}
	for i := range r.letters {
		l := decidedLetter{ID: r.letters[i].ID}
		if !r.dryRun {
			l.Outcome = &r.outcomes[i]
		}
		out.Letters = append(out.Letters, l)
	}
	return out
}

// decisionsShown is how many dead letters people see one by one.
const decisionsShown = 50

func printDecisionTable(p *cli.Program, r *decisionReport) error {
	if n := len(r.letters); n > 0 {
		t := cli.NewTable(p.Out, "ID", "REASON", "TYPE", title(p), "OUTCOME")
		for i, l := range r.letters[:min(n, decisionsShown)] {
			t.Row(l.ID.String(), l.Reason, l.Type, l.Key, r.says(i, p.Vocabulary.Entity))
		}
		if err := t.Flush(); err != nil {
			return err
		}
		if err := p.PrintMore(int64(n - decisionsShown)); err != nil {
			return err
		}
		fmt.Fprintln(p.Out)
	}
	_, err := fmt.Fprintln(p.Out, r.sum(p.Vocabulary.Entity))
	return err
}

// says is what came of one. Its key names an entity.
func (r *decisionReport) says(i int, entity string) string {
	if r.dryRun {
		return "would " + r.verb()
	}
	switch o := r.outcomes[i]; o.Result {
	case store.OutcomePending:
		if b := r.letters[i].Batch; b != nil && !r.discard && o.Next > r.letters[i].ID.Offset {
			return fmt.Sprintf("not done yet: read up to offset %d of %d", o.Next-1, b.Last)
		}
		return "not done yet: a worker does it when it has the partition"
	case store.OutcomeRefused:
		return fmt.Sprintf("refused again, %s: %s", o.Reason, o.Message)
	case store.OutcomeFailed:
		return fmt.Sprintf("failed again, and holds its %s: %s", entity, o.Message)
	case store.OutcomeStopped:
		return "not read to its end: " + o.Message
	case store.OutcomeWaits:
		return fmt.Sprintf("waits behind the held %s %s", entity, o.Key)
	default:
		if b := r.letters[i].Batch; b != nil && o.Result == store.OutcomeApplied {
			return fmt.Sprintf("applied: offsets %d to %d; what was refused of it are dead letters of their own", r.letters[i].ID.Offset, b.Last)
		}
		return o.Result
	}
}

// sum is a line about all of them.
func (r *decisionReport) sum(entity string) string {
	var parts []string
	if r.dryRun {
		parts = append(parts, fmt.Sprintf("%s would be decided, and nothing was", cli.Count(int64(len(r.letters)))))
	}
	for _, line := range []struct{ result, says string }{
		{store.OutcomeApplied, "applied"}, {store.OutcomeDiscarded, "discarded"}, {store.OutcomeRefused, "refused again"},
		{store.OutcomeFailed, "failed again"}, {store.OutcomeWaits, "waiting behind a held " + entity}, {store.OutcomeStopped, "not read to their end"}, {store.OutcomePending, "not done yet"},
	} {
		if n := r.total(line.result); n > 0 {
			parts = append(parts, cli.Count(int64(n))+" "+line.says)
		}
	}
	if len(r.letters) == 0 {
		parts = append(parts, "no open dead letters match")
	}
	if r.more > 0 {
		parts = append(parts, cli.Count(r.more)+" more match")
	}
	if r.leftOut > 0 {
		parts = append(parts, cli.Count(r.leftOut)+" left out that failed when they were retried before (--force retries them)")
	}
	return strings.Join(parts, "; ")
}
