package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/worker"
)

func TestMaintain_dropsDaysThatAreOldAndPublished(t *testing.T) {
	b := setup(t, 1)
	b.apply(command(0, "Allocate", `{}`), command(0, "Allocate", `{}`))
	_, err := b.pool.Exec(t.Context(), `
		create table outbox_20200101 (like outbox including all);
		create table outbox_20200102 (like outbox including all);
		alter table outbox attach partition outbox_20200101 for values from ('2020-01-01') to ('2020-01-02');
		alter table outbox attach partition outbox_20200102 for values from ('2020-01-02') to ('2020-01-03');
		update outbox set day = '2020-01-02' where row_no = 1`)
	require.NoError(t, err)

	dropped, err := b.Maintain(t.Context(), 7*24*time.Hour)
	require.NoError(t, err)
	require.Equal(t, []string{"outbox_20200101"}, dropped, "the other day holds a row that is not published")

	_, err = b.SavePublished(t.Context(), []worker.Progress{{Source: b.claims[0].Source.ID, Token: b.claims[0].Token, Published: 2}})
	require.NoError(t, err)
	dropped, err = b.Maintain(t.Context(), 7*24*time.Hour)
	require.NoError(t, err)
	require.Equal(t, []string{"outbox_20200102"}, dropped)
}

func TestApply_waitsForADayThatIsMissing(t *testing.T) {
	b := setup(t, 1)
	_, err := b.pool.Exec(t.Context(), `do $$ declare name text; begin
		for name in select inhrelid::regclass from pg_inherits where inhparent = 'outbox'::regclass loop
			execute 'drop table ' || name;
		end loop; end $$`)
	require.NoError(t, err)
	batch := b.batch(command(0, "Allocate", `{}`))
	_, err = b.Apply(t.Context(), batch)
	require.ErrorIs(t, err, worker.ErrOutage)
	_, err = b.Maintain(t.Context(), time.Hour)
	require.NoError(t, err)
	_, err = b.Apply(t.Context(), batch)
	require.NoError(t, err)
}

func TestCheckCluster_refusesAnother(t *testing.T) {
	b := setup(t, 0)
	require.NoError(t, b.CheckCluster(t.Context(), "cluster", "group"))
	require.NoError(t, b.CheckCluster(t.Context(), "cluster", "group"))
	var other *ClusterError
	require.ErrorAs(t, b.CheckCluster(t.Context(), "cluster", "another"), &other)
	require.ErrorAs(t, b.CheckCluster(t.Context(), "another", "group"), &other)
	require.ErrorContains(t, other, "cluster and group group")
}

func TestCheckSchema_namesTheCommand(t *testing.T) {
	b := setup(t, 0)
	require.NoError(t, b.CheckSchema(t.Context()))
	_, err := b.pool.Exec(t.Context(), `delete from goose_db_version where version_id > 1`)
	require.NoError(t, err)
	require.ErrorContains(t, b.CheckSchema(t.Context()), "allocation migrate up")
	_, err = b.pool.Exec(t.Context(), `drop table goose_db_version`)
	require.NoError(t, err)
	require.ErrorContains(t, b.CheckSchema(t.Context()), "version 0")
}
