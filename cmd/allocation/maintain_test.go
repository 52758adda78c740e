package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func (s *Service) eventually(what string, holds func() bool) {
	s.t.Helper()
	require.Eventually(s.t, holds, 30*time.Second, 20*time.Millisecond, what)
}

func (s *Service) daysAhead(n string) func() bool {
	return func() bool {
		return strings.Contains(s.get("/metrics"), "\nallocation_outbox_partitions_ahead "+n+"\n")
	}
}

const dropToday = `do $$ begin execute 'drop table outbox_' || to_char(outbox_today(), 'YYYYMMDD'); end $$`

func TestService_makesTodaysTableWhereItIsMissing(t *testing.T) {
	s := startService(t)
	s.eventually("the days are counted", s.daysAhead("14"))
	s.execute(dropToday)
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.awaitAtRest(1)
	s.eventually("the days are counted again", s.daysAhead("14"))
}

func TestService_namesTodaysTableWhereItCannotBeMade(t *testing.T) {
	s := startService(t)
	require.NoError(t, s.stop())
	s.stall = "1s"
	s.start()
	s.eventually("the days are counted", s.daysAhead("14"))
	s.execute(`alter function outbox_make_days rename to gone; ` + dropToday)
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.eventually("the metric says that today is missing", s.daysAhead("-1"))
	today := time.Now().UTC().Format(time.DateOnly)
	s.eventually("readiness names the day", func() bool {
		answer := s.get("/readyz")
		return strings.HasPrefix(answer, "503") && strings.Contains(answer, "the outbox has no table for "+today)
	})

	s.execute(`alter function gone rename to outbox_make_days`)
	s.awaitAtRest(1)
	s.eventually("the metric says that all is well", s.daysAhead("14"))
	s.eventually("it is ready", func() bool { return strings.HasPrefix(s.get("/readyz"), "200") })
}
