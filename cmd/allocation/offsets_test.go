package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/offsets"
	"allocation/deploy/testbed"
)

func (s *Service) offsets(args ...string) outcome {
	s.t.Helper()
	return runProgram(s.t, append(append([]string{"offsets"}, args...), "--kafka-brokers="+testbed.Kafka(s.t))...)
}

// listed are the positions, by partition.
func (s *Service) listed() map[int32]offsets.Position {
	s.t.Helper()
	var list []offsets.Position
	require.NoError(s.t, json.Unmarshal([]byte(s.offsets("list", "--json").requireDone(s.t)), &list))
	byPartition := map[int32]offsets.Position{}
	for _, l := range list {
		byPartition[l.Partition] = l
	}
	return byPartition
}

// busy is the partition that the product's commands came by.
func (s *Service) busy() offsets.Position {
	for _, l := range s.listed() {
		if l.Position > 0 {
			return l
		}
	}
	return offsets.Position{}
}

// deleteBefore deletes a partition's records before an offset.
func (s *Service) deleteBefore(partition int32, offset int64) {
	s.t.Helper()
	below := kadm.Offsets{}
	below.AddOffset(s.names.commands, partition, offset, -1)
	admin := newAdmin(s.t, testbed.Kafka(s.t))
	defer admin.Close()
	_, err := admin.DeleteRecords(s.t.Context(), below)
	require.NoError(s.t, err)
}

func TestOffsets_endAQuarantineAndSetAPositionWhileAWorkerRuns(t *testing.T) {
	s := startService(t)
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.send("CreateBatch", "ref=b2", "sku=CHAIR", "qty=50")
	require.Eventually(t, func() bool { return s.busy().Published == 2 && s.busy().Unpublished == 0 }, 60*time.Second, 50*time.Millisecond)
	require.NoError(t, s.stop())
	partition := s.busy().Partition
	for _, ref := range []string{"ref=b3", "ref=b4", "ref=b5"} {
		s.send("CreateBatch", ref, "sku=CHAIR", "qty=50")
	}
	s.deleteBefore(partition, 4)

	require.Equal(t, "quarantined", s.busy().State)
	require.Contains(t, s.offsets("list").requireDone(t), "quarantined: position 2 is before the start of the log, 4")
	s.start()

	dry := s.offsets("accept").requireDone(t)
	require.Contains(t, dry, "skips 2 offsets, 2 to 3, of which 2 are deleted")
	require.Contains(t, dry, "Nothing was changed. Say --execute to do it.")
	require.Equal(t, int64(2), s.busy().Position)
	done := s.offsets("accept", "--topic="+s.names.commands, "--execute", "--why=the retention was too short").requireDone(t)
	require.Contains(t, done, "Done.")
	require.Eventually(t, func() bool { return s.busy().Position == 5 && s.busy().State == "ok" }, 60*time.Second, 50*time.Millisecond)

	o := s.offsets("reset", "--topic="+s.names.commands, "--to-offset=77")
	require.Equal(t, cli.ExitUsage, o.code)
	require.Contains(t, o.err, "--to-offset is 77; of topic "+s.names.commands)
	require.Equal(t, cli.ExitUsage, s.offsets("reset").code)
	require.Equal(t, cli.ExitUsage, s.offsets("accept", "--partition=1").code)
	again := s.offsets("reset", "--to-earliest", "--topic="+s.names.commands, fmt.Sprintf("--partition=%d", partition), "--execute").requireDone(t)
	require.Contains(t, again, "applies 1 offset again, 4 to 4")
	require.Eventually(t, func() bool { return s.busy().Position == 5 }, 60*time.Second, 50*time.Millisecond)
	requireOutcome(t, s.offsets("accept"), cli.ExitFailed, "nothing was decided: no position is in quarantine")
	require.Contains(t, s.offsets("reset", "--topic="+s.names.commands, "--to-datetime=2020-01-01T00:00:00Z").requireDone(t), "applies 1 offset again")
	require.Contains(t, s.offsets("reset", "--topic="+s.names.commands, "--to-latest").requireDone(t), "goes on where it is")

	history := strings.Split(strings.TrimSpace(s.offsets("list", "--history").requireDone(t)), "\n")
	require.Len(t, history, 3)
	require.Regexp(t, `reset .* 5 +4$`, history[1])
	require.Regexp(t, `accept .* 2 +4 .*deleted before they were applied; the retention was too short$`, history[2])
}
