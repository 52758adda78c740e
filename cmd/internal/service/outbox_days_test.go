package service_test

import (
	"strings"
	"testing"
	"time"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"

	"github.com/stretchr/testify/require"
)

func daysAhead(s *programtest.Service, n string) func() bool {
	return func() bool {
		return strings.Contains(s.Get("/metrics"), "\nallocation_outbox_partitions_ahead "+n+"\n")
	}
}

const dropToday = `do $$ begin execute 'drop table outbox_' || to_char(outbox_today(), 'YYYYMMDD'); end $$`

func TestService_makesTodaysTableWhereItIsMissing(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	testbed.Eventually(s.T, daysAhead(s, "14"), "the days are counted")
	s.Execute(dropToday)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.AwaitAtRest(1)
	testbed.Eventually(s.T, daysAhead(s, "14"), "the days are counted again")
}

func TestService_namesTodaysTableWhereItCannotBeMade(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	require.NoError(t, s.Stop())
	s.Stall = "1s"
	s.Start()
	testbed.Eventually(s.T, daysAhead(s, "14"), "the days are counted")
	s.Execute(`alter function outbox_make_days rename to gone; ` + dropToday)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	testbed.Eventually(s.T, daysAhead(s, "-1"), "the metric says that today is missing")
	today := time.Now().UTC().Format(time.DateOnly)
	testbed.Eventually(s.T, func() bool {
		answer := s.Get("/readyz")
		return strings.HasPrefix(answer, "503") && strings.Contains(answer, "the outbox has no table for "+today)
	}, "readiness names the day")

	s.Execute(`alter function gone rename to outbox_make_days`)
	s.AwaitAtRest(1)
	testbed.Eventually(s.T, daysAhead(s, "14"), "the metric says that all is well")
	testbed.Eventually(s.T, func() bool { return strings.HasPrefix(s.Get("/readyz"), "200") }, "it is ready")
}
