package outbox

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Envelope says where rows go, and in what name.
type Envelope struct {
	EventsTopic     string            // every event that is no command of another service
	Routes          map[string]string // event type → the topic that it goes to as well
	TypePrefix      string            // stands before an event's type in ce_type
	Source          string            // ce_source: never changed once events were published
	DeadLetterTopic string
	Group           string // the consumer group that refused a dead letter

	// Commands are event types that are commands of other services: they go there instead.
	Commands map[string]Destination
}

// Destination is where another service takes its commands.
type Destination struct {
	Topic      string
	TypePrefix string // stands before a command's type in ce_type
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
	for name, topic := range e.Routes {
		switch topic {
		case "":
			errs = append(errs, fmt.Errorf("route of %s: no topic", name))
		case e.EventsTopic, e.DeadLetterTopic:
			errs = append(errs, fmt.Errorf("route of %s: %s is taken", name, topic))
		}
	}
	for name, to := range e.Commands {
		switch {
		case to.Topic == "" || to.TypePrefix == "":
			errs = append(errs, fmt.Errorf("command %s of another service: no topic or no prefix of types", name))
		case to.Topic == e.EventsTopic || to.Topic == e.DeadLetterTopic:
			errs = append(errs, fmt.Errorf("command %s of another service: %s is taken", name, to.Topic))
		case e.Routes[name] != "":
			errs = append(errs, fmt.Errorf("command %s of another service: it has a route", name))
		}
	}
	return errors.Join(errs...)
}

// topics are all topics that rows may go to, each once.
func (e Envelope) topics() []string {
	topics := slices.AppendSeq([]string{e.EventsTopic, e.DeadLetterTopic}, maps.Values(e.Routes))
	for _, to := range e.Commands {
		topics = append(topics, to.Topic)
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

// elsewhere reports whether what a topic has is elsewhere too: dead letters are in the database,
// and events of a route in the events topic.
func (e Envelope) elsewhere(topic string) bool {
	for _, to := range e.Commands {
		if topic == to.Topic {
			return false
		}
	}
	return topic != e.EventsTopic
}
