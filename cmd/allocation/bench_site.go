package main

import (
	"context"
	"fmt"
	"os"
	"reflect"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"allocation/cmd/allocation/config"
	"allocation/migrations"
)

// connectDatabase opens one connection. Its error says at once where nobody answers.
func (p *program) connectDatabase(ctx context.Context, database config.Database) (*pgx.Conn, error) {
	settings, err := connectionSettings(database)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, answerTime, fmt.Errorf("no answer within %s", answerTime))
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, settings)
	if err != nil {
		return nil, databaseAway(database, settings, causeOf(ctx, err))
	}
	return conn, nil
}

// migrateUp brings the schema up to date.
func (p *program) migrateUp(ctx context.Context, database config.Database) error {
	db, err := p.openDatabase(ctx, database)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = migrations.Up(ctx, db)
	return err
}

// workerEnvironment gives a worker the settings that this command was given, however it was given
// them.
func (c *benchCommand) workerEnvironment() (variables []string, err error) {
	if c.URLFile == "" {
		url, err := c.URL()
		if err != nil {
			return nil, err
		}
		variables = append(variables, "DATABASE_URL="+url)
	}
	for _, settings := range []any{c.Kafka, c.Database, c.Topics, c.Topics.Commands, c.Topics.Events} {
		variables = append(variables, variablesIn(settings)...)
	}
	if _, set := os.LookupEnv(groupVariable); !set { // each run has a database of its own, and a group is one database's
		variables = append(variables, groupVariable+"=allocation-bench-"+uuid.NewString())
	}
	return variables, nil
}

const groupVariable = "KAFKA_GROUP_ID"

// variablesIn are the settings of a struct as environment variables, named by the tags of its
// fields.
func variablesIn(settings any) (variables []string) {
	value := reflect.ValueOf(settings)
	for i := range value.NumField() {
		if name := value.Type().Field(i).Tag.Get("env"); name != "" {
			variables = append(variables, name+"="+value.Field(i).String())
		}
	}
	return variables
}
