package dlq

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/store"
)

type showCommand struct {
	config.Database
	ID   string `arg:"" name:"id" help:"The dead letter: <topic>.<partition>.<offset> of its command."`
	JSON bool   `help:"Print JSON."`
}

func (showCommand) Help() string {
	return `Prints a dead letter with its key, headers and value: as text where they are printable, else in base64. JSON has both.

Example:

    ${program} dlq show ${topic}.3.1042`
}

// Run prints the dead letter.
func (c *showCommand) Run(ctx context.Context, p *cli.Program) error {
	problems := p.Problems()
	ids := readIDs(problems, c.ID)
	if err := problems.Err(); err != nil {
		return err
	}
	db, err := p.OpenStore(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	letter, err := Read(ctx, db, ids[0])
	if errors.Is(err, store.ErrUnknown) {
		return fmt.Errorf("there is no dead letter %q", c.ID)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return p.PrintJSON(letter)
	}
	return printLetter(p, letter)
}

// Letter is a dead letter with all of its bytes, as JSON has them.
type Letter struct {
	store.Letter
	RecordKey Bytes          `json:"key"`
	Headers   []Header       `json:"headers"`
	Value     Bytes          `json:"value"`
	Others    []store.Letter `json:"others,omitempty"` // of the same command, oldest first
}

// Header is a header of a dead letter. Of a Kafka record it may be any bytes.
type Header struct {
	Key   Bytes `json:"key"`
	Value Bytes `json:"value"`
}

// Bytes is null where there are none.
type Bytes struct {
	Base64 *string `json:"base64"`
	Text   *string `json:"text,omitempty"` // only where it is printable
}

// Read reads the last dead letter of a command: store.ErrUnknown where it has none.
func Read(ctx context.Context, db *store.Store, id store.RecordID) (*Letter, error) {
	l, err := db.Letter(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &Letter{Letter: l.Letter, RecordKey: NewBytes(l.RecordKey), Value: NewBytes(l.Value), Others: l.Others, Headers: []Header{}}
	for _, h := range l.Headers {
		out.Headers = append(out.Headers, Header{NewBytes([]byte(h.Key)), NewBytes(h.Value)})
	}
	return out, nil
}

// NewBytes has bytes as JSON has them.
func NewBytes(b []byte) (out Bytes) {
	if b == nil {
		return out
	}
	encoded := base64.StdEncoding.EncodeToString(b)
	out.Base64 = &encoded
	if text := string(b); readable(text) {
		out.Text = &text
	}
	return out
}

func readable(text string) bool {
	return utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' }) < 0
}

// Raw are the bytes themselves; nil where there are none.
func (b Bytes) Raw() []byte {
	if b.Base64 == nil {
		return nil
	}
	raw, _ := base64.StdEncoding.DecodeString(*b.Base64) // NewBytes wrote it
	return raw
}

// behindName is where dlq show has what follows a name. A text's further lines begin there too, or
// they would look like lines of its own.
const behindName = "          "

// String is what people see of bytes. Of a text with line breaks, each begins a line.
func (b Bytes) String() string {
	switch {
	case b.Base64 == nil:
		return "(null)"
	case b.Text == nil:
		return "(base64) " + *b.Base64
	}
	text := cli.PrintableLines(strings.ReplaceAll(*b.Text, "\r\n", "\n"))
	return strings.ReplaceAll(text, "\n", "\n"+behindName)
}

func printLetter(p *cli.Program, l *Letter) error {
	say := func(name, format string, args ...any) {
		fmt.Fprintf(p.Out, "%-10s%s\n", name, cli.Printable(fmt.Sprintf(format, args...)))
	}
	fmt.Fprintf(p.Out, "dead letter %s\n\n", cli.Printable(l.ID.String()))
	say("reason", "%s: %s", l.Reason, l.Message)
	say("state", "%s", letterState(&l.Letter))
	if b := l.Batch; b != nil {
		say("batch", "offsets %d to %d, %s records, %s bytes packed with %s; %s", l.ID.Offset, b.Last, cli.Count(int64(b.Records)),
			cli.Count(int64(b.Bytes)), b.Codec, ReadAgain(&l.Letter))
	} else {
		say("type", "%s", orUnknown(l.Type))
		say(p.Vocabulary.Entity, "%s", orUnknown(l.Key))
	}
	if l.Holds != "" {
		say("holds", "%s: %s later commands wait", l.Holds, cli.Count(l.Waiting))
	}
	if text := warning(p, &l.Letter); text != "" && l.State == store.LetterOpen {
		say("discard", "%s", text)
	}
	if l.CommandTime != nil {
		say("produced", "%s", cli.When(time.UnixMilli(*l.CommandTime)))
	}
	say("recorded", "%s", cli.When(l.RecordedAt))
	if l.ResolvedAt != nil {
		say("resolved", "%s", cli.When(*l.ResolvedAt))
	}
	if l.Batch == nil {
		printLetterBytes(p, l)
	}
	if len(l.Others) == 0 {
		return nil
	}
	fmt.Fprintln(p.Out, "\nother dead letters of this command")
	return printLetters(p, &store.LetterList{Letters: l.Others})
}

// ReadAgain says how far a batch of records is.
func ReadAgain(l *store.Letter) string {
	b := l.Batch
	far := "none of them was applied"
	switch {
	case b.Next != nil && *b.Next > b.Last:
		far = "read again and applied; what was refused of it are dead letters of their own"
	case b.Next != nil && *b.Next > l.ID.Offset:
		far = fmt.Sprintf("read again and applied up to offset %d", *b.Next-1)
	}
	if b.Problem != "" {
		far += ". Reading it ended: " + b.Problem
	}
	return far
}

func printLetterBytes(p *cli.Program, l *Letter) {
	fmt.Fprintf(p.Out, "\nkey       %s\n", l.RecordKey)
	for _, h := range l.Headers {
		fmt.Fprintf(p.Out, "header    %s: %s\n", h.Key, h.Value)
	}
	fmt.Fprintf(p.Out, "value     %s\n", l.Value)
}

func orUnknown(text string) string {
	if text == "" {
		return "(not known)"
	}
	return text
}
