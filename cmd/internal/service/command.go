package service

import (
	"context"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
)

// Command is "worker" on the command line.
type Command struct {
	config.Kafka
	config.Database
	config.Topics
	config.Group
	config.Tuning
	config.Log
	HTTPAddr string `name:"http-addr" env:"HTTP_ADDR" default:"${http_addr}" help:"Where health and metrics are: /livez, /readyz, /metrics."`

	Hooks Hooks `kong:"-"`
}

// Help is what --help adds.
func (Command) Help() string {
	return `Applies commands and publishes their events until SIGTERM. Run as many as there is work for: the partitions are shared out. It waits for
Kafka and Postgres where they do not answer, and refuses to start where they are not set up for it: see ${program} migrate and topics.

Traces are off; OTEL_TRACES_EXPORTER=otlp and OpenTelemetry's other variables turn them on.

Example:

    ${prefix}DATABASE_URL=postgres://worker:secret@db:5432/${program} ${prefix}KAFKA_BROKERS=kafka-1:9092,kafka-2:9092 ${program} worker`
}

// Run runs a worker until the context ends.
func (c *Command) Run(ctx context.Context, p *cli.Program) error {
	settings, err := c.settings(p)
	if err != nil {
		return err
	}
	limitMemory()
	process := New(settings, c.Logger(p.Err))
	listener, err := Listen(ctx, c.HTTPAddr)
	if err != nil {
		return err
	}
	return process.Run(ctx, listener)
}

// settings reads the settings, or says everything that is wrong with them.
func (c *Command) settings(p *cli.Program) (Settings, error) {
	problems := p.Problems()
	c.Kafka.Check(problems)
	c.Database.Check(problems)
	if !c.Database.Set() {
		problems.Say("%s is not set; it, or %[1]s_FILE, must be for a worker, such as postgres://user:password@host:5432/%s", c.Variable(), p.Name)
	}
	c.Topics.Check(problems)
	c.Log.Check(problems)
	problems.Address("http-addr", c.HTTPAddr)
	settings := Settings{
		Name: p.Name, Service: p.Service, Hooks: c.Hooks,
		Kafka: c.Kafka, Database: c.Database, Topics: c.Topics,
		Group: c.Group.Check(problems), Tuning: c.Tuning.Check(problems),
	}
	return settings, problems.Err()
}
