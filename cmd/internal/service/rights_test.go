package service_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
)

func TestWorker_refusesToStartWithoutItsRights(t *testing.T) {
	t.Parallel()
	s, database, name := programtest.AsWorkersLogin(t)
	for take, c := range map[string]struct {
		give string
		says []string
	}{
		"revoke allocation_worker from " + name:                              {"grant allocation_worker to " + name, []string{"as an administrator, `grant allocation_worker to " + name + "`"}},
		"revoke select on migrations_engine from allocation_worker":          {"grant select on migrations_engine to allocation_worker", []string{"`grant select on allocation.migrations_engine to allocation_worker`"}},
		"revoke insert, update on lines from allocation_worker":              {"grant insert, update on lines to allocation_worker", []string{"`grant insert, update on allocation.lines to allocation_worker`"}},
		"revoke execute on function outbox_make_days from allocation_worker": {"grant execute on function outbox_make_days to allocation_worker", []string{"`grant execute on function allocation.outbox_make_days to allocation_worker`"}},
		"alter table products enable row level security": {
			"alter table products disable row level security", []string{"row level security hides rows of products", "`alter table allocation.products disable row level security`"},
		},
	} {
		programtest.Administer(t, database, take)
		s.RunWorker().RequireFailed(t, c.says...)
		programtest.Administer(t, database, c.give)
	}
	s.Start()
}

// The order's product exists, and nobody may be told otherwise.
func TestWorker_namesTheRightThatItLostAndRefusesNoOrder(t *testing.T) {
	t.Parallel()
	s, database, _ := programtest.AsWorkersLogin(t)
	s.Start()
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=100")
	s.Tail(1)
	require.NoError(t, s.Stop())
	s.Start() // and remembers nothing
	for n, c := range []struct{ take, says, give string }{
		{"alter table products enable row level security", "as the owner of the tables, `alter table allocation.products disable row level security`", "alter table products disable row level security"},
		{"revoke insert on lines from allocation_worker", "as the owner of the tables, `grant insert on allocation.lines to allocation_worker`", "grant insert on lines to allocation_worker"},
	} {
		programtest.Administer(t, database, c.take)
		s.Send("Allocate", fmt.Sprintf("orderid=o%d", n), "sku=CHAIR", "qty=1")
		s.AwaitReadyz("", c.says)
		require.Contains(t, s.Get("/metrics"), `allocation_access_refused_total{reason="right",system="postgres"}`)
		require.Contains(t, s.Log.String(), "a right is missing, retrying")
		require.Contains(t, s.Log.String(), c.says)
		programtest.Administer(t, database, c.give)
		require.Contains(t, s.Tail(n + 2)[n+1], fmt.Sprintf("order o%d gets 1 of batch b1", n))
		s.AwaitReadyz("200 {\"ready\":true}\n")
	}
}
