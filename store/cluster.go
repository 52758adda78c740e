package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"allocation/migrations"
)

// SchemaError says that the database is not at the version that this binary needs.
type SchemaError struct {
	Have, Need int64
}

func (e *SchemaError) Error() string {
	if e.Have > e.Need {
		return fmt.Sprintf("the database's schema is at version %d, newer than this program's %d: run a newer program", e.Have, e.Need)
	}
	return fmt.Sprintf("the database's schema is at version %d and this program needs %d: run `allocation migrate up`", e.Have, e.Need)
}

// CheckSchema returns a *SchemaError where the schema is older than this binary's. A newer one is accepted: workers of the version before
// keep running while a new one is rolled out.
func (s *Store) CheckSchema(ctx context.Context) error {
	var exists bool
	if err := s.pool.QueryRow(ctx, `select to_regclass('goose_db_version') is not null`).Scan(&exists); err != nil {
		return readError("check schema", err)
	}
	e := &SchemaError{Need: migrations.Latest()}
	if exists {
		if err := s.pool.QueryRow(ctx, `select coalesce(max(version_id), 0) from goose_db_version where is_applied`).Scan(&e.Have); err != nil {
			return readError("check schema", err)
		}
	}
	if e.Have < e.Need {
		return e
	}
	return nil
}

// ClusterError says that the database belongs to another Kafka cluster or consumer group: its offsets mean nothing there.
type ClusterError struct {
	Cluster, Group       string // of this worker
	OwnCluster, OwnGroup string // that the database remembers
}

func (e *ClusterError) Error() string {
	return fmt.Sprintf("the database belongs to Kafka cluster %s and group %s, not to cluster %s and group %s: its positions mean nothing there",
		e.OwnCluster, e.OwnGroup, e.Cluster, e.Group)
}

// Group is the consumer group that the database belongs to; empty: no worker has started yet.
func (s *Store) Group(ctx context.Context) (name string, err error) {
	err = s.pool.QueryRow(ctx, `select consumer_group from kafka_cluster`).Scan(&name)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return name, readError("read consumer group", err)
}

// CheckCluster remembers the Kafka cluster and the group at the first call, and returns a *ClusterError for any other later.
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
