package product_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// notes are those of the last when's events, each behind its event.
func (s *story) notes(want ...string) *story {
	s.t.Helper()
	got := []string{}
	for _, result := range s.last {
		for _, e := range result.Events {
			if e.Note != nil {
				note, err := json.Marshal(e.Note)
				require.NoError(s.t, err)
				got = append(got, describe(e)+": "+string(note))
			}
		}
	}
	require.Equal(s.t, append([]string{}, want...), got)
	return s
}

func TestNote_whatAChangeReplaced(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 50 eta=2030-01-01")
	s.when("ChangeBatchQuantity b1 25").notes(`BatchQuantityChanged b1 25: {"was_qty":50}`)
	s.when("ChangeBatchEta b1").notes(`BatchEtaChanged b1: {"was_eta":"2030-01-01"}`)
	s.when("ChangeBatchEta b1 eta=2030-02-02").notes(`BatchEtaChanged b1 eta=2030-02-02: {"was_eta":""}`)
	s.when("ChangeBatchQuantity b1 0").notes(`BatchQuantityChanged b1 0: {"was_qty":25}`)
}

// A full batch is not noted; one that comes later in preference neither.
func TestNote_whatALinePassedOver(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 4", "CreateBatch b2 CHAIR 5", "CreateBatch b3 CHAIR 30 eta=2030-01-01", "CreateBatch b4 CHAIR 2 eta=2031-01-01")
	s.when("Allocate o0 CHAIR 5").notes(`Allocated o0 b2: {"passed_over":[{"ref":"b1","available":4}]}`)
	s.when("Allocate o1 CHAIR 20").notes(`Allocated o1 b3: {"passed_over":[{"ref":"b1","available":4}]}`)
	s.when("Allocate o2 CHAIR 1").notes()
	s.when("Allocate o3 CHAIR 11").notes(
		`OutOfStock o3: {"largest":[{"ref":"b3","available":10,"eta":"2030-01-01"},{"ref":"b1","available":3},{"ref":"b4","available":2,"eta":"2031-01-01"}]}`)
	s.when("CreateBatch b5 CHAIR 11 eta=2040-01-01").notes(
		`Allocated o3 b5: {"passed_over":[{"ref":"b1","available":3},{"ref":"b3","available":10,"eta":"2030-01-01"},{"ref":"b4","available":2,"eta":"2031-01-01"}]}`)
}

func TestNote_whereNothingIsAvailable(t *testing.T) {
	given(t, "CreateBatch b1 CHAIR 4", "Allocate o1 CHAIR 4").when("Allocate o2 CHAIR 1").then("OutOfStock o2").notes()
}

func TestNote_countsWhatItDoesNotName(t *testing.T) {
	var small []string
	for i := range 11 {
		small = append(small, fmt.Sprintf("CreateBatch b%02d CHAIR %d", i, i%3+1))
	}
	s := given(t, append(small, "CreateBatch z CHAIR 50")...)
	s.when("Allocate o1 CHAIR 40")
	note := s.last[0].Events[0].Note
	require.Len(t, note.PassedOver, 8)
	require.Equal(t, 3, note.More)
	s.when("Allocate o2 CHAIR 40").notes(
		`OutOfStock o2: {"largest":[{"ref":"z","available":10},{"ref":"b02","available":3},{"ref":"b05","available":3}],"more":9}`)
}

// Lines that a batch releases are placed one after the other: each note has what was there at its
// turn, also of the batch itself, on which later lines may stay.
func TestNote_linesThatABatchReleases(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 20", "CreateBatch b2 CHAIR 9 eta=2030-01-01", "CreateBatch b3 CHAIR 50 eta=2031-01-01",
		"Allocate o1 CHAIR 10", "Allocate o2 CHAIR 3", "Allocate o3 CHAIR 2", "Allocate o4 CHAIR 5")
	s.when("ChangeBatchQuantity b1 6").
		then("BatchQuantityChanged b1 6", "Deallocated o1 b1 batch_reduced", "Deallocated o4 b1 batch_reduced", "Allocated o1 b3", "Allocated o4 b2").
		notes(`BatchQuantityChanged b1 6: {"was_qty":20}`,
			`Allocated o1 b3: {"passed_over":[{"ref":"b1","available":6},{"ref":"b2","available":9,"eta":"2030-01-01"}]}`,
			`Allocated o4 b2: {"passed_over":[{"ref":"b1","available":1}]}`).
		batch("b1", 6, 1)
}

// A change of very many lines keeps notes of the first events only.
func TestNote_ofALargeChangeIsBounded(t *testing.T) {
	const lines = 1500
	commands := []string{"CreateBatch b1 CHAIR 1", "CreateBatch b2 CHAIR " + fmt.Sprint(2*lines)}
	for i := range lines {
		commands = append(commands, fmt.Sprintf("Allocate o%d CHAIR 2", i))
	}
	s := given(t, commands...)
	s.when("ChangeBatchQuantity b2 0")
	noted := 0
	for _, e := range s.last[0].Events {
		if e.Note != nil {
			noted++
		}
	}
	require.Less(t, noted, 1000)
	require.Contains(t, strings.Join([]string{describe(s.last[0].Events[2*lines])}, ""), "OutOfStock")
}
