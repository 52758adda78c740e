package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"allocation/migrations"
)

// SchemaError says that the database is not at the version that this binary needs.
type SchemaError struct {
	Database   string
	Schema     migrations.Schema
	Have, Need migrations.Version
}

func (e *SchemaError) Error() string {
	where := ""
	if e.Have == (migrations.Version{}) {
		where = fmt.Sprintf(" (looked for in the schema %s of the database %s, whatever the search_path is)", e.Schema, e.Database)
	}
	return fmt.Sprintf("the database's schema is at %s%s and this program needs %s", e.Have, where, e.Need)
}

// CheckSchema returns a *SchemaError where the schema is older than this binary's, and an error
// that migrations.Unfit tells of where the database is another program's. A newer schema is
// accepted: workers of the version before keep running while a new one is rolled out.
func (s *Store) CheckSchema(ctx context.Context) error {
	db := stdlib.OpenDBFromPool(s.pool)
	defer db.Close()
	state, err := migrations.Look(ctx, db, s.schema)
	if err == nil {
		err = state.Own()
	}
	if migrations.Unfit(err) {
		return err
	}
	if err != nil {
		return readError("check schema", err)
	}
	if e := (&SchemaError{state.Database, s.schema, state.Version, migrations.Latest()}); e.Have.Older(e.Need) {
		return e
	}
	return nil
}

// ClusterError says that the database belongs to another Kafka cluster or consumer group: its
// offsets mean nothing there.
type ClusterError struct {
	Cluster, Group       string // of this worker
	OwnCluster, OwnGroup string // that the database remembers
}

func (e *ClusterError) Error() string {
	return fmt.Sprintf("the database belongs to Kafka cluster %s and group %s, not to cluster %s and group %s: its positions mean nothing there; "+
		"see KAFKA_BROKERS, KAFKA_GROUP_ID and DATABASE_URL, or, where Kafka or the group is another for good, the runbook",
		e.OwnCluster, e.OwnGroup, e.Cluster, e.Group)
}

// Cluster is the Kafka cluster and the consumer group that the database belongs to; empty: no
// worker has started yet.
func (s *Store) Cluster(ctx context.Context) (cluster, group string, err error) {
	err = s.pool.QueryRow(ctx, `select cluster_id, consumer_group from kafka_cluster`).Scan(&cluster, &group)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", "", nil
	}
	return cluster, group, readError("read the Kafka cluster", err)
}

// CheckCluster remembers the Kafka cluster and the group at the first call, and returns a
// *ClusterError for any other later.
func (s *Store) CheckCluster(ctx context.Context, cluster, group string) error {
	if _, err := s.pool.Exec(ctx, `insert into kafka_cluster (cluster_id, consumer_group) values ($1, $2) on conflict do nothing`, cluster, group); err != nil {
		return readError("remember cluster", err)
	}
	e := &ClusterError{Cluster: cluster, Group: group}
	if err := s.pool.QueryRow(ctx, `select cluster_id, consumer_group from kafka_cluster`).Scan(&e.OwnCluster, &e.OwnGroup); err != nil {
		return readError("check cluster", err)
	}
	if e.OwnCluster != cluster || e.OwnGroup != group {
		return e
	}
	return nil
}
