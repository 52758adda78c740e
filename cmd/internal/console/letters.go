package console

import (
	"context"
	"strings"
	"time"

	"allocation/cmd/internal/operate/dlq"
	"allocation/store"
)

// letterStates are what can be asked for, and what it means: states of dead letters.
var letterStates = []struct {
	Name   string
	states []string
}{
	{"unresolved", []string{store.LetterOpen, store.LetterRetrying, store.LetterDiscarding}},
	{store.LetterOpen, []string{store.LetterOpen}},
	{"decided", []string{store.LetterRetrying, store.LetterDiscarding}},
	{store.LetterRetrying, []string{store.LetterRetrying}},
	{store.LetterDiscarding, []string{store.LetterDiscarding}},
	{store.LetterRetried, []string{store.LetterRetried}},
	{store.LetterDiscarded, []string{store.LetterDiscarded}},
	{"all", store.LetterStates()},
}

func stateNames() (names []string) {
	for _, s := range letterStates {
		names = append(names, s.Name)
	}
	return names
}

// LettersPage is a page of dead letters, below how many there are. In JSON it is public contract.
type LettersPage struct {
	Groups []store.LetterGroup `json:"groups"`
	// Incomplete says that only the oldest were counted, store.MaxSearched of them.
	Incomplete bool `json:"groups_incomplete,omitempty"`
	*store.LettersRead

	State, Reason, Type, Key, Topic, Partition, NextPage string   `json:"-"` // for the form
	States, Reasons                                      []string `json:"-"`
	Newest                                               bool     `json:"-"`
}

// letters is the page about dead letters: how many there are of which kind, and a list.
func (c *Console) letters(ctx context.Context, r *Request) (*Answer, error) {
	page := &LettersPage{
		State: r.OneOf("state", stateNames()...), Reason: r.Text("reason"), Type: r.Text("type"), Key: r.Text(c.Program.Vocabulary.Key),
		Topic: r.Text("topic"), Partition: r.Text("partition"), Newest: r.Ticked("newest"), States: stateNames(), Reasons: dlq.Reasons(c.Program),
	}
	want, err := c.letterPage(r, page)
	if err != nil {
		return nil, err
	}
	if page.Groups, page.Incomplete, err = c.Store.LetterGroups(ctx, want.States); err != nil {
		return nil, err
	}
	if page.LettersRead, err = c.Store.LetterPage(ctx, want); err != nil {
		return nil, err
	}
	if next := page.Next.String(); next != "" {
		page.NextPage = r.Link(c, "/letters", "after", next)
	}
	return &Answer{
		Title: "Dead letters", Data: page, Refresh: 10 * time.Second,
		Shell: []Shell{{"prints these", c.Command(page.list(c, &want, r)...)}},
	}, nil
}

// letterPage reads what is asked for.
func (c *Console) letterPage(r *Request, page *LettersPage) (want store.LetterPage, err error) {
	if page.Reason != "" {
		r.OneOf("reason", page.Reasons...)
		want.Reasons = []string{page.Reason}
	}
	if page.Type != "" {
		want.Types = []string{page.Type}
	}
	if page.Partition != "" {
		n := int32(r.Number("partition", 0, 0, 1<<31-1))
		want.Partition = &n
	}
	if after := r.Text("after"); after != "" && want.After.UnmarshalText([]byte(after)) != nil {
		r.Refuse("after", "the next of another answer")
	}
	want.Key, want.Topic, want.Newest = page.Key, page.Topic, page.Newest
	want.Since, want.Until, want.Limit = r.Ago("since"), r.Ago("until"), r.Number("limit", 100, 1, 1000)
	for _, s := range letterStates {
		if s.Name == page.State {
			want.States = s.states
		}
	}
	return want, r.Err()
}

// list is the command that prints the page's dead letters.
func (p *LettersPage) list(c *Console, want *store.LetterPage, r *Request) []string {
	words := []string{"dlq", "list"}
	add := func(flag, value string) {
		if value != "" {
			words = append(words, "--"+flag+"="+value)
		}
	}
	if p.State != "unresolved" {
		add("state", strings.Join(want.States, ","))
	}
	add("reason", p.Reason)
	add("type", p.Type)
	add(c.Program.Vocabulary.Key, p.Key)
	add("since", r.Text("since"))
	add("until", r.Text("until"))
	return words
}
