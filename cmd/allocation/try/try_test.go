package try_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/operate/try"
)

// fileOf is a file with these lines.
func fileOf(t *testing.T, lines ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "commands.jsonl")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600))
	return file
}

func answers(t *testing.T, o programtest.Outcome) (a try.Answers) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(o.Out), &a))
	return a
}

func TestTry_printsWhatWouldHappenAndWhy(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Send("CreateBatch", "ref=b2", "sku=CHAIR", "qty=50", "eta=2030-01-01")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20")
	s.Send("Allocate", "orderid=o2", "sku=CHAIR", "qty=20")
	s.AwaitAtRest(4)

	change := []string{"ChangeBatchQuantity", "batchref=b1", "sku=CHAIR", "qty=25", "--id=count-1"}
	require.Equal(t, `ChangeBatchQuantity {"batchref":"b1","sku":"CHAIR","qty":25}
  would lead to 3 events
  1 line loses its batch, and is allocated again
    #5 batch b1 has 25 now
        it was 50 before
    #6 order o2 gives 20 back to batch b1: batch reduced
        batch b1 was set from 50 to 25, and the lines that were placed last leave first
    #7 order o2 gets 20 of batch b2
        batch b2 is the first in preference that had 20 available; before it come b1 (5, in the warehouse), which had too little; any other before it was full
`, programtest.Run(t, append([]string{"try"}, change...)...).RequireDone(t))
	require.Equal(t, `ChangeBatchQuantity {"batchref":"b1","sku":"CHAIR","qty":25}
  would lead to 3 events
  1 line loses its batch, and is allocated again
    #5 batch b1 has 25 now
        it was 50 before
    and 2 events more (--limit); in all 1 Allocated, 1 BatchQuantityChanged, 1 Deallocated
`, programtest.Run(t, append([]string{"try", "--limit=1"}, change...)...).RequireDone(t))
	harm := answers(t, programtest.Run(t, append([]string{"try", "--json", "--limit=0"}, change...)...)).Commands[0].Harm
	require.Equal(t, "1 line loses its batch, and is allocated again", harm.Says)
	require.Equal(t, map[string]int64{"lines_losing_batch": 1, "of_these_waiting": 0}, harm.Counts)
	require.Equal(t, "Allocate {\"orderid\":\"o3\",\"sku\":\"SOFA\",\"qty\":1}\n"+
		"  would be refused: unknown_sku: the sku \"SOFA\" has no batch yet; CreateBatch makes it known\n"+
		"    order o3 asks for 1, which is rejected: unknown_sku\n", programtest.Run(t, "try", "Allocate", "orderid=o3", "sku=SOFA", "qty=1").RequireDone(t))

	s.Send(change...)
	s.AwaitAtRest(7)
	s.Send("ChangeBatchQuantity", "batchref=b1", "sku=CHAIR", "qty=40")
	s.AwaitAtRest(8)
	require.Contains(t, programtest.Run(t, append([]string{"try"}, change...)...).RequireDone(t), "would lead to 1 event\n", "another command came since")
	s.Send(append(change[:4:4], "--id=count-2")...)
	s.AwaitAtRest(9)
	require.Contains(t, programtest.Run(t, "try", "ChangeBatchQuantity", "batchref=b1", "qty=50", "--id=count-2").RequireDone(t), "\n  would have no effect\n", "a repeat")
}

func TestTry_commandsOfAFileSeeEachOther(t *testing.T) {
	t.Parallel()
	programtest.NewMigratedDatabase(t)
	file := fileOf(t, `{"type":"CreateBatch","data":{"ref":"b1","sku":"LAMP","qty":5}}`, ``,
		`{"type":"Allocate","data":{"orderid":"o1","sku":"LAMP","qty":5},"id":"cmd-1","correlationid":"shop-9"}`)
	require.Equal(t, `line 1: CreateBatch {"ref":"b1","sku":"LAMP","qty":5}
  would lead to 1 event
    #1 batch b1 of 5, in the warehouse

line 3: Allocate {"orderid":"o1","sku":"LAMP","qty":5}
  would lead to 1 event
    #2 order o1 gets 5 of batch b1
        batch b1 is the first in preference that had 5 available
`, programtest.Run(t, "try", "-f", file).RequireDone(t))
	o := programtest.Run(t, "try", "-f", file, "--json")
	o.RequireDone(t)
	second := answers(t, o).Commands[1]
	require.Equal(t, []any{int64(3), "cmd-1", "shop-9", try.Changed, int64(1)}, []any{second.Line, second.ID, second.CorrelationID, second.Result, second.Total})
	require.JSONEq(t, `{"orderid":"o1","sku":"LAMP","qty":5,"batchref":"b1"}`, string(second.Events[0].Data))
	require.Contains(t, programtest.Run(t, "try", "Allocate", "orderid=o1", "sku=LAMP", "qty=5").RequireDone(t), "would be refused: unknown_sku", "nothing was written")
}

func TestTry_heldProduct(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Poison()
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Send("Allocate", "orderid=poison", "sku=CHAIR", "qty=1")
	letter := s.AwaitLetters(1)[0]
	require.Contains(t, programtest.Run(t, "try", "Allocate", "orderid=o1", "sku=CHAIR", "qty=1").RequireDone(t),
		"\n  would wait behind the held product CHAIR: dead letter "+letter.ID.String()+" (open), held since ")
	held := answers(t, programtest.Run(t, "try", "Allocate", "orderid=o1", "sku=CHAIR", "qty=1", "--json")).Commands[0]
	require.Equal(t, try.Held, held.Result)
	require.Equal(t, letter.ID, held.HeldBy.Letter)
	require.Equal(t, "CHAIR", held.HeldBy.Key)
}

// What was not tried is said, and is no success.
func TestTry_moreThanOneTryTakes(t *testing.T) {
	t.Parallel()
	programtest.NewMigratedDatabase(t)
	lines := make([]string, 10_002)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"type":"Dispatch","data":{"orderid":"o%d","sku":"NONE"}}`, i)
	}
	o := programtest.Run(t, "try", "-f", fileOf(t, lines...), "--json")
	o.RequireFailed(t, "the last 2 commands were not tried")
	all := answers(t, o)
	require.Len(t, all.Commands, 10_000)
	require.EqualValues(t, 2, all.NotTried)
}

func TestTry_wrongUsage(t *testing.T) {
	t.Parallel()
	programtest.NewMigratedDatabase(t)
	for says, args := range map[string][]string{
		"try needs a TYPE": nil, "try takes a TYPE with its data, or -f FILE": {"Allocate", "-f", "x"}, `there is no command "Alocate"`: {"Alocate"},
		`no field "fqty"; it has orderid, sku, qty, lineid`: {"Allocate", "fqty=3"}, `the field "qty" is "x"`: {"Allocate", "orderid=o", "sku=s", "qty=x"},
		"--limit is": {"--limit=-1", "Dispatch", "orderid=o", "sku=s"},
	} {
		programtest.Run(t, append([]string{"try"}, args...)...).RequireMisuse(t, says)
	}
	programtest.Run(t, "try", "-f", fileOf(t, `{"type":"Frob","data":{}}`, `{}`)).RequireFailed(t, "nothing was tried, because ", `line 1: there is no command called "Frob"`, "line 2: ")
	programtest.Run(t, "try", "-f", fileOf(t, "")).RequireFailed(t, "nothing was tried: -f ")
	programtest.RunWith(t.Context(), "{}\n", "try", "-f", "-").RequireFailed(t, "nothing was tried: line 1: ")
}
