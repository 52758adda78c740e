package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Commands says where commands come from.
type Commands struct {
	CommandTopics string `name:"command-topics" env:"COMMAND_TOPICS" default:"${topic}" help:"Where commands come from, separated by commas. TOPIC=TYPE says that bare records of a topic are commands of that type, such as ${bare}."`
}

// Events says where events go.
type Events struct {
	EventsTopic string `name:"events-topic" env:"EVENTS_TOPIC" default:"${program}.events" help:"Where all events go."`
}

// EventTopics says where events go, and which also go elsewhere.
type EventTopics struct {
	Events
	EventRoutes string `name:"event-routes" env:"EVENT_ROUTES" placeholder:"TYPE=TOPIC,…" help:"Event types that also go to a topic of their own, such as ${route}."`
}

// Topics says which topics there are, and what they are for.
type Topics struct {
	Commands
	EventTopics
	Others
	EventSource     string `name:"event-source" env:"EVENT_SOURCE" default:"/${program}" help:"The ce_source of events: one per environment, never changed later."`
	DeadLetterTopic string `name:"dead-letter-topic" env:"DEAD_LETTER_TOPIC" default:"${topic}.dlq" help:"Where refused commands go."`
}

// BareTypes are the types that bare records of command topics have, by topic; "" where they must
// name it themselves.
func (c Commands) BareTypes() map[string]string {
	types := map[string]string{}
	for _, part := range split(c.CommandTopics) {
		topic, name, _ := strings.Cut(part, "=")
		types[topic] = name
	}
	return types
}

// CommandTopicNames are the names of the command topics, in the order given: the first is where
// `send` sends to.
func (c Commands) CommandTopicNames() []string {
	var names []string
	for _, part := range split(c.CommandTopics) {
		topic, _, _ := strings.Cut(part, "=")
		names = append(names, topic)
	}
	return names
}

// Routes are the topics that events of a type also go to, by type.
func (t EventTopics) Routes() map[string]string {
	routes := map[string]string{}
	for _, part := range split(t.EventRoutes) {
		name, topic, _ := strings.Cut(part, "=")
		routes[name] = topic
	}
	return routes
}

// Outputs are the topics that events go to, without repeats.
func (t EventTopics) Outputs() []string {
	names := []string{t.EventsTopic}
	for _, topic := range t.Routes() {
		names = append(names, topic)
	}
	slices.Sort(names[1:])
	return slices.Compact(names)
}

// Check finds the mistakes.
func (t Topics) Check(p *Problems) {
	t.Commands.Check(p)
	t.EventTopics.Check(p)
	if !validTopic(t.DeadLetterTopic) {
		p.Add("dead-letter-topic", t.DeadLetterTopic, topicAllowed)
	}
	if !validSource(t.EventSource) {
		p.Add("event-source", t.EventSource, "a URI reference of 1 to 255 characters, of letters a to z, digits and what RFC 3986 allows besides, such as /shop")
	}
	t.checkLoops(p)
}

// Check finds the mistakes.
func (t EventTopics) Check(p *Problems) {
	t.Events.Check(p)
	t.checkRoutes(p)
}

// Check finds the mistakes.
func (e Events) Check(p *Problems) {
	if !validTopic(e.EventsTopic) {
		p.Add("events-topic", e.EventsTopic, topicAllowed)
	}
}

// Check finds the mistakes.
func (c Commands) Check(p *Problems) {
	parts := split(c.CommandTopics)
	if len(parts) == 0 {
		p.Add("command-topics", c.CommandTopics, "at least one topic")
	}
	seen := map[string]bool{}
	for _, part := range parts {
		topic, name, mapped := strings.Cut(part, "=")
		switch {
		case !validTopic(topic):
			p.Add("command-topics", part, "a topic or TOPIC=TYPE, where the topic is "+topicAllowed)
		case mapped && !slices.Contains(p.vocabulary.Commands, name):
			p.Add("command-topics", part, "TOPIC=TYPE with a type of "+strings.Join(p.vocabulary.Commands, ", "))
		case seen[topic]:
			p.Add("command-topics", part, "a topic that is not there twice")
		}
		seen[topic] = true
	}
}

func (t EventTopics) checkRoutes(p *Problems) {
	seen := map[string]bool{}
	for _, part := range split(t.EventRoutes) {
		name, topic, ok := strings.Cut(part, "=")
		switch {
		case !ok || !slices.Contains(p.vocabulary.Events, name):
			p.Add("event-routes", part, "TYPE=TOPIC with a type of "+strings.Join(p.vocabulary.Events, ", "))
		case !validTopic(topic):
			p.Add("event-routes", part, "TYPE=TOPIC, where the topic is "+topicAllowed)
		case seen[name]:
			p.Add("event-routes", part, "a type that is not there twice")
		}
		seen[name] = true
	}
}

// checkLoops finds topics with two purposes: what the service writes must never be what it reads,
// and dead letters are no events.
func (t Topics) checkLoops(p *Problems) {
	commands := t.CommandTopicNames()
	for name, topic := range t.Routes() {
		if slices.Contains(commands, topic) || topic == t.EventsTopic || topic == t.DeadLetterTopic {
			p.Add("event-routes", name+"="+topic, "a topic that is not used for anything else")
		}
	}
	if slices.Contains(commands, t.EventsTopic) || t.EventsTopic == t.DeadLetterTopic {
		p.Add("events-topic", t.EventsTopic, "a topic that is not used for anything else")
	}
	if slices.Contains(commands, t.DeadLetterTopic) {
		p.Add("dead-letter-topic", t.DeadLetterTopic, "a topic that is not used for anything else")
	}
	t.Others.check(p, commands, append(t.Outputs(), t.DeadLetterTopic)...)
}

// split takes a comma-separated list apart.
func split(list string) []string {
	var parts []string
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

const topicAllowed = "1 to 249 letters, digits, dots, underscores and hyphens"

var topicPattern = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

func validTopic(name string) bool {
	return topicPattern.MatchString(name) && name != "." && name != ".."
}

func validSource(source string) bool {
	const punctuation = "-._~:/?#[]@!$&'()*+,;=%" // RFC 3986, section 2
	never := func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && !strings.ContainsRune(punctuation, r)
	}
	_, err := url.Parse(source)
	return err == nil && len(source) >= 1 && len(source) <= 255 && !strings.ContainsFunc(source, never)
}
