package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"allocation/cmd/allocation/event"
	"allocation/cmd/allocation/language"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/console"
	"allocation/cmd/internal/operate/send"
	"allocation/cmd/internal/operate/try"
	"allocation/domain/product"
)

// Bounds of a page that tries commands.
const (
	maxTried  = 20
	maxEvents = 1000 // of each command
)

// tried is what commands would come to.
type tried struct {
	try.Answers

	Text     string                `json:"-"` // of the form
	Limit    string                `json:"-"`
	Problems []string              `json:"-"`
	Lines    []string              `json:"-"` // the commands as lines of a file
	Each     []triedOne            `json:"-"`
	Most     int                   `json:"-"`
	Types    []product.CommandType `json:"-"`
}

// triedOne is what a command would come to.
type triedOne struct {
	*try.Answer
	Command string // as a person types it
}

// try is the page that says what commands would come to now.
func (p *pages) try(ctx context.Context, r *console.Request) (*console.Answer, error) {
	t := &tried{Answers: try.Answers{Commands: []try.Answer{}}, Text: r.Text("commands"), Limit: r.Text("limit"), Most: maxTried, Types: product.Commands}
	limit := r.Number("limit", maxShown, 0, maxEvents)
	messages := readCommands(r, t.Text)
	a := &console.Answer{Title: "What if", Data: t, Shell: p.tryShell(messages, t.Limit)}
	if err := r.Err(); err != nil {
		return nil, t.mistaken(a, err)
	}
	if len(messages) == 0 {
		return a, nil
	}
	var commands try.Commands
	for i, m := range messages {
		commands.Add(try.Command{Type: m.Command, Data: m.Data, ID: m.ID, CorrelationID: m.CorrelationID, Line: int64(i + 1)})
		t.Lines = append(t.Lines, m.Line())
	}
	answers, err := p.tryOne(ctx, &commands, limit)
	if ctx.Err() != nil {
		return nil, t.mistaken(a, &console.Failure{
			Status: http.StatusServiceUnavailable, Title: a.Title,
			Says: []string{fmt.Sprintf("this took longer than %s, and the console waits no longer: on the command line it has as long as it takes", console.PageTime)},
		})
	}
	if err != nil {
		return nil, err
	}
	t.Answers = *answers
	for i := range answers.Commands {
		t.Each = append(t.Each, triedOne{&answers.Commands[i], cli.Quote(wordsOf(messages[i])...)})
	}
	return a, nil
}

// tryOne tries commands while nobody else does here: what they lead to is in memory until it is
// counted.
func (p *pages) tryOne(ctx context.Context, commands *try.Commands, limit int) (*try.Answers, error) {
	select {
	case p.trying <- struct{}{}:
		defer func() { <-p.trying }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return commands.Try(ctx, p.Store, event.Words, limit)
}

// mistaken shows the form again, with what is wrong.
func (t *tried) mistaken(a *console.Answer, err error) error {
	return mistakenAs(err, func(says []string) *console.Answer {
		t.Problems = says
		return a
	})
}

// readCommands reads a command of each line that has one.
func readCommands(r *console.Request, text string) (all []*send.Message) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		m, err := language.Products.ReadLine(line)
		if err != nil {
			r.Say("line %d of commands: %w", n, err)
			continue
		}
		all = append(all, m)
	}
	if len(all) > maxTried {
		r.Say("commands has %d; a page tries at most %d, and allocation try -f FILE %s", len(all), maxTried, cli.Count(try.Most))
	}
	return all
}

// tryShell are the commands that do the same.
func (p *pages) tryShell(messages []*send.Message, limit string) []console.Shell {
	more := []string{}
	if limit != "" {
		more = append(more, "--limit="+limit)
	}
	switch len(messages) {
	case 0:
		return nil
	case 1:
		words := wordsOf(messages[0])
		return []console.Shell{
			{Says: "prints this", Command: p.Command(slices.Concat([]string{"try"}, words, more)...)},
			{Says: "does it", Command: p.Command(append([]string{"send"}, words...)...)},
		}
	}
	return []console.Shell{
		{Says: "prints this, where FILE has the lines above", Command: p.Command(append([]string{"try", "-f", "FILE"}, more...)...)},
		{Says: "does it", Command: p.Command("send", "-f", "FILE")},
	}
}

// wordsOf are the arguments that say a command.
func wordsOf(m *send.Message) []string {
	words := []string{m.Command}
	var values map[string]json.RawMessage
	_ = json.Unmarshal(m.Data, &values) // it was read before
	for _, field := range product.FindCommand(m.Command).Fields {
		raw, ok := values[field.Name]
		if !ok || string(raw) == "null" {
			continue
		}
		text := string(raw)
		_ = json.Unmarshal(raw, &text) // a number stays as it is
		words = append(words, field.Name+"="+text)
	}
	if m.ID != "" {
		words = append(words, "--id="+m.ID)
	}
	if m.CorrelationID != "" {
		words = append(words, "--correlation-id="+m.CorrelationID)
	}
	return words
}

// fieldNames are the fields of a command's data.
func fieldNames(c product.CommandType) string {
	names := make([]string, len(c.Fields))
	for i, f := range c.Fields {
		names[i] = f.Name
	}
	return strings.Join(names, " ")
}

// resultClass is the colour of a result. One that does harm has none: the harm has.
func resultClass(a *try.Answer) string {
	if a.Harm != nil {
		return ""
	}
	switch a.Result {
	case try.Refused:
		return "bad"
	case try.Held:
		return "warn"
	case try.Changed:
		return "good"
	}
	return ""
}
