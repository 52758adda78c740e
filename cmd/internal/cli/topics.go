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

// RequireTopic returns an error where a topic does not exist, or this user may not see it.
func RequireTopic(ctx context.Context, client *kgo.Client, topic string) error {
	found, err := worker.ListTopics(ctx, client, topic)
	switch {
	case err != nil:
		return err
	case errors.Is(found[topic].Err, kerr.TopicAuthorizationFailed):
		return HiddenTopics(topic)
	case !found.Has(topic):
		return &MissingTopicsError{[]string{topic}}
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
