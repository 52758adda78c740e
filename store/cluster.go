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
	Lines      migrations.Lines
	Have, Need migrations.Version
}

func (e *SchemaError) Error() string {
	where := ""
	if e.Have == (migrations.Version{}) {
		where = fmt.Sprintf(" (looked for in the schema %s of the database %s, whatever the search_path is)", e.Schema, e.Database)
	}
	return fmt.Sprintf("the database's schema is at %s%s and this program needs %s", e.Lines.Say(e.Have), where, e.Lines.Say(e.Need))
}

// CheckSchema returns a *SchemaError where the schema is older than this binary's, and an error
// that migrations.Unfit tells of where the database is another program's. A newer schema is
// accepted: workers of the version before keep running while a new one is rolled out.
func (s *Store) CheckSchema(ctx context.Context) error {
	db := stdlib.OpenDBFromPool(s.pool)
	defer db.Close()
	lines := s.service.Lines()
	state, err := migrations.Look(ctx, db, s.schema, lines)
	if err == nil {
		err = state.Own()
	}
	if migrations.Unfit(err) {
		return err
	}
	if err != nil {
		return readError("check schema", err)
	}
	if e := (&SchemaError{state.Database, s.schema, lines, state.Version, lines.Latest()}); e.Have.Older(e.Need) {
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
		"see the brokers, the group and the database in the settings, or, where Kafka or the group is another for good, the runbook",
		e.OwnCluster, e.OwnGroup, e.Cluster, e.Group)
}

// Cluster is the Kafka cluster and the consumer group that the database belongs to; empty: no
// worker was let into its group yet.
func (s *Store) Cluster(ctx context.Context) (cluster, group string, err error) {
	err = s.pool.QueryRow(ctx, `select cluster_id, consumer_group from kafka_cluster`).Scan(&cluster, &group)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", "", nil
	}
	return cluster, group, readError("read the Kafka cluster", err)
}

// CheckCluster returns a *ClusterError where the database belongs to another cluster or group.
func (s *Store) CheckCluster(ctx context.Context, cluster, group string) error {
	ownCluster, ownGroup, err := s.Cluster(ctx)
	if err != nil || ownCluster == "" || ownCluster == cluster && ownGroup == group {
		return err
	}
	return &ClusterError{Cluster: cluster, Group: group, OwnCluster: ownCluster, OwnGroup: ownGroup}
}

// RememberCluster has the database belong to a Kafka cluster and a group, and returns a
// *ClusterError where it belongs to another.
func (s *Store) RememberCluster(ctx context.Context, cluster, group string) error {
	if _, err := s.pool.Exec(ctx, `insert into kafka_cluster (cluster_id, consumer_group) values ($1, $2) on conflict do nothing`, cluster, group); err != nil {
		return readError("remember the Kafka cluster", err)
	}
	return s.CheckCluster(ctx, cluster, group)
}
