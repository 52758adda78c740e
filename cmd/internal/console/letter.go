package console

import (
	"context"
	"errors"
	"net/http"
	"time"

	"allocation/cmd/internal/operate/dlq"
	"allocation/store"
)

// maxBehind is how many of the commands that wait behind a dead letter are shown.
const maxBehind = 20

// LetterPage is a dead letter, and what waits behind it. In JSON it is public contract.
type LetterPage struct {
	*dlq.Letter
	Behind []store.WaitingCommand `json:"first_waiting"`
}

// letter is the page about a dead letter: why it is one, and what can be done about it.
func (c *Console) letter(ctx context.Context, r *Request) (*Answer, error) {
	id, err := store.ParseRecordID(r.Required("id"))
	if err != nil {
		r.Refuse("id", "the ID of a dead letter: the topic, partition and offset of its command, such as "+c.Program.Vocabulary.Topic+".3.1042")
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	letter, err := dlq.Read(ctx, c.Store, id)
	if errors.Is(err, store.ErrUnknown) {
		return nil, &Failure{Status: http.StatusNotFound, Title: "Not found", Says: []string{"there is no dead letter " + id.String()}, Links: []FailureLink{
			{"what became of the command there", c.Link("/command", "id", id.String())}, {"all dead letters", c.Link("/letters")},
		}}
	}
	if err != nil {
		return nil, err
	}
	letter.Value = c.shown(letter.Value)
	c.maskHeaders(letter.Headers)
	page := &LetterPage{letter, []store.WaitingCommand{}}
	if letter.Holds != "" {
		if page.Behind, err = c.Store.WaitingBehind(ctx, letter.Holds, maxBehind); err != nil {
			return nil, err
		}
	}
	return &Answer{
		Title: "Dead letter " + id.String(), Data: page, Refresh: 10 * time.Second,
		Shell: append([]Shell{{"prints this, with all of its bytes", c.Command("dlq", "show", id.String())}}, c.Decide(&letter.Letter)...),
	}, nil
}

// Decide are the commands that a person may type about a dead letter.
func (c *Console) Decide(l *store.Letter) (all []Shell) {
	id, behind := l.ID.String(), ""
	if l.Holds != "" {
		behind = ", and then what waits behind it"
	}
	add := func(says string, words ...string) {
		all = append(all, Shell{says, c.Command(append(append([]string{"dlq"}, words...), id)...)})
	}
	switch {
	case l.State == store.LetterOpen && l.Batch != nil:
		all = append(all, Shell{"has its records read again from Kafka, with room for so much, and applied one after the other", c.Command("dlq", "retry", id, "--max-bytes=2GiB")})
	case l.State == store.LetterOpen && l.Retries > 0 && l.Reason == "internal":
		add("has it applied once more, though that failed before"+behind, "retry", "--force")
	case l.State == store.LetterOpen:
		add("has it applied again, with its original bytes"+behind, "retry")
	case l.State == store.LetterDiscarded:
		add("has it applied after all", "retry", "--force")
	case l.State == store.LetterRetrying:
		add("gives it up, if it is not too late"+behind, "discard", "--force")
	}
	if l.State == store.LetterOpen {
		if l.Holds != "" {
			behind = ", and has what waits behind it applied"
		}
		add("gives it up: it never takes effect"+behind, "discard")
	}
	return all
}
