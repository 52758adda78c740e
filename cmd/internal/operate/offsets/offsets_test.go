package offsets_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"
	"allocation/deploy/testbed"
)

func TestOffsets_endAQuarantineAndSetAPositionWhileAWorkerRuns(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Send("CreateBatch", "ref=b2", "sku=CHAIR", "qty=50")
	testbed.Eventually(t, func() bool { return s.Busy().Published == 2 && s.Busy().Unpublished == 0 })
	saysFromWhereNothingComes(s)
	require.NoError(t, s.Stop())
	partition := s.Busy().Partition
	for _, ref := range []string{"ref=b3", "ref=b4", "ref=b5"} {
		s.Send("CreateBatch", ref, "sku=CHAIR", "qty=50")
	}
	s.DeleteBefore(partition, 4)

	require.Equal(t, "quarantined", s.Busy().State)
	s.Offsets("list").RequireDone(t, "quarantined: position 2 is before the start of the log, 4")
	s.Start()

	s.Offsets("accept").RequireDone(t, "skips 2 offsets, 2 to 3, of which 2 are deleted", "Nothing was changed. Say --execute to do it.")
	require.Equal(t, int64(2), s.Busy().Position)
	s.Offsets("accept", "--topic="+s.Names.Commands, "--execute", "--why=the retention was too short").RequireDone(t, "Done.")
	testbed.Eventually(t, func() bool { return s.Busy().Position == 5 && s.Busy().State == "ok" })

	s.Offsets("reset", "--topic="+s.Names.Commands, "--to-offset=77").RequireMisuse(t, "--to-offset is 77; of topic "+s.Names.Commands)
	require.Equal(t, cli.ExitUsage, s.Offsets("reset").Code)
	require.Equal(t, cli.ExitUsage, s.Offsets("accept", "--partition=1").Code)
	again := s.Offsets("reset", "--to-earliest", "--topic="+s.Names.Commands, fmt.Sprintf("--partition=%d", partition), "--execute").RequireDone(t)
	require.Contains(t, again, "applies 1 offset again, 4 to 4")
	testbed.Eventually(t, func() bool { return s.Busy().Position == 5 })
	s.Offsets("accept").RequireFailed(t, "nothing was decided: no position is in quarantine")
	require.Contains(t, s.Offsets("reset", "--topic="+s.Names.Commands, "--to-datetime=2020-01-01T00:00:00Z").RequireDone(t), "applies 1 offset again")
	require.Contains(t, s.Offsets("reset", "--topic="+s.Names.Commands, "--to-latest").RequireDone(t), "goes on where it is")

	history := strings.Split(strings.TrimSpace(s.Offsets("list", "--history").RequireDone(t)), "\n")
	require.Len(t, history, 3)
	require.Regexp(t, `reset .* 5 +4$`, history[1])
	require.Regexp(t, `accept .* 2 +4 .*deleted before they were applied; the retention was too short$`, history[2])
}

// saysFromWhereNothingComes: a partition that its owner cannot fetch is listed as such.
func saysFromWhereNothingComes(s *programtest.Service) {
	s.T.Helper()
	s.Execute(`insert into fetch_troubles select source, token, '2026-11-28 02:00Z', 'its leader does not answer' from positions where partition = 0`)
	require.Equal(s.T, "not_fetched", s.Positions()[0].State)
	s.Offsets("list").RequireDone(s.T, "not_fetched: since 2026-11-28 02:00:00.000Z: its leader does not answer")
	s.Execute(`update fetch_troubles set token = gen_random_uuid()`) // of an owner of before
	require.Equal(s.T, "ok", s.Positions()[0].State)
	s.Execute(`delete from fetch_troubles`)
}
