package explain

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"allocation/cmd/internal/cli"
	"allocation/store"
)

// Query is a text that commands are looked for by.
type Query struct {
	Text      string
	Since     time.Time // how far back ids are looked for where days have no index yet, and in topics
	FromTopic bool      // look for an id in the topics, too
	Limit     int
}

// Understood is what a text means.
type Understood struct {
	Says string `json:"understood"` // empty: it is the position of a command
	*store.Found
	Searched bool `json:"-"` // as an id or a correlation
}

// NotFoundError says where a text was looked for in vain.
type NotFoundError struct {
	Query
	Since      time.Time // how far back it was looked for, where days have no index yet
	Topic      string    // that the text begins with; empty: none
	Partitions int32     // that the topic has
}

// OnlyInTopic says what a search without the topics does not find.
const OnlyInTopic = "one that had no effect, or was not read yet, is only in its topic: say --from-topic to look there"

func (e *NotFoundError) Error() string {
	text := fmt.Sprintf("no command with the id or the correlation %q was found, on days that are over and since %s (--since)", e.Text, cli.When(e.Since))
	if e.Topic != "" {
		text = fmt.Sprintf("%q is no position: %s; and %s", e.Text, e.TopicText(), text)
	}
	if !e.FromTopic {
		text += "; " + OnlyInTopic
	}
	return text
}

// TopicText says which partitions the topic has that the text begins with.
func (e *NotFoundError) TopicText() string {
	if e.Partitions == 1 {
		return "the topic " + e.Topic + " has 1 partition, 0"
	}
	return fmt.Sprintf("the topic %s has %d partitions, from 0 to %d", e.Topic, e.Partitions, e.Partitions-1)
}

// Find gives the commands that a text means: by a position, a partition (the first that is not
// applied), the ce_id of an event, or an id or a correlation. Where there is none, its error is a
// *NotFoundError.
func (c *Commands) Find(ctx context.Context, q Query) (*Understood, error) {
	if id, err := store.ParseRecordID(q.Text); err == nil {
		known, err := c.Store.HasPartition(ctx, id)
		if err != nil || known {
			return one("", id), err
		}
	}
	next, ok, err := c.Store.NextCommand(ctx, q.Text)
	switch {
	case err != nil:
		return nil, err
	case ok:
		return one(q.Text+" is a partition, and this the position of its next command", next), nil
	}
	id, ok, err := c.Store.EventCommand(ctx, q.Text)
	switch {
	case err != nil:
		return nil, err
	case ok:
		return one(q.Text+" is the id of an event of this command", id), nil
	}
	found, err := c.Store.FindCommands(ctx, q.Text, q.Since, q.Limit)
	if err != nil {
		return nil, err
	}
	if q.FromTopic {
		if err := c.findInTopics(ctx, q, found); err != nil {
			return nil, err
		}
	}
	if len(found.Commands) == 0 {
		topic, partitions, err := c.Store.TopicOf(ctx, q.Text)
		if err != nil {
			return nil, err
		}
		return nil, &NotFoundError{q, found.Since, topic, partitions}
	}
	for i := range found.Commands {
		c.nameType(&found.Commands[i])
	}
	sortByTime(found.Commands)
	return &Understood{understood(q.Text, found), found, true}, nil
}

func one(says string, id store.RecordID) *Understood {
	return &Understood{says, &store.Found{Commands: []store.FoundCommand{{ID: id}}}, false}
}

// sortByTime puts commands in the order of time, and those of a partition in that of their offsets:
// one counts as produced no earlier than those before it in its partition.
func sortByTime(commands []store.FoundCommand) {
	slices.SortFunc(commands, func(a, b store.FoundCommand) int {
		return cmp.Or(strings.Compare(a.ID.Topic, b.ID.Topic), cmp.Compare(a.ID.Partition, b.ID.Partition), cmp.Compare(a.ID.Offset, b.ID.Offset))
	})
	produced := map[store.RecordID]time.Time{}
	var latest time.Time
	for i := range commands {
		f := &commands[i]
		if i > 0 && (f.ID.Topic != commands[i-1].ID.Topic || f.ID.Partition != commands[i-1].ID.Partition) {
			latest = time.Time{}
		}
		if f.Time != nil && f.Time.After(latest) {
			latest = *f.Time
		}
		produced[f.ID] = latest
	}
	slices.SortStableFunc(commands, func(a, b store.FoundCommand) int { return produced[a.ID].Compare(produced[b.ID]) })
}

// nameType tells a command's type by its first event, where nothing else did.
func (c *Commands) nameType(f *store.FoundCommand) {
	if f.Type == "" && f.First.Type != "" {
		f.Type = c.Words.Command(&store.CauseView{First: f.First})
	}
}

func understood(text string, found *store.Found) string {
	byID := 0
	for _, f := range found.Commands {
		if f.CommandID == text {
			byID++
		}
	}
	is := "the id or the correlation"
	switch byID {
	case len(found.Commands):
		is = "the id"
	case 0:
		is = "the correlation"
	}
	return fmt.Sprintf("%s is %s of %s", text, is, cli.CountOf(int64(len(found.Commands)), "command"))
}
