package status

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"allocation/cmd/internal/cli"
	"allocation/store"
)

// print is the screen for people.
func (s *Status) print(p *cli.Program) error {
	say := func(name, format string, args ...any) {
		fmt.Fprintf(p.Out, "%-14s%s\n", name, cli.Printable(fmt.Sprintf(format, args...)))
	}
	if !s.Schema.Fits {
		say("schema", "%s, and this program needs %s", s.Schema.Version, s.Schema.Needs)
		return s.printNeeds(p)
	}
	say("schema", "%s; this program needs %s", s.Schema.Version, s.Schema.Needs)
	say("held", "%s", counted(s.Held, p.Vocabulary.Entity))
	if s.Newer.Count > 0 {
		say("newer", "%s held for a newer worker%s", cli.CountOf(s.Newer.Count, p.Vocabulary.Entity), since(s.Newer))
	}
	say("dead letters", "%s open%s; %s decided, which no worker has done yet%s",
		cli.Count(s.Letters.Count), since(s.Letters), cli.Count(s.Decided.Count), since(s.Decided))
	if s.Waiting != nil {
		say("waiting", "%s", counted(s.Waiting.Backlog, s.Waiting.One))
	}
	if s.Transaction == nil {
		say("transaction", "none is open")
	} else {
		say("transaction", "the oldest is open for at least %s: %s", time.Duration(s.Transaction.Age*float64(time.Second)).Round(time.Second), s.Transaction.Holder)
	}
	fmt.Fprintln(p.Out)
	if err := s.printTables(p); err != nil {
		return err
	}
	return s.printNeeds(p)
}

func (s *Status) printTables(p *cli.Program) error {
	if len(s.Topics) > 0 {
		err := cli.PrintTable(p, []string{"TOPIC", "PARTITIONS", "LAG", "LARGEST LAG", "STATES"}, s.Topics, 0, func(t *Topic) []string {
			var states []string
			for _, state := range slices.Sorted(maps.Keys(t.States)) {
				states = append(states, fmt.Sprintf("%d %s", t.States[state], state))
			}
			return []string{t.Topic, fmt.Sprint(t.Partitions), cli.Count(t.Lag), cli.Count(t.LargestLag), strings.Join(states, ", ")}
		})
		if err != nil {
			return err
		}
		fmt.Fprintln(p.Out)
	}
	if len(s.Workers) == 0 {
		return nil
	}
	err := cli.PrintTable(p, []string{"WORKER", "VERSION", "PARTITIONS", "SEEN"}, s.Workers, 0, func(w *store.WorkerView) []string {
		return []string{w.Owner, cmp.Or(w.Version, "unknown version"), fmt.Sprint(w.Partitions), cli.When(w.Seen)}
	})
	fmt.Fprintln(p.Out)
	return err
}

func (s *Status) printNeeds(p *cli.Program) error {
	if len(s.Needs) == 0 {
		_, err := fmt.Fprintln(p.Out, "nothing needs a person")
		return err
	}
	fmt.Fprintln(p.Out, "what needs a person")
	for _, n := range s.Needs {
		fmt.Fprintf(p.Out, "\n- %s\n      %s\n", cli.Printable(n.Says), n.Command)
	}
	return nil
}
