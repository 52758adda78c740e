package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/worker"
)

// MissingTopics says which of the topics do not exist, and which nobody may see.
func MissingTopics(ctx context.Context, client *kgo.Client, topics ...string) error {
	var missing, hidden []string
	for _, topic := range topics { // one by one: a refusal of all at once does not name the topic
		found, err := worker.ListTopics(ctx, client, topic)
		switch {
		case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(found[topic].Err, kerr.TopicAuthorizationFailed):
			hidden = append(hidden, topic)
		case err != nil:
			return err
		case !found.Has(topic):
			missing = append(missing, topic)
		}
	}
	if len(hidden) > 0 {
		return HiddenTopics(hidden...)
	}
	if len(missing) > 0 {
		return &MissingTopicsError{missing}
	}
	return nil
}

// MissingTopicsError names topics that do not exist.
type MissingTopicsError struct{ Topics []string }

func (e *MissingTopicsError) Error() string {
	if len(e.Topics) == 1 {
		return fmt.Sprintf("the topic %s does not exist", e.Topics[0])
	}
	return fmt.Sprintf("the topics %s do not exist", strings.Join(e.Topics, ", "))
}

// HiddenTopics is the error of topics that Kafka does not let this user see.
func HiddenTopics(topics ...string) error {
	return SetupError(fmt.Sprintf("Kafka's access rules do not let this user see %s, if there is such a topic: SECURITY.md lists what each role needs", strings.Join(topics, ", ")))
}

// SetupError says what is set up so that nothing works there. Waiting does not mend that.
type SetupError string

func (e SetupError) Error() string { return string(e) }
