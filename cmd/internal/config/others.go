package config

import (
	"cmp"
	"slices"
	"strings"
)

// Other is a topic of another service, and the types of its records that this one is about: events
// that it takes from there, or commands that it sends there.
type Other struct {
	Topic      string // empty: the first topic of this service's own commands
	TypePrefix string
	Types      []string
}

// Others says which topics of other services there are, and how they are called here. It is empty
// for a service that knows no other.
type Others struct {
	OtherTopics string `name:"other-topics" env:"OTHER_TOPICS" placeholder:"NAME=TOPIC,…" help:"Topics of other services that are called otherwise here, such as ${other}."`

	Takes []Other `kong:"-"` // events of other services
	Sends []Other `kong:"-"` // commands for other services, and for this one itself
}

// BeforeReset takes the service's topics from its vocabulary.
func (o *Others) BeforeReset(v Vocabulary) error {
	o.Takes, o.Sends = v.Takes, v.Sends
	return nil
}

// names are what topics of other services are called here, by their usual names.
func (o Others) names() map[string]string {
	names := map[string]string{}
	for _, part := range split(o.OtherTopics) {
		usual, name, _ := strings.Cut(part, "=")
		names[usual] = name
	}
	return names
}

func (o Others) called(others []Other, own string) (all []Other) {
	names := o.names()
	for _, other := range others {
		if name := names[other.Topic]; name != "" {
			other.Topic = name
		}
		if other.Topic == "" {
			other.Topic = own
		}
		all = append(all, other)
	}
	return all
}

// check finds the mistakes. own are the topics that this service writes beside those of others.
func (o Others) check(p *Problems, commands []string, own ...string) {
	usualNames := o.usualNames()
	seen := map[string]bool{}
	for _, part := range split(o.OtherTopics) {
		usual, name, ok := strings.Cut(part, "=")
		switch {
		case !ok || !slices.Contains(usualNames, usual):
			p.Add("other-topics", part, "NAME=TOPIC with a name of "+strings.Join(usualNames, ", "))
		case !validTopic(name):
			p.Add("other-topics", part, "NAME=TOPIC, where the topic is "+topicAllowed)
		case seen[usual]:
			p.Add("other-topics", part, "a name that is not there twice")
		}
		seen[usual] = true
	}
	used := map[string]string{} // what a topic is used for
	for _, topic := range slices.Concat(commands, own) {
		used[topic] = "a topic of this service itself"
	}
	names := o.names()
	for _, usual := range usualNames {
		topic := cmp.Or(names[usual], usual)
		if used[topic] != "" {
			p.Add("other-topics", usual+"="+topic, "a topic that is not "+used[topic])
		}
		used[topic] = "that of " + usual
	}
}

// usualNames are the names of topics of other services, each once.
func (o Others) usualNames() (names []string) {
	for _, other := range slices.Concat(o.Takes, o.Sends) {
		if other.Topic != "" && !slices.Contains(names, other.Topic) {
			names = append(names, other.Topic)
		}
	}
	return names
}

// Taken are the topics of other services whose events come from there.
func (t Topics) Taken() []Other { return t.called(t.Takes, "") }

// Sent are the topics that commands are sent to.
func (t Topics) Sent() []Other { return t.called(t.Sends, t.CommandTopicNames()[0]) }

// Inputs are the names of all topics that records come from: first those of commands.
func (t Topics) Inputs() []string {
	names := t.CommandTopicNames()
	for _, other := range t.Taken() {
		names = append(names, other.Topic)
	}
	return names
}
