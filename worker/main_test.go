package worker_test

import (
	"testing"

	"go.uber.org/goleak"

	"allocation/deploy/testbed"
)

func TestMain(m *testing.M) {
	testbed.Main(m, goleak.IgnoreTopFunction("github.com/jackc/pgx/v5/pgxpool.(*Pool).backgroundHealthCheck"))
}
