package program_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cloudevent"

	"github.com/stretchr/testify/require"
)

// What the environment holds by accident does not arm a decision, narrow a check, or name a
// command.
func TestEnvironment_armsAndNarrowsNothing(t *testing.T) {
	s := programtest.StartService(t)
	for variable, value := range map[string]string{
		"ALLOCATION_EXECUTE": "yes", "ALLOCATION_YES": "yes", "ALLOCATION_FORCE": "yes", "ALLOCATION_SKU": "TABLE", "ALLOCATION_ID": "one",
		"ALLOCATION_JSON": "yes", "ALLOCATION_TOPIC": "another", "ALLOCATION_LIMIT": "0",
	} {
		t.Setenv(variable, value)
	}
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20")
	s.AwaitAtRest(2)
	require.Contains(t, s.Verify().RequireDone(t), "checked 1 products")
	before := s.Busy()
	o := s.Offsets("reset", "--topic="+s.Names.Commands, "--to-earliest")
	require.Contains(t, o.RequireDone(t), "Nothing was changed. Say --execute to do it.")
	require.Contains(t, o.Err, "ALLOCATION_EXECUTE is set, and is not used: only --execute says that\n")
	require.NotContains(t, o.Err, "ALLOCATION_YES")
	require.Equal(t, before.Epoch, s.Busy().Epoch)
	programtest.Run(t, "migrate", "down", "--to=0").RequireMisuse(t, "say --yes to do it")

	var e cloudevent.Event
	require.NoError(t, json.Unmarshal([]byte(s.Tail(1, "--json")[0]), &e))
	require.NotEqual(t, "one", e.CausationID)
}

// Asking about what is not there is an error that names it, whatever would have been done.
func TestAskingAboutNothing_isNoSuccess(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, []byte("\n\n"), 0o600))
	kafka := s.Names.Flags(t)[:2]
	s.Verify("--sku=NOPE").RequireFailed(t, `there is no product "NOPE": nothing was checked`)
	s.Offsets("reset", "--topic=nope", "--to-latest", "--execute").RequireFailed(t, "there is no position of topic nope; there are of "+s.Names.Commands)
	s.Offsets("accept", "--topic=nope").RequireFailed(t, "there is no position of topic nope")
	s.Offsets("reset", "--to-latest", "--execute").RequireFailed(t, "nothing was decided: no position is in quarantine")
	programtest.Run(t, append([]string{"send", "-f", empty}, kafka...)...).RequireFailed(t, "nothing was sent: -f "+empty+" has no line with a command")
	programtest.RunWith(t.Context(), "", append([]string{"send", "-f", "-"}, kafka...)...).RequireFailed(t, "nothing was sent: -f - has no line")
	s.DLQ("retry", "--sku=NOPE").RequireFailed(t, "nothing was decided")
	s.DLQ("discard", "--type=Nope", "--dry-run").RequireFailed(t, "nothing was decided")
	s.DLQ("list", "--sku=NOPE").RequireDone(t, "no dead letters")

	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.AwaitAtRest(1)
	s.Verify("--from-topic", "--events-topic="+s.Names.Route).RequireFailed(t, "the topic "+s.Names.Route+" has no event of a product: nothing was compared")
}

// A filter that is empty, as where a script's variable is not set, would mean everything.
func TestProgram_refusesAnEmptyFilter(t *testing.T) {
	t.Parallel()
	for flag, args := range map[string][]string{
		"--sku": {"dlq", "discard", "--reason=internal", "--sku="}, "--reason": {"dlq", "retry", "--sku=CHAIR", "--reason="},
		"--topic": {"offsets", "accept", "--topic="}, "--order": {"tail", "--order="}, "--id": {"send", "Allocate", "--id="},
		"--type": {"tail", "--type", ""},
	} {
		programtest.Run(t, args...).RequireMisuse(t, flag+" is empty; give it a value, or leave it out")
	}
}
