package dev

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"allocation/cmd/internal/config"
)

// welcome says where everything is and what to try, in commands that work when pasted.
func (d *session) welcome() {
	fmt.Fprintf(d.Out, `
  Console   %s
  Kafka     %s
  Postgres  psql '%s'
  Health    http://%s/readyz and /metrics
  Logs      %s, %s

Try in another terminal, in this folder:

%s%s
And why: %s %s

ready; Ctrl-C stops everything and keeps the data
`, d.whereConsole(), d.kafka.Addr(), d.passwordURL(), d.listener.Addr(), filepath.Join(d.command.Dir, workerLog), d.postgresLog, d.exports(), d.try(), d.self(), d.command.Why)
}

// try are the commands to try, a line for each.
func (d *session) try() string {
	var b strings.Builder
	for _, command := range d.command.Try {
		fmt.Fprintf(&b, "  %s %s\n", d.self(), command)
	}
	return b.String()
}

// whereConsole says where the console is.
func (d *session) whereConsole() string {
	if d.settings.Pages == nil {
		return fmt.Sprintf("not at --http-addr, which other machines reach; run %s console", d.self())
	}
	return fmt.Sprintf("http://%s/", d.listener.Addr())
}

// exports set the variables that the commands need in another terminal: where this is not where
// they look by themselves, or the one here has another value.
func (d *session) exports() string {
	var b strings.Builder
	prefix := d.Vocabulary.Prefix
	if os.Getenv(prefix+"DATABASE_URL_FILE") != "" {
		fmt.Fprintf(&b, "  unset %sDATABASE_URL_FILE\n", prefix)
	}
	for _, v := range []struct{ name, value, usual string }{
		{"KAFKA_BROKERS", d.kafka.Addr(), config.DevBrokers},
		{"DATABASE_URL", d.databaseURL(), config.DevDatabaseURL},
		{"DATABASE_SCHEMA", d.settings.Name, d.settings.Name},
		{"COMMAND_TOPICS", d.settings.Topics.CommandTopics, d.Vocabulary.Topic},
		{"EVENTS_TOPIC", d.settings.Topics.EventsTopic, d.settings.Name + ".events"},
	} {
		if v.value != v.usual || cmp.Or(os.Getenv(prefix+v.name), v.usual) != v.value {
			fmt.Fprintf(&b, "  export %s='%s'\n", prefix+v.name, v.value)
		}
	}
	return b.String()
}

// passwordURL is for other programs, such as psql. It names the file of the password: a password in
// an argument could be read by other users.
func (d *session) passwordURL() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable&password=&passfile=%s", d.postgresPort, databaseName, config.InURL(d.files.pgpass))
}

// databaseURL is for this program: the usual one where it finds that by itself.
func (d *session) databaseURL() string {
	usual, err := filepath.Abs(filepath.Join(config.DevFolder, config.DevPasswordFile))
	if err == nil && usual == d.files.pgpass && d.postgresPort == config.DevPort {
		return config.DevDatabaseURL
	}
	return config.DevURL(d.postgresPort, d.files.pgpass)
}

// self is how this program is called.
func (d *session) self() string {
	path, err := os.Executable()
	if err != nil {
		return d.Name
	}
	if strings.Contains(path, string(filepath.Separator)+"go-build") {
		return "go run ./cmd/" + d.Name // which made a program that is gone soon
	}
	return os.Args[0]
}
