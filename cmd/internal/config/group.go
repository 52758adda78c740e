package config

import (
	"strings"
	"time"
	"unicode"
)

// Group says how a worker takes part in the consumer group.
type Group struct {
	GroupID         string `name:"kafka-group-id" env:"KAFKA_GROUP_ID" default:"${program}" help:"The consumer group. The database remembers it: a worker of another is refused."`
	SessionTimeout  string `name:"kafka-session-timeout" env:"KAFKA_SESSION_TIMEOUT" default:"10s" help:"After which a dead worker's partitions move."`
	AutoOffsetReset string `name:"kafka-auto-offset-reset" env:"KAFKA_AUTO_OFFSET_RESET" default:"earliest" help:"Where a topic without a position in the database starts: earliest or latest."`
}

// GroupSettings are Group's values, read.
type GroupSettings struct {
	ID             string
	SessionTimeout time.Duration
	FromLatest     bool // where a topic without a position starts; else at its beginning
}

// Check finds the mistakes and reads the values.
func (g Group) Check(p *Problems) GroupSettings {
	if g.GroupID == "" || len(g.GroupID) > 255 || strings.ContainsFunc(g.GroupID, unicode.IsControl) {
		p.Add("kafka-group-id", g.GroupID, "1 to 255 bytes without control characters")
	}
	p.oneOf("kafka-auto-offset-reset", g.AutoOffsetReset, "earliest", "latest")
	return GroupSettings{
		ID:             g.GroupID,
		SessionTimeout: p.duration("kafka-session-timeout", g.SessionTimeout, time.Second, 30*time.Minute),
		FromLatest:     g.AutoOffsetReset == "latest",
	}
}
