package contest

import (
	"flag"
	"os"
	"strings"
)

// Settings say where things are.
type Settings struct {
	Brokers    string // separated by commas
	Database   string
	Commands   string // the topic to read
	Events     string // the topic to write
	Partitions int    // of the commands' topic
	Setup      bool   // prepare the database, and do nothing else
	Products   int    // how many batches Setup makes
}

// Register gives each setting a flag, and those that say where things are the environment's value
// as default.
func Register(flags *flag.FlagSet) *Settings {
	s := new(Settings)
	flags.StringVar(&s.Brokers, "brokers", os.Getenv("KAFKA_BROKERS"), "where Kafka is, separated by commas")
	flags.StringVar(&s.Database, "database", os.Getenv("DATABASE_URL"), "where Postgres is")
	flags.StringVar(&s.Commands, "commands", os.Getenv("COMMAND_TOPIC"), "the topic of commands")
	flags.StringVar(&s.Events, "events", os.Getenv("EVENTS_TOPIC"), "the topic of events")
	flags.IntVar(&s.Partitions, "partitions", 12, "partitions of the topic of commands")
	flags.BoolVar(&s.Setup, "setup", false, "make tables and batches, and exit")
	flags.IntVar(&s.Products, "products", 1000, "batches that -setup makes")
	return s
}

// Seeds are the brokers' addresses.
func (s Settings) Seeds() []string { return strings.Split(s.Brokers, ",") }
