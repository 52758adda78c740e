package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/service"
	"allocation/deploy/testbed"
)

// A gauge whose loop stands still is not shown: an old figure would look like one of today's. The
// part is named in the metric and in the notes.
func TestService_showsNoFigureOfAPartThatStandsStill(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
	s := programtest.StartService(t)
	require.NoError(t, s.Stop())
	s.Hooks = service.Hooks{LookEvery: time.Hour, Patience: 30 * time.Second} // the outbox' days are counted every 22 s at least
	s.Start()
	figures := map[string]string{
		"old transactions": "allocation_oldest_transaction_age_seconds ", "settings of topics": "allocation_topic_misconfigured{",
		"days of the outbox": "allocation_outbox_partitions_ahead ", "backlogs": "allocation_dead_letters_open ",
	}
	for _, figure := range figures {
		testbed.Eventually(s.T, func() bool { return strings.Contains(s.Get("/metrics"), "\n"+figure) }, "shown: "+figure)
	}
	s.Execute(`alter function outbox_days_ahead rename to gone`)
	figures["backlogs"] = "allocation_waiting_lines " // both are of this part
	for part, figure := range figures {
		testbed.Eventually(t, func() bool {
			return strings.Contains(s.Get("/readyz"), part+": stands still for ") && !strings.Contains(s.Get("/metrics"), "\n"+figure)
		}, part)
		require.Regexp(t, fmt.Sprintf(`\nallocation_part_stands_seconds\{part=%q\} [1-9]`, part), s.Get("/metrics"))
	}
	require.Regexp(t, `days of the outbox: stands still for .*outbox_days_ahead`, s.Get("/readyz"), "it says why")
	require.True(t, strings.HasPrefix(s.Get("/readyz"), "200"), "commands are applied")

	s.Execute(`alter function gone rename to outbox_days_ahead`)
	shown := figures["days of the outbox"]
	testbed.Eventually(t, func() bool { return strings.Contains(s.Get("/metrics"), "\n"+shown+"1") }, "14, or 13 just after midnight")
}
