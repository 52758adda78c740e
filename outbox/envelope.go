package outbox

import (
	"errors"
	"fmt"
)

// Envelope says where rows go, and in what name.
type Envelope struct {
	EventsTopic     string            // every event
	Routes          map[string]string // event type → the topic that it goes to as well
	TypePrefix      string            // stands before an event's type in ce_type
	Source          string            // ce_source: never changed once events were published
	DeadLetterTopic string
	Group           string // the consumer group that refused a dead letter
}

func (e Envelope) validate() error {
	var errs []error
	for _, v := range []struct{ name, value string }{
		{"events topic", e.EventsTopic}, {"prefix of types", e.TypePrefix}, {"event source", e.Source}, {"dead-letter topic", e.DeadLetterTopic}, {"consumer group", e.Group},
	} {
		if v.value == "" {
			errs = append(errs, fmt.Errorf("no %s", v.name))
		}
	}
	if e.EventsTopic == e.DeadLetterTopic {
		errs = append(errs, errors.New("events and dead letters share a topic"))
	}
	for kind, topic := range e.Routes {
		switch topic {
		case "":
			errs = append(errs, fmt.Errorf("route of %s: no topic", kind))
		case e.EventsTopic, e.DeadLetterTopic:
			errs = append(errs, fmt.Errorf("route of %s: %s is taken", kind, topic))
		}
	}
	return errors.Join(errs...)
}

// topics are all topics that rows may go to, each once.
func (e Envelope) topics() []string {
	topics := []string{e.EventsTopic, e.DeadLetterTopic}
	seen := map[string]bool{}
	for _, topic := range e.Routes {
		if !seen[topic] {
			seen[topic] = true
			topics = append(topics, topic)
		}
	}
	return topics
}
