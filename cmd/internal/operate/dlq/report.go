package dlq

import (
	"fmt"
	"slices"
	"strings"

	"allocation/cmd/internal/cli"
	"allocation/store"
)

// Decisions are what a command decided, and what came of it. In JSON they are public contract.
type Decisions struct {
	Decision string          `json:"decision"` // retry or discard
	DryRun   bool            `json:"dry_run"`
	Letters  []decidedLetter `json:"letters"`
	More     int64           `json:"more"`     // how many match besides
	LeftOut  int64           `json:"left_out"` // how many match, but failed when they were retried before
	Warnings []string        `json:"warnings,omitempty"`
}

type decidedLetter struct {
	ID             store.RecordID `json:"id"`
	*store.Outcome                // nil in a dry run
	letter         *store.Letter
}

func newDecisions(p *cli.Program, d *store.Decision, decided *store.Decided) *Decisions {
	out := &Decisions{Decision: "retry", DryRun: d.DryRun, Letters: []decidedLetter{}, More: decided.More, LeftOut: decided.LeftOut}
	if d.Discard {
		out.Decision = "discard"
	}
	for i := range decided.Letters {
		l := &decided.Letters[i]
		out.Letters = append(out.Letters, decidedLetter{ID: l.ID, letter: l})
		if text := warning(p, l); text != "" && d.Discard && !slices.Contains(out.Warnings, text) {
			out.Warnings = append(out.Warnings, text)
		}
	}
	return out
}

// warning is what a person should know of who discards a dead letter; empty where that is nothing.
func warning(p *cli.Program, l *store.Letter) string {
	if p.Discarded == nil {
		return ""
	}
	return p.Discarded(l)
}

func (d *Decisions) total(results ...string) (n int) {
	for _, l := range d.Letters {
		if l.Outcome != nil && slices.Contains(results, l.Result) {
			n++
		}
	}
	return n
}

func printDecisions(p *cli.Program, d *Decisions, asJSON bool) error {
	var err error
	if asJSON {
		err = p.PrintJSON(d)
	} else {
		err = printDecisionTable(p, d)
	}
	switch {
	case err != nil:
		return err
	case len(d.Letters) == 0:
		return fmt.Errorf("nothing was decided: see %s dlq list", p.Name)
	case d.total(store.OutcomeRefused, store.OutcomeFailed, store.OutcomeStopped) > 0:
		return fmt.Errorf("some were refused again or failed again: see %s dlq list", p.Name)
	}
	return nil
}

// decisionsShown is how many dead letters people see one by one.
const decisionsShown = 50

func printDecisionTable(p *cli.Program, d *Decisions) error {
	if n := len(d.Letters); n > 0 {
		columns := []string{"ID", "REASON", "TYPE", title(p), "OUTCOME"}
		err := cli.PrintTable(p, columns, d.Letters[:min(n, decisionsShown)], int64(n), func(l *decidedLetter) []string {
			return []string{l.ID.String(), l.letter.Reason, l.letter.Type, l.letter.Key, l.says(d.Decision, p.Vocabulary.Entity)}
		})
		if err != nil {
			return err
		}
		fmt.Fprintln(p.Out)
	}
	for _, text := range d.Warnings {
		fmt.Fprintf(p.Out, "warning: %s\n", text)
	}
	_, err := fmt.Fprintln(p.Out, d.sum(p.Vocabulary.Entity))
	return err
}

// says is what came of one. Its key names an entity.
func (l *decidedLetter) says(decision, entity string) string {
	if l.Outcome == nil {
		return "would " + decision
	}
	switch b := l.letter.Batch; l.Result {
	case store.OutcomePending:
		if b != nil && decision == "retry" && l.Next > l.ID.Offset {
			return fmt.Sprintf("not done yet: read up to offset %d of %d", l.Next-1, b.Last)
		}
		return "not done yet: a worker does it when it has the partition"
	case store.OutcomeRefused:
		return fmt.Sprintf("refused again, %s: %s", l.Reason, l.Message)
	case store.OutcomeFailed:
		return fmt.Sprintf("failed again, and holds its %s: %s", entity, l.Message)
	case store.OutcomeStopped:
		return "not read to its end: " + l.Message
	case store.OutcomeWaits:
		return fmt.Sprintf("waits behind the held %s %s", entity, l.Key)
	default:
		if b != nil && l.Result == store.OutcomeApplied {
			return fmt.Sprintf("applied: offsets %d to %d; what was refused of it are dead letters of their own", l.ID.Offset, b.Last)
		}
		return l.Result
	}
}

// sum is a line about all of them.
func (d *Decisions) sum(entity string) string {
	var parts []string
	if d.DryRun {
		parts = append(parts, fmt.Sprintf("%s would be decided, and nothing was", cli.Count(int64(len(d.Letters)))))
	}
	for _, line := range []struct{ result, says string }{
		{store.OutcomeApplied, "applied"}, {store.OutcomeDiscarded, "discarded"}, {store.OutcomeRefused, "refused again"},
		{store.OutcomeFailed, "failed again"}, {store.OutcomeWaits, "waiting behind a held " + entity}, {store.OutcomeStopped, "not read to their end"}, {store.OutcomePending, "not done yet"},
	} {
		if n := d.total(line.result); n > 0 {
			parts = append(parts, cli.Count(int64(n))+" "+line.says)
		}
	}
	if len(d.Letters) == 0 {
		parts = append(parts, "no open dead letters match")
	}
	if d.More > 0 {
		parts = append(parts, cli.Count(d.More)+" more match")
	}
	if d.LeftOut > 0 {
		parts = append(parts, cli.Count(d.LeftOut)+" left out that failed when they were retried before (--force retries them)")
	}
	return strings.Join(parts, "; ")
}
