// Package try says what commands would come to if they came now.
package try

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/explain"
	"allocation/outbox"
	"allocation/store"
	"allocation/worker"
)

// Command is one to try.
type Command struct {
	Type          string
	Data          []byte // JSON
	ID            string // empty: it gets a new one, as where it is sent
	CorrelationID string
	Line          int64 // of the file that has it; 0: there is none
}

// Commands are tried one after the other: each sees what those before it would have done.
type Commands struct {
	list []Command
	left int64 // of those after the list
}

// Most bounds the commands of one try, which are kept in memory.
const Most = 10_000

// Add puts a command behind the others. It shares no memory with it.
func (c *Commands) Add(command Command) {
	if len(c.list) == Most {
		c.left++
		return
	}
	command.Data = append([]byte{}, command.Data...)
	c.list = append(c.list, command)
}

// Try says what the commands would come to, with so many events of each at most.
func (c *Commands) Try(ctx context.Context, db *store.Store, w explain.Words, events int) (*Answers, error) {
	commands := make([]worker.Command, len(c.list))
	for i := range c.list {
		commands[i] = c.list[i].command()
	}
	tried, err := db.Try(ctx, commands, events)
	if err != nil {
		return nil, err
	}
	all := &Answers{Commands: []Answer{}, NotTried: c.left + int64(len(c.list)-len(tried))}
	for i := range tried {
		answer := answerOf(&c.list[i], &tried[i])
		if w.Harm != nil {
			answer.Harm = w.Harm(answer.ByType)
		}
		all.Commands = append(all.Commands, answer)
	}
	return all, nil
}

func (c *Command) command() worker.Command {
	id := c.ID
	if id == "" {
		id = uuid.NewString()
	}
	return worker.Command{Type: c.Type, Data: c.Data, Value: c.Data, Cause: &outbox.Cause{CommandID: id, CorrelationID: c.CorrelationID, Time: outbox.NoTime}}
}

// Answers are what commands would come to.
type Answers struct {
	Commands []Answer `json:"commands"`
	NotTried int64    `json:"not_tried"` // commands after them
}

// Err is nil where all commands were tried.
func (a *Answers) Err() error {
	if a.NotTried == 0 {
		return nil
	}
	were := "the last " + cli.Count(a.NotTried) + " commands were"
	if a.NotTried == 1 {
		were = "the last command was"
	}
	return errors.New(were + fmt.Sprintf(" not tried: a try takes %s commands at most, and ends where those before have very many events", cli.Count(Most)))
}
