package dev

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/config"
	"allocation/cmd/internal/operate/topics"
	"allocation/deploy/local"
	"allocation/migrations"
)

const (
	databaseName = "allocation"
	partitions   = 12
)

// startServers starts both at the same time. After an error, those that did start are still to be
// stopped.
func (d *session) startServers(ctx context.Context, port int) error {
	var wg sync.WaitGroup
	var kafkaErr, postgresErr error
	wg.Go(func() {
		d.kafka, kafkaErr = local.StartKafka(ctx, local.KafkaOptions{
			Addr: d.command.KafkaAddr, AddrFlag: "--kafka-addr", Dir: d.command.Dir, Logger: d.logger,
		})
	})
	wg.Go(func() { postgresErr = d.startPostgres(ctx, port) })
	wg.Wait()
	if err := errors.Join(kafkaErr, postgresErr); err != nil {
		return err
	}
	d.settings.Kafka = config.Kafka{Brokers: d.kafka.Addr(), SecurityProtocol: "PLAINTEXT"}
	return nil
}

// startPostgres starts Postgres. All end where it ends by itself.
func (d *session) startPostgres(ctx context.Context, port int) error {
	postgres, err := local.StartPostgres(ctx, local.PostgresOptions{
		Dir: d.command.Dir, Port: port, PortFlag: "--postgres-port", Database: databaseName, Password: d.files.password, Output: d.Out,
	})
	if err != nil {
		return err
	}
	d.postgresPort, d.postgresLog, d.settings.URL = postgres.Port(), postgres.LogPath(), postgres.URL()
	d.postgres.Store(postgres)
	go func() {
		<-postgres.Done()
		if d.postgres.CompareAndSwap(postgres, nil) {
			d.ended(fmt.Errorf("Postgres ended; see %s", d.postgresLog)) //nolint:staticcheck // a name
		}
	}()
	return nil
}

// prepare makes the schema and the topics.
func (d *session) prepare(ctx context.Context) error {
	if err := d.migrateUp(ctx); err != nil {
		return err
	}
	client, err := kgo.NewClient(append(d.settings.Kafka.Options(d.settings.Name, d.settings.Kafka.Dialer()), kgo.MetadataMinAge(10*time.Millisecond))...)
	if err != nil {
		return err
	}
	defer client.Close()
	layout := topics.Layout{Topics: d.settings.Topics, Partitions: partitions, Replication: topics.BrokersDefault}
	if _, err := layout.Create(ctx, kadm.NewClient(client)); err != nil {
		return err
	}
	return nil
}

func (d *session) migrateUp(ctx context.Context) error {
	schema := d.settings.Database.In()
	settings, err := pgx.ParseConfig(d.settings.URL)
	if err != nil {
		return fmt.Errorf("read database URL: %w", err)
	}
	db := stdlib.OpenDB(*settings)
	defer db.Close()
	if _, err = migrations.Up(ctx, db, migrations.Options{Schema: schema, Lines: d.Service.Lines()}); err != nil {
		return err
	}
	// For people with psql: this program's own sessions need it not.
	_, err = db.ExecContext(ctx, fmt.Sprintf(`alter database %s set search_path to %s`, databaseName, schema))
	return err
}
