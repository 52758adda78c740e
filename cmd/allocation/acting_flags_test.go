package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"allocation/cmd/allocation/event"
	"allocation/cmd/allocation/verify"
	"allocation/cmd/internal/cli"

	"github.com/stretchr/testify/require"
)

// What the environment holds by accident does not arm a decision, narrow a check, or name a
// command.
func TestEnvironment_armsAndNarrowsNothing(t *testing.T) {
	s := startService(t)
	for variable, value := range map[string]string{
		"ALLOCATION_EXECUTE": "yes", "ALLOCATION_YES": "yes", "ALLOCATION_FORCE": "yes", "ALLOCATION_SKU": "TABLE", "ALLOCATION_ID": "one",
		"ALLOCATION_JSON": "yes", "ALLOCATION_TOPIC": "another", "ALLOCATION_LIMIT": "0",
	} {
		t.Setenv(variable, value)
	}
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20")
	s.awaitAtRest(2)
	require.Contains(t, s.verify().requireDone(t), "checked 1 products")
	before := s.busy()
	o := s.offsets("reset", "--topic="+s.names.commands, "--to-earliest")
	require.Contains(t, o.requireDone(t), "Nothing was changed. Say --execute to do it.")
	require.Contains(t, o.err, "ALLOCATION_EXECUTE is set, and is not used: only --execute says that\n")
	require.NotContains(t, o.err, "ALLOCATION_YES")
	require.Equal(t, before.Epoch, s.busy().Epoch)
	requireOutcome(t, runProgram(t, "migrate", "down", "--to=0"), cli.ExitUsage, "say --yes to do it")

	var e event.Event
	require.NoError(t, json.Unmarshal([]byte(s.tail(1, "--json")[0]), &e))
	require.NotEqual(t, "one", e.CausationID)
}

// Asking about what is not there is an error that names it, whatever would have been done.
func TestAskingAboutNothing_isNoSuccess(t *testing.T) {
	s := startService(t)
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, []byte("\n\n"), 0o600))
	kafka := s.names.flags(t)[:2]
	requireOutcome(t, s.verify("--sku=NOPE"), cli.ExitFailed, `there is no product "NOPE": nothing was checked`)
	requireOutcome(t, s.offsets("reset", "--topic=nope", "--to-latest", "--execute"), cli.ExitFailed, "there is no position of topic nope; there are of "+s.names.commands)
	requireOutcome(t, s.offsets("accept", "--topic=nope"), cli.ExitFailed, "there is no position of topic nope")
	requireOutcome(t, s.offsets("reset", "--to-latest", "--execute"), cli.ExitFailed, "nothing was decided: no position is in quarantine")
	requireOutcome(t, runProgram(t, append([]string{"send", "-f", empty}, kafka...)...), cli.ExitFailed, "nothing was sent: -f "+empty+" has no line with a command")
	requireOutcome(t, runWith(t.Context(), "", append([]string{"send", "-f", "-"}, kafka...)...), cli.ExitFailed, "nothing was sent: -f - has no line")
	requireOutcome(t, s.dlq("retry", "--sku=NOPE"), cli.ExitFailed, "nothing was decided")
	requireOutcome(t, s.dlq("discard", "--type=Nope", "--dry-run"), cli.ExitFailed, "nothing was decided")
	requireOutcome(t, s.dlq("list", "--sku=NOPE"), cli.ExitDone, "no dead letters")

	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.awaitAtRest(1)
	requireOutcome(t, s.verify("--from-topic", "--events-topic="+s.names.route), cli.ExitFailed, "the topic "+s.names.route+" has no event of a product: nothing was compared")
}

// A filter that is empty, as where a script's variable is not set, would mean everything.
func TestProgram_refusesAnEmptyFilter(t *testing.T) {
	t.Parallel()
	for flag, args := range map[string][]string{
		"--sku": {"dlq", "discard", "--reason=internal", "--sku="}, "--reason": {"dlq", "retry", "--sku=CHAIR", "--reason="},
		"--topic": {"offsets", "accept", "--topic="}, "--order": {"tail", "--order="}, "--id": {"send", "Allocate", "--id="},
		"--type": {"tail", "--type", ""},
	} {
		requireOutcome(t, runProgram(t, args...), cli.ExitUsage, flag+" is empty; give it a value, or leave it out")
	}
}

// The rows agree, and yet commands were never applied: verify says which.
func TestVerify_saysWhatItCouldNotCheck(t *testing.T) {
	s := startService(t)
	s.send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.awaitAtRest(1)
	require.NoError(t, s.stop())
	partition := s.busy().Partition
	for _, ref := range []string{"ref=b2", "ref=b3", "ref=b4"} {
		s.send("CreateBatch", ref, "sku=CHAIR", "qty=50")
	}
	s.deleteBefore(partition, 2)
	require.Contains(t, s.verify().requireDone(t), "not checked: commands of "+s.names.commands+", partition ")
	s.offsets("accept", "--execute").requireDone(t)
	text := s.verify().requireDone(t)
	require.NotContains(t, text, "quarantine")
	require.Contains(t, text, "not checked: 1 offset of "+s.names.commands+", partition ")
	require.Contains(t, text, ", 1 to 1, skipped by decision: see allocation offsets list --history\n")

	reset := func(to ...string) {
		s.offsets(append([]string{"reset", "--execute", "--topic=" + s.names.commands}, to...)...).requireDone(t)
	}
	reset("--to-latest")
	require.Contains(t, s.verify().requireDone(t), "not checked: 2 offsets of ")
	reset("--to-offset=3", "--partition="+strconv.Itoa(int(partition)))
	var last verify.Summary
	require.NoError(t, json.Unmarshal([]byte(s.verify("--json").requireDone(t)), &last))
	require.Len(t, last.NotChecked, 2)
	require.Equal(t, "skipped", last.NotChecked[1].What)
	require.Equal(t, partition, *last.NotChecked[1].Partition)
	require.Contains(t, last.NotChecked[1].Says, "2 to 2")

	o := runProgram(t, "verify", "--kafka-brokers=127.0.0.1:1")
	require.Contains(t, o.requireDone(t), "not checked: whether a partition is in quarantine is not known: Kafka does not answer at 127.0.0.1:1")
}
