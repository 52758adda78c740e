package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/dlq"
	"allocation/cmd/internal/operate/explain"
	"allocation/store"
)

// maxCommands is how many commands of a correlation are listed.
const maxCommands = 100

// CommandPage is a command, or the list of those that a text means. In JSON it is public contract.
type CommandPage struct {
	Understood string               `json:"understood,omitempty"`
	Commands   []store.FoundCommand `json:"commands,omitempty"` // where there are several
	More       bool                 `json:"more,omitempty"`     // than are listed
	Command    *explain.Explained   `json:"command,omitempty"`
	Record     *Record              `json:"record,omitempty"` // as Kafka has it

	Term, Since string `json:"-"` // for the form
	FromTopic   bool   `json:"-"`
}

// Record is a record of Kafka.
type Record struct {
	Key     dlq.Bytes    `json:"key"`
	Headers []dlq.Header `json:"headers"`
	Value   dlq.Bytes    `json:"value"`
}

// command is the page about a command: what became of it.
func (c *Console) command(ctx context.Context, r *Request) (*Answer, error) {
	page := &CommandPage{Term: r.Text("id"), Since: r.Text("since"), FromTopic: r.Ticked("from_topic")}
	since := r.Ago("since")
	limit := r.Number("limit", maxCommands, 1, maxCommands)
	if err := r.Err(); err != nil {
		return nil, err
	}
	if page.Term == "" {
		return &Answer{Title: "Commands", Data: page, Shell: []Shell{{"finds a command", c.Command("explain", "command", "TERM")}}}, nil
	}
	if page.Since == "" {
		page.Since, since = "1h", time.Now().Add(-time.Hour)
	}
	commands := &explain.Commands{Program: c.Program, Store: c.Store, Kafka: c.Kafka, Connect: c.client, Words: c.Product.Words}
	found, err := c.findCommands(ctx, commands, explain.Query{Text: page.Term, Since: since, FromTopic: page.FromTopic, Limit: limit}, r)
	if err != nil {
		return nil, err
	}
	page.Understood = found.Says
	if page.Understood == "" {
		page.Understood = page.Term + " is the position of a command: its topic, partition and offset"
	}
	answer := &Answer{Title: "Commands of " + page.Term, Data: page, Shell: []Shell{{"prints this", c.explainCommand(page)}}}
	if len(found.Commands) > 1 {
		page.Commands, page.More = found.Commands, found.More
		return answer, nil
	}
	if page.Command, err = commands.Explain(ctx, found.Commands[0].ID); err != nil {
		return nil, err
	}
	page.Record = c.recordOf(page.Command.Record)
	answer.Title = "Command " + page.Command.ID.String()
	for i := range page.Command.Letters {
		answer.Shell = append(answer.Shell, c.Decide(&page.Command.Letters[i])...)
	}
	if page.Command.Idle != "" || slices.ContainsFunc(page.Command.Stamps, func(s explain.Stamp) bool { return !s.Reached }) {
		answer.Refresh = 5 * time.Second
	}
	return answer, nil
}

func (c *Console) explainCommand(page *CommandPage) string {
	words := []string{"explain", "command", page.Term, "--since=" + page.Since}
	if page.FromTopic {
		words = append(words, "--from-topic")
	}
	return c.Command(words...)
}

// findCommands says what to ask instead where there is none.
func (c *Console) findCommands(ctx context.Context, commands *explain.Commands, q explain.Query, r *Request) (*explain.Understood, error) {
	if q.FromTopic {
		var cancel context.CancelFunc
		ctx, cancel = cli.ForAnswer(ctx)
		defer cancel()
	}
	found, err := commands.Find(ctx, q)
	var missing *explain.NotFoundError
	var topics *explain.TopicsError
	switch {
	case errors.As(err, &missing):
		return nil, c.noCommand(missing, r)
	case errors.As(err, &topics):
		return nil, &Failure{Status: http.StatusServiceUnavailable, Title: "The topics of commands were not read", Says: []string{
			cli.CauseOf(ctx, topics.Err).Error(),
			"ask for a shorter time, or on the command line, which may take longer: " + c.Command("explain", "command", q.Text, "--from-topic"),
		}}
	}
	return found, err
}

func (c *Console) noCommand(missing *explain.NotFoundError, r *Request) error {
	f := &Failure{Status: http.StatusNotFound, Title: "Not found", Says: []string{fmt.Sprintf(
		"nothing is called %q, and no command with this id or correlation was found: neither on days that are over, nor since %s", missing.Text, cli.When(missing.Since))}}
	if missing.Topic != "" {
		f.Says = append([]string{fmt.Sprintf("%q is no position: %s", missing.Text, missing.TopicText())}, f.Says...)
		f.Links = append(f.Links, FailureLink{"the partitions of " + missing.Topic, c.Link("/partitions", "topic", missing.Topic)})
	}
	if !missing.FromTopic {
		f.Says = append(f.Says, "a command that had no effect, or was not read yet, is only in its topic")
		f.Links = append(f.Links, FailureLink{"look in the topics, too", r.Link(c, "/command", "from_topic", "1")})
	}
	f.Links = append(f.Links,
		FailureLink{"look at the last 24 hours", r.Link(c, "/command", "since", "24h")},
		FailureLink{"what can be looked for", c.Link("/command")})
	return f
}

// recordOf shows as much of a record as is to be shown.
func (c *Console) recordOf(r *kgo.Record) *Record {
	if r == nil {
		return nil
	}
	out := &Record{Key: dlq.NewBytes(r.Key), Value: c.shown(dlq.NewBytes(r.Value)), Headers: []dlq.Header{}}
	for _, h := range r.Headers {
		out.Headers = append(out.Headers, dlq.Header{Key: dlq.NewBytes([]byte(h.Key)), Value: dlq.NewBytes(h.Value)})
	}
	c.maskHeaders(out.Headers)
	return out
}

// maskHeaders leaves as much of headers as is to be shown. What is an attribute of CloudEvents
// names a message, and is no content.
func (c *Console) maskHeaders(headers []dlq.Header) {
	for i := range headers {
		if h := &headers[i]; h.Key.Text == nil || !strings.HasPrefix(*h.Key.Text, "ce_") {
			h.Value = c.shown(h.Value)
		}
	}
}

// shown leaves as much of the content of a message as is to be shown.
func (c *Console) shown(content dlq.Bytes) dlq.Bytes {
	if c.Payloads == PayloadsFull || content.Base64 == nil {
		return content
	}
	text := c.Payloads.Show(content.Raw())
	return dlq.Bytes{Text: &text}
}
