// Package dlq is about dead letters: it lists and shows them, has them retried or given up, and
// finds decisions about them that a restored database lost.
package dlq

import (
	"slices"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/store"
	"allocation/worker"
)

// Command is "dlq" on the command line.
type Command struct {
	List    listCommand    `cmd:"" help:"Print dead letters."`
	Show    showCommand    `cmd:"" help:"Print all of a dead letter."`
	Retry   retryCommand   `cmd:"" help:"Have dead letters applied again."`
	Discard discardCommand `cmd:"" help:"Give dead letters up, and free the ${entity}s that they hold."`
	Lost    lostCommand    `cmd:"" help:"Print decisions that the database lost."`
}

// letterFlags are filters that all subcommands have that take several dead letters.
type letterFlags struct {
	Reason []string `placeholder:"REASON,…" help:"Only those with these reasons, such as malformed,internal."`
	Type   []string `placeholder:"TYPE,…" help:"Only commands of these types, such as ${a_type}."`
	Key    string   `name:"${key}" placeholder:"${KEY}" help:"Only commands of this ${entity}."`
	Since  string   `placeholder:"TIME" help:"Only those that became dead letters since: a time such as 2026-11-23T02:40:07Z, or 2h or 7d ago."`
	Until  string   `placeholder:"TIME" help:"Only those that became dead letters before."`
}

func (f *letterFlags) filter(p *cli.Program, problems *config.Problems) store.LetterFilter {
	problems.OneOf("reason", f.Reason, Reasons(p)...)
	return store.LetterFilter{
		Reasons: f.Reason, Types: f.Type, Key: f.Key, Since: problems.Ago("since", f.Since), Until: problems.Ago("until", f.Until),
	}
}

// Reasons are the words that a dead letter's reason may be.
func Reasons(p *cli.Program) []string {
	reasons := worker.Reasons()
	for _, r := range p.Vocabulary.Reasons {
		if !slices.Contains(reasons, r) {
			reasons = append(reasons, r)
		}
	}
	return reasons
}

// readIDs reads IDs of dead letters, and says of each that is none what an ID looks like.
func readIDs(problems *config.Problems, texts ...string) []store.RecordID {
	var ids []store.RecordID
	for _, text := range texts {
		id, err := store.ParseRecordID(text)
		if err != nil {
			problems.Say("%w", err)
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}
