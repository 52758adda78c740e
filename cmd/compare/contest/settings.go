package contest

import (
	"os"
	"strings"
)

// What each run is about.
const (
	Partitions = 12   // of each topic
	Products   = 1000 // each with one batch that never ends
)

// Settings say where things are.
type Settings struct {
	Brokers  []string
	Database string
	Commands string // the topic to read
	Events   string // the topic to write
}

func settings() Settings {
	return Settings{strings.Split(os.Getenv("KAFKA_BROKERS"), ","), os.Getenv("DATABASE_URL"), os.Getenv("COMMAND_TOPICS"), os.Getenv("EVENTS_TOPIC")}
}
