package verify_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/allocation/verify"
)

// The rows agree, and yet commands were never applied: verify says which.
func TestVerify_saysWhatItCouldNotCheck(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.AwaitAtRest(1)
	require.NoError(t, s.Stop())
	partition := s.Busy().Partition
	for _, ref := range []string{"ref=b2", "ref=b3", "ref=b4"} {
		s.Send("CreateBatch", ref, "sku=CHAIR", "qty=50")
	}
	s.DeleteBefore(partition, 2)
	require.Contains(t, s.Verify().RequireDone(t), "not checked: commands of "+s.Names.Commands+", partition ")
	s.Offsets("accept", "--execute").RequireDone(t)
	text := s.Verify().RequireDone(t)
	require.NotContains(t, text, "quarantine")
	require.Contains(t, text, "not checked: 1 offset of "+s.Names.Commands+", partition ")
	require.Contains(t, text, ", 1 to 1, skipped by decision: see allocation offsets list --history\n")

	reset := func(to ...string) {
		s.Offsets(append([]string{"reset", "--execute", "--topic=" + s.Names.Commands}, to...)...).RequireDone(t)
	}
	reset("--to-latest")
	require.Contains(t, s.Verify().RequireDone(t), "not checked: 2 offsets of ")
	reset("--to-offset=3", "--partition="+strconv.Itoa(int(partition)))
	var last verify.Summary
	require.NoError(t, json.Unmarshal([]byte(s.Verify("--json").RequireDone(t)), &last))
	require.Len(t, last.NotChecked, 2)
	require.Equal(t, "skipped", last.NotChecked[1].What)
	require.Equal(t, partition, *last.NotChecked[1].Partition)
	require.Contains(t, last.NotChecked[1].Says, "2 to 2")

	o := programtest.Run(t, "verify", "--kafka-brokers=127.0.0.1:1")
	require.Contains(t, o.RequireDone(t), "not checked: whether a partition is in quarantine is not known: Kafka does not answer at 127.0.0.1:1")
}
