package service_test

import (
	"strings"
	"testing"
	"time"

	"allocation/cmd/allocation/programtest"

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
	s.Eventually("the days are counted", daysAhead(s, "14"))
	s.Execute(dropToday)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.AwaitAtRest(1)
	s.Eventually("the days are counted again", daysAhead(s, "14"))
}

func TestService_namesTodaysTableWhereItCannotBeMade(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	require.NoError(t, s.Stop())
	s.Stall = "1s"
	s.Start()
	s.Eventually("the days are counted", daysAhead(s, "14"))
	s.Execute(`alter function outbox_make_days rename to gone; ` + dropToday)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Eventually("the metric says that today is missing", daysAhead(s, "-1"))
	today := time.Now().UTC().Format(time.DateOnly)
	s.Eventually("readiness names the day", func() bool {
		answer := s.Get("/readyz")
		return strings.HasPrefix(answer, "503") && strings.Contains(answer, "the outbox has no table for "+today)
	})

	s.Execute(`alter function gone rename to outbox_make_days`)
	s.AwaitAtRest(1)
	s.Eventually("the metric says that all is well", daysAhead(s, "14"))
	s.Eventually("it is ready", func() bool { return strings.HasPrefix(s.Get("/readyz"), "200") })
}
