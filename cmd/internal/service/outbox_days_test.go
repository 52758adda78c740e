package service_test

import (
	"strings"
	"testing"
	"time"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"
)

func daysAhead(s *programtest.Service, n string) func() bool {
	return func() bool {
		return strings.Contains(s.Get("/metrics"), "\nallocation_outbox_partitions_ahead "+n+"\n")
	}
}

// Today's table is made where it is missing, and named where it cannot be made.
func TestService_makesTodaysTable(t *testing.T) {
	t.Parallel()
	s := programtest.NewService(t)
	s.Stall = "1s"
	s.SetUp("3")
	testbed.Eventually(t, daysAhead(s, "14"), "the days are counted")
	const dropToday = `do $$ begin execute 'drop table outbox_' || to_char(outbox_today(), 'YYYYMMDD'); end $$`
	s.Execute(dropToday)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.AwaitAtRest(1)
	testbed.Eventually(t, daysAhead(s, "14"), "the days are counted again")

	s.Execute(`alter function outbox_make_days rename to gone; ` + dropToday)
	s.Send("CreateBatch", "ref=b2", "sku=CHAIR", "qty=50")
	testbed.Eventually(t, daysAhead(s, "-1"), "the metric says that today is missing")
	s.AwaitReadyz("503 ", "the outbox has no table for "+time.Now().UTC().Format(time.DateOnly))

	s.Execute(`alter function gone rename to outbox_make_days`)
	s.AwaitAtRest(2)
	testbed.Eventually(t, daysAhead(s, "14"), "the metric says that all is well")
	s.AwaitReadyz("200 ")
}
